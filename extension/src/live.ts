import { PageConfig } from '@jupyterlab/coreutils';
import type { Event } from '@jupyterlab/services';
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';

import type { Conversation } from './chat/conversation';
import type { Part, ProjectModel } from './project';
import type { IChange } from './tokens';

/** The Jupyter event by which the server tells what to fetch again. */
export const CHANGED_SCHEMA = 'https://schema.wavebook.dev/changed/v1';

/** Without a push for this long while something runs, the stream is taken for gone [ms]. */
const SILENCE = 15_000;

/** How often the server is asked. One that did not answer sooner, so that a banner does not outlive its cause [ms]. */
const USUAL = { interval: SILENCE, backoff: true, max: 120_000 };
const AWAY = { interval: 2_000, backoff: true, max: 4_000 };

/**
 * Keep the models up to date: fetch what a push names, and ask by oneself only where pushes have stopped although
 * something runs. A push can be lost with its socket, so returning to the page and a new connection fetch all.
 */
export function keepLive(
  events: Event.IManager,
  project: ProjectModel,
  conversation: Conversation
): IDisposable {
  let lastPush = Date.now();

  const take = (change: Partial<IChange>): void => {
    lastPush = Date.now();
    const what = change.what ?? ['waves', 'approvals', 'night', 'chat'];
    const parts = what.filter((part): part is Extract<Part, typeof part> => part !== 'chat');
    if (parts.includes('waves') && project.night?.state === 'running') {
      parts.push('night'); // it tells how many runs have ended
    }
    if (parts.length > 0) {
      void project.refresh(parts);
    }
    if (what.includes('chat')) {
      conversation.load().catch(() => undefined); // the next push or poll asks again
    }
  };

  const onEvent = (_: unknown, event: Event.Emission): void => {
    if (event.schema_id === CHANGED_SCHEMA) {
      take(event as unknown as IChange);
    }
  };
  events.stream.connect(onEvent);

  const poll = new Poll({
    name: `wavebook:poll#${PageConfig.getOption('workspace')}`,
    auto: true,
    frequency: USUAL,
    standby: 'when-hidden',
    factory: async () => {
      const waiting = project.activeRuns.length + project.pendingApprovals.length > 0;
      const silent = Date.now() - lastPush >= SILENCE;
      if (project.problem !== null || project.waves === null || (waiting && silent)) {
        await project.refresh();
        if (project.problem === null) {
          await conversation.load();
        }
      }
    }
  });

  const onProblem = (): void => {
    const frequency = project.problem === null ? USUAL : AWAY;
    if (poll.frequency.interval !== frequency.interval) {
      poll.frequency = frequency;
      if (frequency === AWAY) {
        void poll.schedule(); // else the long wait that has begun comes first
      }
    }
  };
  project.changed.connect(onProblem);

  const onVisible = (): void => {
    if (!document.hidden) {
      take({});
    }
  };
  document.addEventListener('visibilitychange', onVisible);

  return new DisposableDelegate(() => {
    events.stream.disconnect(onEvent);
    document.removeEventListener('visibilitychange', onVisible);
    project.changed.disconnect(onProblem);
    poll.dispose();
  });
}
