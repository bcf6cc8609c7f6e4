import type { IDisposable } from '@lumino/disposable';
import { Poll, Throttler } from '@lumino/polling';
import { type ISignal, Signal } from '@lumino/signaling';

import type { ProjectModel } from '../project';
import {
  type IDeviceLoad,
  type IMetrics,
  type IRun,
  type IRunDetails,
  type IServer,
  type RunEvent,
  hasEnded
} from '../tokens';

const POINTS = 1000;

/** What of a log is kept in the page [characters]; the file has all. */
const LOG_KEPT = 400_000;

const EVENTS_KEPT = 1000;

/** Between two looks at one run [ms]. */
const PACE = 1000;

/** Between two questions to the devices' driver while somebody looks [ms]. */
const LOAD_INTERVAL = 2000;

/** One run as the server last told it. Asks only while it is looked at. */
export class RunModel implements IDisposable {
  constructor(
    readonly id: string,
    private _server: IServer,
    private _project: ProjectModel
  ) {
    _project.changed.connect(this._onProjectChanged, this);
    this._loads = new Poll({
      name: `wavebook:load#${id}`,
      auto: false,
      frequency: { interval: LOAD_INTERVAL, backoff: true, max: 30_000 },
      standby: () => document.hidden || !this._visible || !this.live,
      factory: async () => {
        this._devices = await _server.devices();
        this._changed.emit();
      }
    });
  }

  /** Emitted when anything below has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Where the run stands, by the newest answer of all; null before the first. */
  get run(): IRun | null {
    return this._project.run(this.id) ?? this._details;
  }

  get details(): IRunDetails | null {
    return this._details;
  }

  get metrics(): IMetrics | null {
    return this._metrics;
  }

  get events(): ReadonlyArray<RunEvent> {
    return this._events;
  }

  get log(): string {
    return this._log;
  }

  /** Bytes at the log's beginning that are not shown. */
  get logSkipped(): number {
    return this._logStart;
  }

  /** The devices that the run is on, while it is. */
  get devices(): ReadonlyArray<IDeviceLoad> {
    const names = (this.run?.device ?? '').split(',');
    return this.live ? this._devices.filter(device => names.includes(device.id)) : [];
  }

  /** Whether it is under way. */
  get live(): boolean {
    const { run } = this;
    return run !== null && !hasEnded(run) && run.state !== 'queued';
  }

  /** Why the last fetch failed, or null. */
  get problem(): string | null {
    return this._problem;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Whether somebody looks at it; what happened meanwhile is fetched then. */
  set visible(visible: boolean) {
    this._visible = visible;
    if (visible) {
      void this.refresh();
      void this._loads.start();
    } else {
      void this._loads.stop();
    }
  }

  /** Fetch again what may have changed. Calls while a fetch is under way, or just after one, become one. */
  async refresh(): Promise<void> {
    await this._throttled.invoke();
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this._project.changed.disconnect(this._onProjectChanged, this);
      this._throttled.dispose();
      this._loads.dispose();
      Signal.clearData(this);
    }
  }

  private _onProjectChanged(): void {
    const run = this._project.run(this.id);
    if (!run || !this._visible) {
      return;
    }
    // A run under way prints without counting an iteration; one that has ended changes no more.
    if (this.live || run.state !== this._seen) {
      void this.refresh();
    }
    this._changed.emit();
  }

  private async _fetch(): Promise<void> {
    if (this._isDisposed) {
      return;
    }
    try {
      const details = await this._server.run(this.id);
      const [metrics, events, log] = await Promise.all([
        this._server.metrics(this.id, POINTS),
        this._server.events(this.id, this._eventsEnd),
        this._server.log(this.id, this._logEnd)
      ]);
      this._details = details;
      this._seen = details.state;
      this._metrics = metrics;
      this._events = [...this._events, ...events.events].slice(-EVENTS_KEPT);
      this._eventsEnd = events.end;
      if (this._logEnd === null) {
        this._logStart = log.start;
      }
      if (log.text) {
        const whole = this._log + log.text;
        this._log = whole.slice(-LOG_KEPT);
        this._logStart += whole.length - this._log.length;
      }
      this._logEnd = log.end;
      this._problem = null;
    } catch (reason) {
      this._problem = reason instanceof Error ? reason.message : String(reason);
    }
    this._changed.emit();
  }

  private _details: IRunDetails | null = null;
  private _metrics: IMetrics | null = null;
  private _events: RunEvent[] = [];
  private _eventsEnd = 0;
  private _log = '';
  private _logStart = 0;
  private _logEnd: number | null = null;
  private _devices: IDeviceLoad[] = [];
  private _problem: string | null = null;
  private _seen: string | null = null;
  private _visible = false;
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
  private _throttled = new Throttler(() => this._fetch(), { limit: PACE, edge: 'trailing' });
  private _loads: Poll;
}
