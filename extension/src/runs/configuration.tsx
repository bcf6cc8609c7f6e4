import React from 'react';

import { usePanel } from '../components/context';
import { Overrides } from '../components/overrides';
import { number } from '../format';
import type { IRunDetails, Value } from '../tokens';

/** What a run was given and what its evaluation measured. */
export function Configuration(props: { details: IRunDetails }): JSX.Element {
  const { trans } = usePanel();
  const { spec, result } = props.details;
  const given: Array<[string, string | null]> = [
    [trans.__('Task'), spec.task],
    [trans.__('Seed'), String(spec.seed)],
    [trans.__('Environments'), String(spec.num_envs)],
    [trans.__('Iterations'), String(spec.iterations)],
    [trans.__('May go to'), spec.devices.join(', ')],
    [trans.__('Devices at once'), String(spec.gpus)],
    [trans.__('Template'), spec.template],
    [trans.__('Planned by'), spec.planner],
    [trans.__('Goes on from'), spec.resumed_from],
    [trans.__('Checkpoint'), spec.checkpoint],
    [trans.__('Wavebook'), spec.wavebook_version]
  ];
  return (
    <div className="jp-Wavebook-columns">
      <section className="jp-Wavebook-part" aria-label={trans.__('Configuration')}>
        <header>
          <h2>{trans.__('Configuration')}</h2>
        </header>
        <Facts facts={given.filter(([, text]) => text)} />
        <Overrides overrides={spec.overrides} />
      </section>
      <section className="jp-Wavebook-part" aria-label={trans.__('Result')}>
        <header>
          <h2>{trans.__('Result')}</h2>
        </header>
        {result === null ? (
          <p className="jp-Wavebook-quiet">
            {trans.__('The fixed evaluation behind the training measures the result.')}
          </p>
        ) : (
          <Facts facts={Object.entries(result).filter(isPlain).map(show)} />
        )}
      </section>
    </div>
  );
}

function isPlain(entry: [string, Value]): entry is [string, string | number] {
  return entry[0] !== 'format' && ['number', 'string'].includes(typeof entry[1]);
}

function show([name, value]: [string, string | number]): [string, string] {
  return [name, typeof value === 'number' ? number(value) : value];
}

function Facts(props: { facts: Array<[string, string | null]> }): JSX.Element {
  return (
    <dl className="jp-Wavebook-facts">
      {props.facts.map(([name, text]) => (
        <React.Fragment key={name}>
          <dt>{name}</dt>
          <dd>{text}</dd>
        </React.Fragment>
      ))}
    </dl>
  );
}
