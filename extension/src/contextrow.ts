import type { JupyterFrontEnd } from '@jupyterlab/application';

/** What a row of the list says of itself. */
export interface IContextRow {
  wave: number;
  run?: string;
  ended: boolean;
  retry: boolean;
  checkpoint: boolean;
}

/**
 * The row of the list that the context menu was opened on, while that menu is open and while the command chosen from
 * it begins. Later the application still remembers the click; a command from the palette must not act on it.
 */
export function trackContextRow(app: JupyterFrontEnd): () => IContextRow | null {
  let asked = false;
  document.addEventListener('contextmenu', () => (asked = true), { capture: true });
  // A menu closes before it executes what was chosen.
  app.contextMenu.menu.aboutToClose.connect(() => {
    window.setTimeout(() => (asked = false));
  });
  return () => {
    const node = asked
      ? app.contextMenuHitTest(item => item.classList.contains('jp-Wavebook-row'))
      : undefined;
    if (!node) {
      return null;
    }
    const { wave, run, ended, retry, checkpoint } = node.dataset;
    return {
      wave: Number(wave),
      run,
      ended: ended === 'true',
      retry: retry === 'true',
      checkpoint: checkpoint === 'true'
    };
  };
}
