"""What to try next in the task's declared search space, learnt from the experiments that ran.

While they are few, a Gaussian process tells the effects of single parameters apart (``effects``). Once they are many it
would take too long, and Optuna's TPE takes over, the tree-structured Parzen estimator (Bergstra et al. 2011,
«Algorithms for Hyper-Parameter Optimization»), which needs dozens of trials: it models where the better configurations
lie and where the others do, and proposes where the ratio is highest. Either proposes far around, with every parameter,
and close by, with few parameters of the base, in turns.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any, Literal

from wavebook.agent.effects import Effects, better
from wavebook.agent.evidence import Evidence, Tried
from wavebook_tools.metrics.quantities import format_number, quantity
from wavebook_tools.records.plan import Overrides
from wavebook_tools.tasks import SearchRange, TaskSchema

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import Study

STARTUP = 5
"""With fewer measured configurations the sampler would guess; moves that a person thought of are better then."""

MANY = 120
"""From so many measured configurations on, TPE has what it needs."""

FREE = 4
"""Parameters that a proposal close by varies."""

MOST = 32
"""Proposals from one look at the records."""

STEP = 0.02
"""A parameter that moves by less than this part of its range stays where it is."""


@dataclass(frozen=True)
class Suggestion:
    """What the sampler would try, and why."""

    overrides: Overrides
    why: str
    evidence: list[str]
    """The better ones among the configurations that it rests on."""


@dataclass(frozen=True)
class _Search:
    """What is searched and from where, and what was measured at its size."""

    schema: TaskSchema
    evidence: Evidence
    measured: Sequence[Tried]
    ranges: Sequence[SearchRange]
    base: Overrides
    metric: str
    direction: Literal["down", "up"]

    @property
    def better(self) -> list[str]:
        """The best configurations."""
        return better(self.evidence, self.measured, self.metric, self.direction)


def suggestions(
    schema: TaskSchema,
    evidence: Evidence,
    base: Overrides,
    metric: str,
    direction: Literal["down", "up"],
    *,
    without: Sequence[str] = (),
) -> Iterator[Suggestion]:
    """Configurations to try on top of a base, the most promising first; none before ``STARTUP`` were measured.

    The same records give the same suggestions.

    Args:
        schema: The task with its search ranges.
        evidence: What was tried on it.
        base: Overrides that the suggestions stand on, and its terms in source by their marks.
        metric: A number of the fixed evaluation.
        direction: Which way it is better.
        without: Parameters that are to be left alone.
    """
    measured = evidence.measured(metric)
    ranges = [entry for entry in schema.search if _searchable(schema, entry, base) and entry.name not in without]
    if len(measured) < STARTUP or not ranges:
        return
    search = _Search(schema, evidence, measured, ranges, base, metric, direction)
    yield from _by_effects(search) if len(measured) < MANY else _by_densities(search)


def _by_effects(search: _Search) -> Iterator[Suggestion]:
    best = search.better
    unit = quantity(search.metric).unit
    effects = Effects(search.schema, search.evidence, search.ranges, search.base, search.metric, search.direction)
    widths = islice(cycle([len(search.ranges), FREE]), MOST)
    for found in effects.proposals(widths):
        mean, deviation, before = (format_number(n, 3) for n in (found.mean, found.deviation, found.before))
        why = (
            f"after {len(search.measured)} measured configurations, the best of them {', '.join(best)}, "
            f"a Gaussian process expects {mean} ± {deviation}{f' {unit}' if unit != '–' else ''} here "
            f"and {before} without the change"
        )
        yield Suggestion(found.overrides, why, best)


def _by_densities(search: _Search) -> Iterator[Suggestion]:
    import optuna  # slow to import, and only needed once there is much to learn from

    schema, ranges = search.schema, search.ranges
    space = {entry.name: _distribution(schema, entry) for entry in ranges}
    study = _study(search, space)
    best = search.better
    important = _important(study, space)
    fewest = sorted(space, key=lambda name: sum(name in tried.overrides for tried in search.evidence.tried))
    start = {entry.name: _to_space(entry, schema.value_of(entry.name, search.base)) for entry in ranges}
    # While little is known, most of what a proposal varies is what was tried least; each second one looks far around.
    known = 1 if len(search.measured) < len(space) else FREE // 2
    for number in range(MOST):
        width = len(space) if number % 2 == 0 else FREE
        rotated = [
            [names[(number * step + index) % len(names)] for index in range(len(names))]
            for names, step in ((important, known), (fewest, FREE - known))
        ]
        free = list(dict.fromkeys([*rotated[0][:known], *rotated[1], *space]))[:width]
        fixed = {name: value for name, value in start.items() if name not in free and value is not None}
        sampler = optuna.samplers.TPESampler(multivariate=True, n_startup_trials=STARTUP, seed=number)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.sampler = optuna.samplers.PartialFixedSampler(fixed, sampler)
            # The trial stays open in the study, so that the next proposal goes elsewhere.
            sampled = study.ask(space).params
        overrides = {
            entry.name: _from_space(schema, entry, sampled[entry.name])
            for entry in ranges
            if entry.name in free and _moved(space[entry.name], start[entry.name], sampled[entry.name])
        }
        if overrides:
            why = (
                f"of {len(search.measured)} configurations measured, the better ones ({', '.join(best)}) "
                "lie nearer to this than the others do, as the TPE sampler sees it"
            )
            yield Suggestion(overrides, why, best)


def _study(search: _Search, space: Mapping[str, BaseDistribution]) -> Study:
    import optuna
    from optuna.trial import TrialState

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="minimize" if search.direction == "down" else "maximize")
    schema, protocol = search.schema, search.evidence.protocol(search.metric)
    for tried in search.evidence.tried:
        if tried.size != search.measured[0].size:
            continue
        inside = {name: d for name, d in space.items() if _contains(schema, d, name, tried.overrides)}
        params = {name: _to_space(schema.range_of(name), schema.value_of(name, tried.overrides)) for name in inside}
        values = tried.values(search.metric, protocol)
        # What broke or was hopeless counts among the worst, and what runs is not proposed a second time.
        lost = tried.broken or tried.given_up
        state = TrialState.PRUNED if lost else TrialState.COMPLETE if values else TrialState.RUNNING
        value = sum(values) / len(values) if state is TrialState.COMPLETE else None
        study.add_trial(optuna.create_trial(state=state, params=params, distributions=inside, value=value))
    return study


def _important(study: Study, space: Mapping[str, BaseDistribution]) -> list[str]:
    """Parameters by how much they mattered, those that were never varied last."""
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = optuna.importance.get_param_importances(
                study, evaluator=optuna.importance.PedAnovaImportanceEvaluator(), params=None
            )
        except (ValueError, RuntimeError):  # no parameter has two values yet
            found = {}
    mattered = [name for name, share in found.items() if share > 0 and name in space]
    return mattered or list(space)


def _searchable(schema: TaskSchema, entry: SearchRange, base: Overrides) -> bool:
    removed = any(value is None and entry.name.startswith(f"{name}.") for name, value in base.items())
    numeric = schema.parameters[entry.name].type in {"float", "int"}
    return numeric and not removed and isinstance(schema.value_of(entry.name, base), int | float)


def _distribution(schema: TaskSchema, entry: SearchRange) -> BaseDistribution:
    from optuna.distributions import FloatDistribution, IntDistribution

    # A penalty that is searched by factors has a negative range: Optuna searches its magnitude.
    low, high = (-entry.high, -entry.low) if entry.log and entry.high < 0 else (entry.low, entry.high)
    if schema.parameters[entry.name].type == "int":
        return IntDistribution(round(low), round(high), log=entry.log)
    return FloatDistribution(low, high, log=entry.log)


def _contains(schema: TaskSchema, distribution: BaseDistribution, name: str, overrides: Overrides) -> bool:
    value = schema.value_of(name, overrides)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    inside = _to_space(schema.range_of(name), value)
    return bool(inside is not None and distribution._contains(distribution.to_internal_repr(inside)))


def _to_space(entry: SearchRange | None, value: Any) -> Any:
    return -value if entry is not None and entry.log and entry.high < 0 else value


def _from_space(schema: TaskSchema, entry: SearchRange, value: float) -> float | int:
    signed: float = _to_space(entry, value)
    return round(signed) if schema.parameters[entry.name].type == "int" else float(f"{signed:.3g}")


def _moved(distribution: Any, before: float | None, after: float) -> bool:
    if before is None:
        return True
    if distribution.log and before > 0:
        return bool(abs(after / before - 1) > STEP)
    return bool(abs(after - before) > STEP * (distribution.high - distribution.low))
