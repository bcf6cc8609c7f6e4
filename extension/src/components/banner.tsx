import { closeIcon } from '@jupyterlab/ui-components';
import React from 'react';

import { usePanel, useProject } from './context';
import { IconButton } from './iconbutton';

/** A message that stays until it is dismissed or no longer true. */
export function Banner(props: { text: string; onDismiss?: () => void }): JSX.Element {
  const { trans } = usePanel();
  return (
    <div className="jp-Wavebook-banner" role="alert">
      <span>{props.text}</span>
      {props.onDismiss && (
        <IconButton icon={closeIcon} label={trans.__('Dismiss')} onClick={props.onDismiss} />
      )}
    </div>
  );
}

/** The project's name and planner, and what keeps it from working. */
export function ProjectHeader(): JSX.Element {
  const { trans } = usePanel();
  const model = useProject();
  const { project, problem } = model;
  const running = model.activeRuns.filter(run => run.state !== 'queued').length;
  return (
    <>
      {project && (
        <div className="jp-Wavebook-header">
          <span className="jp-Wavebook-name" title={project.root}>
            {project.name}
          </span>
          <span className="jp-Wavebook-quiet">
            {[
              project.planner.label,
              project.devices.map(device => device.name).join(', '),
              running > 0 && trans._n('%1 run at work', '%1 runs at work', running)
            ]
              .filter(Boolean)
              .join(' · ')}
          </span>
        </div>
      )}
      {problem !== null && (
        <Banner text={trans.__('The server does not answer as it should: %1', problem)} />
      )}
      {project?.problems.map(text => (
        <Banner key={text} text={text} />
      ))}
    </>
  );
}
