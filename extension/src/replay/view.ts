import { MainAreaWidget } from '@jupyterlab/apputils';
import { type IRenderMimeRegistry, MimeModel } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Panel, Widget } from '@lumino/widgets';

import type { IPlotContext } from '../bokeh/embed';
import { runIcon } from '../icons';
import type { IServer } from '../tokens';
import { REPLAY_MIME, ReplayRenderer } from './renderer';

export interface IReplayOptions {
  /** The run whose robots are shown. */
  run: string;
  server: IServer;
  plots: IPlotContext;
  rendermime: IRenderMimeRegistry;
  trans: TranslationBundle;
}

/** Robots of a run's evaluation in the main area, in three dimensions. */
export class ReplayView extends Panel {
  constructor(private _options: IReplayOptions) {
    super();
    const { run, plots, rendermime, trans } = _options;
    this.addClass('jp-Wavebook-replayView');
    this.title.label = trans.__('Replay of %1', run);
    this.title.icon = runIcon;
    this._note.addClass('jp-Wavebook-comparisonNote');
    this._note.node.setAttribute('role', 'status');
    this._note.node.textContent = trans.__('Loading the replay…');
    this._renderer = new ReplayRenderer(plots, rendermime.sanitizer, trans);
    this.addWidget(this._note);
    this.addWidget(this._renderer);
    void this._load();
  }

  get run(): string {
    return this._options.run;
  }

  private async _load(): Promise<void> {
    const { server, run, trans } = this._options;
    try {
      const item = await server.replay(run);
      if (!this.isDisposed) {
        await this._renderer.renderModel(new MimeModel({ data: { [REPLAY_MIME]: { item } } }));
        this._note.hide();
      }
    } catch (reason) {
      this._note.node.textContent = trans.__(
        'The replay cannot be shown: %1',
        reason instanceof Error ? reason.message : String(reason)
      );
    }
  }

  private _note = new Widget();
  private _renderer: ReplayRenderer;
}

export function makeReplay(options: IReplayOptions): MainAreaWidget<ReplayView> {
  const widget = new MainAreaWidget({ content: new ReplayView(options) });
  widget.id = `wavebook-replay-${options.run.replace('/', '-')}`;
  widget.title.closable = true;
  widget.toolbar.hide();
  return widget;
}
