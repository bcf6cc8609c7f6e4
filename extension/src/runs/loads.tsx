import React from 'react';

import { usePanel } from '../components/context';
import { DeviceMeters } from '../devices/meters';
import { deviceLabel } from '../format';
import type { IDeviceLoad } from '../tokens';

/** How busy the devices of a run are, while it is under way. */
export function Loads(props: { devices: ReadonlyArray<IDeviceLoad> }): JSX.Element | null {
  const { trans } = usePanel();
  if (props.devices.length === 0) {
    return null;
  }
  return (
    <section className="jp-Wavebook-loads" aria-label={trans.__('Device load')}>
      {props.devices.map(device => (
        <div key={device.id} className="jp-Wavebook-load">
          <h2>
            {deviceLabel(device)} <span className="jp-Wavebook-quiet">{device.name}</span>
          </h2>
          <DeviceMeters device={device} />
        </div>
      ))}
    </section>
  );
}
