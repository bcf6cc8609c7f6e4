import { Dialog, showDialog } from '@jupyterlab/apputils';
import React, { useState } from 'react';

import { Banner } from './banner';
import { usePanel, useProject } from './context';

/** The night that is under way: what it does now, how much of its budget is used, and Stop. */
export function NightBanner(): JSX.Element | null {
  const { trans } = usePanel();
  const model = useProject();
  const [problem, setProblem] = useState<string | null>(null);
  const { night } = model;
  if (night === null || night.state === 'ended') {
    return null;
  }
  const used = (what: { used: number; allowed: number }): string =>
    `${Number(what.used.toFixed(2))} / ${what.allowed}`;
  const stop = async (): Promise<void> => {
    const answer = await showDialog({
      title: trans.__('Stop the night?'),
      body: trans.__('Its runs are ended too. What they have written so far stays.'),
      buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: trans.__('Stop') })]
    });
    if (answer.button.accept) {
      try {
        setProblem(null);
        await model.stopNight();
      } catch (reason) {
        setProblem(reason instanceof Error ? reason.message : String(reason));
      }
    }
  };
  return (
    <section
      className="jp-Wavebook-plan jp-Wavebook-night"
      role="region"
      aria-label={trans.__('Night mode')}
    >
      <h3 className="jp-Wavebook-planGoal">{trans.__('Night mode: %1', night.directive)}</h3>
      <p aria-live="polite">{night.doing}</p>
      <dl className="jp-Wavebook-facts">
        <dt>{trans.__('waves')}</dt>
        <dd>{used(night.waves)}</dd>
        <dt>{trans.__('device hours')}</dt>
        <dd>{used(night.device_hours)}</dd>
        <dt>{trans.__('hours')}</dt>
        <dd>{used(night.hours)}</dd>
      </dl>
      <p className="jp-Wavebook-quiet">
        {trans.__('Granted by %1. Its plans are approved without asking.', night.granted_by)}
      </p>
      {problem !== null && <Banner text={problem} onDismiss={() => setProblem(null)} />}
      <div className="jp-Wavebook-decide">
        <div className="jp-Wavebook-buttons">
          <button
            className="jp-mod-styled jp-mod-warn"
            disabled={night.stop_by !== null}
            onClick={() => void stop()}
          >
            {trans.__('Stop')}
          </button>
        </div>
      </div>
    </section>
  );
}
