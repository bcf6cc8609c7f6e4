import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { SidePanel } from '@jupyterlab/ui-components';

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'wavebook:plugin',
  description: 'The Wavebook panel.',
  autoStart: true,
  optional: [ILayoutRestorer],
  activate: (app: JupyterFrontEnd, restorer: ILayoutRestorer | null) => {
    const panel = new SidePanel();
    panel.id = 'wavebook';
    panel.title.caption = 'Wavebook';
    panel.title.label = 'W';
    panel.addClass('jp-Wavebook-panel');
    app.shell.add(panel, 'right', { rank: 100, type: 'Wavebook' });
    restorer?.add(panel, 'wavebook');
  }
};

export default plugin;
