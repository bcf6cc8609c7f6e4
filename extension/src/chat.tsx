/**
 * The conversation drawn with @jupyter/chat. Nothing else imports that library, so that it can be replaced here.
 */
import {
  AbstractChatContext,
  AbstractChatModel,
  type Chat,
  ChatWidget,
  type IChatContext,
  type IMessageContent,
  type INewMessage,
  type IUser,
  ChatCommandRegistry,
  type IAttachment,
  InputToolbarRegistry,
  MessageFooterRegistry,
  MessagePreambleRegistry,
  type MessageFooterSectionProps,
  SendButton,
  TooltippedIconButton
} from '@jupyter/chat';
import type { IThemeManager } from '@jupyterlab/apputils';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { stopIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';
import React, { useEffect, useRef, useState } from 'react';

import { ToolCards } from './components/toolcard';
import type { Conversation, ConversationChange } from './conversation';
import { slashCommands } from './slash';
import type { IAttached, IChatMessage } from './tokens';

export interface IChatOptions {
  conversation: Conversation;
  /** Who writes the directives. */
  user: IUser;
  rendermime: IRenderMimeRegistry;
  themes: IThemeManager | null;
  trans: TranslationBundle;
  /** What stands below a message, such as the card of the plan it proposes. */
  Footer: React.FC<{ messageId: number }>;
}

const AGENT: IUser = {
  username: 'wavebook',
  display_name: 'Wavebook',
  initials: 'W',
  color: 'var(--jp-brand-color1)',
  bot: true
};

/** The chat: messages, what stands below them, and the input. */
export class ConversationWidget extends ChatWidget {
  constructor(private _options: IChatOptions) {
    const model = new ConversationModel(_options);
    super(makeOptions(model, _options, () => this._showEnd()));
    this.id = 'wavebook-chat';
    this._model = model;
    _options.conversation.changed.connect(this._onChanged, this);
  }

  /** Put a text into the input, for a person to change and send. */
  draft(text: string): void {
    this._model.input.value = text;
    this._model.input.focus();
  }

  set sendWithShiftEnter(value: boolean) {
    this._model.config = { ...this._model.config, sendWithShiftEnter: value };
  }

  dispose(): void {
    if (!this.isDisposed) {
      this._follow?.disconnect();
      this._options.conversation.changed.disconnect(this._onChanged, this);
      this._model.dispose();
      super.dispose();
    }
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._showEnd();
  }

  private _onChanged(_: Conversation, change: ConversationChange): void {
    if (change.kind === 'reset' || (change.kind === 'added' && change.message.sender === 'human')) {
      this._showEnd();
    }
  }

  /** Scroll to the newest message and stay there while what is drawn still grows, until a person scrolls. */
  private _showEnd(frames = 120): void {
    this._follow?.disconnect();
    window.requestAnimationFrame(() => {
      const content = this.node.querySelector('.jp-chat-messages-container');
      const scrolled = content?.closest('[id^="jupyter-chat-scroll-container"]');
      if (!content || !scrolled) {
        if (frames > 0 && !this.isDisposed) {
          this._showEnd(frames - 1); // the library draws in its own time
        }
        return;
      }
      const follow = (this._follow = new ResizeObserver(() => {
        scrolled.scrollTop = scrolled.scrollHeight;
      }));
      follow.observe(content);
      for (const event of ['wheel', 'pointerdown', 'keydown', 'touchstart']) {
        scrolled.addEventListener(event, () => follow.disconnect(), { once: true, passive: true });
      }
    });
  }

  private _model: ConversationModel;
  private _follow: ResizeObserver | null = null;
}

function makeOptions(
  model: ConversationModel,
  options: IChatOptions,
  onMount: () => void
): Chat.IOptions {
  const footers = new MessageFooterRegistry();
  footers.addSection({
    position: 'left',
    component: (props: MessageFooterSectionProps) => (
      <options.Footer messageId={Number(props.message.id)} />
    )
  });
  const toolbar = new InputToolbarRegistry();
  toolbar.addItem('send-or-stop', {
    position: 100,
    element: props => <SendOrStop {...props} {...options} onMount={onMount} />
  });
  const preambles = new MessagePreambleRegistry();
  preambles.addComponent(({ message }) => (
    <ToolCards id={Number(message.id)} conversation={options.conversation} trans={options.trans} />
  ));
  const chatCommandRegistry = new ChatCommandRegistry();
  chatCommandRegistry.addProvider(slashCommands(options.trans));
  return {
    model,
    chatCommandRegistry,
    messagePreambleRegistry: preambles,
    rmRegistry: options.rendermime,
    themeManager: options.themes,
    messageFooterRegistry: footers,
    inputToolbarRegistry: toolbar,
    area: 'sidebar'
  };
}

/** Follows the conversation; what the person sends goes there. */
class ConversationModel extends AbstractChatModel {
  constructor(private _options: IChatOptions) {
    super({
      config: { unreadNotifications: false, sendTypingNotification: false }
    });
    this.name = 'Wavebook';
    // Nothing is ever unread here: the library's count of it stumbles when messages go away.
    this.lastRead = Number.MAX_VALUE;
    _options.conversation.changed.connect(this._onChanged, this);
    this._reset();
    this.setReady();
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
    conversation.send(body, { attachments: attachments.map(attached) }).catch(() => {
      if (this.input.value === '') {
        this.input.value = body; // a directive that did not get through is not lost
        attachments.forEach(attachment => this.input.addAttachment?.(attachment));
      }
    });
    return true;
  }

  /** An own message that was edited, or sent again as it was, takes the place of the old one. */
  updateMessage(id: string, message: IMessageContent): void {
    if (typeof message.body !== 'string') {
      return; // drawn by a renderer, nothing that a person wrote
    }
    this._options.conversation
      .send(message.body.trim(), {
        replace: Number(id),
        attachments: (message.attachments ?? []).map(attached)
      })
      .catch(() => undefined); // the conversation's problem tells
  }

  createChatContext(): IChatContext {
    return new ConversationContext({ model: this });
  }

  dispose(): void {
    this._options.conversation.changed.disconnect(this._onChanged, this);
    window.cancelAnimationFrame(this._frame);
    super.dispose();
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
      attachments: message.attachments.map(({ kind, path }) => ({
        type: kind === 'notebook' ? 'notebook' : 'file',
        value: path
      }))
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
  if (/^exp\d{3,}\/s\d+(-r\d+)?$/.test(value)) {
    return { kind: 'run', path: value };
  }
  return {
    kind: type === 'notebook' || value.endsWith('.ipynb') ? 'notebook' : 'file',
    path: value
  };
}

type ToolbarItemProps = InputToolbarRegistry.IToolbarItemProps &
  IChatOptions & {
    /** The library draws everything anew when it has learnt the theme. */
    onMount: () => void;
  };

/** Send, or Stop while an answer is under way. */
function SendOrStop(props: ToolbarItemProps): JSX.Element {
  const { conversation, trans, onMount } = props;
  const [busy, setBusy] = useState(conversation.busy);
  const node = useRef<HTMLSpanElement>(null);

  useEffect(() => {
    const onBusy = (_: Conversation, value: boolean): void => setBusy(value);
    conversation.busyChanged.connect(onBusy);
    setBusy(conversation.busy);
    return () => {
      conversation.busyChanged.disconnect(onBusy);
    };
  }, [conversation]);

  useEffect(() => {
    onMount();
    // The library takes the focus when it draws; it belongs to whoever has it.
    const before = document.activeElement as HTMLElement | null;
    window.requestAnimationFrame(() => {
      const now = document.activeElement as HTMLElement | null;
      if (now !== before && now?.closest('.jp-chat-input-container')) {
        now.blur();
        before?.focus();
      }
    });
  }, [onMount]);

  // The library offers no property for the text in the empty input.
  useEffect(() => {
    const input = node.current
      ?.closest('.jp-chat-input-container')
      ?.querySelector<HTMLTextAreaElement>('textarea:not([aria-hidden])');
    if (input) {
      input.placeholder = trans.__('Write a directive…');
      input.setAttribute('aria-label', trans.__('Directive'));
    }
  });

  const label = trans.__('Stop');
  return (
    <span ref={node}>
      {busy ? (
        <TooltippedIconButton
          tooltip={label}
          aria-label={label}
          onClick={() => conversation.stop()}
          buttonProps={{ title: label, className: 'jp-Wavebook-stop' }}
        >
          <stopIcon.react tag="span" />
        </TooltippedIconButton>
      ) : (
        <SendButton {...props} />
      )}
    </span>
  );
}
