import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useId, useState } from 'react';

import { CommandIDs } from '../commandids';
import { duration } from '../format';
import type { IApproval, IEstimate, IPlannedExperiment } from '../tokens';
import { CodeDiffs } from './codediff';
import { useNow, usePanel } from './context';
import { Overrides } from './overrides';
import { PlanEdit } from './planedit';

/** The notebook template of which a card says nothing. */
const USUAL_TEMPLATE = 'train';

/** A proposed wave, with what a person needs to decide on it. */
export function PlanCard(props: { approval: IApproval }): JSX.Element {
  const { trans } = usePanel();
  const { plan, estimate, state } = props.approval;
  const title = useId();
  const facts: Array<[string, string]> = [
    [trans.__('Task'), plan.task],
    [
      trans.__('Training'),
      trans.__('%1 environments × %2 iterations', plan.num_envs, plan.iterations)
    ],
    [trans.__('Devices'), plan.devices.join(', ')]
  ];
  return (
    <section className="jp-Wavebook-plan" data-state={state} aria-labelledby={title}>
      <header className="jp-Wavebook-planHeader">
        <span className="jp-Wavebook-kicker">{trans.__('Plan of wave %1', plan.id)}</span>
        <span className="jp-Wavebook-state" data-state={state}>
          {approvalLabel(props.approval, trans)}
        </span>
      </header>
      <h3 id={title} className="jp-Wavebook-planGoal">
        {plan.goal}
      </h3>
      <p className="jp-Wavebook-planCost">
        <strong>{trans._n('%1 run', '%1 runs', estimate.runs)}</strong>
        {(estimate.seconds !== null || state === 'pending') && (
          <span>{timeLabel(estimate, trans)}</span>
        )}
        {estimate.gpu_hours !== null && estimate.gpu_hours > 0 && (
          <span>{trans.__('%1 GPU hours', estimate.gpu_hours.toPrecision(2))}</span>
        )}
      </p>
      <details className="jp-Wavebook-details" open={state === 'pending'}>
        <summary>{trans._n('%1 experiment', '%1 experiments', plan.experiments.length)}</summary>
        <ol className="jp-Wavebook-experiments">
          {plan.experiments.map(experiment => (
            <Experiment
              key={experiment.id}
              experiment={experiment}
              base={{ ...props.approval.base, ...plan.overrides }}
              code={props.approval.code
                .filter(code => code.experiment === experiment.id)
                .map(code => code.name)}
            />
          ))}
        </ol>
      </details>
      <CodeDiffs code={props.approval.code} />
      <details className="jp-Wavebook-details">
        <summary>{trans.__('Configuration and reasons')}</summary>
        <dl className="jp-Wavebook-facts">
          {facts.map(([name, text]) => (
            <React.Fragment key={name}>
              <dt>{name}</dt>
              <dd>{text}</dd>
            </React.Fragment>
          ))}
        </dl>
        {Object.keys(plan.overrides).length > 0 && (
          <Overrides overrides={plan.overrides} base={props.approval.base} />
        )}
        {plan.rationale && <p>{plan.rationale}</p>}
      </details>
      {state === 'pending' ? (
        <Decide approval={props.approval} />
      ) : (
        <Decided approval={props.approval} />
      )}
    </section>
  );
}

/** Why it was decided so; what nobody decided in time can be asked for again. */
function Decided(props: { approval: IApproval }): JSX.Element | null {
  const { run, trans } = usePanel();
  const { state, why, plan, created, expires } = props.approval;
  if (state !== 'expired') {
    return why ? <p className="jp-Wavebook-quiet">{`“${why}”`}</p> : null;
  }
  return (
    <div className="jp-Wavebook-decide">
      <p className="jp-Wavebook-quiet">
        {trans.__(
          'Nobody decided within %1, so it counts as denied. Nothing of it has run.',
          duration(expires - created, trans)
        )}
      </p>
      {plan.directive && (
        <div className="jp-Wavebook-buttons">
          <button
            type="button"
            className="jp-mod-styled"
            onClick={() => void run(CommandIDs.plan, { directive: plan.directive })}
          >
            {trans.__('Ask again')}
          </button>
        </div>
      )}
    </div>
  );
}

function Experiment(props: {
  experiment: IPlannedExperiment;
  base: IApproval['base'];
  /** The names of the code that it brings, whose diffs stand below. */
  code: string[];
}): JSX.Element {
  const { trans } = usePanel();
  const { id, hypothesis, overrides, seeds, baseline, num_envs, iterations, template } =
    props.experiment;
  return (
    <li className="jp-Wavebook-experiment">
      <div className="jp-Wavebook-experimentHeader">
        <span className="jp-Wavebook-id">{id}</span>
        {baseline && <span className="jp-Wavebook-badge">{trans.__('baseline')}</span>}
        <span className="jp-Wavebook-seeds">
          {trans._n('seed %2', 'seeds %2', seeds.length, seeds.join(', '))}
        </span>
      </div>
      <p className="jp-Wavebook-hypothesis">{hypothesis}</p>
      {(props.code.length === 0 || Object.keys(overrides).length > 0) && (
        <Overrides overrides={overrides} base={props.base} />
      )}
      {props.code.length > 0 && (
        <p className="jp-Wavebook-quiet">
          {trans.__('Code of its own: %1', props.code.join(', '))}
        </p>
      )}
      {(num_envs !== null || iterations !== null || template !== USUAL_TEMPLATE) && (
        <p className="jp-Wavebook-quiet">
          {[
            num_envs !== null && trans._n('%1 environment', '%1 environments', num_envs),
            iterations !== null && trans._n('%1 iteration', '%1 iterations', iterations),
            template !== USUAL_TEMPLATE && trans.__('template %1', template)
          ]
            .filter(Boolean)
            .join(', ')}
        </p>
      )}
    </li>
  );
}

/** Approve and Reject. A rejection may say why, which the agent reads. */
function Decide(props: { approval: IApproval }): JSX.Element {
  const { project, run, trans } = usePanel();
  const { id, expires } = props.approval;
  const [rejecting, setRejecting] = useState(false);
  const [editing, setEditing] = useState(false);
  const [deciding, setDeciding] = useState(false);
  const [why, setWhy] = useState('');
  const [refused, setRefused] = useState('');
  const problem = refused || props.approval.problem;
  const left = expires - useNow(true);

  const approve = (): void => {
    setDeciding(true);
    project
      .decide(id, 'approve') // not by the command, which would ask whoever has just clicked
      .catch((reason: Error) => setRefused(reason.message))
      .finally(() => setDeciding(false));
  };

  const reject = (): void => {
    setDeciding(true);
    void run(CommandIDs.reject, { approval: id, why }).finally(() => setDeciding(false));
  };

  if (editing) {
    return <PlanEdit approval={props.approval} onClose={() => setEditing(false)} />;
  }
  if (rejecting) {
    return (
      <form
        className="jp-Wavebook-decide"
        onSubmit={event => {
          event.preventDefault();
          reject();
        }}
      >
        <input
          className="jp-mod-styled jp-Wavebook-why"
          autoFocus
          value={why}
          maxLength={500}
          placeholder={trans.__('Why not? The agent reads it (optional)')}
          aria-label={trans.__('Reason for the rejection')}
          onChange={event => setWhy(event.target.value)}
          onKeyDown={event => event.key === 'Escape' && setRejecting(false)}
        />
        <div className="jp-Wavebook-buttons">
          <button type="submit" className="jp-mod-styled jp-mod-warn" disabled={deciding}>
            {trans.__('Reject')}
          </button>
          <button
            type="button"
            className="jp-mod-styled jp-mod-reject"
            onClick={() => setRejecting(false)}
          >
            {trans.__('Back')}
          </button>
        </div>
      </form>
    );
  }
  return (
    <div className="jp-Wavebook-decide">
      {problem && <p className="jp-Wavebook-fieldProblem">{problem}</p>}
      <div className="jp-Wavebook-buttons">
        <button
          type="button"
          className="jp-mod-styled jp-mod-accept"
          disabled={deciding}
          onClick={approve}
        >
          {trans.__('Approve')}
        </button>
        <button
          type="button"
          className="jp-mod-styled"
          disabled={deciding}
          onClick={() => setEditing(true)}
        >
          {trans.__('Change…')}
        </button>
        <button
          type="button"
          className="jp-mod-styled jp-mod-reject"
          disabled={deciding}
          onClick={() => setRejecting(true)}
        >
          {trans.__('Reject')}
        </button>
      </div>
      <p className="jp-Wavebook-quiet">
        {left > 0
          ? trans.__('Counts as denied if nobody decides within %1.', duration(left, trans))
          : trans.__('Nobody decided in time: ask for it again.')}
      </p>
    </div>
  );
}

/** How long a wave takes, by which devices, or why nothing tells it. */
function timeLabel(estimate: IEstimate, trans: TranslationBundle): string {
  const { seconds, measured_on } = estimate;
  const elsewhere = measured_on.join(', ');
  if (seconds === null) {
    return elsewhere
      ? trans.__('time unknown: its task has only run on %1', elsewhere)
      : trans.__('time unknown: no run of its task has finished yet');
  }
  const time = duration(seconds, trans);
  return elsewhere ? trans.__('about %1, as on %2', time, elsewhere) : trans.__('about %1', time);
}

function approvalLabel(approval: IApproval, trans: TranslationBundle): string {
  const by = approval.decided_by;
  switch (approval.state) {
    case 'pending':
      return trans.__('Waits for approval');
    case 'approved':
      return by ? trans.__('Approved by %1', by) : trans.__('Approved');
    case 'rejected':
      return by ? trans.__('Rejected by %1', by) : trans.__('Rejected');
    case 'expired':
      return trans.__('Denied: not decided in time');
    case 'withdrawn':
      return trans.__('Withdrawn: another plan took its place');
  }
}
