"""What the records tell the offline planner: what was tried on a task, how it did, and how noisy the numbers are.

Only the fixed evaluation counts. Rewards are never compared, because experiments may define them differently.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, Literal

from wavebook_tools.comparison.data import Experiment, collect
from wavebook_tools.comparison.statistics import Difference, Noise, difference, pooled
from wavebook_tools.errors import WavebookError
from wavebook_tools.records.code import CodeOverride, marks
from wavebook_tools.records.plan import Overrides
from wavebook_tools.records.project import Project
from wavebook_tools.records.states import RunState

Size = tuple[str, int, int]
"""Task, environments, iterations: numbers are compared only where these agree."""

HOPELESS = 3
"""So many broken runs of changes to one parameter close that direction."""

CONFIRMED_SEEDS = 3
"""A configuration that ran on so many seeds and is not better by more than the noise is not promising any more."""


@dataclass
class Tried:
    """One configuration, with all experiments that ran it."""

    overrides: Overrides
    size: Size
    experiments: list[Experiment] = field(default_factory=list)
    code: Sequence[CodeOverride] = ()
    """Terms in source."""

    @property
    def changes(self) -> Overrides:
        """All that tells it from the task as it is: overrides, and code as ``code.reward.NAME``."""
        return {**self.overrides, **marks(self.code)}

    @property
    def name(self) -> str:
        """The newest of its experiments."""
        return self.experiments[-1].id

    @property
    def names(self) -> list[str]:
        return [experiment.id for experiment in self.experiments]

    @property
    def seeds(self) -> set[int]:
        """Seeds that ran or are to run."""
        return {run.seed for experiment in self.experiments for run in experiment.runs}

    def values(self, metric: str, protocol: str | None) -> list[float]:
        """The metric, one number a seed: the mean over experiments that ran the same seed."""
        by_seed: dict[int, list[float]] = {}
        for experiment in self.experiments:
            for run in experiment.runs:
                number = run.measured(metric, protocol)
                if number is not None:
                    by_seed.setdefault(run.seed, []).append(number)
        return [fmean(numbers) for numbers in by_seed.values()]

    @property
    def broken(self) -> int:
        """Runs that failed or hung."""
        return sum(len(experiment.broken) for experiment in self.experiments)

    @property
    def repeated(self) -> bool:
        """Whether a later experiment measured it on a seed that the first had not seen."""
        measured = [{run.seed for run in e.runs if run.results} for e in self.experiments]
        first = next((seeds for seeds in measured if seeds), set())
        return any(seeds - first for seeds in measured)

    @property
    def given_up(self) -> bool:
        """Whether every run was ended before its evaluation, as hopeless ones are."""
        runs = [run for experiment in self.experiments for run in experiment.runs]
        return bool(runs) and all(run.state is RunState.CANCELLED and not run.results for run in runs)

    @property
    def unfinished(self) -> int:
        return sum(len(experiment.unfinished) for experiment in self.experiments)


@dataclass(frozen=True)
class Evidence:
    """All that was tried on one task."""

    tried: tuple[Tried, ...]
    """In the order in which they were first tried."""
    waves: tuple[int, ...] = ()
    """The waves it comes from."""
    problems: tuple[str, ...] = ()
    """Records that could not be read."""

    def measured(self, metric: str) -> list[Tried]:
        """What has a number, all at the size and by the protocol of the newest that has."""
        newest = None
        for tried in self.tried:
            for experiment in tried.experiments:
                if experiment.measured(metric, experiment.protocol) and (
                    newest is None or (experiment.plan.id, experiment.id) > (newest.plan.id, newest.id)
                ):
                    newest = experiment
        if newest is None:
            return []
        return [t for t in self.tried if t.size == newest.size and t.values(metric, newest.protocol)]

    def protocol(self, metric: str) -> str | None:
        """The protocol that ``measured`` counts by."""
        found = [e for t in self.measured(metric) for e in t.experiments if e.measured(metric)]
        newest = max(found, key=lambda experiment: (experiment.plan.id, experiment.id), default=None)
        return newest.protocol if newest else None

    def noise(self, metric: str) -> Noise | None:
        """How far seeds lie apart, pooled over everything measured at one size."""
        protocol = self.protocol(metric)
        groups = [tried.values(metric, protocol) for tried in self.measured(metric)]
        several = sum(len(group) > 1 for group in groups)
        return pooled(groups, f"{several} experiments with several seeds")

    def has(self, overrides: Overrides, code: Sequence[CodeOverride] = ()) -> bool:
        """Whether this configuration was tried or is about to be."""
        wanted = _key({**overrides, **marks(code)})
        return any(_key(tried.changes) == wanted for tried in self.tried)

    def find(self, name: str) -> Tried | None:
        """The configuration that an experiment ran, by its number (``exp003``) or its name; the newest of a name."""
        if (numbered := next((tried for tried in self.tried if name in tried.names), None)) is not None:
            return numbered
        alike = [(e.id, tried) for tried in self.tried for e in tried.experiments if e.spec.slug == name]
        return max(alike, key=lambda pair: (len(pair[0]), pair[0]))[1] if alike else None

    @property
    def known(self) -> list[str]:
        """Numbers and names of all experiments."""
        experiments = [experiment for tried in self.tried for experiment in tried.experiments]
        return list(dict.fromkeys([*(e.id for e in experiments), *(e.spec.slug for e in experiments)]))


@dataclass(frozen=True)
class Standing:
    """A configuration against the reference, in one metric."""

    tried: Tried
    mean: float
    seeds: int
    difference: Difference | None
    """Against the reference; None for the reference itself and where the noise is unknown."""
    better: bool
    worse: bool
    values: tuple[float, ...] = ()
    """One number a seed."""


@dataclass(frozen=True)
class Ranking:
    """Where everything stands in one metric."""

    metric: str
    reference: Standing
    """The baseline that all are judged against."""
    others: tuple[Standing, ...]
    """Best first."""
    noise: Noise | None
    higher: bool = False
    """Whether larger is better."""

    @property
    def promising(self) -> Standing | None:
        """What did better than the best by one standard error or more, on fewer than three seeds.

        It is worth another seed, and worth searching around: waiting for certainty would leave good finds behind.
        """
        best = self.best
        for standing in self.others:
            if standing is best:
                return None
            if not standing.tried.broken and standing.seeds < CONFIRMED_SEEDS and not standing.worse:
                ahead = (standing.mean - best.mean) * (1 if self.higher else -1)
                return standing if standing.difference and ahead > standing.difference.standard_error else None
        return None

    @property
    def best(self) -> Standing:
        """The best that is better than the reference by more than the noise; the reference where none is.

        A tie goes to the simpler configuration: the reference, and among those that beat it and that the noise does
        not tell from the best of them, the one that changes least.
        """
        better = [standing for standing in self.others if standing.better]
        if not better:
            return self.reference
        alike = [standing for standing in better if self._alike(standing, better[0])]
        return min(alike, key=lambda standing: len(standing.tried.changes))

    def _alike(self, one: Standing, best: Standing) -> bool:
        if one is best:
            return True
        found = difference(one.values, best.values, self.noise)
        return found is not None and not found.real


def read_evidence(project: Project, task: str) -> Evidence:
    """Everything tried on a task, from the project's waves. A wave that cannot be read is told among the problems."""
    tried: dict[tuple[Size, str], Tried] = {}
    waves: list[int] = []
    problems: list[str] = []
    for record in project.waves():
        try:
            comparison = collect(project, [record.id])
        except WavebookError as error:
            problems.append(str(error))
            continue
        problems.extend(comparison.problems)
        for experiment in comparison.experiments:
            if experiment.plan.task != task or experiment.plan.purpose == "diagnosis":
                continue
            if record.id not in waves:
                waves.append(record.id)
            key = (experiment.size, _key(experiment.changes))
            new = Tried(experiment.overrides, experiment.size, code=experiment.code)
            tried.setdefault(key, new).experiments.append(experiment)
    return Evidence(tuple(tried.values()), tuple(waves), tuple(problems))


def rank(evidence: Evidence, metric: str, direction: Literal["down", "up"]) -> Ranking | None:
    """Rank what was measured against the first baseline; None where nothing was measured."""
    measured = evidence.measured(metric)
    if not measured:
        return None
    reference = next((t for t in measured if not t.changes), None) or next(
        (t for t in measured if any(experiment.spec.baseline for experiment in t.experiments)), measured[0]
    )
    noise, protocol = evidence.noise(metric), evidence.protocol(metric)
    base = reference.values(metric, protocol)
    sign = 1.0 if direction == "up" else -1.0

    def standing(tried: Tried) -> Standing:
        numbers = tried.values(metric, protocol)
        found = None if tried is reference else difference(numbers, base, noise)
        gain = sign * found.value if found is not None else 0.0
        # What broke on some seeds is not better, however well the survivors do.
        better = found is not None and found.real and gain > 0 and not tried.broken
        worse = found is not None and found.real and gain < 0
        return Standing(tried, fmean(numbers), len(numbers), found, better, worse, tuple(numbers))

    others = [standing(tried) for tried in measured if tried is not reference]
    others.sort(key=lambda s: (-sign * s.mean, len(s.tried.changes), s.tried.name))
    return Ranking(metric, standing(reference), tuple(others), noise, higher=direction == "up")


def closed_parameters(evidence: Evidence, base: Overrides) -> dict[str, int]:
    """Parameters whose changes broke so many runs that they are left alone, with that number."""
    broken: dict[str, int] = {}
    for tried in evidence.tried:
        for name in changed(tried.changes, base):
            broken[name] = broken.get(name, 0) + tried.broken
    return {name: number for name, number in broken.items() if number >= HOPELESS}


def changed(overrides: Overrides, base: Overrides) -> list[str]:
    """The names in which two configurations differ."""
    missing = object()
    names = dict.fromkeys([*base, *overrides])
    return [name for name in names if overrides.get(name, missing) != base.get(name, missing)]


def _key(overrides: Overrides) -> str:
    return json.dumps(_rounded(overrides), sort_keys=True, default=str)


def _rounded(value: Any) -> Any:
    # 2 and 2.0 are the same setting, and so are values that agree in two digits.
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return float(f"{value:.2g}")
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value


def fresh_seeds(used: Iterable[int], number: int) -> list[int]:
    """The first seeds that are not used yet."""
    taken = set(used)
    found: list[int] = []
    seed = 0
    while len(found) < number:
        if seed not in taken:
            found.append(seed)
        seed += 1
    return found


def names_of(standings: Sequence[Standing]) -> list[str]:
    """The experiments behind some standings."""
    return [standing.tried.name for standing in standings]
