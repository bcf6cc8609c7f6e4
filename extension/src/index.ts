import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  ICommandPalette,
  IThemeManager,
  type MainAreaWidget,
  Notification,
  WidgetTracker
} from '@jupyterlab/apputils';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { bokehRendererFactory } from './bokeh/renderer';
import { CommandIDs } from './commandids';
import { addCommands } from './commands';
import type { ComparisonView } from './comparison';
import { Conversation } from './conversation';
import { keepLive } from './live';
import { WavebookPanel } from './panel';
import { ProjectModel } from './project';
import { Server } from './request';

const FIRST_START_KEY = 'wavebook:opened';

const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: 'wavebook:plugin',
  description: 'The Wavebook panel, its commands and the comparison view.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  optional: [
    ICommandPalette,
    ILayoutRestorer,
    ISettingRegistry,
    IStateDB,
    IThemeManager,
    ITranslator
  ],
  activate: (
    app: JupyterFrontEnd,
    rendermime: IRenderMimeRegistry,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    settings: ISettingRegistry | null,
    state: IStateDB | null,
    themes: IThemeManager | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('wavebook');
    const { serviceManager, commands } = app;
    const server = new Server(serviceManager.serverSettings);
    const project = new ProjectModel(server);
    const conversation = new Conversation(server);
    conversation.approvalProposed.connect((_, approval) => project.note(approval));

    const comparisons = new WidgetTracker<MainAreaWidget<ComparisonView>>({
      namespace: 'wavebook-comparison'
    });
    const plots = { serverSettings: serviceManager.serverSettings, themes };
    addCommands({ app, server, project, conversation, plots, comparisons, trans });

    const identity = serviceManager.user.identity;
    const panel = new WavebookPanel({
      project,
      conversation,
      commands,
      trans,
      state,
      chat: { user: identity ?? { username: 'you' }, rendermime, themes },
      run: async (command, args) => {
        try {
          await commands.execute(command, args);
        } catch (reason) {
          Notification.error(reason instanceof Error ? reason.message : String(reason), {
            autoClose: 8000
          });
        }
      }
    });

    // The restorer must know of panel and tracker before anything is waited for.
    app.shell.add(panel, 'right', { rank: 100, type: 'Wavebook' });
    restorer?.add(panel, 'wavebook');
    void restorer?.restore(comparisons, {
      command: CommandIDs.openComparison,
      args: widget => ({ waves: widget.content.waves }),
      name: widget => widget.content.waves.join('-')
    });

    const category = trans.__('Wavebook');
    Object.values(CommandIDs).forEach(command => palette?.addItem({ command, category }));
    addContextMenus(app);

    void project.refresh();
    conversation.load().catch(() => undefined); // the panel's header tells of a server that does not answer
    const live = keepLive(serviceManager.events, project, conversation);
    panel.disposed.connect(() => {
      live.dispose();
      project.dispose();
      conversation.dispose();
    });

    void applySettings(app, panel, settings, state);
  }
};

function addContextMenus(app: JupyterFrontEnd): void {
  const menus: Array<[selector: string, commands: string[]]> = [
    [
      '.jp-Wavebook-row[data-kind="run"]',
      [CommandIDs.openNotebook, CommandIDs.openLog, CommandIDs.cancelRun]
    ],
    [
      '.jp-Wavebook-row[data-kind="wave"]',
      [CommandIDs.openComparison, CommandIDs.openReport, CommandIDs.cancelWave]
    ]
  ];
  for (const [selector, commands] of menus) {
    commands.forEach((command, rank) => app.contextMenu.addItem({ command, selector, rank }));
  }
}

async function applySettings(
  app: JupyterFrontEnd,
  panel: WavebookPanel,
  registry: ISettingRegistry | null,
  state: IStateDB | null
): Promise<void> {
  const settings = await registry?.load(panelPlugin.id);
  const apply = (): void => {
    panel.chat.sendWithShiftEnter = settings?.composite.sendWithShiftEnter === true;
  };
  settings?.changed.connect(apply);
  apply();
  await app.restored;
  if (state && (await state.fetch(FIRST_START_KEY)) === undefined) {
    await state.save(FIRST_START_KEY, true);
    if (settings?.composite.openOnFirstStart !== false) {
      app.shell.activateById(panel.id);
    }
  }
}

const rendererPlugin: JupyterFrontEndPlugin<void> = {
  id: 'wavebook:bokeh-renderer',
  description:
    'Draws the Bokeh plots of executed notebooks without a kernel and without a network.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  optional: [IThemeManager, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    rendermime: IRenderMimeRegistry,
    themes: IThemeManager | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('wavebook');
    const { serverSettings } = app.serviceManager;
    rendermime.addFactory(bokehRendererFactory({ serverSettings, themes }, trans));
  }
};

export default [panelPlugin, rendererPlugin];
