import type { TranslationBundle } from '@jupyterlab/translation';

import { type IRun, type RunState, type Value, type WaveState, hasEnded } from './tokens';

/** A length of time in words, as «42 s», «3 min 05 s», «2 h 10 min». */
export function duration(seconds: number, trans: TranslationBundle): string {
  const whole = Math.max(0, Math.round(seconds));
  const padded = (value: number): string => String(value).padStart(2, '0');
  if (whole < 60) {
    return trans.__('%1 s', whole);
  }
  if (whole < 3600) {
    return trans.__('%1 min %2 s', Math.floor(whole / 60), padded(whole % 60));
  }
  return trans.__('%1 h %2 min', Math.floor(whole / 3600), padded(Math.floor((whole % 3600) / 60)));
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

/** Seconds of training left at the pace so far, or null where nothing tells it. */
export function remaining(run: IRun, now: number): number | null {
  if (hasEnded(run) || run.started === null || run.iteration < 2 || run.iterations === 0) {
    return null;
  }
  return ((now - run.started) / run.iteration) * (run.iterations - run.iteration);
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
