import { MainAreaWidget, ReactWidget } from '@jupyterlab/apputils';
import { UseSignal } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import React from 'react';

import { PanelContext } from '../components/context';
import { deviceIcon } from '../icons';
import type { IViewContext } from '../runs/view';
import { DevicesModel } from './model';
import { DevicesPage } from './page';

/** The devices and the queue in the main area. */
export class DevicesView extends ReactWidget {
  constructor(private _context: IViewContext) {
    super();
    this._model = new DevicesModel(_context.server);
    this.addClass('jp-Wavebook-view');
    this.title.label = _context.trans.__('GPUs and Queue');
    this.title.icon = deviceIcon;
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
          {() => <DevicesPage model={this._model} />}
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

  private _model: DevicesModel;
}

export function makeDevices(context: IViewContext): MainAreaWidget<DevicesView> {
  const widget = new MainAreaWidget({ content: new DevicesView(context) });
  widget.id = 'wavebook-devices';
  widget.title.closable = true;
  widget.toolbar.hide();
  return widget;
}
