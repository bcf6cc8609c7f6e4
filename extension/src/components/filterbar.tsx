import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { FILTERS, type Filter, type IListOptions, SORTS, type Sort } from '../rows';
import { usePanel } from './context';

/** What of the waves is shown and in which order. */
export function FilterBar(props: {
  options: IListOptions;
  onChange: (options: Partial<IListOptions>) => void;
}): JSX.Element {
  const { trans } = usePanel();
  const { options, onChange } = props;
  return (
    <div className="jp-Wavebook-filter" role="search" aria-label={trans.__('Waves and runs')}>
      <input
        type="search"
        className="jp-mod-styled"
        placeholder={trans.__('Filter')}
        aria-label={trans.__('Filter by name, hypothesis, override, device or verdict')}
        value={options.text}
        onChange={event => onChange({ text: event.target.value })}
      />
      <select
        aria-label={trans.__('State')}
        value={options.filter}
        onChange={event => onChange({ filter: event.target.value as Filter })}
      >
        {FILTERS.map(filter => (
          <option key={filter} value={filter}>
            {filterLabel(filter, trans)}
          </option>
        ))}
      </select>
      <select
        aria-label={trans.__('Order')}
        value={options.sort}
        onChange={event => onChange({ sort: event.target.value as Sort })}
      >
        {SORTS.map(sort => (
          <option key={sort} value={sort}>
            {sortLabel(sort, trans)}
          </option>
        ))}
      </select>
    </div>
  );
}

function filterLabel(filter: Filter, trans: TranslationBundle): string {
  switch (filter) {
    case 'all':
      return trans.__('All states');
    case 'active':
      return trans.__('Under way');
    case 'queued':
      return trans.__('Queued');
    case 'done':
      return trans.__('Done');
    case 'failed':
      return trans.__('Failed or hung');
    case 'cancelled':
      return trans.__('Cancelled');
  }
}

function sortLabel(sort: Sort, trans: TranslationBundle): string {
  switch (sort) {
    case 'newest':
      return trans.__('Newest first');
    case 'lineage':
      return trans.__('By descent');
    case 'metric':
      return trans.__('Best metric');
    case 'left':
      return trans.__('Time left');
    case 'state':
      return trans.__('By state');
  }
}
