import { MainAreaWidget, ReactWidget } from '@jupyterlab/apputils';
import { UseSignal } from '@jupyterlab/ui-components';
import type { IDisposable } from '@lumino/disposable';
import type { Message } from '@lumino/messaging';
import type { ISignal } from '@lumino/signaling';
import React from 'react';

import { type IPanelContext, PanelContext } from './context';

/** What a view in the main area shows. */
export interface IViewModel extends IDisposable {
  /** Emitted when anything has changed. */
  readonly changed: ISignal<this, void>;
  /** Whether somebody looks: out of sight it need not be fresh. */
  visible: boolean;
}

/** A view in the main area that draws a model of its own whenever that changes. */
export abstract class ModelView<Model extends IViewModel> extends ReactWidget {
  constructor(
    protected readonly model: Model,
    private _context: IPanelContext
  ) {
    super();
    this.addClass('jp-Wavebook-view');
  }

  dispose(): void {
    if (!this.isDisposed) {
      this.model.dispose();
      super.dispose();
    }
  }

  protected abstract page(): JSX.Element;

  protected render(): JSX.Element {
    return (
      <PanelContext.Provider value={this._context}>
        <UseSignal signal={this.model.changed}>{() => this.page()}</UseSignal>
      </PanelContext.Provider>
    );
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.model.visible = true;
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.model.visible = this.isVisible;
  }

  protected onBeforeHide(message: Message): void {
    super.onBeforeHide(message);
    this.model.visible = false;
  }
}

/** Put a view into a tab that can be closed. */
export function inMainArea<View extends ReactWidget>(
  content: View,
  id: string
): MainAreaWidget<View> {
  const widget = new MainAreaWidget({ content });
  widget.id = id;
  widget.title.closable = true;
  widget.toolbar.hide();
  return widget;
}
