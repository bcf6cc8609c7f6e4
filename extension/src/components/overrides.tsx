import React from 'react';

import { value } from '../format';
import type { Value } from '../tokens';
import { usePanel } from './context';

/** Overrides as a table of name and value. The configuration's root is left out where the rest says enough. */
export function Overrides(props: {
  overrides: { [name: string]: Value };
  /** What stood there before, shown where it is known. */
  base?: { [name: string]: Value };
}): JSX.Element {
  const { trans } = usePanel();
  const entries = Object.entries(props.overrides);
  if (entries.length === 0) {
    return <p className="jp-Wavebook-quiet">{trans.__('The base configuration, unchanged')}</p>;
  }
  return (
    <table className="jp-Wavebook-overrides" aria-label={trans.__('Overrides')}>
      <tbody>
        {entries.map(([name, item]) => (
          <tr key={name}>
            <th scope="row" title={name}>
              {breakable(name.replace(/^env\./, ''))}
            </th>
            <td>
              {props.base && name in props.base && (
                <>
                  <del>{value(props.base[name])}</del>
                  {' → '}
                </>
              )}
              <ins>{item === null ? trans.__('removed') : value(item)}</ins>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A dotted name that a narrow panel may break behind its dots and underscores. */
export function breakable(name: string): JSX.Element[] {
  return name.split(/(?<=[._])/).map((part, index) => (
    <React.Fragment key={index}>
      {part}
      <wbr />
    </React.Fragment>
  ));
}
