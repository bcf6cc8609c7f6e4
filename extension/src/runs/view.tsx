import type { IThemeManager, MainAreaWidget } from '@jupyterlab/apputils';
import React from 'react';

import type { IPanelContext } from '../components/context';
import { inMainArea, ModelView } from '../components/modelview';
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
export class RunView extends ModelView<RunModel> {
  constructor(
    readonly run: string,
    context: IViewContext
  ) {
    super(new RunModel(run, context.server, context.project), context);
    this._themes = context.themes;
    this.title.label = run;
    this.title.caption = context.trans.__('Run %1', run);
    this.title.icon = runIcon;
  }

  protected page(): JSX.Element {
    return <RunPage model={this.model} themes={this._themes} />;
  }

  private _themes: IThemeManager | null;
}

export function makeRunView(run: string, context: IViewContext): MainAreaWidget<RunView> {
  return inMainArea(new RunView(run, context), `wavebook-run-${run.replace('/', '-')}`);
}
