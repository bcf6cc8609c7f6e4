import { closeIcon, deleteIcon, editIcon } from '@jupyterlab/ui-components';
import { UseSignal } from '@jupyterlab/ui-components';
import React, { useState } from 'react';

import { CommandIDs } from '../commandids';
import { usePanel } from '../components/context';
import { IconButton } from '../components/iconbutton';
import type { IConversationInfo } from '../tokens';
import type { Conversation } from './conversation';

/** The project's conversations: which one is shown, and its name. */
export function ConversationPicker(props: { conversation: Conversation }): JSX.Element {
  const { conversation } = props;
  return (
    <UseSignal signal={conversation.listChanged}>
      {() => {
        const { list, current } = conversation;
        // A single conversation in which nothing was said needs no choosing and no name.
        return current && (list.length > 1 || current.messages > 0) ? (
          <Picker list={list} current={current} />
        ) : null;
      }}
    </UseSignal>
  );
}

function Picker(props: {
  list: ReadonlyArray<IConversationInfo>;
  current: IConversationInfo;
}): JSX.Element {
  const { run, trans } = usePanel();
  const { list, current } = props;
  const [title, setTitle] = useState<string | null>(null);

  if (title !== null) {
    return (
      <form
        className="jp-Wavebook-picker"
        onSubmit={event => {
          event.preventDefault();
          void run(CommandIDs.renameConversation, { conversation: current.id, title });
          setTitle(null);
        }}
      >
        <input
          className="jp-mod-styled"
          autoFocus
          value={title}
          maxLength={120}
          aria-label={trans.__('Name of the conversation')}
          onChange={event => setTitle(event.target.value)}
          onKeyDown={event => event.key === 'Escape' && setTitle(null)}
        />
        <button type="submit" className="jp-mod-styled jp-mod-accept">
          {trans.__('Rename')}
        </button>
        <IconButton icon={closeIcon} label={trans.__('Back')} onClick={() => setTitle(null)} />
      </form>
    );
  }
  return (
    <div className="jp-Wavebook-picker">
      <select
        aria-label={trans.__('Choose a conversation')}
        title={current.title}
        value={current.id}
        onChange={event =>
          void run(CommandIDs.openConversation, { conversation: Number(event.target.value) })
        }
      >
        {[...list]
          .sort((a, b) => b.id - a.id)
          .map(({ id, title, messages, created }) => (
            <option key={id} value={id}>
              {`${title} · ${new Date(created * 1000).toLocaleDateString()} · ${trans._n(
                '%1 message',
                '%1 messages',
                messages
              )}`}
            </option>
          ))}
      </select>
      <IconButton
        icon={editIcon}
        label={trans.__('Rename the conversation')}
        onClick={() => setTitle(current.title)}
      />
      <IconButton
        icon={deleteIcon}
        label={trans.__('Delete the conversation…')}
        onClick={() => void run(CommandIDs.deleteConversation, { conversation: current.id })}
      />
    </div>
  );
}
