/**
 * The documents that server and front end exchange, as docs/server-api.md describes them.
 */

export type RunState =
  'queued' | 'starting' | 'running' | 'evaluating' | 'done' | 'failed' | 'hung' | 'cancelled';

export type WaveState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled';

export type ApprovalState = 'pending' | 'approved' | 'rejected' | 'expired' | 'withdrawn';

export type Decision = 'approve' | 'reject';

/** A value that an override sets; null removes a term. */
export type Value = string | number | boolean | null | Value[] | { [key: string]: Value };

export interface IDevice {
  id: string;
  /** Its short name: `cpu`, `0`, or `0:1` for a MIG instance. */
  label: string;
  name: string;
  kind: 'cpu' | 'gpu';
}

/** A run that has taken a device, of this project or another. */
export interface IHolder {
  run: string;
  project: string;
  pid: number | null;
  shared: boolean;
  /** Whether it is a run of this project. */
  own: boolean;
}

/** A device as it is now. What its driver does not tell is null. */
export interface IDeviceLoad extends IDevice {
  /** [bytes] */
  memory_total: number | null;
  /** [bytes] */
  memory_used: number | null;
  /** [%] */
  utilisation: number | null;
  holders: IHolder[];
  /** Processes that belong to no run, in words. */
  foreign: string[];
}

/** The project that the server was started in. */
export interface IProject {
  root: string;
  name: string;
  version: string;
  planner: { name: string; label: string };
  devices: IDevice[];
  /** What keeps the project from working, as sentences for a person. */
  problems: string[];
}

export interface IVerdict {
  verdict: 'better' | 'worse' | 'no different' | 'failed' | 'finished' | 'baseline' | 'pending';
  metric: string;
  mean: number | null;
  baseline: number | null;
  difference: number | null;
  standard_error: number | null;
  text: string;
}

export interface IExperiment {
  id: string;
  slug: string;
  hypothesis: string;
  baseline: boolean;
  overrides: { [name: string]: Value };
  seeds: number[];
  verdict: IVerdict | null;
}

/** One execution of an experiment. Times are Unix seconds, paths relative to the project. */
export interface IRun {
  id: string;
  wave: number;
  experiment: string;
  seed: number;
  state: RunState;
  phase?: string | null;
  /** Ids of what it got, with commas. */
  device: string | null;
  /** As its result calls the device; null where it has none. */
  device_name: string | null;
  /** Where it may go: `auto`, `cpu`, or indices and UUIDs. */
  devices: string[];
  gpus: number;
  pid: number | null;
  iteration: number;
  iterations: number;
  submitted: number;
  started: number | null;
  ended: number | null;
  estimated_start: number | null;
  estimated_end: number | null;
  priority: number;
  message: string | null;
  notebook: string | null;
  log: string | null;
  folder: string;
  replay: string | null;
  /** Iteration that a repeat can go on from. */
  checkpoint: number | null;
  /** Of result.json, else of the newest iteration. */
  metrics: { [name: string]: number } | null;
}

/** What a run was given, as far as it is shown; spec.json has more. */
export interface IRunSpec {
  task: string;
  hypothesis: string;
  seed: number;
  num_envs: number;
  iterations: number;
  overrides: { [name: string]: Value };
  devices: string[];
  gpus: number;
  template: string;
  priority: number;
  checkpoint: string | null;
  resumed_from: string | null;
  planner: string;
  wavebook_version: string;
}

/** A run with its input and its result. */
export interface IRunDetails extends IRun {
  spec: IRunSpec;
  result: { [name: string]: Value } | null;
}

export interface IQuantity {
  label: string;
  unit: string | null;
  better: 'down' | 'up' | null;
}

/** The curves of a run on one axis, the most telling first. */
export interface IMetrics {
  iterations: number[];
  values: { [name: string]: Array<number | null> };
  quantities: { [name: string]: IQuantity };
}

/** One step that the watchdog thinks would help. */
export interface ISuggestion {
  action: string;
  why: string;
  overrides?: { [name: string]: Value };
  num_envs?: number;
  names?: string[];
}

/** One line of a run's events.jsonl. */
export type RunEvent = { t: number } & (
  | {
      kind: 'state';
      state: RunState;
      phase?: string | null;
      message?: string | null;
      device?: string | null;
    }
  | { kind: 'cell'; index?: number; state?: string; status?: string; [name: string]: unknown }
  | {
      kind: 'alert';
      finding: string;
      message: string;
      ends_run: boolean;
      suggestion: ISuggestion | null;
    }
);

/** A stretch of a file that grows; `end` is where the next one begins [bytes]. */
export interface ILogPart {
  text: string;
  start: number;
  end: number;
  size: number;
}

export interface IWave {
  id: number;
  slug: string;
  goal: string;
  directive: string;
  parent: number | null;
  state: WaveState;
  created: number;
  planner: string;
  /** Path of the wave's report. */
  notebook: string | null;
  comparison: string | null;
  experiments: IExperiment[];
  runs: IRun[];
}

export interface IPlannedExperiment {
  id: string;
  slug: string;
  hypothesis: string;
  overrides: { [name: string]: Value };
  seeds: number[];
  num_envs: number | null;
  iterations: number | null;
  prediction: { metric: string; direction: 'down' | 'up' | 'same'; by: number | null } | null;
  baseline: boolean;
  template: string;
  evidence: string[];
}

export interface IWavePlan {
  id: number;
  slug: string;
  goal: string;
  directive: string;
  parent: number | null;
  task: string;
  num_envs: number;
  iterations: number;
  overrides: { [name: string]: Value };
  experiments: IPlannedExperiment[];
  devices: string[];
  planner: string;
  rationale: string;
  created: number;
}

/** What a person changes in a plan before approving it; what is absent stays. */
export interface IPlanChanges {
  drop: string[];
  experiments: { [id: string]: { overrides?: { [name: string]: Value }; seeds?: number[] } };
  devices: string[] | null;
}

/** What changes would make of a plan. */
export interface ICheckedChanges {
  /** By field: `exp002.overrides.NAME`, `exp002.seeds`, `devices` or `plan`. */
  problems: { [field: string]: string };
  /** Each change in words. */
  changes: string[];
  estimate: IApproval['estimate'] | null;
}

/** A tool that the agent used. */
export interface IToolPart {
  kind: 'tool';
  id: string;
  name: string;
  arguments: { [name: string]: Value };
  /** Null while the tool works. */
  result: string | null;
  failed: boolean;
}

/** A reference that a person laid beside a message. */
export interface IAttached {
  kind: 'run' | 'notebook' | 'file';
  path: string;
}

/** A code override as a person approves it. */
export interface ICodeDiff {
  /** The experiment that brings it; null where all of the wave share it. */
  experiment: string | null;
  name: string;
  /** Unified, against what was last approved under the name. */
  diff: string;
}

export interface IEstimate {
  runs: number;
  /** Null where no earlier run tells. */
  seconds: number | null;
  gpu_hours: number | null;
  /** Devices that ran the task, where they are others than the plan's. */
  measured_on: string[];
}

export interface IApproval {
  id: number;
  kind: 'wave';
  state: ApprovalState;
  plan: IWavePlan;
  estimate: IEstimate;
  created: number;
  expires: number;
  decided: number | null;
  decided_by: string | null;
  why: string;
  code: ICodeDiff[];
  /** Why a pending plan cannot be approved yet; empty where it can. */
  problem: string;
  /** The task's own values of what the plan overrides. */
  base: { [name: string]: Value };
}

export interface IChatMessage {
  id: number;
  time: number;
  sender: 'human' | 'agent';
  /** Markdown. */
  body: string;
  /** Id of the approval that the message asks for. */
  approval: number | null;
  /** Text and tool calls in their order; empty where no tool was used. */
  parts: Array<{ kind: 'text'; text: string } | IToolPart>;
  attachments: IAttached[];
}

/** One of the project's conversations. */
export interface IConversationInfo {
  id: number;
  /** What a person called it, else how it begins. */
  title: string;
  created: number;
  /** How many. */
  messages: number;
  current: boolean;
}

/** What the agent may spend without asking. */
export interface IBudget {
  id: number;
  /** The most runs of one wave. */
  runs: number;
  /** Over all waves approved under it [h]. */
  gpu_hours: number;
  /** Of these taken by waves so far [h]. */
  reserved: number;
  granted: number;
  granted_by: string;
}

/** A notebook that runs are made from. */
export interface ITemplate {
  name: string;
  /** Whether it lies in the project. */
  own: boolean;
  path: string | null;
  /** Why no run can be made from it, as ends of sentences that begin with its name. */
  problems: string[];
  /** What its runs would lack. */
  advice: string[];
}

/** What goes with a message that is sent. */
export interface ISendOptions {
  attachments?: IAttached[];
  /** An own message that this one takes the place of, with all after it. */
  replace?: number | null;
}

export interface IComparison {
  /** JSON text of bokeh.embed.json_item. */
  item: string;
  title: string;
}

/** One server-sent event of an answer in the chat. */
export type Answer =
  | { kind: 'message'; message: IChatMessage }
  | { kind: 'delta'; id: number; text: string }
  | { kind: 'tool'; id: number; part: IToolPart }
  | { kind: 'approval'; approval: IApproval }
  | { kind: 'error'; message: string }
  | { kind: 'done' };

/** What a push tells to fetch again. */
export interface IChange {
  what: Array<'waves' | 'chat' | 'approvals' | 'requests' | 'night'>;
  wave: number | null;
  run: string | null;
}

/** What the models need of the server; its HTTP is in request.ts. */
/** A night that is asked for; limits that are absent come from wavebook.toml. */
export interface INightRequest {
  directive: string;
  waves?: number;
  runs?: number;
  gpu_hours?: number;
  hours?: number;
  until?: string;
  patience?: number;
}

export interface IServer {
  project(): Promise<IProject>;
  waves(): Promise<IWave[]>;
  approvals(): Promise<IApproval[]>;
  decide(
    approval: number,
    decision: Decision,
    why: string,
    changes?: IPlanChanges | null
  ): Promise<IApproval>;
  /** Tries changes of a plan and makes none. */
  checkChanges(approval: number, changes: IPlanChanges): Promise<ICheckedChanges>;
  requests(): Promise<IRequest[]>;
  answerRequest(request: number, decision: 'allow' | 'deny'): Promise<IRequest>;
  /** The newest night, or null where there was none. */
  night(): Promise<INight | null>;
  /** What would be granted, in the server's words; rejects what cannot be. */
  nightTerms(asked: INightRequest): Promise<string>;
  grantNight(asked: INightRequest): Promise<INight | null>;
  /** Stops the night and its runs. */
  stopNight(): Promise<INight | null>;
  cancelRun(run: string): Promise<string[]>;
  /** Cancels what has not ended and answers its run ids. */
  cancelWave(wave: number): Promise<string[]>;
  run(run: string): Promise<IRunDetails>;
  metrics(run: string, points: number): Promise<IMetrics>;
  /** What happened in a run from byte `start` of its events on, metrics and prints left out. */
  events(run: string, start: number): Promise<{ events: RunEvent[]; end: number }>;
  /** The end of a run's log, or what follows byte `start`. */
  log(run: string, start: number | null): Promise<ILogPart>;
  /** Queues repeats of what failed and answers their run ids. */
  retryRun(run: string, resume: boolean): Promise<string[]>;
  retryWave(wave: number, resume: boolean): Promise<string[]>;
  setPriority(run: string, priority: number): Promise<void>;
  /** Sends a queued run to other devices. */
  setDevices(run: string, devices: string[]): Promise<void>;
  devices(): Promise<IDeviceLoad[]>;
  comparison(waves: number[]): Promise<IComparison>;
  /** Curves of these metrics between two iterations, or whole, finer than the comparison carries them. */
  comparisonCurves(
    waves: number[],
    metrics: string[],
    window: [number, number] | null
  ): Promise<object>;
  /** The comparison as an HTML file that needs nothing else. */
  comparisonPage(waves: number[]): Promise<Blob>;
  messages(): Promise<IChatMessage[]>;
  /** Sends a message; the answer ends early when the signal is aborted. */
  send(body: string, signal: AbortSignal, options?: ISendOptions): AsyncIterable<Answer>;
  clearChat(): Promise<void>;
  conversations(): Promise<IConversationInfo[]>;
  changeConversation(
    conversation: number,
    change: { title?: string; open?: boolean }
  ): Promise<IConversationInfo[]>;
  deleteConversation(conversation: number): Promise<IConversationInfo[]>;
  /** The standing budget in force. */
  budget(): Promise<IBudget | null>;
  grantBudget(runs: number, hours: number): Promise<IBudget | null>;
  revokeBudget(): Promise<void>;
  /** A run's replay as JSON text. */
  replay(run: string): Promise<string>;
  templates(): Promise<ITemplate[]>;
  /** Copies a template into the project. */
  copyTemplate(template: string, name: string | null): Promise<ITemplate>;
}

const ENDED: ReadonlySet<RunState> = new Set(['done', 'failed', 'hung', 'cancelled']);

/** A tool that an agent wants to use and that needs a person's word. */
export interface IRequest {
  id: number;
  tool: string;
  /** As JSON. */
  arguments: string;
  actor: string;
  /** Logs, notebooks and files that it had read before it asked. */
  foreign: string[];
  state: 'pending' | 'approved' | 'done' | 'failed' | 'rejected' | 'expired';
  result: string | null;
}

/** Waves that run one after the other without a person, within what a person granted. */
export interface INight {
  id: number;
  directive: string;
  state: 'running' | 'paused' | 'ended';
  /** What goes on now, in words. */
  doing: string;
  granted_by: string;
  waves: { used: number; allowed: number };
  device_hours: { used: number; allowed: number };
  hours: { used: number; allowed: number };
  stop_by: string | null;
  outcome: string | null;
  why: string;
}

/** Whether a run will not change its state again. */
export function hasEnded(run: IRun): boolean {
  return ENDED.has(run.state);
}

/** Whether a run ended without its result, so that it can be repeated. */
export function canRetry(run: IRun): boolean {
  return hasEnded(run) && run.state !== 'done';
}
