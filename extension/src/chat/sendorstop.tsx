import { type InputToolbarRegistry, SendButton, TooltippedIconButton } from '@jupyter/chat';
import type { TranslationBundle } from '@jupyterlab/translation';
import { stopIcon } from '@jupyterlab/ui-components';
import React, { useEffect, useRef, useState } from 'react';

import type { Conversation } from './conversation';

type ToolbarItemProps = InputToolbarRegistry.IToolbarItemProps & {
  conversation: Conversation;
  trans: TranslationBundle;
  /** The library draws everything anew when it has learnt the theme. */
  onMount: () => void;
};

/** Send, or Stop while an answer is under way. */
export function SendOrStop(props: ToolbarItemProps): JSX.Element {
  const { conversation, trans, onMount } = props;
  const [busy, setBusy] = useState(conversation.busy);
  const node = useRef<HTMLSpanElement>(null);

  useEffect(() => {
    const onBusy = (_: Conversation, value: boolean): void => setBusy(value);
    conversation.busyChanged.connect(onBusy);
    setBusy(conversation.busy);
    return () => {
      conversation.busyChanged.disconnect(onBusy);
    };
  }, [conversation]);

  useEffect(onMount, [onMount]);

  // The library offers no property for the text in the empty input.
  useEffect(() => {
    const input = node.current
      ?.closest('.jp-chat-input-container')
      ?.querySelector<HTMLTextAreaElement>('textarea:not([aria-hidden])');
    if (input) {
      input.placeholder = trans.__('Write a directive…');
      input.setAttribute('aria-label', trans.__('Directive'));
    }
  });

  const label = trans.__('Stop');
  return (
    <span ref={node}>
      {busy ? (
        <TooltippedIconButton
          tooltip={label}
          aria-label={label}
          onClick={() => conversation.stop()}
          buttonProps={{ title: label, className: 'jp-Wavebook-stop' }}
        >
          <stopIcon.react tag="span" />
        </TooltippedIconButton>
      ) : (
        <SendButton {...props} />
      )}
    </span>
  );
}
