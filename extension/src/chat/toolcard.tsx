import { UseSignal } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { Conversation } from './conversation';
import type { IToolPart } from '../tokens';

export interface IToolCardsProps {
  /** The message whose tools are shown. */
  id: number;
  conversation: Conversation;
  trans: TranslationBundle;
}

/** The tools that the agent used for a message, each with its arguments and result. */
export function ToolCards(props: IToolCardsProps): JSX.Element {
  const { id, conversation, trans } = props;
  return (
    <UseSignal
      signal={conversation.changed}
      shouldUpdate={(_, change) => change.kind === 'updated' && change.message.id === id}
    >
      {() => {
        const parts = conversation.message(id)?.parts ?? [];
        const tools = parts.filter((part): part is IToolPart => part.kind === 'tool');
        return (
          <>
            {tools.map(tool => (
              <ToolCard key={tool.id} tool={tool} trans={trans} />
            ))}
          </>
        );
      }}
    </UseSignal>
  );
}

function ToolCard(props: { tool: IToolPart; trans: TranslationBundle }): JSX.Element {
  const { tool, trans } = props;
  const state = tool.result === null ? 'running' : tool.failed ? 'failed' : 'done';
  const words = {
    running: trans.__('no result yet'),
    failed: trans.__('failed'),
    done: trans.__('done')
  };
  return (
    <details className="jp-Wavebook-tool jp-Wavebook-details" data-state={state}>
      <summary>
        <code>{tool.name}</code> <span className="jp-Wavebook-quiet">{words[state]}</span>
      </summary>
      <pre aria-label={trans.__('Arguments')} tabIndex={0}>
        {JSON.stringify(tool.arguments, null, 2)}
      </pre>
      {tool.result !== null && (
        <pre aria-label={trans.__('Result')} tabIndex={0}>
          {tool.result}
        </pre>
      )}
    </details>
  );
}
