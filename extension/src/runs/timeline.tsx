import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { usePanel } from '../components/context';
import { stateLabel } from '../format';
import type { RunEvent } from '../tokens';

/** What happened in a run, the newest first. */
export function Timeline(props: { events: ReadonlyArray<RunEvent> }): JSX.Element {
  const { trans } = usePanel();
  const events = [...props.events].reverse();
  return (
    <section className="jp-Wavebook-part" aria-label={trans.__('Events')}>
      <header>
        <h2>{trans.__('Events')}</h2>
      </header>
      {events.length === 0 ? (
        <p className="jp-Wavebook-quiet">
          {trans.__('Nothing has happened yet: the run waits in the queue.')}
        </p>
      ) : (
        <ol className="jp-Wavebook-events" tabIndex={0} aria-label={trans.__('Events')}>
          {events.map((event, index) => (
            <li key={index} data-kind={event.kind}>
              <time dateTime={new Date(event.t * 1000).toISOString()}>
                {new Date(event.t * 1000).toLocaleTimeString()}
              </time>
              <span>{describe(event, trans)}</span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function describe(event: RunEvent, trans: TranslationBundle): string {
  switch (event.kind) {
    case 'state':
      return [stateLabel(event.state, trans), event.phase, event.device, event.message]
        .filter(Boolean)
        .join(' · ');
    case 'alert':
      return `${event.finding}: ${event.message}`;
    case 'cell':
      return [
        trans.__('Cell %1 of %2: %3', (event.index ?? 0) + 1, event.cells, event.status),
        event.error
      ]
        .filter(Boolean)
        .join(' · ');
  }
}
