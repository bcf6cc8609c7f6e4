import { notebookIcon, stopIcon, textEditorIcon } from '@jupyterlab/ui-components';
import React from 'react';

import { CommandIDs } from '../commandids';
import {
  deviceLabels,
  duration,
  elapsed,
  keyMetric,
  number,
  progress,
  remaining,
  startsIn
} from '../format';
import { type IRun, hasEnded } from '../tokens';
import { useNow, usePanel } from './context';
import { IconButton } from './iconbutton';
import { ProgressBar } from './progressbar';
import { StateChip } from './statechip';

/** The line of a run: where it stands, on what, since when, and its key metric. */
export function RunRow(props: { run: IRun; tabIndex: number }): JSX.Element {
  const { run: execute, trans, project } = usePanel();
  const { run: item, tabIndex } = props;
  const live = !hasEnded(item) && item.state !== 'queued';
  const now = useNow(!hasEnded(item));
  const taken = elapsed(item, now);
  const left = remaining(item, now);
  const start = startsIn(item, now);
  const metric = keyMetric(item);
  const facts = [
    item.iterations > 0 && item.state !== 'queued' && `${item.iteration}/${item.iterations}`,
    taken !== null && duration(taken, trans),
    left !== null && item.state === 'running' && trans.__('%1 left', duration(left, trans)),
    start !== null && trans.__('starts in %1', duration(start, trans)),
    item.priority !== 0 && !hasEnded(item) && trans.__('priority %1', item.priority),
    deviceLabels(item, project.project?.devices ?? [])
  ].filter(Boolean);
  const args = { run: item.id };
  return (
    <div className="jp-Wavebook-rowBody">
      <div className="jp-Wavebook-rowLine">
        <span className="jp-Wavebook-id" title={item.id}>
          {item.id.split('/')[1]}
        </span>
        <StateChip state={item.state} />
        {metric && (
          <span
            className="jp-Wavebook-metric"
            data-evaluated={metric.evaluated}
            title={
              metric.evaluated
                ? trans.__('Mean error of the planar velocity, fixed evaluation')
                : trans.__('Mean error of the planar velocity, newest training iteration')
            }
          >
            {trans.__('%1 m/s', number(metric.value))}
          </span>
        )}
        <span className="jp-Wavebook-actions">
          {item.notebook && (
            <IconButton
              icon={notebookIcon}
              label={trans.__('Open notebook')}
              tabIndex={tabIndex}
              onClick={() => void execute(CommandIDs.openNotebook, args)}
            />
          )}
          {item.log && (
            <IconButton
              icon={textEditorIcon}
              label={trans.__('Open log')}
              tabIndex={tabIndex}
              onClick={() => void execute(CommandIDs.openLog, args)}
            />
          )}
          {!hasEnded(item) && (
            <IconButton
              icon={stopIcon}
              label={trans.__('Cancel run')}
              tabIndex={tabIndex}
              onClick={() => void execute(CommandIDs.cancelRun, args)}
            />
          )}
        </span>
      </div>
      {facts.length > 0 && (
        <div className="jp-Wavebook-runFacts">
          {facts.map((fact, index) => (
            <span key={index}>{fact}</span>
          ))}
        </div>
      )}
      {live && (
        <ProgressBar
          value={progress(item)}
          state={item.state}
          label={trans.__('Progress of %1', item.id)}
        />
      )}
      {item.message && item.state !== 'done' && (
        <div className="jp-Wavebook-runMessage" title={item.message}>
          {item.message}
        </div>
      )}
    </div>
  );
}
