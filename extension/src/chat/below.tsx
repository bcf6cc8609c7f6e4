import { redoIcon, UseSignal } from '@jupyterlab/ui-components';
import React from 'react';

import { CommandIDs } from '../commandids';
import { usePanel, useProject } from '../components/context';
import { PlanCard } from '../components/plancard';
import type { Conversation } from './conversation';

interface IBelowProps {
  messageId: number;
  conversation: Conversation;
}

/** What stands below a message: the card of the plan that it proposes, and below the last answer another try. */
export function Below(props: IBelowProps): JSX.Element {
  return (
    <UseSignal signal={props.conversation.changed}>
      {() => (
        <UseSignal signal={props.conversation.busyChanged}>
          {() => (
            <div className="jp-Wavebook-below">
              <Plan {...props} />
              <Retry {...props} />
            </div>
          )}
        </UseSignal>
      )}
    </UseSignal>
  );
}

function Plan(props: IBelowProps): JSX.Element | null {
  const id = props.conversation.message(props.messageId)?.approval;
  const project = useProject();
  const approval = id ? project.approval(id) : undefined;
  return approval ? <PlanCard approval={approval} /> : null;
}

function Retry(props: IBelowProps): JSX.Element | null {
  const { run, trans } = usePanel();
  const { conversation, messageId } = props;
  const last = conversation.messages[conversation.messages.length - 1];
  if (conversation.busy || last?.id !== messageId || conversation.lastAsked === null) {
    return null;
  }
  return (
    <button
      type="button"
      className="jp-Wavebook-textButton"
      title={trans.__('Send the last message again; it takes the place of this answer')}
      onClick={() => void run(CommandIDs.retryAnswer, {})}
    >
      <redoIcon.react tag="span" elementSize="normal" />
      {trans.__('Try again')}
    </button>
  );
}
