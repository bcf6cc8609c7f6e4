import React from 'react';

import { usePanel } from '../components/context';
import { Overrides } from '../components/overrides';
import type { ISuggestion, RunEvent } from '../tokens';
import type { RunModel } from './model';

type Alert = RunEvent & { kind: 'alert' };

/** What the watchdog found, the newest first, with what it would do about it. */
export function Alerts(props: { model: RunModel }): JSX.Element | null {
  const { trans } = usePanel();
  const alerts = props.model.events.filter((event): event is Alert => event.kind === 'alert');
  if (alerts.length === 0) {
    return null;
  }
  return (
    <section aria-label={trans.__('Alerts')} className="jp-Wavebook-alerts">
      {alerts.reverse().map((alert, index) => (
        <div key={index} className="jp-Wavebook-alert" data-ends={alert.ends_run} role="note">
          <p>
            <strong>{alert.finding.replace(/_/g, ' ')}</strong>{' '}
            <time dateTime={new Date(alert.t * 1000).toISOString()} className="jp-Wavebook-quiet">
              {new Date(alert.t * 1000).toLocaleTimeString()}
            </time>
            {alert.ends_run && (
              <span className="jp-Wavebook-badge">{trans.__('ended the run')}</span>
            )}
          </p>
          <p>{alert.message}</p>
          {alert.suggestion && <Suggestion suggestion={alert.suggestion} />}
        </div>
      ))}
    </section>
  );
}

function Suggestion(props: { suggestion: ISuggestion }): JSX.Element {
  const { trans } = usePanel();
  const { action, why, overrides, num_envs: envs, names } = props.suggestion;
  return (
    <div className="jp-Wavebook-suggestion">
      <p>
        <strong>{trans.__('Suggested: %1', action.replace(/_/g, ' '))}</strong> {why}
      </p>
      {envs !== undefined && <p>{trans.__('%1 environments', envs)}</p>}
      {names && names.length > 0 && <p>{names.join(', ')}</p>}
      {overrides && Object.keys(overrides).length > 0 && <Overrides overrides={overrides} />}
    </div>
  );
}
