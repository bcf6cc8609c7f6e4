import React from 'react';

import { usePanel } from '../components/context';
import { bytes } from '../format';
import type { IDeviceLoad } from '../tokens';

/** Load and memory of a device, as bars with their numbers. */
export function DeviceMeters(props: { device: IDeviceLoad }): JSX.Element {
  const { trans } = usePanel();
  const { utilisation, memory_used: used, memory_total: total } = props.device;
  return (
    <div className="jp-Wavebook-meters">
      <Meter
        label={trans.__('Load')}
        value={utilisation === null ? null : utilisation / 100}
        text={utilisation === null ? trans.__('not told') : `${utilisation} %`}
      />
      <Meter
        label={trans.__('Memory')}
        value={used === null || !total ? null : used / total}
        text={
          used === null || total === null
            ? trans.__('not told')
            : trans.__('%1 of %2', bytes(used), bytes(total))
        }
      />
    </div>
  );
}

function Meter(props: { label: string; value: number | null; text: string }): JSX.Element {
  const percent = Math.round(100 * Math.min(1, props.value ?? 0));
  return (
    <>
      <span className="jp-Wavebook-quiet">{props.label}</span>
      <div
        className="jp-Wavebook-meter"
        role="meter"
        aria-label={props.label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
        aria-valuetext={props.text}
      >
        <div style={{ width: `${percent}%` }} data-high={percent > 90} />
      </div>
      <span className="jp-Wavebook-meterText">{props.text}</span>
    </>
  );
}
