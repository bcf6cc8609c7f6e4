import { InputDialog } from '@jupyterlab/apputils';
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { TranslationBundle } from '@jupyterlab/translation';
import { stopIcon } from '@jupyterlab/ui-components';
import type { ReadonlyJSONObject } from '@lumino/coreutils';

import { CommandIDs } from './commandids';
import type { AddCommand, ICommandArguments } from './commands';
import { consent } from './consent';
import type { ProjectModel } from './project';
import type { INightRequest } from './tokens';

export interface INightCommandOptions {
  app: JupyterFrontEnd;
  project: ProjectModel;
  trans: TranslationBundle;
  add: AddCommand;
}

/** The commands that grant and stop night mode. */
export function addNightCommands(options: INightCommandOptions): void {
  const { app, project, trans, add } = options;

  add(
    CommandIDs.grantNight,
    {
      label: trans.__('Grant a Night…'),
      caption: trans.__('Let the agent work wave after wave within limits, without asking')
    },
    {
      directive: {
        type: 'string',
        description: 'What to find out or improve; asked for if absent'
      },
      waves: { type: 'integer', minimum: 1, description: 'The most waves' },
      runs: { type: 'integer', minimum: 1, description: 'The most runs of one wave' },
      gpu_hours: {
        type: 'number',
        minimum: 0,
        description: 'GPU hours over all runs; hours on the processor where there is no GPU'
      },
      hours: { type: 'number', minimum: 0, description: 'Hours from the grant on' },
      until: { type: 'string', description: 'A goal, as error_vel_xy=0.10' },
      patience: { type: 'integer', minimum: 1, description: 'Waves without an improvement' }
    },
    async args => {
      const asked = await requested(args, trans);
      if (asked === null) {
        return { night: null };
      }
      const agreed = await consent(
        trans.__('Grant a night?'),
        trans.__(
          '“%1”: %2. Its plans are approved without asking, until then or until you stop it.',
          asked.directive,
          await project.nightTerms(asked)
        ),
        trans.__('Grant'),
        trans
      );
      if (!agreed) {
        return { night: null };
      }
      app.shell.activateById('wavebook');
      const night = await project.grantNight(asked);
      return { night: night as unknown as ReadonlyJSONObject | null };
    }
  );

  add(
    CommandIDs.stopNight,
    {
      label: trans.__('Stop the Night'),
      caption: trans.__('End night mode and cancel its runs')
    },
    {},
    async () => {
      await project.stopNight();
      return { stopped: true };
    },
    { icon: stopIcon }
  );
}

async function requested(
  args: ICommandArguments,
  trans: TranslationBundle
): Promise<INightRequest | null> {
  const { waves, runs, gpu_hours, hours, until, patience } = args;
  let directive = args.directive?.trim();
  if (!directive) {
    const { value } = await InputDialog.getText({
      title: trans.__('Grant a night'),
      label: trans.__('What is the agent to work on, wave after wave?')
    });
    directive = value?.trim();
  }
  return directive
    ? {
        directive,
        ...(typeof waves === 'number' && { waves }),
        ...{ runs, gpu_hours, hours, until, patience }
      }
    : null;
}
