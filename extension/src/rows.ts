import { type IExperiment, type IRun, type IWave, hasEnded } from './tokens';

/** One line of the list of waves. The tree is kept flat, so that only the lines in sight need be drawn. */
export type Row =
  | { kind: 'wave'; key: string; wave: IWave; expanded: boolean }
  | { kind: 'experiment'; key: string; wave: IWave; experiment: IExperiment; expanded: boolean }
  | { kind: 'run'; key: string; run: IRun };

/** Depth of a row in the tree, from 1. */
export const LEVEL: { [kind in Row['kind']]: number } = { wave: 1, experiment: 2, run: 3 };

/**
 * The rows to show.
 *
 * @param waves - Newest first.
 * @param toggled - What a person opened (true) or closed (false), by key. Else the newest wave and those that are
 * still running are open, and within a wave every experiment is.
 */
export function rowsOf(waves: ReadonlyArray<IWave>, toggled: ReadonlyMap<string, boolean>): Row[] {
  const rows: Row[] = [];
  waves.forEach((wave, index) => {
    const key = `wave-${wave.id}`;
    const expanded = toggled.get(key) ?? (index === 0 || wave.runs.some(run => !hasEnded(run)));
    rows.push({ kind: 'wave', key, wave, expanded });
    if (!expanded) {
      return;
    }
    for (const experiment of wave.experiments) {
      const experimentKey = `${key}-${experiment.id}`;
      const open = toggled.get(experimentKey) ?? true;
      rows.push({ kind: 'experiment', key: experimentKey, wave, experiment, expanded: open });
      if (open) {
        wave.runs
          .filter(run => run.experiment === experiment.id)
          .forEach(run => rows.push({ kind: 'run', key: run.id, run }));
      }
    }
  });
  return rows;
}
