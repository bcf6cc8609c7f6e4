/**
 * The conversation drawn with @jupyter/chat. Nothing else imports that library, so that it can be replaced here.
 */
import {
  AttachButton,
  type Chat,
  ChatCommandRegistry,
  ChatWidget,
  type IUser,
  InputToolbarRegistry,
  MessageFooterRegistry,
  type MessageFooterSectionProps,
  MessagePreambleRegistry
} from '@jupyter/chat';
import type { IThemeManager } from '@jupyterlab/apputils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { DisposableSet } from '@lumino/disposable';
import type { Message } from '@lumino/messaging';
import React from 'react';

import { RUN_TYPE } from '../drag';
import type { IAttached } from '../tokens';
import { Attachments } from './attachments';
import { takeCompletion } from './completion';
import type { Conversation, ConversationChange } from './conversation';
import { keepFocus } from './focus';
import { ConversationModel, shown } from './model';
import { ChatSanitizer } from './sanitizer';
import { SendOrStop } from './sendorstop';
import { slashCommands } from './slash';
import { ToolCards } from './toolcard';

export interface IChatOptions {
  conversation: Conversation;
  /** Who writes the directives. */
  user: IUser;
  rendermime: IRenderMimeRegistry;
  themes: IThemeManager | null;
  trans: TranslationBundle;
  /** What stands below a message, such as the card of the plan it proposes. */
  Footer: React.FC<{ messageId: number }>;
  /** Finds the files that can be attached, or null where there is no such manager. */
  documents: IDocumentManager | null;
  /** Opens what was laid beside a message. */
  open: (attached: IAttached) => void;
}

const DROP_CLASS = 'jp-mod-dropTarget';
const DRAGS = ['dragover', 'dragleave', 'drop'];

/** The chat: messages, what stands below them, and the input. */
export class ConversationWidget extends ChatWidget {
  constructor(private _options: IChatOptions) {
    const model = new ConversationModel(_options);
    super(makeOptions(model, _options, () => this._showEnd()));
    this.id = 'wavebook-chat';
    this._model = model;
    this._kept = new DisposableSet();
    this._kept.add(keepFocus(this.node));
    this._kept.add(takeCompletion(this.node));
    _options.conversation.changed.connect(this._onChanged, this);
  }

  /** Put a text into the input, for a person to change and send. */
  draft(text: string): void {
    this._model.input.value = text;
    this._model.input.focus();
  }

  /** Lay a reference beside the message that is being written. */
  attach(attached: IAttached): void {
    this._model.input.addAttachment?.(shown(attached));
    this._model.input.focus();
  }

  /** Also takes a run that is dragged from the tree; files come by JupyterLab's own drags, which the library takes. */
  handleEvent(event: Event): void {
    const transfer = event instanceof DragEvent ? event.dataTransfer : null;
    if (!transfer?.types.includes(RUN_TYPE)) {
      super.handleEvent(event);
      return;
    }
    this.toggleClass(DROP_CLASS, event.type === 'dragover');
    if (event.type === 'dragover') {
      event.preventDefault();
      transfer.dropEffect = 'copy';
    } else if (event.type === 'drop') {
      event.preventDefault();
      event.stopPropagation();
      this.attach({ kind: 'run', path: transfer.getData(RUN_TYPE) });
    }
  }

  set sendWithShiftEnter(value: boolean) {
    this._model.config = { ...this._model.config, sendWithShiftEnter: value };
  }

  dispose(): void {
    if (!this.isDisposed) {
      this._follow?.disconnect();
      this._kept.dispose();
      this._options.conversation.changed.disconnect(this._onChanged, this);
      this._model.dispose();
      super.dispose();
    }
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    DRAGS.forEach(type => this.node.addEventListener(type, this, true));
  }

  protected onBeforeDetach(message: Message): void {
    DRAGS.forEach(type => this.node.removeEventListener(type, this, true));
    super.onBeforeDetach(message);
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
  private _kept: DisposableSet;
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
  toolbar.addItem('attach', { position: 20, element: AttachButton });
  toolbar.addItem('send-or-stop', {
    position: 100,
    element: props => (
      <SendOrStop
        {...props}
        conversation={options.conversation}
        trans={options.trans}
        onMount={onMount}
      />
    )
  });
  const preambles = new MessagePreambleRegistry();
  const { conversation, trans, open } = options;
  preambles.addComponent(({ message }) => (
    <ToolCards id={Number(message.id)} conversation={conversation} trans={trans} />
  ));
  preambles.addComponent(({ message }) => (
    <Attachments id={Number(message.id)} {...{ conversation, trans, open }} />
  ));
  const chatCommandRegistry = new ChatCommandRegistry();
  chatCommandRegistry.addProvider(slashCommands(options.trans));
  return {
    model,
    chatCommandRegistry,
    messagePreambleRegistry: preambles,
    rmRegistry: options.rendermime.clone({
      sanitizer: new ChatSanitizer(options.rendermime.sanitizer)
    }),
    themeManager: options.themes,
    messageFooterRegistry: footers,
    inputToolbarRegistry: toolbar,
    area: 'sidebar'
  };
}
