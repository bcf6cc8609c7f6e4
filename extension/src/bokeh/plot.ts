import type { IDisposable } from '@lumino/disposable';
import { Widget } from '@lumino/widgets';

import { type IPlotContext, embedPlot } from './embed';

/** A place for one Bokeh plot, which may be replaced and goes away with the widget. */
export class Plot extends Widget {
  constructor(private _context: IPlotContext) {
    super();
    this.addClass('jp-Wavebook-plot');
    // Keys pressed in a plot belong to its tools and sliders, not to the notebook's shortcuts.
    this.node.dataset.lmSuppressShortcuts = 'true';
  }

  /** Draw this document instead of the one before; see embedPlot. The old one stays until the new one stands. */
  async draw(text: string): Promise<void> {
    const turn = ++this._turn;
    const host = document.createElement('div');
    host.className = 'jp-Wavebook-plotHost';
    this.node.appendChild(host);
    let drawn: IDisposable;
    try {
      drawn = await embedPlot(text, host, this._context);
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

  /** Remove the plot. */
  clear(): void {
    this._drawn?.dispose();
    this._host?.remove();
    this._drawn = this._host = null;
  }

  dispose(): void {
    if (!this.isDisposed) {
      this.clear();
      super.dispose();
    }
  }

  private _turn = 0;
  private _drawn: IDisposable | null = null;
  private _host: HTMLElement | null = null;
}
