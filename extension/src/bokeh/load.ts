import type { ServerConnection } from '@jupyterlab/services';

import { Server } from '../request';

/** A drawn model and the views below it. Only what is used here is declared. */
export interface IView {
  model: { document: IBokehDocument | null };
  remove(): void;
  /** Of plots: draw again, which reads the theme's colours again. */
  request_repaint?(): void;
}

export interface IBokehDocument {
  clear(): void;
  get_model_by_name(name: string): IBokehSource | null;
}

/** A ColumnDataSource, through which a document talks to its surroundings. */
export interface IBokehSource {
  data: Record<string, unknown[]>;
  properties: { data: { change: { connect(slot: () => void): boolean } } };
}

export interface IViewManager {
  roots: IView[];
  query(matches: (view: IView) => boolean): Iterable<IView>;
  clear(): void;
}

export interface IBokeh {
  version: string;
  documents: IBokehDocument[];
  Models: object;
  embed: { embed_item(item: unknown, target: HTMLElement): Promise<IViewManager> };
}

declare global {
  // eslint-disable-next-line @typescript-eslint/naming-convention -- the browser's own name
  interface Window {
    Bokeh?: IBokeh;
  }
}

let core: IBokeh | null = null;
const loaded = new Set<string>();
let queue: Promise<unknown> = Promise.resolve();

/**
 * BokehJS of the server's Python package, with the bundles that these models need. It comes from our own server, so
 * that a plot needs no network, and each file is loaded once, when the first plot asks for it.
 */
export function loadBokeh(
  settings: ServerConnection.ISettings,
  models: ReadonlySet<string>,
  webgl: boolean
): Promise<IBokeh> {
  // One after the other: while a file loads, the global that it writes to is ours.
  const turn = queue.then(async () => {
    core ??= await loadFile(settings, 'bokeh', undefined);
    if (webgl) {
      await loadBundle(settings, core, 'bokeh-gl');
    }
    for (const bundle of ['bokeh-widgets', 'bokeh-tables']) {
      if ([...models].some(name => !(name in core!.Models))) {
        await loadBundle(settings, core, bundle);
      }
    }
    return core;
  });
  queue = turn.catch(() => undefined); // the next plot tries again
  return turn;
}

async function loadBundle(
  settings: ServerConnection.ISettings,
  into: IBokeh,
  name: string
): Promise<void> {
  if (!loaded.has(name)) {
    await loadFile(settings, name, into);
    loaded.add(name);
  }
}

/** Load a file with `own` as the global it finds. Another extension's BokehJS is put back afterwards. */
async function loadFile(
  settings: ServerConnection.ISettings,
  name: string,
  own: IBokeh | undefined
): Promise<IBokeh> {
  const other = window.Bokeh;
  window.Bokeh = own;
  try {
    await loadScript(Server.fileUrl(settings, `bokeh/${name}.min.js`));
    if (!window.Bokeh) {
      throw new Error('BokehJS did not start.');
    }
    return window.Bokeh;
  } finally {
    window.Bokeh = other;
  }
}

function loadScript(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = url;
    script.onload = () => resolve();
    script.onerror = () => {
      script.remove();
      reject(new Error(`BokehJS could not be loaded from ${url}.`));
    };
    document.head.appendChild(script);
  });
}
