import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { TranslationBundle } from '@jupyterlab/translation';
import { PromiseDelegate } from '@lumino/coreutils';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import type { IPlotContext } from '../bokeh/embed';
import { loadPlayer } from './load';
import type { IPlayer } from './player';

/** The MIME type of a replay: `{"item": JSON text}`, see docs/replay.md. */
export const REPLAY_MIME = 'application/vnd.wavebook.replay+json';

/** Shows a replay in a notebook, without a kernel and without a network. */
export class ReplayRenderer extends Widget implements IRenderMime.IRenderer {
  constructor(
    private _context: IPlotContext,
    private _sanitizer: IRenderMime.ISanitizer,
    private _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-Wavebook-replay');
    // Keys pressed in the player belong to it, not to the notebook's shortcuts.
    this.node.dataset.lmSuppressShortcuts = 'true';
    _context.themes?.themeChanged.connect(this._onTheme, this);
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    // Not waited for: a notebook renders its outputs before it puts them into the page.
    void this._render(model);
    return Promise.resolve();
  }

  dispose(): void {
    if (!this.isDisposed) {
      this._context.themes?.themeChanged.disconnect(this._onTheme, this);
      this._clear();
      this._inPage.resolve();
      super.dispose();
    }
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this._inPage.resolve();
  }

  private async _render(model: IRenderMime.IMimeModel): Promise<void> {
    const turn = ++this._turn;
    const text = (model.data[REPLAY_MIME] as { item?: unknown } | undefined)?.item;
    try {
      if (typeof text !== 'string') {
        throw new Error(this._trans.__('this output holds none.'));
      }
      const player = await loadPlayer(this._context);
      await this._inPage.promise;
      if (this.isDisposed || turn !== this._turn) {
        return;
      }
      this._clear();
      const host = document.createElement('div');
      this.node.appendChild(host);
      this._player = player.show(text, host, (words, ...values) =>
        this._trans.__(words, ...values)
      );
    } catch (reason) {
      if (!this.isDisposed && turn === this._turn) {
        this._instead(reason instanceof Error ? reason.message : String(reason), model);
      }
    }
  }

  /** Say why there is no replay, and show the picture that came with it. */
  private _instead(reason: string, model: IRenderMime.IMimeModel): void {
    this._clear();
    const note = document.createElement('div');
    note.className = 'jp-Wavebook-plotNote';
    const paragraph = document.createElement('p');
    paragraph.textContent = this._trans.__('The replay cannot be shown: %1', reason);
    note.appendChild(paragraph);
    const html = model.data['text/html'];
    if (typeof html === 'string' || Array.isArray(html)) {
      const fallback = document.createElement('div');
      fallback.innerHTML = this._sanitizer.sanitize(
        typeof html === 'string' ? html : html.join('')
      );
      note.appendChild(fallback);
    }
    this.node.appendChild(note);
  }

  private _clear(): void {
    this._player?.dispose();
    this._player = null;
    this.node.replaceChildren();
  }

  private _onTheme(): void {
    // Its style sheet is in the page only after a moment.
    requestAnimationFrame(() => this._player?.repaint());
  }

  private _inPage = new PromiseDelegate<void>();
  private _player: IPlayer | null = null;
  private _turn = 0;
}

/** Makes renderers; of higher rank than the HTML that stands beside the replay. */
export function replayRendererFactory(
  context: IPlotContext,
  trans: TranslationBundle
): IRenderMime.IRendererFactory {
  return {
    safe: true, // a replay is numbers, which are checked; nothing in it is run
    mimeTypes: [REPLAY_MIME],
    defaultRank: 20,
    createRenderer: options => new ReplayRenderer(context, options.sanitizer, trans)
  };
}
