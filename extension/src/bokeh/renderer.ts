import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Panel, Widget } from '@lumino/widgets';

import type { IPlotContext } from './embed';
import { Plot } from './plot';
import { refusal } from './safety';

/**
 * The MIME type of a Bokeh plot: `{"item": JSON text of bokeh.embed.json_item}`, and perhaps another one as "trusted",
 * which is drawn instead where the notebook is trusted.
 */
export const BOKEH_MIME = 'application/vnd.wavebook.bokeh+json';

/** Draws such a plot in a notebook, without a kernel and without a network. */
export class BokehRenderer extends Panel implements IRenderMime.IRenderer {
  constructor(
    context: IPlotContext,
    private _sanitizer: IRenderMime.ISanitizer,
    private _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-Wavebook-rendered');
    this._plot = new Plot(context);
    this.addWidget(this._plot);
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    // Not waited for: a notebook renders its outputs before it puts them into the page.
    void this._render(model);
    return Promise.resolve();
  }

  private async _render(model: IRenderMime.IMimeModel): Promise<void> {
    const items = model.data[BOKEH_MIME] as { item?: unknown; trusted?: unknown } | undefined;
    const text = (model.trusted ? items?.trusted : undefined) ?? items?.item;
    if (typeof text !== 'string') {
      this._instead(this._trans.__('This output holds no Bokeh plot.'), model);
      return;
    }
    try {
      const reason = model.trusted ? null : refusal(JSON.parse(text));
      if (reason !== null) {
        this._instead(
          this._trans.__(
            'This plot holds %1, which a notebook must be trusted for. Run “Trust Notebook” from the command palette to see it.',
            reason
          ),
          model
        );
        return;
      }
      await this._plot.draw(text);
      this._note?.dispose();
      this._note = null;
    } catch (reason) {
      this._instead(
        this._trans.__(
          'The plot cannot be drawn: %1',
          reason instanceof Error ? reason.message : String(reason)
        ),
        model
      );
    }
  }

  /** Say why there is no plot, and show the HTML or the picture that came with it. */
  private _instead(message: string, model: IRenderMime.IMimeModel): void {
    if (this.isDisposed) {
      return;
    }
    this._plot.clear();
    this._note?.dispose();
    const note = (this._note = new Widget());
    note.addClass('jp-Wavebook-plotNote');
    const paragraph = document.createElement('p');
    paragraph.textContent = message;
    note.node.appendChild(paragraph);
    const html = model.data['text/html'];
    const picture = model.data['image/png'];
    if (typeof html === 'string' || Array.isArray(html)) {
      const fallback = document.createElement('div');
      fallback.innerHTML = this._sanitizer.sanitize(
        typeof html === 'string' ? html : html.join('')
      );
      note.node.appendChild(fallback);
    } else if (typeof picture === 'string') {
      const image = document.createElement('img');
      image.src = `data:image/png;base64,${picture.replace(/\s/g, '')}`;
      image.alt = '';
      note.node.appendChild(image);
    }
    this.addWidget(note);
  }

  private _plot: Plot;
  private _note: Widget | null = null;
}

/** Makes renderers; of higher rank than the picture or HTML that stands beside the plot. */
export function bokehRendererFactory(
  context: IPlotContext,
  trans: TranslationBundle
): IRenderMime.IRendererFactory {
  return {
    safe: true, // untrusted documents are refused by what they hold, see safety.ts
    mimeTypes: [BOKEH_MIME],
    defaultRank: 20,
    createRenderer: options => new BokehRenderer(context, options.sanitizer, trans)
  };
}
