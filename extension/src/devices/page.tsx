import React, { useState } from 'react';

import { CommandIDs } from '../commandids';
import { Banner } from '../components/banner';
import { usePanel, useProject } from '../components/context';
import { RUN_TYPE, dragsRun } from '../drag';
import { deviceLabel } from '../format';
import type { IDeviceLoad, IHolder, IRun } from '../tokens';
import { DeviceMeters } from './meters';
import type { DevicesModel } from './model';
import { AUTO, QueueList, mayGoTo } from './queue';

/** The devices, who holds them, and the runs that wait; a queued run is sent to a device by dropping it there. */
export function DevicesPage(props: { model: DevicesModel }): JSX.Element {
  const { trans } = usePanel();
  const project = useProject();
  const { devices, problem } = props.model;
  const queue = project.queue;
  return (
    <article className="jp-Wavebook-devices" aria-label={trans.__('GPUs and queue')}>
      {problem !== null && <Banner text={problem} />}
      <section aria-label={trans.__('Devices')}>
        <h1>{trans.__('Devices')}</h1>
        {devices === null ? (
          problem === null && <p className="jp-Wavebook-quiet">{trans.__('Loading…')}</p>
        ) : (
          <div className="jp-Wavebook-deviceGrid">
            {devices.map(device => (
              <Device
                key={device.id}
                device={device}
                waiting={queue.filter(run => !isAuto(run) && mayGoTo(run, device))}
              />
            ))}
            <DropTarget devices={[AUTO]} className="jp-Wavebook-anyDevice">
              <h2>{trans.__('Any device')}</h2>
              <p className="jp-Wavebook-quiet">
                {trans._n(
                  '%1 run takes the first device that is free.',
                  '%1 runs take the first device that is free.',
                  queue.filter(isAuto).length
                )}
              </p>
            </DropTarget>
          </div>
        )}
      </section>
      <QueueList queue={queue} devices={devices ?? []} />
    </article>
  );
}

function isAuto(run: IRun): boolean {
  return run.devices.includes(AUTO);
}

function Device(props: { device: IDeviceLoad; waiting: IRun[] }): JSX.Element {
  const { trans } = usePanel();
  const { device, waiting } = props;
  return (
    <DropTarget devices={[device.id]} busy={device.holders.length > 0}>
      <h2 title={device.id}>
        {deviceLabel(device)} <span className="jp-Wavebook-quiet">{device.name}</span>
      </h2>
      <DeviceMeters device={device} />
      {device.holders.length === 0 ? (
        <p className="jp-Wavebook-free">{trans.__('Free')}</p>
      ) : (
        <ul aria-label={trans.__('Held by')}>
          {device.holders.map((holder, index) => (
            <li key={index}>
              <Holder holder={holder} />
            </li>
          ))}
        </ul>
      )}
      {device.foreign.length > 0 && (
        <p className="jp-Wavebook-foreign">
          {trans.__('No run of Wavebook: %1', device.foreign.join(', '))}
        </p>
      )}
      {waiting.length > 0 && (
        <p className="jp-Wavebook-quiet">
          {trans.__(
            'Waiting for it: %1',
            waiting
              .slice(0, 5)
              .map(run => run.id)
              .join(', ') + (waiting.length > 5 ? ` + ${waiting.length - 5}` : '')
          )}
        </p>
      )}
    </DropTarget>
  );
}

function Holder(props: { holder: IHolder }): JSX.Element {
  const { trans, run: execute } = usePanel();
  const { holder } = props;
  if (!holder.own) {
    return <span>{trans.__('%1 of %2', holder.run, holder.project)}</span>;
  }
  return (
    <button
      type="button"
      className="jp-Wavebook-link"
      onClick={() => void execute(CommandIDs.openRun, { run: holder.run })}
    >
      {holder.run}
    </button>
  );
}

/** A place where a queued run can be dropped. */
function DropTarget(props: {
  devices: string[];
  busy?: boolean;
  className?: string;
  children: React.ReactNode;
}): JSX.Element {
  const { run: execute } = usePanel();
  const [over, setOver] = useState(false);
  return (
    <div
      className={`jp-Wavebook-device ${props.className ?? ''}`}
      data-device={props.devices[0]}
      data-busy={props.busy ?? false}
      data-over={over}
      onDragOver={event => {
        if (dragsRun(event)) {
          event.preventDefault();
          event.dataTransfer.dropEffect = 'move';
          setOver(true);
        }
      }}
      onDragLeave={() => setOver(false)}
      onDrop={event => {
        setOver(false);
        const run = event.dataTransfer.getData(RUN_TYPE);
        if (run) {
          event.preventDefault();
          void execute(CommandIDs.moveRun, { run, devices: props.devices });
        }
      }}
    >
      {props.children}
    </div>
  );
}
