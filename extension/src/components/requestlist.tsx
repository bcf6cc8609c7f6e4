import React, { useState } from 'react';

import type { IRequest } from '../tokens';
import { Banner } from './banner';
import { usePanel, useProject } from './context';

/** What agents ask to do and wait for: each with its arguments, what was read before, Allow and Deny. */
export function RequestList(): JSX.Element | null {
  const { trans } = usePanel();
  const pending = useProject().pendingRequests;
  if (pending.length === 0) {
    return null;
  }
  return (
    <section className="jp-Wavebook-requests" aria-label={trans.__('Requests of agents')}>
      {pending.map(request => (
        <RequestCard key={request.id} request={request} />
      ))}
    </section>
  );
}

function RequestCard(props: { request: IRequest }): JSX.Element {
  const { trans } = usePanel();
  const model = useProject();
  const { id, tool, actor, foreign } = props.request;
  const [deciding, setDeciding] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const decide = (decision: 'allow' | 'deny'): void => {
    setDeciding(true);
    model
      .answerRequest(id, decision)
      .catch((reason: unknown) =>
        setProblem(reason instanceof Error ? reason.message : String(reason))
      )
      .finally(() => setDeciding(false));
  };
  return (
    <section className="jp-Wavebook-plan" data-state="pending" data-request={id}>
      <header className="jp-Wavebook-planHeader">
        <span className="jp-Wavebook-kicker">{trans.__('%1 asks', actor)}</span>
        <span className="jp-Wavebook-state" data-state="pending">
          {trans.__('waits for you')}
        </span>
      </header>
      <h3 className="jp-Wavebook-planGoal">{tool.replace(/_/g, ' ')}</h3>
      <dl className="jp-Wavebook-facts">
        {Object.entries(JSON.parse(props.request.arguments) as Record<string, unknown>).map(
          ([name, value]) => (
            <React.Fragment key={name}>
              <dt>{name}</dt>
              <dd>{typeof value === 'string' ? value : JSON.stringify(value)}</dd>
            </React.Fragment>
          )
        )}
      </dl>
      {foreign.length > 0 && (
        <p className="jp-Wavebook-quiet">
          {trans.__('Before it asked, it had read: %1', foreign.join(', '))}
        </p>
      )}
      {problem !== null && <Banner text={problem} onDismiss={() => setProblem(null)} />}
      <div className="jp-Wavebook-decide">
        <div className="jp-Wavebook-buttons">
          <button
            className="jp-mod-styled jp-mod-accept"
            disabled={deciding}
            onClick={() => decide('allow')}
          >
            {trans.__('Allow')}
          </button>
          <button
            className="jp-mod-styled jp-mod-reject"
            disabled={deciding}
            onClick={() => decide('deny')}
          >
            {trans.__('Deny')}
          </button>
        </div>
      </div>
    </section>
  );
}
