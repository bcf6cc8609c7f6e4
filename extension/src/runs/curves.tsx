import type { IThemeManager } from '@jupyterlab/apputils';
import React, { useState } from 'react';

import { usePanel } from '../components/context';
import { Curve } from './curve';
import type { RunModel } from './model';

/** Curves that are shown without being asked for. */
const FEW = 6;

/** The training's curves, the most telling first. */
export function Curves(props: { model: RunModel; themes: IThemeManager | null }): JSX.Element {
  const { trans } = usePanel();
  const [all, setAll] = useState(false);
  const { model, themes } = props;
  const { metrics } = model;
  const names = Object.keys(metrics?.values ?? {});
  return (
    <section className="jp-Wavebook-part" aria-label={trans.__('Curves')}>
      <header>
        <h2>{trans.__('Curves')}</h2>
        {names.length > FEW && (
          <button type="button" className="jp-Wavebook-textButton" onClick={() => setAll(!all)}>
            {all ? trans.__('Show the most telling') : trans.__('Show all %1', names.length)}
          </button>
        )}
      </header>
      {metrics === null || metrics.iterations.length === 0 ? (
        <p className="jp-Wavebook-quiet">
          {model.run?.state === 'done'
            ? trans.__('The run has recorded no metrics.')
            : trans.__('The curves begin with the first training iteration.')}
        </p>
      ) : (
        <div className="jp-Wavebook-curves">
          {(all ? names : names.slice(0, FEW)).map(name => (
            <Curve
              key={name}
              group={model.id}
              iterations={metrics.iterations}
              values={metrics.values[name]}
              quantity={metrics.quantities[name]}
              themes={themes}
            />
          ))}
        </div>
      )}
    </section>
  );
}
