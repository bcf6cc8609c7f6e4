import type { MainAreaWidget } from '@jupyterlab/apputils';
import React from 'react';

import { inMainArea, ModelView } from '../components/modelview';
import { deviceIcon } from '../icons';
import type { IViewContext } from '../runs/view';
import { DevicesModel } from './model';
import { DevicesPage } from './page';

/** The devices and the queue in the main area. */
export class DevicesView extends ModelView<DevicesModel> {
  constructor(context: IViewContext) {
    super(new DevicesModel(context.server), context);
    this.title.label = context.trans.__('GPUs and Queue');
    this.title.icon = deviceIcon;
  }

  protected page(): JSX.Element {
    return <DevicesPage model={this.model} />;
  }
}

export function makeDevices(context: IViewContext): MainAreaWidget<DevicesView> {
  return inMainArea(new DevicesView(context), 'wavebook-devices');
}
