import { fileIcon, notebookIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { runIcon } from '../icons';
import type { IAttached } from '../tokens';
import type { Conversation } from './conversation';

const ICONS = { run: runIcon, notebook: notebookIcon, file: fileIcon };

/** What a person laid beside a message; each opens on a click or by the keyboard. */
export function Attachments(props: {
  id: number;
  conversation: Conversation;
  trans: TranslationBundle;
  open: (attached: IAttached) => void;
}): JSX.Element | null {
  const { id, conversation, trans, open } = props;
  const attachments = conversation.message(id)?.attachments ?? [];
  if (attachments.length === 0) {
    return null;
  }
  return (
    <ul className="jp-Wavebook-attachments" aria-label={trans.__('Attached')}>
      {attachments.map(item => {
        const Icon = ICONS[item.kind];
        return (
          <li key={`${item.kind} ${item.path}`}>
            <button type="button" title={item.path} onClick={() => open(item)}>
              <Icon.react tag="span" elementSize="normal" />
              {item.kind === 'run' ? item.path : item.path.split('/').pop()}
            </button>
          </li>
        );
      })}
    </ul>
  );
}
