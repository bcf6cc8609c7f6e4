import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import { type ISignal, Signal } from '@lumino/signaling';

import type { IDeviceLoad, IServer } from '../tokens';

/** Between two questions to the devices' driver [ms]. */
const INTERVAL = 2000;

/** The devices with their load, asked for only while somebody looks. */
export class DevicesModel implements IDisposable {
  constructor(server: IServer) {
    this._poll = new Poll({
      name: 'wavebook:devices',
      auto: false,
      frequency: { interval: INTERVAL, backoff: true, max: 30_000 },
      standby: 'when-hidden',
      factory: async () => {
        try {
          this._devices = await server.devices();
          this._problem = null;
        } catch (reason) {
          this._problem = reason instanceof Error ? reason.message : String(reason);
          throw reason; // the poll waits longer before it asks again
        } finally {
          this._changed.emit();
        }
      }
    });
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The devices, or null before the first answer. */
  get devices(): ReadonlyArray<IDeviceLoad> | null {
    return this._devices;
  }

  get problem(): string | null {
    return this._problem;
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  set visible(visible: boolean) {
    void (visible ? this._poll.start() : this._poll.stop());
  }

  /** Ask now: something was just done that shows. */
  refresh(): void {
    void this._poll.refresh();
  }

  dispose(): void {
    this._poll.dispose();
    Signal.clearData(this);
  }

  private _devices: IDeviceLoad[] | null = null;
  private _problem: string | null = null;
  private _changed = new Signal<this, void>(this);
  private _poll: Poll;
}
