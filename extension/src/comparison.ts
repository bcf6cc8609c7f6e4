import { MainAreaWidget } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ToolbarButton, refreshIcon, saveIcon } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { Panel, Widget } from '@lumino/widgets';

import type { IPlotContext } from './bokeh/embed';
import { Plot } from './bokeh/plot';
import { comparisonIcon } from './icons';
import type { ProjectModel } from './project';
import { type IServer, hasEnded } from './tokens';

export interface IComparisonOptions {
  waves: number[];
  server: IServer;
  project: ProjectModel;
  plots: IPlotContext;
  trans: TranslationBundle;
}

/** What the waves' runs show side by side, as the server draws it. */
export class ComparisonView extends Panel {
  constructor(private _options: IComparisonOptions) {
    super();
    const { waves, trans, plots, project } = _options;
    this.addClass('jp-Wavebook-comparison');
    this.title.label = trans._n('Wave %2', 'Waves %2', waves.length, waves.join(', '));
    this.title.caption = trans._n(
      'Comparison of wave %2',
      'Comparison of waves %2',
      waves.length,
      waves.join(', ')
    );
    this.title.icon = comparisonIcon;
    this._note.addClass('jp-Wavebook-comparisonNote');
    this._note.node.setAttribute('role', 'status');
    this._plot = new Plot(plots, question => this._answer(question));
    this.addWidget(this._note);
    this.addWidget(this._plot);
    project.changed.connect(this._onProjectChanged, this);
  }

  get waves(): number[] {
    return this._options.waves;
  }

  /** Fetch and draw again; a failure is shown in the view. */
  async refresh(): Promise<void> {
    const { server, waves, trans } = this._options;
    const ended = this._ended();
    if (this._drawn === null) {
      this._say(trans.__('Loading the comparison…'));
    }
    try {
      const { item, title } = await server.comparison(waves);
      await this._plot.draw(item);
      this._drawn = ended;
      this.title.caption = title;
      this._say('');
    } catch (reason) {
      this._say(trans.__('The comparison cannot be shown: %1', text(reason)));
    }
  }

  /** Save the comparison as one HTML file, to look at without JupyterLab and to share. */
  async save(): Promise<void> {
    const { server, waves, trans } = this._options;
    this._say(trans.__('Writing the file…'));
    try {
      const link = document.createElement('a');
      link.href = URL.createObjectURL(await server.comparisonPage(waves));
      link.download = `comparison-${waves.join('-')}.html`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
      this._say('');
    } catch (reason) {
      this._say(trans.__('The file cannot be written: %1', text(reason)));
    }
  }

  dispose(): void {
    if (!this.isDisposed) {
      this._options.project.changed.disconnect(this._onProjectChanged, this);
      super.dispose();
    }
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._onProjectChanged();
  }

  /** A run has ended since: its result belongs in what is seen. */
  private _onProjectChanged(): void {
    if (this.isVisible && this._drawn !== null && this._ended() !== this._drawn) {
      void this.refresh();
    }
  }

  /** Curves in detail, for the part that was zoomed into or a metric that the page does not carry. */
  private async _answer(question: string): Promise<string | null> {
    const { metrics, window, number } = JSON.parse(question) as {
      metrics: string[];
      window: [number, number] | null;
      number: number;
    };
    try {
      const found = await this._options.server.comparisonCurves(this.waves, metrics, window);
      this._say('');
      return JSON.stringify({ ...found, number });
    } catch (reason) {
      this._say(this._options.trans.__('More detail cannot be read: %1', text(reason)));
      return null;
    }
  }

  private _ended(): string {
    return this._options.project.runs
      .filter(run => this.waves.includes(run.wave) && hasEnded(run))
      .map(run => run.id)
      .join();
  }

  private _say(text: string): void {
    if (!this.isDisposed) {
      this._note.node.textContent = text;
      this._note.setHidden(text === '');
    }
  }

  private _plot: Plot;
  private _note = new Widget();
  private _drawn: string | null = null;
}

function text(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}

/** The comparison in the main area, with buttons to draw it again and to save it. */
export function makeComparison(options: IComparisonOptions): MainAreaWidget<ComparisonView> {
  const content = new ComparisonView(options);
  const widget = new MainAreaWidget({ content });
  widget.id = `wavebook-comparison-${options.waves.join('-')}`;
  widget.title.closable = true;
  widget.toolbar.addItem(
    'refresh',
    new ToolbarButton({
      icon: refreshIcon,
      tooltip: options.trans.__('Draw the comparison again'),
      onClick: () => void content.refresh()
    })
  );
  widget.toolbar.addItem(
    'save',
    new ToolbarButton({
      icon: saveIcon,
      tooltip: options.trans.__('Save as an HTML file that opens without a network'),
      onClick: () => void content.save()
    })
  );
  void content.refresh();
  return widget;
}
