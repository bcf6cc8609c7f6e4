import { Dialog, InputDialog, showDialog } from '@jupyterlab/apputils';
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { TranslationBundle } from '@jupyterlab/translation';
import {
  addIcon,
  deleteIcon,
  editIcon,
  fileIcon,
  redoIcon,
  stopIcon
} from '@jupyterlab/ui-components';
import type { ReadonlyJSONObject } from '@lumino/coreutils';

import { choose } from '../choose';
import { CommandIDs } from '../commandids';
import { consent } from '../consent';
import { RUN, type AddCommand, type Chooser, type ICommandArguments } from '../commands';
import type { ProjectModel } from '../project';
import type { IAttached, IConversationInfo, IRun } from '../tokens';
import type { Conversation } from './conversation';

export interface IChatCommandOptions {
  app: JupyterFrontEnd;
  conversation: Conversation;
  project: ProjectModel;
  trans: TranslationBundle;
  add: AddCommand;
  chooseRun: Chooser<IRun>;
  /** Lay something beside the message that is being written. */
  attach: (attached: IAttached) => void;
}

const CONVERSATION = {
  type: 'integer',
  minimum: 1,
  description: 'Id of a conversation; asked for where absent'
};

/** The commands about conversations, and what the agent may spend without asking. */
export function addChatCommands(options: IChatCommandOptions): void {
  const { app, conversation, trans, add } = options;

  const chosen = async (
    args: ICommandArguments,
    title: string
  ): Promise<IConversationInfo | null> => {
    await conversation.loadList();
    const found = conversation.list.find(item => item.id === args.conversation);
    if (args.conversation !== undefined && !found) {
      throw new Error(trans.__('There is no conversation %1.', args.conversation));
    }
    return (
      found ??
      choose(
        conversation.list,
        item => `${item.id}: ${item.title}`,
        title,
        trans.__('There is no conversation yet.')
      )
    );
  };
  const told = (info: IConversationInfo | null): ReadonlyJSONObject => ({
    conversation: info?.id ?? null,
    conversations: conversation.list as unknown as ReadonlyJSONObject[]
  });

  add(
    CommandIDs.newConversation,
    {
      label: trans.__('New Conversation'),
      caption: trans.__('Begin a new, empty conversation; waves and plans stay')
    },
    {},
    async () => {
      await conversation.clear();
      return { cleared: true };
    },
    { icon: addIcon }
  );

  add(
    CommandIDs.openConversation,
    {
      label: trans.__('Open Conversation…'),
      caption: trans.__('Show another conversation of this project')
    },
    { conversation: CONVERSATION },
    async args => {
      const info = await chosen(args, trans.__('Open which conversation?'));
      if (info) {
        await conversation.open(info.id);
        app.shell.activateById('wavebook');
      }
      return told(info);
    }
  );

  add(
    CommandIDs.renameConversation,
    {
      label: trans.__('Rename Conversation…'),
      caption: trans.__('Give a conversation another name')
    },
    {
      conversation: CONVERSATION,
      title: { type: 'string', description: 'Its name', maxLength: 120 }
    },
    async args => {
      const info = await chosen(args, trans.__('Rename which conversation?'));
      const title =
        info && args.title === undefined
          ? (
              await InputDialog.getText({
                title: trans.__('Name of the conversation'),
                text: info.title
              })
            ).value
          : args.title;
      if (info && typeof title === 'string') {
        await conversation.rename(info.id, title);
      }
      return told(info);
    },
    { icon: editIcon }
  );

  add(
    CommandIDs.deleteConversation,
    {
      label: trans.__('Delete Conversation…'),
      caption: trans.__('Delete a conversation for good; waves, plans and the ledger stay')
    },
    {
      conversation: CONVERSATION,
      confirm: { type: 'boolean', description: 'Ask the person first', default: true }
    },
    async args => {
      const info = await chosen(args, trans.__('Delete which conversation?'));
      if (info && args.confirm !== false) {
        const { button } = await showDialog({
          title: trans.__('Delete «%1»?', info.title),
          body: trans._n(
            '%1 message goes for good. Waves, plans and the ledger stay.',
            '%1 messages go for good. Waves, plans and the ledger stay.',
            info.messages
          ),
          buttons: [
            Dialog.cancelButton({ label: trans.__('Keep') }),
            Dialog.warnButton({ label: trans.__('Delete') })
          ]
        });
        if (!button.accept) {
          return told(null);
        }
      }
      if (info) {
        await conversation.remove(info.id);
      }
      return told(info);
    },
    { icon: deleteIcon }
  );

  add(
    CommandIDs.stopAnswer,
    {
      label: trans.__('Stop the Answer'),
      caption: trans.__('Stop the answer that is under way; what was said until then stays')
    },
    {},
    () => {
      const stopped = conversation.busy;
      conversation.stop();
      return Promise.resolve({ stopped });
    },
    { icon: stopIcon, isEnabled: () => conversation.busy, isVisible: () => conversation.busy }
  );
  conversation.busyChanged.connect(() => {
    app.commands.notifyCommandChanged(CommandIDs.stopAnswer);
    app.commands.notifyCommandChanged(CommandIDs.retryAnswer);
  });

  add(
    CommandIDs.retryAnswer,
    {
      label: trans.__('Try the Last Message Again'),
      caption: trans.__('Send the last message again; it takes the place of its answer')
    },
    {},
    async () => ({
      approval: (await conversation.retry()) as unknown as ReadonlyJSONObject | null
    }),
    { icon: redoIcon, isEnabled: () => !conversation.busy }
  );

  add(
    CommandIDs.attach,
    {
      label: trans.__('Attach to Message'),
      caption: trans.__('Lay a run, a notebook or a file beside the message that is being written')
    },
    {
      run: RUN,
      path: { type: 'string', description: 'Path of a notebook or a file, relative to the project' }
    },
    async args => {
      const attached = await toAttach(options, args);
      if (attached) {
        app.shell.activateById('wavebook');
        options.attach(attached);
      }
      return { attached: attached as unknown as ReadonlyJSONObject | null };
    },
    { icon: fileIcon }
  );

  addBudgetCommands(options);
}

async function toAttach(
  options: IChatCommandOptions,
  args: ICommandArguments
): Promise<IAttached | null> {
  const { chooseRun, trans } = options;
  if (args.path) {
    return { kind: args.path.endsWith('.ipynb') ? 'notebook' : 'file', path: args.path };
  }
  const run = await chooseRun(
    args,
    () => true,
    trans.__('Attach which run?'),
    trans.__('There is no run yet.')
  );
  return run && { kind: 'run', path: run.id };
}

function addBudgetCommands(options: IChatCommandOptions): void {
  const { project, trans, add } = options;

  add(
    CommandIDs.grantBudget,
    {
      label: trans.__('Give a Standing Budget…'),
      caption: trans.__('Let plans that stay within it run without asking')
    },
    {
      runs: { type: 'integer', minimum: 1, description: 'The most runs of one wave' },
      hours: { type: 'number', minimum: 0, description: 'GPU hours over all waves' }
    },
    async args => {
      let { runs, hours } = args;
      const given = runs !== undefined && hours !== undefined;
      if (runs === undefined) {
        const asked = await InputDialog.getNumber({
          title: trans.__('Standing budget'),
          label: trans.__('How many runs may a wave have?'),
          value: 6
        });
        runs = asked.value ?? undefined;
      }
      if (runs !== undefined && hours === undefined) {
        const asked = await InputDialog.getNumber({
          title: trans.__('Standing budget'),
          label: trans.__('How many GPU hours may be spent over all waves?'),
          value: 2
        });
        hours = asked.value ?? undefined;
      }
      if (runs === undefined || hours === undefined) {
        return { budget: null };
      }
      const agreed =
        !given ||
        (await consent(
          trans.__('Give a standing budget?'),
          trans.__(
            'Plans of up to %1 runs are approved without asking, until %2 GPU hours are spent or you revoke it.',
            runs,
            hours
          ),
          trans.__('Give'),
          trans
        ));
      if (!agreed) {
        return { budget: null };
      }
      const budget = await project.grantBudget(Math.round(runs), hours);
      return { budget: budget as unknown as ReadonlyJSONObject | null };
    }
  );

  add(
    CommandIDs.revokeBudget,
    {
      label: trans.__('Revoke the Standing Budget'),
      caption: trans.__('Let every plan wait for approval again')
    },
    {},
    async () => {
      await project.revokeBudget();
      return { budget: null };
    }
  );
}
