import React from 'react';

/** A bar for a fraction from 0 to 1. */
export function ProgressBar(props: { value: number; state: string; label: string }): JSX.Element {
  const percent = Math.round(props.value * 100);
  return (
    <div
      className="jp-Wavebook-progress"
      data-state={props.state}
      role="progressbar"
      aria-label={props.label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
    >
      <div className="jp-Wavebook-progressBar" style={{ width: `${percent}%` }} />
    </div>
  );
}
