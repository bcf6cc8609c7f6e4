import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import type {
  Answer,
  IApproval,
  IChatMessage,
  IConversationInfo,
  ISendOptions,
  IServer,
  IToolPart
} from '../tokens';

/** Id of a message that the server has not acknowledged yet. */
const UNSENT = -1;

/** What happened to the list of messages. */
export type ConversationChange =
  | { kind: 'reset' }
  | { kind: 'added'; message: IChatMessage }
  | { kind: 'updated'; message: IChatMessage }
  | { kind: 'removed'; id: number };

/** The conversation with the agent. Knows neither transport nor display. */
export class Conversation implements IDisposable {
  constructor(
    private _server: IServer,
    private _trans: TranslationBundle
  ) {}

  get changed(): ISignal<this, ConversationChange> {
    return this._changed;
  }

  /** Emitted when an answer begins or ends. */
  get busyChanged(): ISignal<this, boolean> {
    return this._busyChanged;
  }

  /** Emitted when an answer brings a plan that waits for approval. */
  get approvalProposed(): ISignal<this, IApproval> {
    return this._approvalProposed;
  }

  /** Emitted when `problem` has changed. */
  get problemChanged(): ISignal<this, void> {
    return this._problemChanged;
  }

  /** Why the last message got no whole answer, or null. */
  get problem(): string | null {
    return this._problem;
  }

  /** Emitted when the list of conversations has changed. */
  get listChanged(): ISignal<this, void> {
    return this._listChanged;
  }

  /** The project's conversations, the last opened first. */
  get list(): ReadonlyArray<IConversationInfo> {
    return this._list;
  }

  /** The conversation that is shown, once something was said in it. */
  get current(): IConversationInfo | undefined {
    return this._list.find(item => item.current);
  }

  /** The last message of a person that the server knows. */
  get lastAsked(): IChatMessage | null {
    return (
      [...this._messages].reverse().find(item => item.sender === 'human' && item.id > 0) ?? null
    );
  }

  /** Oldest first. */
  get messages(): ReadonlyArray<IChatMessage> {
    return this._messages;
  }

  /** Whether the messages were fetched once. */
  get loaded(): boolean {
    return this._loaded;
  }

  /** Whether an answer is under way. */
  get busy(): boolean {
    return this._abort !== null;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  message(id: number): IChatMessage | undefined {
    return this._messages.find(message => message.id === id);
  }

  /** Fetch the list of conversations. */
  async loadList(): Promise<void> {
    this._setList(await this._server.conversations());
  }

  /** Fetch the list and all messages; these are left alone while an answer is under way, which brings its own. */
  async load(): Promise<void> {
    const { busy, _replaced: replaced } = this;
    const [messages] = await Promise.all([this._server.messages(), this.loadList()]);
    if (this.busy || this._isDisposed) {
      return;
    }
    if (busy || replaced !== this._replaced) {
      return this.load(); // what was fetched is of before the answer, or of the conversation that was shown
    }
    const first = !this._loaded;
    this._loaded = true;
    if (first || !sameMessages(messages, this._messages)) {
      this._messages = messages;
      this._changed.emit({ kind: 'reset' });
    }
  }

  /**
   * Send a directive and follow the answer to its end.
   *
   * @returns The approval that the answer asks for, if any.
   * @throws When the server refuses the message or fails while it answers. What was said until then stays.
   */
  async send(body: string, options: ISendOptions = {}): Promise<IApproval | null> {
    if (this.busy) {
      throw new Error(
        this._trans.__('An answer is still under way. Stop it, or wait for its end.')
      );
    }
    const abort = (this._abort = new AbortController());
    this._replaced += 1;
    this._setProblem(null);
    this._busyChanged.emit(true);
    const echo: IChatMessage = {
      id: UNSENT,
      time: Date.now() / 1000,
      sender: 'human',
      body,
      approval: null,
      parts: [],
      attachments: options.attachments ?? []
    };
    this._add(echo);
    let proposed: IApproval | null = null;
    let failure: string | null = null;
    try {
      for await (const answer of this._server.send(body, abort.signal, options)) {
        if (answer.kind === 'done') {
          break;
        }
        if (answer.kind === 'error') {
          failure = answer.message;
        } else if (answer.kind === 'message' && answer.message.sender === 'agent') {
          failure = null; // the agent says in its own words what went wrong
        } else if (answer.kind === 'message' && options.replace) {
          this._removeFrom(options.replace);
        }
        proposed = this._take(answer) ?? proposed;
      }
      if (failure !== null) {
        throw new Error(failure);
      }
    } catch (reason) {
      if (!abort.signal.aborted) {
        this._setProblem(reason instanceof Error ? reason.message : String(reason));
        throw reason;
      }
    } finally {
      this._abort = null;
      if (!this._isDisposed) {
        this._remove(UNSENT);
        this._busyChanged.emit(false);
      }
    }
    return proposed;
  }

  /** Stop the answer that is under way. What it has said stays. */
  stop(): void {
    this._abort?.abort();
  }

  /**
   * Ask the last message again; it and its answer are replaced.
   *
   * @throws When nothing was asked yet, or as `send` does.
   */
  async retry(): Promise<IApproval | null> {
    const asked = this.lastAsked;
    if (asked === null) {
      throw new Error(this._trans.__('Nothing was asked in this conversation yet.'));
    }
    return this.send(asked.body, { attachments: asked.attachments, replace: asked.id });
  }

  /** Forget the problem, once a person has read it. */
  dismiss(): void {
    this._setProblem(null);
  }

  /** Begin a new, empty conversation. */
  async clear(): Promise<void> {
    this.stop();
    await this._server.clearChat();
    this._replaced += 1;
    this._messages = [];
    this._changed.emit({ kind: 'reset' });
    await this.loadList();
  }

  /** Show another conversation. An answer that is under way is stopped. */
  async open(id: number): Promise<void> {
    if (id !== this.current?.id) {
      this.stop();
      this._setList(await this._server.changeConversation(id, { open: true }));
      await this._show();
    }
  }

  /** Give a conversation a name; an empty one is named by how it begins. */
  async rename(id: number, title: string): Promise<void> {
    this._setList(await this._server.changeConversation(id, { title }));
  }

  /** Delete a conversation for good; where it is shown, the one opened before it comes. */
  async remove(id: number): Promise<void> {
    if (id === this.current?.id) {
      this.stop();
    }
    this._setList(await this._server.deleteConversation(id));
    await this._show();
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this.stop();
      Signal.clearData(this);
    }
  }

  private async _show(): Promise<void> {
    this._setProblem(null);
    this._messages = await this._server.messages();
    this._replaced += 1;
    this._changed.emit({ kind: 'reset' });
  }

  private _setList(list: IConversationInfo[]): void {
    if (JSON.stringify(list) !== JSON.stringify(this._list)) {
      this._list = list;
      this._listChanged.emit();
    }
  }

  private _take(answer: Answer): IApproval | null {
    switch (answer.kind) {
      case 'message':
        if (answer.message.sender === 'human') {
          this._remove(UNSENT);
        }
        this._add(answer.message);
        return null;
      case 'delta': {
        const message = this.message(answer.id);
        if (message) {
          this._replace({ ...message, body: message.body + answer.text });
        }
        return null;
      }
      case 'tool': {
        const message = this.message(answer.id);
        if (message) {
          this._replace({ ...message, parts: withTool(message.parts, answer.part) });
        }
        return null;
      }
      case 'approval':
        this._approvalProposed.emit(answer.approval);
        return answer.approval;
      default:
        return null;
    }
  }

  private _add(message: IChatMessage): void {
    if (this.message(message.id)) {
      this._replace(message);
    } else {
      this._messages = [...this._messages, message];
      this._changed.emit({ kind: 'added', message });
    }
  }

  private _replace(message: IChatMessage): void {
    this._messages = this._messages.map(old => (old.id === message.id ? message : old));
    this._changed.emit({ kind: 'updated', message });
  }

  private _remove(id: number): void {
    if (this.message(id)) {
      this._messages = this._messages.filter(message => message.id !== id);
      this._changed.emit({ kind: 'removed', id });
    }
  }

  /** Remove a message and all that the server knew after it. */
  private _removeFrom(id: number): void {
    this._messages.filter(message => message.id >= id).forEach(({ id }) => this._remove(id));
  }

  private _setProblem(problem: string | null): void {
    if (problem !== this._problem) {
      this._problem = problem;
      this._problemChanged.emit();
    }
  }

  private _messages: IChatMessage[] = [];
  private _list: IConversationInfo[] = [];
  private _problem: string | null = null;
  private _abort: AbortController | null = null;
  private _replaced = 0; // how often a message or another conversation made old what was being fetched
  private _loaded = false;
  private _isDisposed = false;
  private _changed = new Signal<this, ConversationChange>(this);
  private _listChanged = new Signal<this, void>(this);
  private _busyChanged = new Signal<this, boolean>(this);
  private _problemChanged = new Signal<this, void>(this);
  private _approvalProposed = new Signal<this, IApproval>(this);
}

function withTool(parts: IChatMessage['parts'], tool: IToolPart): IChatMessage['parts'] {
  const known = parts.some(part => part.kind === 'tool' && part.id === tool.id);
  return known
    ? parts.map(part => (part.kind === 'tool' && part.id === tool.id ? tool : part))
    : [...parts, tool];
}

function sameMessages(a: IChatMessage[], b: ReadonlyArray<IChatMessage>): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
