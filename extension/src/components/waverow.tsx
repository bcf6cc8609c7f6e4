import type { TranslationBundle } from '@jupyterlab/translation';
import { notebookIcon, stopIcon } from '@jupyterlab/ui-components';
import React from 'react';

import { CommandIDs } from '../commandids';
import { duration, progress, remaining } from '../format';
import { comparisonIcon } from '../icons';
import { type IExperiment, type IVerdict, type IWave, hasEnded } from '../tokens';
import { useNow, usePanel } from './context';
import { IconButton } from './iconbutton';
import { ProgressBar } from './progressbar';
import { StateChip } from './statechip';

/** The line of a wave: its goal, state and progress. */
export function WaveRow(props: { wave: IWave; tabIndex: number }): JSX.Element {
  const { run, trans } = usePanel();
  const { wave, tabIndex } = props;
  const ended = wave.runs.filter(hasEnded).length;
  const done = wave.runs.reduce((sum, item) => sum + (hasEnded(item) ? 1 : progress(item)), 0);
  const now = useNow(ended < wave.runs.length);
  const left = timeLeft(wave, now);
  return (
    <div className="jp-Wavebook-rowBody">
      <div className="jp-Wavebook-rowLine">
        <span className="jp-Wavebook-id">{trans.__('Wave %1', wave.id)}</span>
        {wave.parent !== null && (
          <span className="jp-Wavebook-quiet">{trans.__('after %1', wave.parent)}</span>
        )}
        <StateChip state={wave.state} />
        <span className="jp-Wavebook-count">
          {left !== null && `${trans.__('%1 left', duration(left, trans))} · `}
          {trans.__('%1/%2 runs', ended, wave.runs.length)}
        </span>
        <span className="jp-Wavebook-actions">
          <IconButton
            icon={comparisonIcon}
            label={trans.__('Open comparison')}
            tabIndex={tabIndex}
            onClick={() => void run(CommandIDs.openComparison, { waves: [wave.id] })}
          />
          {wave.notebook && (
            <IconButton
              icon={notebookIcon}
              label={trans.__('Open report')}
              tabIndex={tabIndex}
              onClick={() => void run(CommandIDs.openReport, { wave: wave.id })}
            />
          )}
          {ended < wave.runs.length && (
            <IconButton
              icon={stopIcon}
              label={trans.__('Cancel wave…')}
              tabIndex={tabIndex}
              onClick={() => void run(CommandIDs.cancelWave, { wave: wave.id })}
            />
          )}
        </span>
      </div>
      <div className="jp-Wavebook-goal" title={wave.goal}>
        {wave.goal}
      </div>
      <ProgressBar
        value={wave.runs.length > 0 ? done / wave.runs.length : 0}
        state={wave.state}
        label={trans.__('Progress of wave %1', wave.id)}
      />
    </div>
  );
}

/** Seconds until the last run of a wave ends, or null where one of them cannot be told. */
function timeLeft(wave: IWave, now: number): number | null {
  const left = wave.runs
    .filter(run => !hasEnded(run))
    .map(run =>
      run.started === null
        ? run.estimated_end === null
          ? Infinity
          : run.estimated_end - now
        : (remaining(run, now) ?? Infinity)
    );
  const most = Math.max(...left);
  return Number.isFinite(most) ? Math.max(0, most) : null;
}

/** The line of an experiment: its hypothesis and verdict. */
export function ExperimentRow(props: { experiment: IExperiment }): JSX.Element {
  const { trans } = usePanel();
  const { id, hypothesis, baseline, verdict } = props.experiment;
  return (
    <div className="jp-Wavebook-rowBody">
      <div className="jp-Wavebook-rowLine">
        <span className="jp-Wavebook-id">{id}</span>
        {baseline && <span className="jp-Wavebook-badge">{trans.__('baseline')}</span>}
        {verdict && !['baseline', 'pending'].includes(verdict.verdict) && (
          <span className="jp-Wavebook-verdict" data-verdict={verdict.verdict} title={verdict.text}>
            {verdictLabel(verdict, trans)}
          </span>
        )}
      </div>
      <div className="jp-Wavebook-goal" title={hypothesis}>
        {hypothesis}
      </div>
    </div>
  );
}

function verdictLabel(verdict: IVerdict, trans: TranslationBundle): string {
  switch (verdict.verdict) {
    case 'better':
      return trans.__('Better');
    case 'worse':
      return trans.__('Worse');
    case 'no different':
      return trans.__('No different');
    case 'failed':
      return trans.__('Failed');
    case 'finished':
      return trans.__('Finished');
    default:
      return '';
  }
}
