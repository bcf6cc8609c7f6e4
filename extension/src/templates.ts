import type { JupyterFrontEnd } from '@jupyterlab/application';
import { InputDialog, Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { notebookIcon } from '@jupyterlab/ui-components';
import type { ReadonlyJSONObject } from '@lumino/coreutils';

import { choose } from './choose';
import { CommandIDs } from './commandids';
import type { AddCommand } from './commands';
import type { IServer, ITemplate } from './tokens';

export interface ITemplateCommandOptions {
  app: JupyterFrontEnd;
  server: IServer;
  trans: TranslationBundle;
  add: AddCommand;
}

const TEMPLATE = { type: 'string', description: 'Name of a template, as train' };

/** The commands about the notebooks that runs are made from. */
export function addTemplateCommands(options: ITemplateCommandOptions): void {
  const { app, server, trans, add } = options;

  add(
    CommandIDs.copyTemplate,
    {
      label: trans.__('Copy Template into Project…'),
      caption: trans.__('Copy the notebook that runs are made from, to change it for this project')
    },
    {
      template: TEMPLATE,
      name: {
        type: 'string',
        description: 'Name of the copy; with that of the template it takes its place'
      }
    },
    async args => {
      let { template, name } = args;
      if (template === undefined) {
        const found = await choose(
          await server.templates(),
          item => `${item.name} · ${item.path ?? trans.__('of Wavebook')}`,
          trans.__('Copy which template?'),
          trans.__('There is no template.')
        );
        const asked =
          found &&
          (await InputDialog.getText({
            title: trans.__('Name of the copy'),
            label: trans.__('With the name of the template it takes its place for every run.'),
            text: found.name
          }));
        if (!asked?.value) {
          return { template: null };
        }
        [template, name] = [found!.name, asked.value];
      }
      const copy = await server.copyTemplate(template, name ?? null);
      await app.commands.execute('docmanager:open', { path: copy.path });
      return { template: copy as unknown as ReadonlyJSONObject };
    },
    { icon: notebookIcon }
  );

  add(
    CommandIDs.checkTemplates,
    {
      label: trans.__('Check Templates'),
      caption: trans.__('Say whether runs can be made from the templates, and what they lack')
    },
    { template: TEMPLATE },
    async args => {
      const all = await server.templates();
      const templates = all.filter(({ name }) => !args.template || name === args.template);
      if (templates.length === 0) {
        throw new Error(trans.__('There is no template %1.', args.template));
      }
      tell(templates, trans);
      return { templates: templates as unknown as ReadonlyJSONObject[] };
    },
    { icon: notebookIcon }
  );
}

function tell(templates: ITemplate[], trans: TranslationBundle): void {
  const lines = (of: (template: ITemplate) => string[]): string[] =>
    templates.flatMap(item => of(item).map(text => `${item.name} ${text}`));
  const problems = lines(item => item.problems);
  const advice = lines(item => item.advice);
  if (problems.length > 0) {
    Notification.error([...problems, ...advice].join('\n'), { autoClose: false });
  } else if (advice.length > 0) {
    Notification.warning(advice.join('\n'), { autoClose: false });
  } else {
    const names = templates.map(({ name }) => name).join(', ');
    Notification.success(trans.__('Runs can be made from: %1', names), { autoClose: 5000 });
  }
}
