import { ReactWidget } from '@jupyterlab/apputils';
import type { IStateDB } from '@jupyterlab/statedb';
import type { ITranslator } from '@jupyterlab/translation';
import { CommandToolbarButton, SidePanel, Toolbar, UseSignal } from '@jupyterlab/ui-components';
import { type Message, MessageLoop } from '@lumino/messaging';
import { Debouncer } from '@lumino/polling';
import { Signal } from '@lumino/signaling';
import { type AccordionPanel, Panel, Widget } from '@lumino/widgets';
import React from 'react';

import { Announcer } from './chat/announcer';
import { Below } from './chat/below';
import type { Conversation } from './chat/conversation';
import { ConversationPicker } from './chat/picker';
import { ConversationWidget, type IChatOptions } from './chat/widget';
import { CommandIDs } from './commandids';
import { StandingBudget } from './components/budget';
import { Banner, ProjectHeader } from './components/banner';
import { type IPanelContext, PanelContext } from './components/context';
import { NoMessages } from './components/empty';
import { NightBanner } from './components/nightbanner';
import { RequestList } from './components/requestlist';
import { WaveList } from './components/wavelist';
import { WaitingPlans } from './components/waitingplans';
import { waveIcon } from './icons';
import { DEFAULTS, FILTERS, type IListOptions, SORTS } from './rows';

export interface IPanelOptions extends IPanelContext {
  conversation: Conversation;
  state: IStateDB | null;
  translator: ITranslator;
  chat: Pick<IChatOptions, 'user' | 'rendermime' | 'themes' | 'documents' | 'open'>;
}

const STATE_KEY = 'wavebook:panel';

/** The sidebar: the waves above, the conversation below. */
export class WavebookPanel extends SidePanel {
  constructor(private _options: IPanelOptions) {
    super({ translator: _options.translator });
    const { trans, conversation, commands } = _options;
    this.id = 'wavebook';
    this.addClass('jp-Wavebook');
    this.title.icon = waveIcon;
    this.title.caption = trans.__('Wavebook');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Wavebook'));

    this.header.addWidget(
      this._react(
        <>
          <ProjectHeader />
          <StandingBudget />
          <NightBanner />
          <RequestList />
          <WaitingPlans conversation={conversation} />
        </>,
        'jp-Wavebook-top'
      )
    );

    const waves = new Section(trans.__('Waves'), 'jp-Wavebook-waves');
    waves.addWidget(
      this._react(
        <UseSignal signal={this._listChanged}>
          {() => (
            <WaveList
              toggled={this._toggled}
              toggle={this._toggle}
              options={this._list}
              choose={this._choose}
            />
          )}
        </UseSignal>,
        'jp-Wavebook-wavelist'
      )
    );
    waves.toolbar.addItem(
      'refresh',
      new CommandToolbarButton({ commands, id: CommandIDs.refresh, label: '' })
    );
    this.addWidget(waves);

    const chat = new Section(trans.__('Conversation'), 'jp-Wavebook-chat');
    this._chat = new ConversationWidget({
      ..._options.chat,
      conversation,
      trans,
      Footer: ({ messageId }) => (
        <PanelContext.Provider value={_options}>
          <Below messageId={messageId} conversation={conversation} />
        </PanelContext.Provider>
      )
    });
    chat.addWidget(
      this._react(<ConversationPicker conversation={conversation} />, 'jp-Wavebook-pickerHost')
    );
    chat.addWidget(
      this._react(
        <UseSignal signal={conversation.changed}>
          {() =>
            conversation.messages.length === 0 ? (
              <NoMessages onExample={text => this._chat.draft(text)} />
            ) : null
          }
        </UseSignal>,
        'jp-Wavebook-welcome'
      )
    );
    chat.addWidget(this._chat);
    chat.addWidget(new Announcer(conversation, trans));
    chat.addWidget(
      this._react(
        <UseSignal signal={conversation.problemChanged}>
          {() =>
            conversation.problem === null ? null : (
              <Banner text={conversation.problem} onDismiss={() => conversation.dismiss()} />
            )
          }
        </UseSignal>,
        'jp-Wavebook-problem'
      )
    );
    chat.toolbar.addItem(
      'stop',
      new CommandToolbarButton({ commands, id: CommandIDs.stopAnswer, label: '' })
    );
    chat.toolbar.addItem(
      'new',
      new CommandToolbarButton({ commands, id: CommandIDs.newConversation, label: '' })
    );
    this.addWidget(chat);
    (this.content as AccordionPanel).setRelativeSizes([1, 1]);
    _options.project.changed.connect(this._shareHeight, this);
    conversation.busyChanged.connect(this._markBusy, this);

    void this._restore();
  }

  get chat(): ConversationWidget {
    return this._chat;
  }

  dispose(): void {
    if (!this.isDisposed) {
      this._options.project.changed.disconnect(this._shareHeight, this);
      this._options.conversation.busyChanged.disconnect(this._markBusy, this);
      this._save.dispose();
      Signal.clearData(this);
      super.dispose();
    }
  }

  protected onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this._chat.model.input.focus();
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    // The sections stand at computed heights, and the header above them grows and shrinks with what it has to say.
    this._observer.observe(this.content.node);
  }

  protected onBeforeDetach(message: Message): void {
    this._observer.disconnect();
    super.onBeforeDetach(message);
  }

  /** The conversation has most of the height until the first wave; JupyterLab restores what a person chose. */
  private _shareHeight(): void {
    const { waves } = this._options.project;
    if (waves === null) {
      return;
    }
    const empty = waves.length === 0;
    if (empty !== (this._empty ?? false)) {
      (this.content as AccordionPanel).setRelativeSizes(empty ? [1, 3] : [1, 1]);
    }
    this._empty = empty;
  }

  /** For the shortcut that stops an answer: it must not take a key where there is none. */
  private _markBusy(_: Conversation, busy: boolean): void {
    this.node.dataset.busy = String(busy);
  }

  private _react(element: JSX.Element, className: string): ReactWidget {
    const widget = ReactWidget.create(
      <PanelContext.Provider value={this._options}>{element}</PanelContext.Provider>
    );
    widget.addClass(className);
    return widget;
  }

  private _toggle = (key: string, expanded: boolean): void => {
    this._toggled = new Map(this._toggled).set(key, expanded);
    this._listChanged.emit();
    void this._save.invoke();
  };

  private _choose = (options: Partial<IListOptions>): void => {
    this._list = { ...this._list, ...options };
    this._listChanged.emit();
    void this._save.invoke();
  };

  private async _restore(): Promise<void> {
    const saved = (await this._options.state?.fetch(STATE_KEY)) as
      { toggled?: { [key: string]: boolean }; filter?: string; sort?: string } | undefined;
    if (saved?.toggled && this._toggled.size === 0) {
      this._toggled = new Map(Object.entries(saved.toggled));
      this._list = {
        ...DEFAULTS,
        filter: FILTERS.find(filter => filter === saved.filter) ?? DEFAULTS.filter,
        sort: SORTS.find(sort => sort === saved.sort) ?? DEFAULTS.sort
      };
      this._listChanged.emit();
    }
  }

  private _observer = new ResizeObserver(() => {
    MessageLoop.postMessage(this.content, Widget.ResizeMessage.UnknownSize);
  });
  private _empty: boolean | null = null;
  private _chat: ConversationWidget;
  private _toggled: ReadonlyMap<string, boolean> = new Map();
  private _list: IListOptions = DEFAULTS; // what was typed into the filter is forgotten with the page
  private _listChanged = new Signal<this, void>(this);
  private _save = new Debouncer(async () => {
    await this._options.state?.save(STATE_KEY, {
      toggled: Object.fromEntries(this._toggled),
      filter: this._list.filter,
      sort: this._list.sort
    });
  }, 300);
}

/** One of the panel's collapsible parts. */
class Section extends Panel {
  constructor(title: string, className: string) {
    super();
    this.title.label = title;
    this.addClass('jp-Wavebook-section');
    this.addClass(className);
  }

  /** Shown in the part's title bar. */
  readonly toolbar = new Toolbar();
}
