import type { TranslationBundle } from '@jupyterlab/translation';

import { Server } from '../request';
import type { IPlotContext } from './embed';

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
  context: IPlotContext,
  models: ReadonlySet<string>,
  webgl: boolean
): Promise<IBokeh> {
  // One after the other: while a file loads, the global that it writes to is ours.
  const turn = queue.then(async () => {
    core ??= await loadFile(context, 'bokeh', undefined);
    if (webgl) {
      await loadBundle(context, core, 'bokeh-gl');
    }
    for (const bundle of ['bokeh-widgets', 'bokeh-tables']) {
      if ([...models].some(name => !(name in core!.Models))) {
        await loadBundle(context, core, bundle);
      }
    }
    return core;
  });
  queue = turn.catch(() => undefined); // the next plot tries again
  return turn;
}

async function loadBundle(context: IPlotContext, into: IBokeh, name: string): Promise<void> {
  if (!loaded.has(name)) {
    await loadFile(context, name, into);
    loaded.add(name);
  }
}

/** Load a file with `own` as the global it finds. Another extension's BokehJS is put back afterwards. */
async function loadFile(
  context: IPlotContext,
  name: string,
  own: IBokeh | undefined
): Promise<IBokeh> {
  const other = window.Bokeh;
  window.Bokeh = own;
  try {
    await loadScript(Server.fileUrl(context.serverSettings, `bokeh/${name}.min.js`), context.trans);
    if (!window.Bokeh) {
      throw new Error(context.trans.__('BokehJS did not start.'));
    }
    return window.Bokeh;
  } finally {
    window.Bokeh = other;
  }
}

function loadScript(url: string, trans: TranslationBundle): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = url;
    script.onload = () => resolve();
    script.onerror = () => {
      script.remove();
      reject(new Error(trans.__('BokehJS could not be loaded from %1.', url)));
    };
    document.head.appendChild(script);
  });
}
