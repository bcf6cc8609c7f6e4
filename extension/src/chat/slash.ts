import type { ChatCommand, IChatCommandProvider } from '@jupyter/chat';
import type { TranslationBundle } from '@jupyterlab/translation';

const PROVIDER = 'wavebook:slash';

/** Completes the commands that the server understands (extension/wavebook/agent/slash.py). */
export function slashCommands(trans: TranslationBundle): IChatCommandProvider {
  const commands: ChatCommand[] = (
    [
      ['/plan', trans.__('Plan a wave from a directive')],
      ['/run', trans.__('Approve a wave and queue it: /run 3')],
      ['/status', trans.__('How waves and runs stand')],
      ['/compare', trans.__('Verdicts of waves: /compare 1 2')],
      ['/diagnose', trans.__('What the watchdog found: /diagnose exp001/s0')],
      ['/budget', trans.__('Let the agent spend: /budget 6 2, or /budget off')],
      ['/night', trans.__('Wave after wave without asking: /night DIRECTIVE --waves 3 --hours 8')]
    ] as const
  ).map(([name, description]) => ({
    name,
    description,
    providerId: PROVIDER,
    replaceWith: `${name} `
  }));
  return {
    id: PROVIDER,
    listCommandCompletions: input => {
      const word = input.currentWord ?? '';
      // A command begins the message; a slash further on is part of a path.
      const begins = word.startsWith('/') && input.value.trimStart().startsWith(word);
      return Promise.resolve(
        begins ? commands.filter(({ name }) => name.startsWith(word) && name !== word) : []
      );
    },
    onSubmit: () => Promise.resolve() // the server reads the command
  };
}
