import { type IThemeManager, MainAreaWidget, ReactWidget } from '@jupyterlab/apputils';
import { UseSignal } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import React from 'react';

import { type IPanelContext, PanelContext } from '../components/context';
import { runIcon } from '../icons';
import type { IServer } from '../tokens';
import { RunModel } from './model';
import { RunPage } from './page';

/** What the views in the main area need. */
export interface IViewContext extends IPanelContext {
  server: IServer;
  themes: IThemeManager | null;
}

/** One run in the main area: queued, under way or ended. */
export class RunView extends ReactWidget {
  constructor(
    readonly run: string,
    private _context: IViewContext
  ) {
    super();
    this._model = new RunModel(run, _context.server, _context.project);
    this.addClass('jp-Wavebook-view');
    this.title.label = run;
    this.title.caption = _context.trans.__('Run %1', run);
    this.title.icon = runIcon;
  }

  dispose(): void {
    if (!this.isDisposed) {
      this._model.dispose();
      super.dispose();
    }
  }

  protected render(): JSX.Element {
    return (
      <PanelContext.Provider value={this._context}>
        <UseSignal signal={this._model.changed}>
          {() => <RunPage model={this._model} themes={this._context.themes} />}
        </UseSignal>
      </PanelContext.Provider>
    );
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._model.visible = true;
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this._model.visible = this.isVisible;
  }

  protected onBeforeHide(message: Message): void {
    super.onBeforeHide(message);
    this._model.visible = false;
  }

  private _model: RunModel;
}

export function makeRunView(run: string, context: IViewContext): MainAreaWidget<RunView> {
  const widget = new MainAreaWidget({ content: new RunView(run, context) });
  widget.id = `wavebook-run-${run.replace('/', '-')}`;
  widget.title.closable = true;
  widget.toolbar.hide();
  return widget;
}
