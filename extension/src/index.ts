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
import { IDocumentManager } from '@jupyterlab/docmanager';
import { ILauncher } from '@jupyterlab/launcher';
import { type IRenderMime, IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { IPlotContext } from './bokeh/embed';
import { bokehRendererFactory } from './bokeh/renderer';
import { CommandIDs } from './commandids';
import { addCommands } from './commands';
import type { ComparisonView } from './comparison';
import { Conversation } from './chat/conversation';
import type { DevicesView } from './devices/view';
import { keepLive } from './live';
import { WavebookPanel } from './panel';
import { ProjectModel } from './project';
import { replayRendererFactory } from './replay/renderer';
import type { ReplayView } from './replay/view';
import { Server } from './request';
import type { RunView } from './runs/view';
import type { IAttached } from './tokens';

const FIRST_START_KEY = 'wavebook:opened';

const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: 'wavebook:plugin',
  description: 'The Wavebook panel, its commands and the comparison view.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  optional: [
    ICommandPalette,
    IDocumentManager,
    ILauncher,
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
    documents: IDocumentManager | null,
    launcher: ILauncher | null,
    restorer: ILayoutRestorer | null,
    settings: ISettingRegistry | null,
    state: IStateDB | null,
    themes: IThemeManager | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('wavebook');
    const { serviceManager, commands } = app;
    const server = new Server(serviceManager.serverSettings, trans);
    const project = new ProjectModel(server);
    const conversation = new Conversation(server, trans);
    conversation.approvalProposed.connect((_, approval) => project.note(approval));

    const comparisons = new WidgetTracker<MainAreaWidget<ComparisonView>>({
      namespace: 'wavebook-comparison'
    });
    const runViews = new WidgetTracker<MainAreaWidget<RunView>>({ namespace: 'wavebook-run' });
    const deviceViews = new WidgetTracker<MainAreaWidget<DevicesView>>({
      namespace: 'wavebook-devices'
    });
    const replayViews = new WidgetTracker<MainAreaWidget<ReplayView>>({
      namespace: 'wavebook-replay'
    });
    const plots = { serverSettings: serviceManager.serverSettings, themes, trans };
    const run = async (command: string, args: ReadonlyPartialJSONObject): Promise<void> => {
      try {
        await commands.execute(command, args);
      } catch (reason) {
        Notification.error(reason instanceof Error ? reason.message : String(reason), {
          autoClose: 8000
        });
      }
    };
    const views = { project, commands, trans, run, server, themes };
    addCommands({
      app,
      server,
      project,
      conversation,
      plots,
      comparisons,
      trans,
      views,
      runViews,
      deviceViews,
      replayViews,
      rendermime,
      attach: attached => panel.chat.attach(attached)
    });

    const open = (attached: IAttached): void =>
      void (attached.kind === 'run'
        ? run(CommandIDs.openRun, { run: attached.path })
        : run('docmanager:open', { path: attached.path }));
    const identity = serviceManager.user.identity;
    const panel = new WavebookPanel({
      project,
      conversation,
      commands,
      trans,
      translator: translator ?? nullTranslator,
      state,
      chat: { user: identity ?? { username: 'you' }, rendermime, themes, documents, open },
      run
    });

    // The restorer must know of panel and tracker before anything is waited for.
    app.shell.add(panel, 'right', { rank: 100, type: 'Wavebook' });
    restorer?.add(panel, 'wavebook');
    void restorer?.restore(comparisons, {
      command: CommandIDs.openComparison,
      args: widget => ({ waves: widget.content.waves }),
      name: widget => widget.content.waves.join('-')
    });
    void restorer?.restore(runViews, {
      command: CommandIDs.openRun,
      args: widget => ({ run: widget.content.run }),
      name: widget => widget.content.run
    });
    void restorer?.restore(replayViews, {
      command: CommandIDs.openReplay,
      args: widget => ({ run: widget.content.run }),
      name: widget => widget.content.run
    });
    void restorer?.restore(deviceViews, {
      command: CommandIDs.openDevices,
      name: () => 'devices'
    });

    const category = trans.__('Wavebook');
    Object.values(CommandIDs).forEach(command => palette?.addItem({ command, category }));
    [CommandIDs.open, CommandIDs.openDevices].forEach((command, rank) =>
      launcher?.add({ command, category, rank })
    );

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

/** A plug-in that brings the renderer of a MIME type. */
function rendererPlugin(
  id: string,
  description: string,
  factory: (context: IPlotContext, trans: TranslationBundle) => IRenderMime.IRendererFactory
): JupyterFrontEndPlugin<void> {
  return {
    id,
    description,
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
      rendermime.addFactory(factory({ serverSettings, themes, trans }, trans));
    }
  };
}

const bokehPlugin = rendererPlugin(
  'wavebook:bokeh-renderer',
  'Draws the Bokeh plots of executed notebooks without a kernel and without a network.',
  bokehRendererFactory
);

const replayPlugin = rendererPlugin(
  'wavebook:replay-renderer',
  'Shows replays of evaluated robots in notebooks, without a kernel and without a network.',
  replayRendererFactory
);

export default [panelPlugin, bokehPlugin, replayPlugin];
