import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import { type Range, defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual';
import React, { useLayoutEffect, useMemo, useRef, useState } from 'react';

import { CommandIDs } from '../commandids';
import { startRunDrag } from '../drag';
import { DEFAULTS, type IListOptions, type Row, rowsOf } from '../rows';
import { canRetry, hasEnded } from '../tokens';
import { usePanel, useProject } from './context';
import { NoWaves } from './empty';
import { FilterBar } from './filterbar';
import { RunRow } from './runrow';
import { ExperimentRow, WaveRow } from './waverow';

/** What a person opened, closed and chose, kept by the panel over a reload. */
export interface IListState {
  toggled: ReadonlyMap<string, boolean>;
  toggle(key: string, expanded: boolean): void;
  options: IListOptions;
  choose(options: Partial<IListOptions>): void;
}

/** Heights before a row was measured [px]. */
const ESTIMATES: { [kind in Row['kind']]: number } = { wave: 78, experiment: 48, run: 44 };

/** The waves with their experiments and runs, as a tree that the arrow keys walk; only rows in sight are drawn. */
export function WaveList(props: IListState): JSX.Element {
  const { trans } = usePanel();
  const { waves, problem } = useProject();
  const { toggled, options } = props;
  const rows = useMemo(() => rowsOf(waves ?? [], toggled, options), [waves, toggled, options]);

  if (waves === null) {
    return problem ? <></> : <p className="jp-Wavebook-quiet">{trans.__('Loading…')}</p>;
  }
  if (waves.length === 0) {
    return <NoWaves />;
  }
  return (
    <>
      <FilterBar options={options} onChange={props.choose} />
      {rows.length > 0 ? (
        <Tree rows={rows} toggle={props.toggle} />
      ) : (
        <div className="jp-Wavebook-empty" role="status">
          <p>{trans.__('No run fits the filter.')}</p>
          <button
            type="button"
            className="jp-mod-styled"
            onClick={() => props.choose({ text: DEFAULTS.text, filter: DEFAULTS.filter })}
          >
            {trans.__('Show all runs')}
          </button>
        </div>
      )}
    </>
  );
}

function Tree(props: { rows: Row[]; toggle: IListState['toggle'] }): JSX.Element {
  const { run, trans } = usePanel();
  const { rows, toggle } = props;
  const [current, setCurrent] = useState<string | null>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const wanted = useRef<string | null>(null);

  const found = rows.findIndex(row => row.key === current);
  const currentIndex = Math.max(0, found);

  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: index => ESTIMATES[rows[index].kind],
    getItemKey: index => rows[index].key,
    overscan: 8,
    // The row that has the focus stays, however far it is scrolled away: else the keyboard would lose its place.
    rangeExtractor: (range: Range) =>
      [...new Set([...defaultRangeExtractor(range), currentIndex])].sort((a, b) => a - b)
  });

  const goTo = (index: number): void => {
    if (index >= 0 && index < rows.length) {
      wanted.current = rows[index].key;
      setCurrent(rows[index].key);
      virtualizer.scrollToIndex(index);
    }
  };
  useLayoutEffect(() => {
    if (wanted.current !== null) {
      const node = scroller.current?.querySelector<HTMLElement>(
        `[data-key="${CSS.escape(wanted.current)}"]`
      );
      if (node) {
        node.focus({ preventScroll: true });
        wanted.current = null;
      }
    }
  });

  const activate = (row: Row): void => {
    if (row.kind === 'run') {
      void run(CommandIDs.openRun, { run: row.run.id });
    } else {
      toggle(row.key, !row.expanded);
    }
  };

  const onKeyDown = (event: React.KeyboardEvent, index: number): void => {
    if (event.target !== event.currentTarget) {
      return; // the key was meant for a button of the row
    }
    const row = rows[index];
    const open = row.kind !== 'run' && row.expanded;
    switch (event.key) {
      case 'ArrowDown':
        goTo(index + 1);
        break;
      case 'ArrowUp':
        goTo(index - 1);
        break;
      case 'Home':
        goTo(0);
        break;
      case 'End':
        goTo(rows.length - 1);
        break;
      case 'ArrowRight':
        if (row.kind !== 'run' && !open) {
          toggle(row.key, true);
        } else if (row.kind !== 'run') {
          goTo(index + 1);
        }
        break;
      case 'ArrowLeft':
        if (open) {
          toggle(row.key, false);
        } else {
          goTo(rows.findIndex(other => other.key === row.parent));
        }
        break;
      case 'Enter':
        activate(row);
        break;
      default:
        return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div className="jp-Wavebook-list" ref={scroller}>
      <div
        className="jp-Wavebook-tree"
        role="tree"
        aria-label={trans.__('Waves and runs')}
        data-lm-suppress-shortcuts="true"
        style={{ height: virtualizer.getTotalSize() }}
      >
        {virtualizer.getVirtualItems().map(item => {
          const row = rows[item.index];
          const tabIndex = item.index === currentIndex ? 0 : -1;
          return (
            <div
              key={row.key}
              ref={virtualizer.measureElement}
              data-index={item.index}
              className="jp-Wavebook-row"
              style={
                {
                  transform: `translateY(${item.start}px)`,
                  '--jp-wavebook-indent': Math.min(row.level, 7) - 1
                } as React.CSSProperties
              }
              {...dataOf(row)}
              role="treeitem"
              aria-level={row.level}
              aria-posinset={row.position}
              aria-setsize={row.siblings}
              aria-expanded={row.kind === 'run' ? undefined : row.expanded}
              aria-selected={tabIndex === 0}
              tabIndex={tabIndex}
              draggable={row.kind === 'run'}
              onDragStart={event => row.kind === 'run' && startRunDrag(event, row.run.id)}
              onFocus={() => setCurrent(row.key)}
              onKeyDown={event => onKeyDown(event, item.index)}
              onClick={() => row.kind !== 'run' && activate(row)}
              onDoubleClick={() => row.kind === 'run' && activate(row)}
            >
              {row.kind !== 'run' && <Caret expanded={row.expanded} />}
              <RowBody row={row} tabIndex={tabIndex} />
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** What the context menus go by; see contextrow.ts. */
function dataOf(row: Row): { [name: `data-${string}`]: string | number | boolean | undefined } {
  const common = { 'data-kind': row.kind, 'data-key': row.key };
  if (row.kind !== 'run') {
    const { wave } = row;
    return {
      ...common,
      'data-wave': wave.id,
      'data-state': row.kind === 'wave' ? wave.state : undefined,
      'data-ended': wave.runs.every(hasEnded),
      'data-retry': wave.runs.some(canRetry)
    };
  }
  const { run } = row;
  return {
    ...common,
    'data-wave': run.wave,
    'data-run': run.id,
    'data-state': run.state,
    'data-ended': hasEnded(run),
    'data-retry': canRetry(run),
    'data-checkpoint': run.checkpoint !== null,
    'data-replay': run.replay !== null
  };
}

function RowBody(props: { row: Row; tabIndex: number }): JSX.Element {
  const { row, tabIndex } = props;
  switch (row.kind) {
    case 'wave':
      return <WaveRow wave={row.wave} tabIndex={tabIndex} />;
    case 'experiment':
      return <ExperimentRow experiment={row.experiment} />;
    case 'run':
      return <RunRow run={row.run} tabIndex={tabIndex} />;
  }
}

function Caret(props: { expanded: boolean }): JSX.Element {
  const Icon = props.expanded ? caretDownIcon : caretRightIcon;
  return <Icon.react tag="span" className="jp-Wavebook-caret" elementSize="normal" />;
}
