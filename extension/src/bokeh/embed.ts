import type { IThemeManager } from '@jupyterlab/apputils';
import type { ServerConnection } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';

import { loadBokeh } from './load';
import { modelNames } from './safety';

/** What drawing a plot needs of JupyterLab. */
export interface IPlotContext {
  serverSettings: ServerConnection.ISettings;
  themes: IThemeManager | null;
  trans: TranslationBundle;
}

/** Answers what a drawn document asks, as JSON texts; nothing where there is no answer. */
export type Answerer = (question: string) => Promise<string | null>;

/** A drawn document. */
export interface IDrawn extends IDisposable {
  /** What a person chose in it, for a newer document that takes its place; null where it keeps nothing. */
  state(): unknown[] | null;
}

/** The names of the sources that a document asks and is answered through, and keeps its state in; see interaction.py. */
const [REQUEST, ANSWER, STATE] = ['wavebook-request', 'wavebook-answer', 'wavebook-state'];

/**
 * Draw a Bokeh document into `host`.
 *
 * @param text - JSON text of bokeh.embed.json_item; a text, because Bokeh depends on the order of its keys.
 * @param answerer - Who answers its questions, where it has any.
 * @param state - What was chosen in the document that it replaces.
 * @returns What removes the views and forgets the document again.
 * @throws When the text is no such document or BokehJS cannot be loaded.
 */
export async function embedPlot(
  text: string,
  host: HTMLElement,
  context: IPlotContext,
  answerer?: Answerer,
  state: unknown[] | null = null
): Promise<IDrawn> {
  const item: unknown = JSON.parse(text);
  const names = modelNames(item);
  if (names.size === 0) {
    throw new Error(context.trans.__('This is not a Bokeh document.'));
  }
  const bokeh = await loadBokeh(context, names, /"webgl"/.test(text));
  const views = await bokeh.embed.embed_item(item, host);
  const bokehDocument = views.roots[0]?.model.document ?? null;

  const request = answerer && bokehDocument?.get_model_by_name(REQUEST);
  if (request) {
    request.properties.data.change.connect(() => {
      const [question] = request.data.question ?? [];
      if (typeof question === 'string') {
        void answerer(question).then(answer => {
          const source = bokehDocument?.get_model_by_name(ANSWER);
          if (source && answer !== null) {
            source.data = { answer: [answer] };
          }
        });
      }
    });
  }

  const kept = bokehDocument?.get_model_by_name(STATE) ?? null;
  if (kept && state?.length) {
    kept.data = { state };
  }

  // Canvas colours come from CSS variables, which are read while drawing.
  const repaint = (): void => {
    for (const view of views.query(view => typeof view.request_repaint === 'function')) {
      view.request_repaint?.();
    }
  };
  context.themes?.themeChanged.connect(repaint);

  const removal = new DisposableDelegate(() => {
    context.themes?.themeChanged.disconnect(repaint);
    views.clear();
    const index = bokehDocument ? bokeh.documents.indexOf(bokehDocument) : -1;
    if (index >= 0) {
      bokeh.documents.splice(index, 1); // BokehJS keeps every document it ever made
    }
    host.replaceChildren();
  });
  return Object.assign(removal, { state: () => kept?.data.state ?? null });
}
