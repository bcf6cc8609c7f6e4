import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import React, { useRef, useState } from 'react';

import { CommandIDs } from '../commandids';
import { LEVEL, type Row, rowsOf } from '../rows';
import { usePanel, useProject } from './context';
import { NoWaves } from './empty';
import { RunRow } from './runrow';
import { ExperimentRow, WaveRow } from './waverow';

/** What a person opened and closed, kept by the panel over a reload. */
export interface IToggled {
  toggled: ReadonlyMap<string, boolean>;
  toggle(key: string, expanded: boolean): void;
}

/** The waves with their experiments and runs, as a tree that the arrow keys walk. */
export function WaveList(props: IToggled): JSX.Element {
  const { run, trans } = usePanel();
  const project = useProject();
  const [current, setCurrent] = useState<string | null>(null);
  const node = useRef<HTMLDivElement>(null);

  if (project.waves === null) {
    return project.problem ? <></> : <p className="jp-Wavebook-quiet">{trans.__('Loading…')}</p>;
  }
  if (project.waves.length === 0) {
    return <NoWaves />;
  }
  const rows = rowsOf(project.waves, props.toggled);
  const currentKey = rows.some(row => row.key === current) ? current : rows[0].key;

  const goTo = (row: Row | undefined): void => {
    if (row) {
      setCurrent(row.key);
      node.current?.querySelector<HTMLElement>(`[data-key="${row.key}"]`)?.focus();
    }
  };

  const onKeyDown = (event: React.KeyboardEvent, row: Row): void => {
    if (event.target !== event.currentTarget) {
      return; // the key was meant for a button of the row
    }
    const index = rows.indexOf(row);
    const open = row.kind !== 'run' && row.expanded;
    switch (event.key) {
      case 'ArrowDown':
        goTo(rows[index + 1]);
        break;
      case 'ArrowUp':
        goTo(rows[index - 1]);
        break;
      case 'Home':
        goTo(rows[0]);
        break;
      case 'End':
        goTo(rows[rows.length - 1]);
        break;
      case 'ArrowRight':
        if (row.kind !== 'run' && !open) {
          props.toggle(row.key, true);
        } else if (row.kind !== 'run') {
          goTo(rows[index + 1]);
        }
        break;
      case 'ArrowLeft':
        if (open) {
          props.toggle(row.key, false);
        } else {
          goTo(rows.slice(0, index).findLast(other => LEVEL[other.kind] < LEVEL[row.kind]));
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

  const activate = (row: Row): void => {
    if (row.kind !== 'run') {
      props.toggle(row.key, !row.expanded);
    } else if (row.run.notebook) {
      void run(CommandIDs.openNotebook, { run: row.run.id });
    }
  };

  return (
    <div
      className="jp-Wavebook-tree"
      role="tree"
      aria-label={trans.__('Waves and runs')}
      ref={node}
      data-lm-suppress-shortcuts="true"
    >
      {rows.map(row => (
        <div
          key={row.key}
          className="jp-Wavebook-row"
          data-kind={row.kind}
          data-key={row.key}
          data-wave={row.kind === 'run' ? row.run.wave : row.wave.id}
          data-run={row.kind === 'run' ? row.run.id : undefined}
          data-state={rowState(row)}
          role="treeitem"
          aria-level={LEVEL[row.kind]}
          aria-expanded={row.kind === 'run' ? undefined : row.expanded}
          aria-selected={row.key === currentKey}
          tabIndex={row.key === currentKey ? 0 : -1}
          onFocus={() => setCurrent(row.key)}
          onKeyDown={event => onKeyDown(event, row)}
          onClick={() => row.kind !== 'run' && activate(row)}
          onDoubleClick={() => row.kind === 'run' && activate(row)}
        >
          {row.kind !== 'run' && <Caret expanded={row.expanded} />}
          <RowBody row={row} tabIndex={row.key === currentKey ? 0 : -1} />
        </div>
      ))}
    </div>
  );
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

function rowState(row: Row): string | undefined {
  return row.kind === 'wave' ? row.wave.state : row.kind === 'run' ? row.run.state : undefined;
}
