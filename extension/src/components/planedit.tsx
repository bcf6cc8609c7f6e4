import React, { useEffect, useId, useState } from 'react';

import type {
  IApproval,
  ICheckedChanges,
  IPlanChanges,
  IPlannedExperiment,
  Value
} from '../tokens';
import { deviceLabel } from '../format';
import { usePanel, useProject } from './context';
import { breakable } from './overrides';

const CHECK_AFTER = 300; // ms without typing

const AUTO = 'auto';

/** Field of a form and what a person wrote into it. */
type Written = ReadonlyMap<string, string>;

/** A form to change a plan before it is approved. The server checks it while a person writes. */
export function PlanEdit(props: { approval: IApproval; onClose: () => void }): JSX.Element {
  const { project, trans } = usePanel();
  const { id, plan } = props.approval;
  const [dropped, setDropped] = useState<readonly string[]>([]);
  const [written, setWritten] = useState<Written>(new Map());
  const [checked, setChecked] = useState<ICheckedChanges | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [deciding, setDeciding] = useState(false);

  useEffect(() => {
    let current = true;
    setChecked(null); // what was checked is not what stands there now
    const timer = window.setTimeout(() => {
      project
        .checkChanges(id, changesOf(plan.experiments, dropped, written))
        .then(answer => current && (setChecked(answer), setProblem(null)))
        .catch((reason: Error) => current && setProblem(reason.message));
    }, CHECK_AFTER);
    return () => {
      current = false;
      window.clearTimeout(timer);
    };
  }, [project, id, plan, dropped, written]);

  const field = (name: string, label: string | JSX.Element, initial: string): JSX.Element => (
    <Field
      label={label}
      value={written.get(name) ?? initial}
      problem={checked?.problems[name]}
      onChange={text => setWritten(new Map(written).set(name, text))}
    />
  );
  const fine = checked !== null && Object.keys(checked.problems).length === 0;
  const whole = checked?.problems.plan ?? problem;
  return (
    <form
      className="jp-Wavebook-decide jp-Wavebook-planEdit"
      aria-label={trans.__('Change the plan of wave %1', plan.id)}
      onSubmit={event => {
        event.preventDefault();
        setDeciding(true);
        project
          .decide(id, 'approve', '', changesOf(plan.experiments, dropped, written))
          .catch((reason: Error) => setProblem(reason.message))
          .finally(() => setDeciding(false));
      }}
    >
      {plan.experiments.map(experiment => (
        <fieldset key={experiment.id}>
          <legend>
            <label>
              <input
                type="checkbox"
                checked={!dropped.includes(experiment.id)}
                onChange={event =>
                  setDropped(
                    event.target.checked
                      ? dropped.filter(name => name !== experiment.id)
                      : [...dropped, experiment.id]
                  )
                }
              />{' '}
              {trans.__('Run %1', experiment.id)}
            </label>
          </legend>
          {!dropped.includes(experiment.id) && (
            <>
              {Object.entries(experiment.overrides).map(([name, value]) => (
                <React.Fragment key={name}>
                  {field(
                    `${experiment.id}.overrides.${name}`,
                    <>{breakable(name.replace(/^env\./, ''))}</>,
                    JSON.stringify(value)
                  )}
                </React.Fragment>
              ))}
              {field(`${experiment.id}.seeds`, trans.__('Seeds'), experiment.seeds.join(', '))}
            </>
          )}
        </fieldset>
      ))}
      <Devices
        chosen={words(written.get('devices') ?? plan.devices.join(' '))}
        problem={checked?.problems.devices}
        onChange={devices => setWritten(new Map(written).set('devices', devices.join(' ')))}
      />
      <div role="status" className="jp-Wavebook-quiet">
        {checked?.changes.map(text => (
          <div key={text}>{text}</div>
        ))}
        {checked?.estimate && trans._n('%1 run', '%1 runs', checked.estimate.runs)}
      </div>
      {whole && (
        <p role="alert" className="jp-Wavebook-fieldProblem">
          {whole}
        </p>
      )}
      <div className="jp-Wavebook-buttons">
        <button type="submit" className="jp-mod-styled jp-mod-accept" disabled={!fine || deciding}>
          {trans.__('Approve as changed')}
        </button>
        <button type="button" className="jp-mod-styled jp-mod-reject" onClick={props.onClose}>
          {trans.__('Back')}
        </button>
      </div>
    </form>
  );
}

/** Where the runs may go: any device, or some of those that there are. */
function Devices(props: {
  chosen: string[];
  problem: string | undefined;
  onChange: (devices: string[]) => void;
}): JSX.Element {
  const { trans } = usePanel();
  const { chosen, problem, onChange } = props;
  const devices = useProject().project?.devices ?? [];
  const known = new Set(devices.flatMap(({ id, label }) => [id, label]));
  const places = [
    { name: AUTO, names: [AUTO], label: trans.__('Any device') },
    ...devices.map(device => ({
      name: device.id,
      names: [device.id, device.label],
      label: `${deviceLabel(device)} · ${device.name}`
    })),
    // Of another machine, or gone: a person may take it out.
    ...chosen
      .filter(name => name !== AUTO && !known.has(name))
      .map(name => ({ name, names: [name], label: name }))
  ];
  return (
    <fieldset>
      <legend>{trans.__('Devices')}</legend>
      {places.map(({ name, names, label }) => (
        <label key={name} className="jp-Wavebook-choice">
          <input
            type="checkbox"
            checked={names.some(item => chosen.includes(item))}
            onChange={event => {
              const others = chosen.filter(
                item => !names.includes(item) && (item === AUTO) === (name === AUTO)
              );
              onChange(event.target.checked ? [...others, name] : others);
            }}
          />{' '}
          {label}
        </label>
      ))}
      {problem !== undefined && (
        <p role="alert" className="jp-Wavebook-fieldProblem">
          {problem}
        </p>
      )}
    </fieldset>
  );
}

function Field(props: {
  label: string | JSX.Element;
  value: string;
  problem: string | undefined;
  onChange: (text: string) => void;
}): JSX.Element {
  const told = useId();
  return (
    <label className="jp-Wavebook-field">
      <span>{props.label}</span>
      <input
        className="jp-mod-styled"
        value={props.value}
        aria-invalid={props.problem !== undefined}
        aria-describedby={props.problem === undefined ? undefined : told}
        onChange={event => props.onChange(event.target.value)}
      />
      {props.problem !== undefined && (
        <span id={told} className="jp-Wavebook-fieldProblem">
          {props.problem}
        </span>
      )}
    </label>
  );
}

function changesOf(
  planned: IPlannedExperiment[],
  dropped: readonly string[],
  written: Written
): IPlanChanges {
  const experiments: IPlanChanges['experiments'] = {};
  for (const { id, overrides } of planned.filter(({ id }) => !dropped.includes(id))) {
    const values = Object.keys(overrides).flatMap(name => {
      const text = written.get(`${id}.overrides.${name}`);
      return text === undefined ? [] : [[name, parsed(text)] as const];
    });
    const seeds = written.get(`${id}.seeds`);
    experiments[id] = {
      overrides: Object.fromEntries(values),
      // What is no number goes to the server as it is, which says so.
      ...(seeds !== undefined && { seeds: words(seeds).map(word => parsed(word) as number) })
    };
  }
  const devices = written.get('devices');
  return {
    drop: [...dropped],
    experiments,
    devices: devices === undefined ? null : words(devices)
  };
}

function words(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}

/** A value as JSON, else the text itself: the server says what the parameter takes. */
function parsed(text: string): Value {
  try {
    return JSON.parse(text) as Value;
  } catch {
    return text;
  }
}
