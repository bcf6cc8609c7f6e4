import { UseSignal } from '@jupyterlab/ui-components';
import React, { useRef, useState } from 'react';

import type { Conversation } from '../chat/conversation';
import type { IApproval } from '../tokens';
import { usePanel, useProject } from './context';
import { PlanCard } from './plancard';

/** The plans that wait for a person and stand below no message: proposed by command, by another agent, or elsewhere. */
export function WaitingPlans(props: { conversation: Conversation }): JSX.Element {
  const { conversation } = props;
  return (
    <UseSignal signal={conversation.changed}>
      {() => (
        <UseSignal signal={conversation.busyChanged}>
          {() => <Plans conversation={conversation} />}
        </UseSignal>
      )}
    </UseSignal>
  );
}

function Plans(props: { conversation: Conversation }): JSX.Element | null {
  const { trans } = usePanel();
  const { busy, loaded, messages } = props.conversation;
  const known = useRef(new Set<number>());
  const told = new Set(messages.map(message => message.approval));
  let plans = useProject().pendingApprovals.filter(approval => !told.has(approval.id));
  if (busy || !loaded) {
    // A plan that is new belongs to the answer under way, whose message names it in a moment.
    plans = plans.filter(approval => known.current.has(approval.id));
  }
  known.current = new Set(plans.map(approval => approval.id));
  if (plans.length === 0) {
    return null;
  }
  return (
    <section className="jp-Wavebook-waiting" aria-label={trans.__('Plans that wait')}>
      {plans.map(approval => (
        <WaitingPlan key={approval.id} approval={approval} />
      ))}
    </section>
  );
}

function WaitingPlan(props: { approval: IApproval }): JSX.Element {
  const { trans } = usePanel();
  const { plan } = props.approval;
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>
        <span className="jp-Wavebook-state" data-state="pending">
          {trans.__('The plan of wave %1 waits for you', plan.id)}
        </span>
        {!open && <span className="jp-Wavebook-quiet">{plan.goal}</span>}
      </summary>
      {open && <PlanCard approval={props.approval} />}
    </details>
  );
}
