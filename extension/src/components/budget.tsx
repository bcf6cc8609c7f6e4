import React from 'react';

import { CommandIDs } from '../commandids';
import { number } from '../format';
import { usePanel, useProject } from './context';

/** What the agent may spend without asking, where a person gave it something. */
export function StandingBudget(): JSX.Element | null {
  const { run, trans } = usePanel();
  const { budget } = useProject();
  if (budget === null) {
    return null;
  }
  const left = Math.max(0, budget.gpu_hours - budget.reserved);
  return (
    <p className="jp-Wavebook-budget">
      <span title={trans.__('Plans within it run without asking. Given by %1.', budget.granted_by)}>
        {trans.__(
          'Standing budget: %1 runs a wave, %2 of %3 GPU hours left',
          budget.runs,
          number(left),
          number(budget.gpu_hours)
        )}
      </span>
      <button
        type="button"
        className="jp-Wavebook-textButton"
        onClick={() => void run(CommandIDs.revokeBudget, {})}
      >
        {trans.__('Revoke')}
      </button>
    </p>
  );
}
