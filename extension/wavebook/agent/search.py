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
    if len(measured) < MANY:
        yield from _by_effects(schema, evidence, measured, ranges, base, metric, direction)
    else:
        yield from _by_densities(schema, evidence, measured, ranges, base, metric, direction)


def _by_effects(
    schema: TaskSchema,
    evidence: Evidence,
    measured: Sequence[Tried],
    ranges: Sequence[SearchRange],
    base: Overrides,
    metric: str,
    direction: Literal["down", "up"],
) -> Iterator[Suggestion]:
    best = better(evidence, measured, metric, direction)
    unit = quantity(metric).unit
    widths = islice(cycle([len(ranges), FREE]), MOST)
    for found in Effects(schema, evidence, ranges, base, metric, direction).proposals(widths):
        mean, deviation, before = (format_number(n, 3) for n in (found.mean, found.deviation, found.before))
        why = (
            f"after {len(measured)} measured configurations, the best of them {', '.join(best)}, a Gaussian process "
            f"expects {mean} ± {deviation}{f' {unit}' if unit != '–' else ''} here and {before} without the change"
        )
        yield Suggestion(found.overrides, why, best)


def _by_densities(
    schema: TaskSchema,
    evidence: Evidence,
    measured: Sequence[Tried],
    ranges: Sequence[SearchRange],
    base: Overrides,
    metric: str,
    direction: Literal["down", "up"],
) -> Iterator[Suggestion]:
    import optuna  # slow to import, and only needed once there is much to learn from

    space = {entry.name: _distribution(schema, entry) for entry in ranges}
    study = _study(schema, evidence, measured, space, metric, direction)
    best = better(evidence, measured, metric, direction)
    important = _important(study, space)
    fewest = sorted(space, key=lambda name: sum(name in tried.overrides for tried in evidence.tried))
    start = {entry.name: _to_space(entry, _value(schema, base, entry.name)) for entry in ranges}
    # While little is known, most of what a proposal varies is what was tried least; each second one looks far around.
    known = 1 if len(measured) < len(space) else FREE // 2
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
                f"of {len(measured)} configurations measured, the better ones ({', '.join(best)}) lie nearer to this "
                "than the others do, as the TPE sampler sees it"
            )
            yield Suggestion(overrides, why, best)


def _study(
    schema: TaskSchema,
    evidence: Evidence,
    measured: Sequence[Tried],
    space: Mapping[str, BaseDistribution],
    metric: str,
    direction: Literal["down", "up"],
) -> Study:
    import optuna
    from optuna.trial import TrialState

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="minimize" if direction == "down" else "maximize")
    protocol = evidence.protocol(metric)
    for tried in evidence.tried:
        if tried.size != measured[0].size:
            continue
        inside = {name: d for name, d in space.items() if _contains(schema, d, name, tried.overrides)}
        params = {name: _to_space(schema.range_of(name), _value(schema, tried.overrides, name)) for name in inside}
        values = tried.values(metric, protocol)
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
    return numeric and not removed and isinstance(_value(schema, base, entry.name), int | float)


def _distribution(schema: TaskSchema, entry: SearchRange) -> BaseDistribution:
    from optuna.distributions import FloatDistribution, IntDistribution

    # A penalty that is searched by factors has a negative range: Optuna searches its magnitude.
    low, high = (-entry.high, -entry.low) if entry.log and entry.high < 0 else (entry.low, entry.high)
    if schema.parameters[entry.name].type == "int":
        return IntDistribution(round(low), round(high), log=entry.log)
    return FloatDistribution(low, high, log=entry.log)


def _value(schema: TaskSchema, overrides: Overrides, name: str) -> Any:
    return overrides[name] if name in overrides else schema.parameters[name].default


def _contains(schema: TaskSchema, distribution: BaseDistribution, name: str, overrides: Overrides) -> bool:
    value = _value(schema, overrides, name)
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
