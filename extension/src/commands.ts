import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Dialog, type MainAreaWidget, type WidgetTracker, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { notebookIcon, refreshIcon, stopIcon, textEditorIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyJSONObject } from '@lumino/coreutils';

import { choose } from './choose';
import { CommandIDs } from './commandids';
import { consent } from './consent';
import { trackContextRow } from './contextrow';
import { type ComparisonView, makeComparison } from './comparison';
import type { IPlotContext } from './bokeh/embed';
import { addChatCommands, type IChatCommandOptions } from './chat/commands';
import type { Conversation } from './chat/conversation';
import { comparisonIcon, waveIcon } from './icons';
import { addNightCommands } from './night';
import type { ProjectModel } from './project';
import { addTemplateCommands } from './templates';
import { addRunCommands, type IRunCommandOptions } from './runs/commands';
import {
  type Decision,
  type IApproval,
  type IPlanChanges,
  type IRun,
  type IServer,
  type IWave,
  hasEnded
} from './tokens';

export interface ICommandOptions
  extends
    Pick<IRunCommandOptions, 'views' | 'runViews' | 'deviceViews' | 'replayViews' | 'rendermime'>,
    Pick<IChatCommandOptions, 'attach'> {
  app: JupyterFrontEnd;
  server: IServer;
  project: ProjectModel;
  conversation: Conversation;
  plots: IPlotContext;
  comparisons: WidgetTracker<MainAreaWidget<ComparisonView>>;
  trans: TranslationBundle;
}

/** The schema of a run's name. */
export const RUN = {
  type: 'string',
  description: 'Name of a run, as exp001/s0',
  pattern: '^exp\\d{3,}/s\\d+'
};
export const WAVE = { type: 'integer', description: 'Number of a wave', minimum: 1 };
const APPROVAL = {
  type: 'integer',
  description: 'Id of an approval; the pending one where absent'
};
const CHANGES = {
  type: 'object',
  description: 'What to change in the plan first; what is absent stays as it is',
  properties: {
    drop: { type: 'array', items: { type: 'string' }, description: 'Experiments not to run' },
    experiments: {
      type: 'object',
      description: 'By experiment: new values of what it overrides, and its seeds',
      additionalProperties: {
        type: 'object',
        properties: {
          overrides: { type: 'object' },
          seeds: { type: 'array', items: { type: 'integer', minimum: 0 } }
        }
      }
    },
    devices: {
      type: 'array',
      items: { type: 'string' },
      description: 'auto, cpu, or indices and UUIDs of GPUs'
    }
  }
};

/** Adds a command that answers JSON and whose arguments are described. */
export type AddCommand = (
  id: string,
  text: { label: string | ((args: ICommandArguments) => string); caption: string },
  properties: ReadonlyJSONObject,
  execute: (args: ICommandArguments) => Promise<ReadonlyJSONObject>,
  more?: Partial<Omit<CommandRegistry.ICommandOptions, 'isEnabled'>> & {
    isEnabled?: (args: ICommandArguments) => boolean;
  }
) => void;

/** Finds what a command is for: by its arguments, by the row it was called on, else by asking. */
export type Chooser<T> = (
  args: ICommandArguments,
  fits: (item: T) => boolean,
  title: string,
  none: string
) => Promise<T | null>;

/** Wavebook's commands. Each answers JSON, so that other agents in JupyterLab can call it too. */
export function addCommands(options: ICommandOptions): void {
  const { app, project, conversation, comparisons, trans } = options;

  const contextRow = trackContextRow(app);

  const add: AddCommand = (id, text, properties, execute, more = {}) => {
    app.commands.addCommand(id, {
      ...(text as CommandRegistry.ICommandOptions),
      ...(more as Partial<CommandRegistry.ICommandOptions>),
      describedBy: { args: { type: 'object', properties, additionalProperties: true } },
      execute: args => execute(args)
    });
  };

  add(
    CommandIDs.open,
    { label: trans.__('Open Wavebook'), caption: trans.__('Show the Wavebook panel') },
    {},
    () => {
      app.shell.activateById('wavebook');
      return Promise.resolve({ open: true });
    },
    { icon: waveIcon }
  );

  add(
    CommandIDs.plan,
    {
      label: trans.__('Plan a Wave…'),
      caption: trans.__('Send a directive; the answer is a plan that waits for approval')
    },
    { directive: { type: 'string', description: 'What to find out or improve' } },
    async args => {
      app.shell.activateById('wavebook');
      if (!args.directive?.trim()) {
        return { approval: null }; // the input stands ready in the panel
      }
      const approval = await conversation.send(args.directive.trim());
      return { approval: approval as ReadonlyJSONObject | null };
    },
    { icon: waveIcon }
  );

  const decide = async (
    args: ICommandArguments,
    decision: Decision
  ): Promise<ReadonlyJSONObject> => {
    const approval = args.approval
      ? { id: args.approval }
      : await choose<IApproval>(
          project.pendingApprovals,
          item => trans.__('Wave %1: %2', item.plan.id, item.plan.goal),
          decision === 'approve' ? trans.__('Approve which plan?') : trans.__('Reject which plan?'),
          trans.__('No plan waits for approval.')
        );
    if (approval === null) {
      return { approval: null };
    }
    const waiting = project.pendingApprovals.find(item => item.id === approval.id);
    const agreed =
      decision === 'reject' ||
      waiting === undefined || // the server says why it is not to be decided
      (await consent(
        trans.__('Approve the plan?'),
        trans.__('Wave %1: %2. Its runs are queued.', waiting.plan.id, waiting.plan.goal),
        trans.__('Approve'),
        trans
      ));
    if (!agreed) {
      return { approval: null };
    }
    const changes = args.changes
      ? { drop: [], experiments: {}, devices: null, ...args.changes }
      : null;
    const decided = await project.decide(approval.id, decision, args.why ?? '', changes);
    return { approval: decided as unknown as ReadonlyJSONObject };
  };
  const decisionArguments = {
    approval: APPROVAL,
    why: { type: 'string', description: 'Reason, kept in the ledger' }
  };
  add(
    CommandIDs.approve,
    {
      label: trans.__('Approve the Plan'),
      caption: trans.__('Write the planned wave and queue its runs')
    },
    { ...decisionArguments, changes: CHANGES },
    args => decide(args, 'approve')
  );
  add(
    CommandIDs.reject,
    { label: trans.__('Reject the Plan'), caption: trans.__('Turn a planned wave down') },
    decisionArguments,
    args => decide(args, 'reject')
  );

  const chooseRun: Chooser<IRun> = async (args, fits, title, none) => {
    const name = args.run ?? contextRow()?.run;
    if (project.waves === null) {
      await project.refresh(['waves']); // JupyterLab restores views before the first answer
    }
    if (name) {
      const run = project.run(name);
      if (!run) {
        throw new Error(trans.__('There is no run %1.', name));
      }
      return run;
    }
    return choose(project.runs.filter(fits), run => run.id, title, none);
  };

  add(
    CommandIDs.cancelRun,
    { label: trans.__('Cancel Run'), caption: trans.__('End a run and free its device') },
    { run: RUN },
    async args => {
      const run = await chooseRun(
        args,
        run => !hasEnded(run),
        trans.__('Cancel which run?'),
        trans.__('No run is queued or running.')
      );
      return { cancelled: run ? await project.cancelRun(run.id) : [] };
    },
    { icon: stopIcon, isEnabled: () => contextRow()?.ended !== true }
  );

  const chooseWave: Chooser<IWave> = async (args, fits, title, none) => {
    const id = args.wave ?? contextRow()?.wave;
    if (id !== undefined) {
      const wave = project.wave(id);
      if (!wave) {
        throw new Error(trans.__('There is no wave %1.', id));
      }
      return wave;
    }
    const waves = (project.waves ?? []).filter(fits);
    return choose(waves, wave => trans.__('Wave %1: %2', wave.id, wave.goal), title, none);
  };

  add(
    CommandIDs.cancelWave,
    {
      label: trans.__('Cancel Wave…'),
      caption: trans.__('End all runs of a wave that have not ended yet')
    },
    {
      wave: WAVE,
      confirm: { type: 'boolean', description: 'Ask the person first', default: true }
    },
    async args => {
      const wave = await chooseWave(
        args,
        wave => wave.runs.some(run => !hasEnded(run)),
        trans.__('Cancel which wave?'),
        trans.__('No wave is queued or running.')
      );
      if (!wave) {
        return { cancelled: [] };
      }
      const left = wave.runs.filter(run => !hasEnded(run)).length;
      if (args.confirm !== false) {
        const { button } = await showDialog({
          title: trans.__('Cancel wave %1?', wave.id),
          body: trans._n(
            '%1 run has not ended and will be. What it has recorded stays.',
            '%1 runs have not ended and will be. What they have recorded stays.',
            left
          ),
          buttons: [
            Dialog.cancelButton({ label: trans.__('Keep running') }),
            Dialog.warnButton({ label: trans.__('Cancel wave') })
          ]
        });
        if (!button.accept) {
          return { cancelled: [] };
        }
      }
      return { cancelled: await project.cancelWave(wave.id) };
    },
    { icon: stopIcon, isEnabled: () => contextRow()?.ended !== true }
  );

  const openPath = async (
    path: string | null,
    missing: string,
    factory?: string
  ): Promise<ReadonlyJSONObject> => {
    if (path === null) {
      throw new Error(missing);
    }
    await app.commands.execute('docmanager:open', { path, ...(factory && { factory }) });
    return { path };
  };

  add(
    CommandIDs.openNotebook,
    { label: trans.__('Open Notebook'), caption: trans.__('Open the notebook of a run') },
    { run: RUN },
    async args => {
      const run = await chooseRun(
        args,
        run => run.notebook !== null,
        trans.__('Open the notebook of which run?'),
        trans.__('No run has a notebook yet.')
      );
      return run
        ? openPath(run.notebook, trans.__('%1 has no notebook yet.', run.id))
        : { path: null };
    },
    { icon: notebookIcon }
  );

  add(
    CommandIDs.openLog,
    { label: trans.__('Open Log'), caption: trans.__('Open everything that a run printed') },
    { run: RUN },
    async args => {
      const run = await chooseRun(
        args,
        run => run.log !== null,
        trans.__('Open the log of which run?'),
        trans.__('No run has a log yet.')
      );
      return run
        ? openPath(run.log, trans.__('%1 has no log yet.', run.id), 'Editor')
        : { path: null };
    },
    { icon: textEditorIcon }
  );

  add(
    CommandIDs.openReport,
    { label: trans.__('Open Report'), caption: trans.__('Open the report of a wave') },
    { wave: WAVE },
    async args => {
      const wave = await chooseWave(
        args,
        wave => wave.notebook !== null,
        trans.__('Open the report of which wave?'),
        trans.__('No wave has a report yet.')
      );
      return wave
        ? openPath(wave.notebook, trans.__('Wave %1 has no report yet.', wave.id))
        : { path: null };
    },
    { icon: notebookIcon, isEnabled: () => contextRow() === null || hasReport() }
  );
  const hasReport = (): boolean => project.wave(contextRow()!.wave)?.notebook !== null;

  add(
    CommandIDs.openComparison,
    {
      label: trans.__('Open Comparison'),
      caption: trans.__('Compare the runs of one or more waves')
    },
    { waves: { type: 'array', items: WAVE, description: 'Numbers of the waves to compare' } },
    async args => {
      let waves = typeof args.waves === 'number' ? [args.waves] : args.waves;
      if (!waves?.length) {
        const wave = await chooseWave(
          args,
          () => true,
          trans.__('Compare the runs of which wave?'),
          trans.__('There is no wave yet.')
        );
        if (!wave) {
          return { waves: [] };
        }
        waves = [wave.id];
      }
      let widget = comparisons.find(open => open.content.waves.join() === waves.join());
      if (!widget) {
        widget = makeComparison({ ...options, waves });
        app.shell.add(widget, 'main', { type: 'Wavebook comparison' });
        void comparisons.add(widget);
      }
      app.shell.activateById(widget.id);
      return { waves };
    },
    { icon: comparisonIcon }
  );

  add(
    CommandIDs.refresh,
    { label: trans.__('Refresh Waves'), caption: trans.__('Fetch waves and plans again') },
    {},
    async () => {
      await Promise.all([project.refresh(), conversation.load()]);
      return { waves: (project.waves ?? []).map(wave => wave.id) };
    },
    { icon: refreshIcon }
  );

  addRunCommands({ ...options, add, chooseRun, chooseWave, contextRow });
  addChatCommands({ ...options, add, chooseRun });
  addNightCommands({ ...options, add });
  addTemplateCommands({ ...options, add });
}

/** What Wavebook's commands take; each takes some of it. */
export interface ICommandArguments {
  directive?: string;
  approval?: number;
  why?: string;
  changes?: Partial<IPlanChanges>;
  run?: string;
  wave?: number;
  /** Numbers of waves, or how many a night may have. */
  waves?: number | number[];
  confirm?: boolean;
  resume?: boolean;
  priority?: number;
  by?: number;
  devices?: string[];
  conversation?: number;
  title?: string;
  path?: string;
  runs?: number;
  hours?: number;
  gpu_hours?: number;
  until?: string;
  patience?: number;
  template?: string;
  name?: string;
}
