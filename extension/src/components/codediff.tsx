import React from 'react';

import type { ICodeDiff } from '../tokens';
import { usePanel } from './context';

/** The code that a plan brings along, as diffs: nobody approves what they could not read. */
export function CodeDiffs(props: { code: ICodeDiff[] }): JSX.Element {
  const { trans } = usePanel();
  return (
    <>
      {props.code.map(({ experiment, name, diff }) => (
        <figure key={`${experiment} ${name}`} className="jp-Wavebook-code">
          <figcaption>
            {experiment === null
              ? trans.__('Code of all experiments: %1', name)
              : trans.__('Code of %1: %2', experiment, name)}
          </figcaption>
          <pre tabIndex={0} aria-label={trans.__('Changes of %1', name)}>
            {diff.split('\n').map((line, index) => (
              <span key={index} data-line={kind(line)}>{`${line}\n`}</span>
            ))}
          </pre>
        </figure>
      ))}
    </>
  );
}

/** What a line of a unified diff does; the files' names are no changes. */
function kind(line: string): 'added' | 'removed' | 'kept' {
  if (line.startsWith('+') && !line.startsWith('+++')) {
    return 'added';
  }
  return line.startsWith('-') && !line.startsWith('---') ? 'removed' : 'kept';
}
