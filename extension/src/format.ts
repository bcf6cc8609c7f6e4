import type { TranslationBundle } from '@jupyterlab/translation';

import {
  type IDevice,
  type IRun,
  type RunState,
  type Value,
  type WaveState,
  hasEnded
} from './tokens';

/** A length of time in words, as «42 s», «3 min 05 s», «2 h 10 min», «7 days». */
export function duration(seconds: number, trans: TranslationBundle): string {
  const whole = Math.max(0, Math.round(seconds));
  const padded = (value: number): string => String(value).padStart(2, '0');
  if (whole < 60) {
    return trans.__('%1 s', whole);
  }
  if (whole < 3600) {
    return trans.__('%1 min %2 s', Math.floor(whole / 60), padded(whole % 60));
  }
  if (whole < 2 * 86_400) {
    return trans.__(
      '%1 h %2 min',
      Math.floor(whole / 3600),
      padded(Math.floor((whole % 3600) / 60))
    );
  }
  return trans.__('%1 days', Math.round(whole / 86_400));
}

/** A number with three significant digits, and never in a form longer than it needs. */
export function number(value: number): string {
  if (value === 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e5)) {
    return String(Number(value.toPrecision(3)));
  }
  return value.toExponential(1);
}

/** The value of an override, as JSON writes it. */
export function value(item: Value): string {
  return typeof item === 'number' ? number(item) : JSON.stringify(item);
}

/** The key metric of a run. */
export interface IKeyMetric {
  value: number;
  /** Whether the fixed evaluation measured it; else it comes from the newest training iteration. */
  evaluated: boolean;
}

const EVALUATED = 'error_vel_xy';
const TRAINING = 'Metrics/error_vel_xy';

/** Mean error of the planar velocity [m/s]. */
export function keyMetric(run: IRun): IKeyMetric | null {
  const metrics = run.metrics ?? {};
  for (const [name, evaluated] of [
    [EVALUATED, true],
    [TRAINING, false]
  ] as const) {
    if (Number.isFinite(metrics[name])) {
      return { value: metrics[name], evaluated };
    }
  }
  return null;
}

/** How far a run is, from 0 to 1. */
export function progress(run: IRun): number {
  if (run.state === 'done' || run.state === 'evaluating') {
    return 1;
  }
  return run.iterations > 0 ? Math.min(1, run.iteration / run.iterations) : 0;
}

/** Seconds a run has taken so far or took, or null before its start. */
export function elapsed(run: IRun, now: number): number | null {
  return run.started === null ? null : (run.ended ?? now) - run.started;
}

/** Seconds left by what earlier runs took, else by the pace so far; null where nothing tells it. */
export function remaining(run: IRun, now: number): number | null {
  if (!hasEnded(run) && run.started !== null && run.estimated_end !== null) {
    return Math.max(0, run.estimated_end - now);
  }
  if (hasEnded(run) || run.started === null || run.iteration < 2 || run.iterations === 0) {
    return null;
  }
  return ((now - run.started) / run.iteration) * (run.iterations - run.iteration);
}

/** Below this a start is not worth announcing [s]: the estimate knows nothing of other projects on the devices. */
const SOON = 5;

/** Seconds until a queued run probably starts, or null where nothing tells it or it is due. */
export function startsIn(run: IRun, now: number): number | null {
  const left =
    run.state === 'queued' && run.estimated_start !== null ? run.estimated_start - now : 0;
  return left > SOON ? left : null;
}

/** The word for a state. */
export function stateLabel(state: RunState | WaveState, trans: TranslationBundle): string {
  switch (state) {
    case 'queued':
      return trans.__('Queued');
    case 'starting':
      return trans.__('Starting');
    case 'running':
      return trans.__('Running');
    case 'evaluating':
      return trans.__('Evaluating');
    case 'done':
      return trans.__('Done');
    case 'failed':
      return trans.__('Failed');
    case 'hung':
      return trans.__('Hung');
    case 'cancelled':
      return trans.__('Cancelled');
  }
}

/** A short name of a device: «GPU 0», «CPU». */
export function deviceLabel(device: IDevice): string {
  return device.kind === 'gpu' ? `GPU ${device.label}` : 'CPU';
}

/**
 * Short names of the devices that a run was given; those of another machine by the name that its result has for them,
 * else by the beginning of their ids.
 */
export function deviceLabels(run: IRun, devices: ReadonlyArray<IDevice>): string {
  const ids = (run.device ?? '').split(',').filter(Boolean);
  const known = ids.map(id => devices.find(device => device.id === id));
  if (run.device_name && !ids.includes('cpu') && !known.some(Boolean)) {
    return ids.length > 1 ? `${ids.length} × ${run.device_name}` : run.device_name;
  }
  return ids
    .map((id, i) => (known[i] ? deviceLabel(known[i]) : id === 'cpu' ? 'CPU' : id.slice(0, 12)))
    .join(', ');
}

/** So many bytes, as «3.2 GB». */
export function bytes(count: number): string {
  const power = Math.min(4, Math.max(0, Math.floor(Math.log10(Math.max(1, count)) / 3)));
  return `${Number((count / 10 ** (3 * power)).toPrecision(3))} ${['B', 'kB', 'MB', 'GB', 'TB'][power]}`;
}
