import {
  AbstractChatContext,
  AbstractChatModel,
  type IAttachment,
  type IChatContext,
  type IMessageContent,
  type INewMessage,
  type IUser
} from '@jupyter/chat';
import type { IDocumentManager } from '@jupyterlab/docmanager';

import type { IAttached, IChatMessage } from '../tokens';
import type { Conversation, ConversationChange } from './conversation';

const AGENT: IUser = {
  username: 'wavebook',
  display_name: 'Wavebook',
  initials: 'W',
  color: 'var(--jp-brand-color1)',
  bot: true
};

/** A run's name, as the server writes it. */
const RUN = /^exp\d{3,}\/s\d+(-r\d+)?$/;

/** Follows the conversation; what the person sends goes there. */
export class ConversationModel extends AbstractChatModel {
  constructor(
    private _options: {
      conversation: Conversation;
      user: IUser;
      documents: IDocumentManager | null;
    }
  ) {
    super({
      documentManager: _options.documents,
      config: { unreadNotifications: false, sendTypingNotification: false }
    });
    this.name = 'Wavebook';
    // Nothing is ever unread here: the library's count of it stumbles when messages go away.
    this.lastRead = Number.MAX_VALUE;
    _options.conversation.changed.connect(this._onChanged, this);
    this._reset();
    this.setReady();
    const { input } = this;
    const send = input.send;
    // The library clears the input whether its text was sent or not; its button does so even before.
    input.send = text => {
      if (_options.conversation.busy) {
        input.value = text;
      } else {
        send(text);
      }
    };
  }

  get user(): IUser {
    return this._options.user;
  }

  sendMessage(message: INewMessage): boolean {
    const { conversation } = this._options;
    const body = message.body.trim();
    if (body === '' || conversation.busy) {
      return false;
    }
    const attachments = [...this.input.attachments];
    this.input.value = '';
    this.input.clearAttachments();
    conversation
      .send(body, { attachments: attachments.map(attached) })
      .catch(() => this._keep(body, attachments));
    return true;
  }

  /** An own message that was edited, or sent again as it was, takes the place of the old one. */
  updateMessage(id: string, message: IMessageContent): void {
    if (typeof message.body !== 'string') {
      return; // drawn by a renderer, nothing that a person wrote
    }
    const body = message.body.trim();
    const attachments = message.attachments ?? [];
    this._options.conversation
      .send(body, { replace: Number(id), attachments: attachments.map(attached) })
      .catch(() => this._keep(body, attachments));
  }

  createChatContext(): IChatContext {
    return new ConversationContext({ model: this });
  }

  dispose(): void {
    this._options.conversation.changed.disconnect(this._onChanged, this);
    window.cancelAnimationFrame(this._frame);
    super.dispose();
  }

  /** What did not get through is not lost: it comes back into the input, where that is empty. */
  private _keep(body: string, attachments: IAttachment[]): void {
    if (this.input.value === '') {
      this.input.value = body;
      attachments.forEach(attachment => this.input.addAttachment?.(attachment));
    }
  }

  private _onChanged(_: Conversation, change: ConversationChange): void {
    switch (change.kind) {
      case 'reset':
        this._reset();
        break;
      case 'added':
        this.messageAdded(this._content(change.message));
        break;
      case 'removed': {
        const index = this.messages.findIndex(message => message.id === String(change.id));
        if (index >= 0) {
          this.messagesDeleted(index, 1);
        }
        break;
      }
      case 'updated':
        // A streamed answer changes faster than a screen: render its markdown once a frame.
        this._updated.set(change.message.id, change.message);
        window.cancelAnimationFrame(this._frame);
        this._frame = window.requestAnimationFrame(() => this._flush());
    }
  }

  private _flush(): void {
    for (const message of this.messages) {
      const updated = this._updated.get(Number(message.id));
      if (updated) {
        message.update({ body: updated.body });
      }
    }
    this._updated.clear();
  }

  private _reset(): void {
    this.clearMessages();
    this.messagesInserted(
      0,
      this._options.conversation.messages.map(message => this._content(message))
    );
  }

  private _content(message: IChatMessage): IMessageContent {
    return {
      type: 'msg',
      id: String(message.id),
      time: message.time,
      body: message.body,
      sender: message.sender === 'agent' ? AGENT : this.user,
      attachments: message.attachments.map(shown)
    };
  }

  private _updated = new Map<number, IChatMessage>();
  private _frame = 0;
}

class ConversationContext extends AbstractChatContext {
  get users(): IUser[] {
    return [AGENT];
  }
}

/** A dropped file as a reference; a run is one whose path the server knows as its name. */
function attached(attachment: IAttachment): IAttached {
  const { type, value } = attachment;
  if (RUN.test(value)) {
    return { kind: 'run', path: value };
  }
  return {
    kind: type === 'notebook' || value.endsWith('.ipynb') ? 'notebook' : 'file',
    path: value
  };
}

/** A reference as the library shows it: a run, of which it knows nothing, by its whole name. */
export function shown({ kind, path }: IAttached): IAttachment {
  return { type: kind as IAttachment['type'], value: path };
}
