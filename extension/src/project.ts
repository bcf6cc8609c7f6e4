import type { IDisposable } from '@lumino/disposable';
import { Debouncer } from '@lumino/polling';
import { type ISignal, Signal } from '@lumino/signaling';

import {
  type Decision,
  type IApproval,
  type IBudget,
  type ICheckedChanges,
  type INight,
  type INightRequest,
  type IPlanChanges,
  type IProject,
  type IRequest,
  type IRun,
  type IServer,
  type IWave,
  hasEnded
} from './tokens';

/** What can be fetched again on its own. */
export type Part = 'project' | 'waves' | 'approvals' | 'requests' | 'night';

const ALL: Part[] = ['project', 'waves', 'approvals', 'requests', 'night'];

/** The project as the server last told it. Knows nothing of how it was asked. */
export class ProjectModel implements IDisposable {
  constructor(private _server: IServer) {}

  /** Emitted when anything below has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The project, or null before the first answer. */
  get project(): IProject | null {
    return this._project;
  }

  /** The waves, newest first, or null before the first answer. */
  get waves(): ReadonlyArray<IWave> | null {
    return this._waves;
  }

  get approvals(): ReadonlyArray<IApproval> {
    return [...this._approvals.values()];
  }

  /** What the agent may spend without asking, or null. */
  get budget(): IBudget | null {
    return this._budget;
  }

  /** Why the last fetch failed, or null. */
  get problem(): string | null {
    return this._problem;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  approval(id: number): IApproval | undefined {
    return this._approvals.get(id);
  }

  wave(id: number): IWave | undefined {
    return this._waves?.find(wave => wave.id === id);
  }

  run(id: string): IRun | undefined {
    return this.runs.find(run => run.id === id);
  }

  get runs(): IRun[] {
    return (this._waves ?? []).flatMap(wave => wave.runs);
  }

  /** The runs that may still change. */
  get activeRuns(): IRun[] {
    return this.runs.filter(run => !hasEnded(run));
  }

  /** The waves that still have such runs. */
  get activeWaves(): IWave[] {
    return (this._waves ?? []).filter(wave => wave.runs.some(run => !hasEnded(run)));
  }

  /** The runs that wait, in the order in which they will start. */
  get queue(): IRun[] {
    const waiting = this.runs.filter(run => run.state === 'queued');
    return waiting.sort((a, b) => b.priority - a.priority || a.submitted - b.submitted);
  }

  get pendingApprovals(): IApproval[] {
    return this.approvals.filter(approval => approval.state === 'pending');
  }

  get pendingRequests(): IRequest[] {
    return this._requests.filter(request => request.state === 'pending');
  }

  /** The newest night, or null where there was none. */
  get night(): INight | null {
    return this._night;
  }

  /**
   * Fetch the named parts again. Calls while a fetch is under way are served together by the next one.
   * A failure is told by `problem`, never by a rejection.
   */
  async refresh(parts: Part[] = ALL): Promise<void> {
    parts.forEach(part => this._wanted.add(part));
    if (this._running === null) {
      this._running = this._fetchWanted().finally(() => {
        this._running = null;
      });
    }
    await this._running;
  }

  /** Note an approval that arrived by another way, such as the chat. */
  note(approval: IApproval): void {
    this._approvals.set(approval.id, approval);
    this._changed.emit();
  }

  /** Approve or reject; rejects with the server's words. */
  async decide(
    id: number,
    decision: Decision,
    why = '',
    changes: IPlanChanges | null = null
  ): Promise<IApproval> {
    try {
      const approval = await this._server.decide(id, decision, why, changes);
      this.note(approval);
      return approval;
    } finally {
      // Also after an error: a second decision means that this page showed an old state.
      void this._soon.invoke();
    }
  }

  /** Let plans within a budget run without asking. */
  async grantBudget(runs: number, hours: number): Promise<IBudget | null> {
    this._budget = await this._server.grantBudget(runs, hours);
    this._changed.emit();
    return this._budget;
  }

  async revokeBudget(): Promise<void> {
    await this._server.revokeBudget();
    this._budget = null;
    this._changed.emit();
  }

  /** Allow or deny what an agent asks for; rejects with the server's words. */
  async answerRequest(id: number, decision: 'allow' | 'deny'): Promise<void> {
    try {
      await this._server.answerRequest(id, decision);
    } finally {
      await this.refresh(['requests']);
    }
  }

  /** What a night would be granted, in words; rejects with the server's words where it cannot be. */
  nightTerms(asked: INightRequest): Promise<string> {
    return this._server.nightTerms(asked);
  }

  /** Let the agent work wave after wave; only after a person has agreed to the terms. */
  async grantNight(asked: INightRequest): Promise<INight | null> {
    this._night = await this._server.grantNight(asked);
    this._changed.emit();
    return this._night;
  }

  /** Stop the night and its runs; rejects with the server's words. */
  async stopNight(): Promise<void> {
    this._night = await this._server.stopNight();
    this._changed.emit();
  }

  /** Try changes of a plan and make none; what is wrong stands at its field. */
  checkChanges(id: number, changes: IPlanChanges): Promise<ICheckedChanges> {
    return this._server.checkChanges(id, changes);
  }

  /** Cancel a run; answers its name, or nothing where it has ended or is being cancelled. */
  async cancelRun(id: string): Promise<string[]> {
    const cancelled = await this._server.cancelRun(id);
    void this._soon.invoke();
    return cancelled;
  }

  async cancelWave(id: number): Promise<string[]> {
    const cancelled = await this._server.cancelWave(id);
    void this._soon.invoke();
    return cancelled;
  }

  /** Queue repeats of a run, or of what of a wave failed; answers their names. */
  async retry(target: { run: string } | { wave: number }, resume: boolean): Promise<string[]> {
    const queued =
      'run' in target
        ? await this._server.retryRun(target.run, resume)
        : await this._server.retryWave(target.wave, resume);
    void this._soon.invoke();
    return queued;
  }

  async setPriority(run: string, priority: number): Promise<void> {
    await this._server.setPriority(run, priority);
    void this._soon.invoke();
  }

  async setDevices(run: string, devices: string[]): Promise<void> {
    await this._server.setDevices(run, devices);
    void this._soon.invoke();
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this._soon.dispose();
      Signal.clearData(this);
    }
  }

  private async _fetchWanted(): Promise<void> {
    while (this._wanted.size > 0 && !this._isDisposed) {
      const parts = [...this._wanted];
      this._wanted.clear();
      try {
        if (this._problem !== null) {
          // One question tells whether anybody answers again; the browser's console complains of each that nobody does.
          await this._fetch(parts.shift()!);
        }
        await Promise.all(parts.map(part => this._fetch(part)));
        this._problem = null;
      } catch (reason) {
        this._problem = reason instanceof Error ? reason.message : String(reason);
      }
      this._changed.emit();
    }
  }

  private async _fetch(part: Part): Promise<void> {
    if (part === 'project') {
      this._project = await this._server.project();
    } else if (part === 'waves') {
      this._waves = (await this._server.waves()).sort((a, b) => b.id - a.id);
    } else if (part === 'night') {
      this._night = await this._server.night();
    } else if (part === 'requests') {
      this._requests = await this._server.requests();
    } else {
      const [approvals, budget] = await Promise.all([
        this._server.approvals(),
        this._server.budget() // a plan approved under it takes from it
      ]);
      this._budget = budget;
      this._approvals = new Map(approvals.map(approval => [approval.id, approval]));
    }
  }

  private _project: IProject | null = null;
  private _waves: IWave[] | null = null;
  private _approvals = new Map<number, IApproval>();
  private _requests: IRequest[] = [];
  private _budget: IBudget | null = null;
  private _night: INight | null = null;
  private _problem: string | null = null;
  private _wanted = new Set<Part>();
  private _running: Promise<void> | null = null;
  private _soon = new Debouncer(() => this.refresh(['waves', 'approvals']), 50);
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
}
