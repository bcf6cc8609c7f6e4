import { keyMetric, remaining } from './format';
import { type IExperiment, type IRun, type IWave, type RunState, hasEnded } from './tokens';

/** What every line has beside its content: the tree is kept flat, so that only the lines in sight need be drawn. */
interface IPlace {
  key: string;
  /** Depth in the tree, from 1. */
  level: number;
  /** Key of the line that this one lies under. */
  parent: string | null;
  /** Place among the lines under the same one, from 1, and how many these are. */
  position: number;
  siblings: number;
}

/** One line of the list of waves. */
export type Row = IPlace &
  (
    | { kind: 'wave'; wave: IWave; expanded: boolean }
    | { kind: 'experiment'; wave: IWave; experiment: IExperiment; expanded: boolean }
    | { kind: 'run'; run: IRun }
  );

type Content = Row extends infer R ? (R extends Row ? Omit<R, keyof IPlace> : never) : never;

export const SORTS = ['newest', 'lineage', 'metric', 'left', 'state'] as const;
export type Sort = (typeof SORTS)[number];

export const FILTERS = ['all', 'active', 'queued', 'done', 'failed', 'cancelled'] as const;
export type Filter = (typeof FILTERS)[number];

const STATES: { [filter in Exclude<Filter, 'all'>]: ReadonlyArray<RunState> } = {
  active: ['starting', 'running', 'evaluating'],
  queued: ['queued'],
  done: ['done'],
  failed: ['failed', 'hung'],
  cancelled: ['cancelled']
};

const BY_STATE: RunState[] = [
  'evaluating',
  'running',
  'starting',
  'queued',
  'hung',
  'failed',
  'cancelled',
  'done'
];

/** What is shown of the waves, and in which order. */
export interface IListOptions {
  /** Words that a run, its experiment or its wave must hold, all of them. */
  text: string;
  filter: Filter;
  sort: Sort;
}

export const DEFAULTS: IListOptions = { text: '', filter: 'all', sort: 'newest' };

/** A wave with what of it is shown. */
interface IShown {
  wave: IWave;
  experiments: Array<{ experiment: IExperiment; runs: IRun[] }>;
}

/**
 * The rows to show.
 *
 * @param waves - Newest first.
 * @param toggled - What a person opened (true) or closed (false), by key. Else the newest wave and those that are
 * still running are open, with their ancestors in the order of descent, and within a wave every experiment is. Where
 * something is searched for, all is open.
 */
export function rowsOf(
  waves: ReadonlyArray<IWave>,
  toggled: ReadonlyMap<string, boolean>,
  options: IListOptions = DEFAULTS
): Row[] {
  const searched = options.text.trim() !== '' || options.filter !== 'all';
  const shown = sorted(
    waves.map(wave => select(wave, options)).filter(item => item !== null),
    options.sort
  );
  const rows: Row[] = [];
  const children = new Map<string | null, Row[]>();
  const add = (key: string, level: number, parent: string | null, content: Content): void => {
    const siblings = children.get(parent) ?? [];
    children.set(parent, siblings);
    const row = { ...content, key, level, parent, position: siblings.length + 1, siblings: 0 };
    siblings.push(row);
    rows.push(row);
  };

  const lineage = options.sort === 'lineage';
  const known = new Set(shown.map(item => item.wave.id));
  const newest = waves[0]?.id;
  const childrenOf = (id: number): IShown[] =>
    lineage ? shown.filter(item => item.wave.parent === id && item.wave.id !== id) : [];
  const addWave = ({ wave, experiments }: IShown, level: number, parent: string | null): void => {
    const key = `wave-${wave.id}`;
    const descendants = childrenOf(wave.id);
    const expanded =
      toggled.get(key) ??
      (searched ||
        wave.id === newest ||
        descendants.length > 0 ||
        wave.runs.some(run => !hasEnded(run)));
    add(key, level, parent, { kind: 'wave', wave, expanded });
    if (!expanded) {
      return;
    }
    for (const { experiment, runs } of experiments) {
      const under = `${key}-${experiment.id}`;
      const open = toggled.get(under) ?? true;
      add(under, level + 1, key, { kind: 'experiment', wave, experiment, expanded: open });
      if (open) {
        runs.forEach(run => add(run.id, level + 2, under, { kind: 'run', run }));
      }
    }
    descendants.forEach(item => addWave(item, level + 1, key));
  };
  shown
    .filter(({ wave }) => !lineage || wave.parent === null || !known.has(wave.parent))
    .forEach(item => addWave(item, 1, null));
  children.forEach(siblings => siblings.forEach(row => (row.siblings = siblings.length)));
  return rows;
}

/** What of a wave fits the options, or null. */
function select(wave: IWave, options: IListOptions): IShown | null {
  const words = options.text.toLowerCase().split(/\s+/).filter(Boolean);
  const states = options.filter === 'all' ? null : STATES[options.filter];
  const ofWave = `wave ${wave.id} ${wave.slug} ${wave.goal}`.toLowerCase();
  const searched = words.length > 0 || states !== null;
  const byExperiment = new Map<string, IRun[]>();
  for (const run of wave.runs) {
    byExperiment.set(run.experiment, [...(byExperiment.get(run.experiment) ?? []), run]);
  }
  const experiments = wave.experiments
    .map(experiment => {
      const { id, slug, hypothesis, overrides, verdict } = experiment;
      const ofExperiment =
        `${ofWave} ${id} ${slug} ${hypothesis} ${Object.keys(overrides).join(' ')} ${verdict?.verdict ?? ''}`.toLowerCase();
      const runs = (byExperiment.get(id) ?? []).filter(run => {
        const text =
          `${ofExperiment} ${run.id} ${run.state} ${run.device ?? ''} ${run.device_name ?? ''}`.toLowerCase();
        return (
          (states === null || states.includes(run.state)) &&
          words.every(word => text.includes(word))
        );
      });
      return { experiment, runs };
    })
    .filter(({ runs }) => runs.length > 0 || !searched);
  const itself = states === null && words.every(word => ofWave.includes(word));
  return experiments.length > 0 || itself ? { wave, experiments } : null;
}

function sorted(items: IShown[], sort: Sort): IShown[] {
  if (sort === 'newest' || sort === 'lineage') {
    return items;
  }
  const now = Date.now() / 1000;
  const best = (runs: IRun[]): number => Math.min(...runs.map(run => score(run, sort, now)));
  return items
    .map(({ wave, experiments }) => ({
      wave,
      experiments: ordered(
        experiments.map(({ experiment, runs }) => ({
          experiment,
          runs: ordered(runs, run => score(run, sort, now))
        })),
        ({ runs }) => best(runs)
      )
    }))
    .map(item => ({ item, rank: best(item.experiments.flatMap(({ runs }) => runs)) }))
    .sort((a, b) => compare(a.rank, b.rank))
    .map(({ item }) => item);
}

function ordered<T>(items: T[], rank: (item: T) => number): T[] {
  return items
    .map(item => ({ item, rank: rank(item) }))
    .sort((a, b) => compare(a.rank, b.rank))
    .map(({ item }) => item);
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a - b; // two infinities have no difference
}

/** A run's place: the smaller, the earlier. */
function score(run: IRun, sort: Sort, now: number): number {
  if (sort === 'metric') {
    const metric = keyMetric(run);
    // What the fixed evaluation measured stands before what a training said of itself.
    return metric === null ? Infinity : metric.value + (metric.evaluated ? 0 : 1e6);
  }
  if (sort === 'left') {
    return run.state === 'queued'
      ? 1e9 + (run.estimated_start ?? 1e12)
      : (remaining(run, now) ?? Infinity);
  }
  return BY_STATE.indexOf(run.state);
}
