import type { IThemeManager } from '@jupyterlab/apputils';
import { notebookIcon, redoIcon, stopIcon } from '@jupyterlab/ui-components';
import React from 'react';

import { CommandIDs } from '../commandids';
import { Banner } from '../components/banner';
import { useNow, usePanel } from '../components/context';
import { ProgressBar } from '../components/progressbar';
import { StateChip } from '../components/statechip';
import { deviceLabels, duration, elapsed, progress, remaining, startsIn } from '../format';
import { comparisonIcon, runIcon } from '../icons';
import { type IRun, canRetry, hasEnded } from '../tokens';
import { Alerts } from './alerts';
import { Configuration } from './configuration';
import { Curves } from './curves';
import { Loads } from './loads';
import { Log } from './log';
import type { RunModel } from './model';
import { Timeline } from './timeline';

/** All there is to see of a run. */
export function RunPage(props: { model: RunModel; themes: IThemeManager | null }): JSX.Element {
  const { trans } = usePanel();
  const { model } = props;
  const { run } = model;
  if (run === null) {
    return model.problem === null ? (
      <p className="jp-Wavebook-quiet">{trans.__('Loading…')}</p>
    ) : (
      <Banner text={model.problem} />
    );
  }
  return (
    <article className="jp-Wavebook-runPage" aria-label={trans.__('Run %1', run.id)}>
      <Header run={run} hypothesis={model.details?.spec.hypothesis ?? ''} />
      {model.problem !== null && <Banner text={model.problem} />}
      <Alerts model={model} />
      <Loads devices={model.devices} />
      <Curves model={model} themes={props.themes} />
      <div className="jp-Wavebook-columns">
        <Log model={model} />
        <Timeline events={model.events} />
      </div>
      {model.details && <Configuration details={model.details} />}
    </article>
  );
}

function Header(props: { run: IRun; hypothesis: string }): JSX.Element {
  const { trans, project } = usePanel();
  const { run } = props;
  const live = !hasEnded(run) && run.state !== 'queued';
  const now = useNow(!hasEnded(run));
  const taken = elapsed(run, now);
  const left = remaining(run, now);
  const start = startsIn(run, now);
  const wave = project.wave(run.wave);
  const facts = [
    trans.__('iteration %1 of %2', run.iteration, run.iterations),
    taken !== null && duration(taken, trans),
    live && left !== null && trans.__('%1 left', duration(left, trans)),
    start !== null && trans.__('starts in %1', duration(start, trans)),
    deviceLabels(run, project.project?.devices ?? []),
    run.phase
  ].filter(Boolean);
  return (
    <header className="jp-Wavebook-runHeader" data-state={run.state}>
      <div className="jp-Wavebook-rowLine">
        <h1>{run.id}</h1>
        <StateChip state={run.state} />
        <span className="jp-Wavebook-quiet">
          {facts.map((fact, index) => (
            <span key={index}>{fact}</span>
          ))}
        </span>
        <Buttons run={run} />
      </div>
      {props.hypothesis && <p className="jp-Wavebook-hypothesis">{props.hypothesis}</p>}
      {wave && <p className="jp-Wavebook-quiet">{trans.__('Wave %1: %2', wave.id, wave.goal)}</p>}
      {live && (
        <ProgressBar
          value={progress(run)}
          state={run.state}
          label={trans.__('Progress of %1', run.id)}
        />
      )}
      {run.message && run.state !== 'done' && (
        <p className="jp-Wavebook-runMessage" data-state={run.state}>
          {run.message}
        </p>
      )}
    </header>
  );
}

function Buttons(props: { run: IRun }): JSX.Element {
  const { trans, run: execute } = usePanel();
  const { run } = props;
  const args = { run: run.id };
  const buttons = [
    run.notebook !== null && {
      icon: notebookIcon,
      label: trans.__('Notebook'),
      act: () => execute(CommandIDs.openNotebook, args)
    },
    run.replay !== null && {
      icon: runIcon,
      label: trans.__('Replay'),
      act: () => execute(CommandIDs.openReplay, args)
    },
    {
      icon: comparisonIcon,
      label: trans.__('Compare'),
      act: () => execute(CommandIDs.openComparison, { waves: [run.wave] })
    },
    canRetry(run) && {
      icon: redoIcon,
      label: trans.__('Retry from scratch'),
      act: () => execute(CommandIDs.retryRun, args)
    },
    canRetry(run) &&
      run.checkpoint !== null && {
        icon: redoIcon,
        label: trans.__('Retry from iteration %1', run.checkpoint),
        act: () => execute(CommandIDs.retryRun, { ...args, resume: true })
      },
    !hasEnded(run) && {
      icon: stopIcon,
      label: trans.__('Cancel'),
      act: () => execute(CommandIDs.cancelRun, args)
    }
  ];
  return (
    <span className="jp-Wavebook-runButtons">
      {buttons.map(
        button =>
          button && (
            <button
              key={button.label}
              type="button"
              className="jp-Wavebook-textButton"
              onClick={() => void button.act()}
            >
              <button.icon.react tag="span" elementSize="normal" />
              {button.label}
            </button>
          )
      )}
    </span>
  );
}
