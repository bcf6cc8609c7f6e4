import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import type { Conversation, ConversationChange } from './conversation';

/** Reads an answer out to a screen reader, paragraph by paragraph as it streams in; nobody sees it. */
export class Announcer extends Widget {
  constructor(
    private _conversation: Conversation,
    private _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-Wavebook-announcer');
    this.node.setAttribute('role', 'log');
    this.node.setAttribute('aria-live', 'polite');
    this.node.setAttribute('aria-label', _trans.__('Answer'));
    _conversation.busyChanged.connect(this._onBusy, this);
    _conversation.changed.connect(this._onChanged, this);
  }

  dispose(): void {
    if (!this.isDisposed) {
      this._conversation.busyChanged.disconnect(this._onBusy, this);
      this._conversation.changed.disconnect(this._onChanged, this);
      super.dispose();
    }
  }

  private _onBusy(_: Conversation, busy: boolean): void {
    if (busy) {
      this._forget();
      this._say(this._trans.__('Wavebook is answering.'));
    } else {
      this._tell(true);
    }
  }

  private _onChanged(_: Conversation, change: ConversationChange): void {
    if (change.kind === 'reset') {
      this._forget(); // another conversation is shown
    }
    const streamed = change.kind === 'added' || change.kind === 'updated';
    if (this._conversation.busy && streamed && change.message.sender === 'agent') {
      this._id = change.message.id;
      this._tell(false);
    }
  }

  /** Tell the paragraphs that are whole, or all that is left. */
  private _tell(all: boolean): void {
    const body = this._id === null ? '' : (this._conversation.message(this._id)?.body ?? '');
    const end = all ? body.length : body.lastIndexOf('\n\n');
    if (end > this._told) {
      body
        .slice(this._told, end)
        .split('\n\n')
        .map(spoken)
        .filter(Boolean)
        .forEach(text => this._say(text));
      this._told = end;
    }
  }

  private _forget(): void {
    this.node.replaceChildren();
    this._id = null;
    this._told = 0;
  }

  private _say(text: string): void {
    const paragraph = document.createElement('p');
    paragraph.textContent = text;
    this.node.appendChild(paragraph);
  }

  private _id: number | null = null;
  private _told = 0;
}

/** Markdown without the marks that a voice would spell. */
function spoken(markdown: string): string {
  return markdown
    .replace(/^\s*\|?[-:| ]+\|?\s*$/gm, '')
    .replace(/[*`#|]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}
