import type { JupyterFrontEnd } from '@jupyterlab/application';
import { InputDialog, type MainAreaWidget, type WidgetTracker } from '@jupyterlab/apputils';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { folderIcon, redoIcon } from '@jupyterlab/ui-components';

import type { IPlotContext } from '../bokeh/embed';
import { CommandIDs } from '../commandids';
import { RUN, WAVE, type AddCommand, type Chooser } from '../commands';
import type { IContextRow } from '../contextrow';
import { type DevicesView, makeDevices } from '../devices/view';
import { deviceLabel } from '../format';
import { deviceIcon, runIcon } from '../icons';
import type { ProjectModel } from '../project';
import { type IRun, type IServer, type IWave, canRetry } from '../tokens';
import { type ReplayView, makeReplay } from '../replay/view';
import { type IViewContext, type RunView, makeRunView } from './view';

export interface IRunCommandOptions {
  app: JupyterFrontEnd;
  project: ProjectModel;
  views: IViewContext;
  runViews: WidgetTracker<MainAreaWidget<RunView>>;
  deviceViews: WidgetTracker<MainAreaWidget<DevicesView>>;
  replayViews: WidgetTracker<MainAreaWidget<ReplayView>>;
  server: IServer;
  plots: IPlotContext;
  rendermime: IRenderMimeRegistry;
  trans: TranslationBundle;
  add: AddCommand;
  chooseRun: Chooser<IRun>;
  chooseWave: Chooser<IWave>;
  contextRow: () => IContextRow | null;
}

const RESUME = {
  type: 'boolean',
  description: 'Go on from the last checkpoint where there is one, instead of from scratch',
  default: false
};

/** The commands that look at runs and devices and change the queue. */
export function addRunCommands(options: IRunCommandOptions): void {
  const { app, project, views, runViews, deviceViews, trans, add, chooseRun, chooseWave } = options;
  const { contextRow } = options;

  add(
    CommandIDs.openRun,
    {
      label: trans.__('Open Run'),
      caption: trans.__('Show curves, log, events and configuration of a run, live')
    },
    { run: RUN },
    async args => {
      const run = await chooseRun(
        args,
        () => true,
        trans.__('Open which run?'),
        trans.__('There is no run yet.')
      );
      if (!run) {
        return { run: null };
      }
      let widget = runViews.find(open => open.content.run === run.id);
      if (!widget) {
        widget = makeRunView(run.id, views);
        app.shell.add(widget, 'main', { type: 'Wavebook run' });
        void runViews.add(widget);
      }
      app.shell.activateById(widget.id);
      return { run: run.id };
    },
    { icon: runIcon }
  );

  add(
    CommandIDs.openReplay,
    {
      label: trans.__('Open Replay'),
      caption: trans.__('Show robots of the evaluation of a run in three dimensions')
    },
    { run: RUN },
    async args => {
      const run = await chooseRun(
        args,
        run => run.replay !== null,
        trans.__('Open the replay of which run?'),
        trans.__('No run has a replay yet.')
      );
      if (!run) {
        return { run: null };
      }
      if (run.replay === null) {
        throw new Error(trans.__('%1 has no replay: its evaluation recorded none.', run.id));
      }
      let widget = options.replayViews.find(open => open.content.run === run.id);
      if (!widget) {
        widget = makeReplay({ ...options, run: run.id });
        app.shell.add(widget, 'main', { type: 'Wavebook replay' });
        void options.replayViews.add(widget);
      }
      app.shell.activateById(widget.id);
      return { run: run.id };
    },
    { icon: runIcon }
  );

  add(
    CommandIDs.openDevices,
    {
      label: trans.__('GPUs and Queue'),
      caption: trans.__('Show the devices with load, memory and runs, and where queued runs go')
    },
    {},
    () => {
      let widget = deviceViews.find(() => true);
      if (!widget) {
        widget = makeDevices(views);
        app.shell.add(widget, 'main', { type: 'Wavebook devices' });
        void deviceViews.add(widget);
      }
      app.shell.activateById(widget.id);
      return Promise.resolve({ open: true });
    },
    { icon: deviceIcon }
  );

  add(
    CommandIDs.retryRun,
    {
      label: args =>
        args.resume === true
          ? trans.__('Retry Run from Last Checkpoint')
          : trans.__('Retry Run from Scratch'),
      caption: trans.__('Queue a run again that failed, hung or was cancelled')
    },
    { run: RUN, resume: RESUME },
    async args => {
      const run = await chooseRun(
        args,
        canRetry,
        trans.__('Retry which run?'),
        trans.__('No run has failed, hung or been cancelled.')
      );
      return { queued: run ? await project.retry({ run: run.id }, args.resume === true) : [] };
    },
    {
      icon: redoIcon,
      isEnabled: args => {
        const row = contextRow();
        return row === null || (row.retry && (args.resume !== true || row.checkpoint));
      }
    }
  );

  add(
    CommandIDs.retryWave,
    {
      label: trans.__('Retry Failed Runs of Wave'),
      caption: trans.__('Queue again what of a wave failed, hung or was cancelled')
    },
    { wave: WAVE, resume: RESUME },
    async args => {
      const wave = await chooseWave(
        args,
        wave => wave.runs.some(canRetry),
        trans.__('Retry what failed of which wave?'),
        trans.__('No run has failed, hung or been cancelled.')
      );
      return { queued: wave ? await project.retry({ wave: wave.id }, args.resume === true) : [] };
    },
    { icon: redoIcon, isEnabled: () => contextRow()?.retry !== false }
  );

  const waits = (run: IRun): boolean => run.state === 'queued';
  const contextWaits = (): boolean => {
    const row = contextRow();
    return row?.run === undefined || project.run(row.run)?.state === 'queued';
  };

  add(
    CommandIDs.setPriority,
    {
      label: args =>
        args.by === undefined
          ? trans.__('Set Priority of Run…')
          : args.by > 0
            ? trans.__('Start Run Sooner')
            : trans.__('Start Run Later'),
      caption: trans.__('Move a queued run; runs of a higher priority start first')
    },
    {
      run: RUN,
      priority: { type: 'integer', minimum: -1000, maximum: 1000, description: 'The new priority' },
      by: { type: 'integer', description: 'Change of the priority, instead of the new one' }
    },
    async args => {
      const run = await chooseRun(
        args,
        waits,
        trans.__('Move which run?'),
        trans.__('No run waits.')
      );
      if (!run) {
        return { run: null, priority: null };
      }
      let priority = args.priority ?? (args.by === undefined ? null : run.priority + args.by);
      if (priority === null) {
        const { value } = await InputDialog.getNumber({
          title: trans.__('Priority of %1', run.id),
          label: trans.__('Runs of a higher priority start first (-1000 to 1000).'),
          value: run.priority
        });
        priority = value;
      }
      if (priority === null) {
        return { run: null, priority: null };
      }
      await project.setPriority(run.id, Math.round(priority));
      return { run: run.id, priority: Math.round(priority) };
    },
    { isEnabled: contextWaits }
  );

  add(
    CommandIDs.moveRun,
    {
      label: trans.__('Send Run to Device…'),
      caption: trans.__('Choose where a queued run goes')
    },
    {
      run: RUN,
      devices: {
        type: 'array',
        items: { type: 'string' },
        description: 'auto, cpu, or indices and UUIDs of GPUs'
      }
    },
    async args => {
      const run = await chooseRun(
        args,
        waits,
        trans.__('Send which run to a device?'),
        trans.__('No run waits.')
      );
      if (!run) {
        return { run: null, devices: [] };
      }
      let devices = args.devices;
      if (!devices?.length) {
        const places: Array<[string, string[]]> = [
          [trans.__('Any device'), ['auto']],
          ...(project.project?.devices ?? []).map((device): [string, string[]] => [
            `${deviceLabel(device)} · ${device.name}`,
            [device.id]
          ])
        ];
        const { value } = await InputDialog.getItem({
          title: trans.__('Send %1 to', run.id),
          items: places.map(([label]) => label)
        });
        devices = places.find(([label]) => label === value)?.[1];
      }
      if (!devices) {
        return { run: null, devices: [] };
      }
      await project.setDevices(run.id, devices);
      return { run: run.id, devices };
    },
    { icon: deviceIcon, isEnabled: contextWaits }
  );

  add(
    CommandIDs.revealFolder,
    {
      label: trans.__('Reveal Folder'),
      caption: trans.__('Show the folder of a run in the file browser')
    },
    { run: RUN },
    async args => {
      const run = await chooseRun(
        args,
        () => true,
        trans.__('Show the folder of which run?'),
        trans.__('There is no run yet.')
      );
      if (!run) {
        return { path: null };
      }
      await app.commands.execute('filebrowser:go-to-path', { path: run.folder });
      await app.commands.execute('filebrowser:activate');
      return { path: run.folder };
    },
    { icon: folderIcon }
  );
}
