import type { LabIcon } from '@jupyterlab/ui-components';
import React from 'react';

/** A small button with an icon; its label is its tooltip and what a screen reader says. */
export function IconButton(props: {
  icon: LabIcon;
  label: string;
  tabIndex?: number;
  onClick: () => void;
}): JSX.Element {
  return (
    <button
      type="button"
      className="jp-Wavebook-iconButton"
      title={props.label}
      aria-label={props.label}
      tabIndex={props.tabIndex}
      onClick={event => {
        event.stopPropagation();
        props.onClick();
      }}
    >
      <props.icon.react tag="span" elementSize="normal" />
    </button>
  );
}
