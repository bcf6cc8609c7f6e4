import type { IThemeManager } from '@jupyterlab/apputils';
import React, { useEffect, useMemo, useReducer, useRef } from 'react';
import uPlot from 'uplot';

import { usePanel } from '../components/context';
import { number } from '../format';
import type { IQuantity } from '../tokens';

const HEIGHT = 150;

/** Longer units stand in the tooltip alone [characters]. */
const SHORT = 6;

/** One metric over the iterations; the cursors of all curves of a group move together. */
export function Curve(props: {
  group: string;
  iterations: number[];
  values: Array<number | null>;
  quantity: IQuantity;
  themes: IThemeManager | null;
}): JSX.Element {
  const { trans } = usePanel();
  const { group, iterations, values, quantity, themes } = props;
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [theme, nextTheme] = useReducer((count: number) => count + 1, 0);
  const data = useMemo((): uPlot.AlignedData => [iterations, values], [iterations, values]);
  const newest = useRef(data);
  newest.current = data;

  useEffect(() => {
    themes?.themeChanged.connect(nextTheme);
    return () => {
      themes?.themeChanged.disconnect(nextTheme);
    };
  }, [themes]);

  // A canvas takes its colours when it is made: after a change of theme it is made anew.
  useEffect(() => {
    const node = host.current!;
    const made = new uPlot(options(node, group), newest.current, node);
    plot.current = made;
    const observer = new ResizeObserver(() => {
      if (node.clientWidth > 0) {
        made.setSize({ width: node.clientWidth, height: HEIGHT });
      }
    });
    observer.observe(node);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [group, theme]);

  useEffect(() => plot.current?.setData(data), [data]);

  const known = values.filter(value => value !== null);
  const last = known.length > 0 ? number(known[known.length - 1]) : '–';
  const unit = quantity.unit ? ` ${quantity.unit}` : '';
  return (
    <figure className="jp-Wavebook-curve">
      <figcaption>
        <span title={quantity.label}>{quantity.label}</span>
        <strong title={unit.trim()}>
          {last}
          {unit.length <= SHORT && unit}
        </strong>
      </figcaption>
      <div
        ref={host}
        role="img"
        aria-label={trans.__(
          '%1 over %2 iterations: from %3 to %4, now %5',
          `${quantity.label}${unit && ` [${unit.trim()}]`}`,
          iterations[iterations.length - 1] + 1,
          number(known.reduce((least, value) => Math.min(least, value), Infinity)),
          number(known.reduce((most, value) => Math.max(most, value), -Infinity)),
          last
        )}
      />
    </figure>
  );
}

function options(node: HTMLElement, group: string): uPlot.Options {
  const style = getComputedStyle(node);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis: uPlot.Axis = {
    stroke: colour('--jp-ui-font-color2'),
    grid: { stroke: colour('--jp-border-color2'), width: 1 },
    ticks: { stroke: colour('--jp-border-color2'), width: 1, size: 4 },
    font: `11px ${colour('--jp-ui-font-family')}`
  };
  return {
    width: node.clientWidth || 260,
    height: HEIGHT,
    legend: { show: false },
    cursor: { sync: { key: group }, drag: { x: true, y: false } },
    scales: { x: { time: false } },
    axes: [
      { ...axis, size: 28 },
      { ...axis, size: 52, values: (_, ticks) => ticks.map(number) }
    ],
    series: [
      {},
      {
        stroke: colour('--jp-brand-color1'),
        width: 1.5,
        spanGaps: true,
        points: { size: 4, fill: colour('--jp-brand-color1') }
      }
    ]
  };
}
