import type { IPlotContext } from '../bokeh/embed';
import { Server } from '../request';
import type * as player from './player';

type Player = typeof player;

declare global {
  // eslint-disable-next-line @typescript-eslint/naming-convention -- the browser's own name
  interface Window {
    WavebookReplay?: Player;
  }
}

let loading: Promise<Player> | null = null;

/** The player, with three.js in it: one file of our own server, the same that stands in a replay's page. */
export function loadPlayer({ serverSettings, trans }: IPlotContext): Promise<Player> {
  loading ??= new Promise<Player>((resolve, reject) => {
    const script = document.createElement('script');
    script.src = Server.fileUrl(serverSettings, 'replay/player.js');
    script.onload = () =>
      window.WavebookReplay
        ? resolve(window.WavebookReplay)
        : reject(new Error(trans.__('The replay’s player did not start.')));
    script.onerror = () => {
      script.remove();
      loading = null; // the next replay tries again
      reject(new Error(trans.__('The replay’s player could not be loaded from %1.', script.src)));
    };
    document.head.appendChild(script);
  });
  return loading;
}
