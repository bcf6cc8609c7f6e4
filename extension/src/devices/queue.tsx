import { caretDownIcon, caretUpIcon } from '@jupyterlab/ui-components';
import React from 'react';

import { CommandIDs } from '../commandids';
import { useNow, usePanel } from '../components/context';
import { IconButton } from '../components/iconbutton';
import { startRunDrag } from '../drag';
import { deviceLabel, duration, startsIn } from '../format';
import type { IDevice, IRun } from '../tokens';

/** What a run asks for that may go anywhere. */
export const AUTO = 'auto';

/** Runs of the queue that are shown; the tree in the sidebar has all. */
const SHOWN = 100;

/** Whether a run may be placed on a device; names are indices, UUIDs or their beginnings. */
export function mayGoTo(run: IRun, device: IDevice): boolean {
  return run.devices.some(
    name => name === AUTO || name === device.label || device.id.startsWith(name)
  );
}

/** The runs that wait, in the order in which they start, with where each may go. */
export function QueueList(props: { queue: IRun[]; devices: ReadonlyArray<IDevice> }): JSX.Element {
  const { trans } = usePanel();
  const { queue, devices } = props;
  return (
    <section aria-label={trans.__('Queue')}>
      <h1>
        {trans.__('Queue')} <span className="jp-Wavebook-quiet">{queue.length}</span>
      </h1>
      {queue.length === 0 ? (
        <div className="jp-Wavebook-empty">
          <p>
            {trans.__(
              'No run waits. An approved wave queues one run for each seed; each starts as soon as one of its devices is free.'
            )}
          </p>
          <p>
            {trans.__(
              'Drag a queued run, from here or from the sidebar, onto a device to send it there.'
            )}
          </p>
        </div>
      ) : (
        <ol className="jp-Wavebook-queue">
          {queue.slice(0, SHOWN).map(run => (
            <Waiting key={run.id} run={run} devices={devices} />
          ))}
        </ol>
      )}
      {queue.length > SHOWN && (
        <p className="jp-Wavebook-quiet">
          {trans.__('%1 more wait; the sidebar shows them all.', queue.length - SHOWN)}
        </p>
      )}
    </section>
  );
}

function Waiting(props: { run: IRun; devices: ReadonlyArray<IDevice> }): JSX.Element {
  const { trans, run: execute } = usePanel();
  const { run, devices } = props;
  const start = startsIn(run, useNow(run.estimated_start !== null));
  const fitting = devices.filter(device => mayGoTo(run, device));
  const any = run.devices.includes(AUTO);
  // Some devices of several: a choice of its own, which can be kept or given up.
  const chosen = any ? AUTO : fitting.length === 1 ? fitting[0].id : 'some';
  return (
    <li draggable data-run={run.id} onDragStart={event => startRunDrag(event, run.id)}>
      <button
        type="button"
        className="jp-Wavebook-link jp-Wavebook-id"
        onClick={() => void execute(CommandIDs.openRun, { run: run.id })}
      >
        {run.id}
      </button>
      <select
        aria-label={trans.__('Device of %1', run.id)}
        value={chosen}
        onChange={event =>
          void execute(CommandIDs.moveRun, { run: run.id, devices: [event.target.value] })
        }
      >
        <option value={AUTO}>{trans.__('Any device')}</option>
        {chosen === 'some' && (
          <option value="some" disabled>
            {run.devices.join(', ')}
          </option>
        )}
        {devices.map(device => (
          <option key={device.id} value={device.id}>
            {deviceLabel(device)}
          </option>
        ))}
      </select>
      <span className="jp-Wavebook-priority">
        <IconButton
          icon={caretUpIcon}
          label={trans.__('Start %1 sooner', run.id)}
          onClick={() => void execute(CommandIDs.setPriority, { run: run.id, by: 1 })}
        />
        <span title={trans.__('Priority')}>{run.priority}</span>
        <IconButton
          icon={caretDownIcon}
          label={trans.__('Start %1 later', run.id)}
          onClick={() => void execute(CommandIDs.setPriority, { run: run.id, by: -1 })}
        />
      </span>
      <span className="jp-Wavebook-quiet jp-Wavebook-waits" title={run.message ?? ''}>
        {start !== null && `${trans.__('starts in %1', duration(start, trans))} · `}
        {run.message ?? trans.__('waits')}
      </span>
    </li>
  );
}
