import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { createContext, useContext, useEffect, useReducer, useState } from 'react';

import type { ProjectModel } from '../project';

/** What the panel's components share. */
export interface IPanelContext {
  project: ProjectModel;
  commands: CommandRegistry;
  trans: TranslationBundle;
  /** Run a command for a person: a failure is shown as a notification. */
  run(command: string, args: ReadonlyPartialJSONObject): Promise<void>;
}

export const PanelContext = createContext<IPanelContext | null>(null);

export function usePanel(): IPanelContext {
  const context = useContext(PanelContext);
  if (context === null) {
    // eslint-disable-next-line no-restricted-syntax -- told to whoever programs, not to a person
    throw new Error('A component of the panel stands outside of it.');
  }
  return context;
}

/** The project, drawn again whenever it changes. */
export function useProject(): ProjectModel {
  const { project } = usePanel();
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    project.changed.connect(redraw);
    return () => {
      project.changed.disconnect(redraw);
    };
  }, [project]);
  return project;
}

/**
 * The time [s], moving on once a second while `running`. It stands still while the server does not answer: the longer
 * a run would seem to stay at its iteration, the longer it would seem to need.
 */
export function useNow(running: boolean): number {
  const { project } = usePanel();
  const [now, setNow] = useState(() => Date.now() / 1000);
  useEffect(() => {
    if (!running) {
      return;
    }
    const tick = (): void => {
      if (!document.hidden && project.problem === null) {
        setNow(Date.now() / 1000);
      }
    };
    tick();
    const timer = window.setInterval(tick, 1000);
    return () => window.clearInterval(timer);
  }, [project, running]);
  return now;
}
