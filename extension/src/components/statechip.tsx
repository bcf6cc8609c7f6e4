import React from 'react';

import { stateLabel } from '../format';
import type { RunState, WaveState } from '../tokens';
import { usePanel } from './context';

/** A state as a coloured mark with its word, so that colour is never the only cue. */
export function StateChip(props: { state: RunState | WaveState }): JSX.Element {
  const { trans } = usePanel();
  return (
    <span className="jp-Wavebook-state" data-state={props.state}>
      {stateLabel(props.state, trans)}
    </span>
  );
}
