import React from 'react';

import { usePanel } from './context';

/** Shown where there are no waves yet. */
export function NoWaves(): JSX.Element {
  const { trans } = usePanel();
  return (
    <div className="jp-Wavebook-empty">
      <p>
        {trans.__(
          'No waves yet. A wave is a handful of experiments, planned and judged together; each run becomes a notebook.'
        )}
      </p>
      <p>{trans.__('Write a directive below to get the plan of the first one.')}</p>
    </div>
  );
}

/** Shown where nothing has been said yet: what a directive is, with examples to start from. */
export function NoMessages(props: { onExample: (directive: string) => void }): JSX.Element {
  const { trans } = usePanel();
  const examples = [
    trans.__('Make DHAV1 track velocity better'),
    trans.__('Reduce falls, with two seeds for each experiment'),
    trans.__('Find out whether a higher learning rate helps')
  ];
  return (
    <div className="jp-Wavebook-empty">
      <p>
        {trans.__(
          'Write what you want to find out or improve. Wavebook answers with a plan: experiments, each one hypothesis. Nothing runs before you approve it.'
        )}
      </p>
      <ul className="jp-Wavebook-examples" aria-label={trans.__('Examples')}>
        {examples.map(example => (
          <li key={example}>
            <button type="button" onClick={() => props.onExample(example)}>
              {example}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
