import { PromiseDelegate } from '@lumino/coreutils';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import { type Answerer, type IDrawn, type IPlotContext, embedPlot } from './embed';

/** A place for one Bokeh plot, which may be replaced and goes away with the widget. */
export class Plot extends Widget {
  constructor(
    private _context: IPlotContext,
    private _answerer?: Answerer
  ) {
    super();
    this.addClass('jp-Wavebook-plot');
    // Keys pressed in a plot belong to its tools and sliders, not to the notebook's shortcuts.
    this.node.dataset.lmSuppressShortcuts = 'true';
  }

  /**
   * Draw this document instead of the one before; see embedPlot. The old one stays until the new one stands, which takes
   * over what was chosen in it.
   * Bokeh draws only in the page: a plot that is not there yet, as in a long notebook, waits until it is.
   */
  async draw(text: string): Promise<void> {
    const turn = ++this._turn;
    await this._inPage.promise;
    if (this.isDisposed || turn !== this._turn) {
      return;
    }
    const host = document.createElement('div');
    host.className = 'jp-Wavebook-plotHost';
    this.node.appendChild(host);
    let drawn: IDrawn;
    try {
      const state = this._drawn?.state() ?? null;
      drawn = await embedPlot(text, host, this._context, this._answerer, state);
    } catch (reason) {
      host.remove();
      throw reason;
    }
    if (this.isDisposed || turn !== this._turn) {
      drawn.dispose(); // a newer document has overtaken this one
      host.remove();
      return;
    }
    this.clear();
    this._drawn = drawn;
    this._host = host;
  }

  /** Remove the plot, also one that is still being drawn. */
  clear(): void {
    this._turn++;
    this._drawn?.dispose();
    this._host?.remove();
    this._drawn = this._host = null;
  }

  dispose(): void {
    if (!this.isDisposed) {
      this.clear();
      super.dispose();
      this._inPage.resolve();
    }
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this._inPage.resolve();
  }

  private _inPage = new PromiseDelegate<void>();
  private _turn = 0;
  private _drawn: IDrawn | null = null;
  private _host: HTMLElement | null = null;
}
