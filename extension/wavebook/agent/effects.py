"""Proposals while few configurations were measured: steps of common practice, chosen by what they are expected to gain.

Each proposal walks from where the search stands, one parameter and one usual step (``steps``) at a time, to where most
is expected (``surrogate``). What the preset has is not there by chance: the farther a proposal goes from it, the more
must speak for it, and the less so the more was measured (Hvarfner et al. 2022, «πBO: Augmenting Acquisition Functions
with User Beliefs for Bayesian Optimization»).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from wavebook.agent.evidence import Evidence, Tried
from wavebook.agent.steps import place, steps
from wavebook.agent.surrogate import Array, Measurements, Surrogate, fitted
from wavebook_tools.records.plan import Overrides
from wavebook_tools.tasks import SearchRange, TaskSchema

BELIEF = 0.3
"""How much the preset's values count, in measurements."""

PRACTICE = 0.35
"""How far from the preset's value people usually go, as a standard deviation in parts of the range."""

UNKNOWN_NOISE = 0.05
"""Between seeds in parts of the mean, while nothing was measured twice."""

LEAST_GAIN = 1e-3
"""By which another step must raise the logarithm of the expected improvement."""


@dataclass(frozen=True)
class Expectation:
    """A configuration, and what is expected of it."""

    overrides: Overrides
    """What it changes where the search stands."""
    mean: float
    deviation: float
    before: float
    """What is expected where the search stands."""


@dataclass(frozen=True)
class _Step:
    """A value that a parameter may go to."""

    number: int
    """Of the parameter's range."""
    name: str
    value: Any
    place: float


class Effects:
    """Proposals from one look at the records."""

    def __init__(
        self,
        schema: TaskSchema,
        evidence: Evidence,
        ranges: Sequence[SearchRange],
        start: Overrides,
        metric: str,
        direction: Literal["down", "up"],
    ) -> None:
        """What is varied are the ranges, on top of ``start``."""
        self.schema, self.ranges, self.start = schema, ranges, start
        self.sign = 1.0 if direction == "down" else -1.0
        measured = evidence.measured(metric)
        alike = [tried for tried in evidence.tried if tried.size == measured[0].size]
        known = {entry.name for entry in ranges}
        self.others = sorted({name for tried in alike for name in tried.changes} - known)
        protocol, noise = evidence.protocol(metric), evidence.noise(metric)
        seen = [(tried, tried.values(metric, protocol)) for tried in alike]
        means = [self.sign * float(np.mean(values)) for _, values in seen if values]
        deviation = noise.deviation if noise is not None else UNKNOWN_NOISE * abs(float(np.mean(means)))
        self.noise = deviation**2
        rows: list[tuple[Array, float, float]] = []
        for tried, values in seen:
            if tried.broken or tried.given_up:  # what broke or was hopeless counts among the worst
                rows.append((self._point(tried.changes), max(means), self.noise))
            elif values:
                rows.append((self._point(tried.changes), self.sign * float(np.mean(values)), self.noise / len(values)))
        points, numbers, variances = zip(*rows, strict=True)
        self.surrogate = fitted(Measurements(np.array(points), np.array(numbers), np.array(variances)))
        # What runs still is not proposed a second time.
        for tried in alike:
            if tried.unfinished and not tried.broken and not tried.values(metric, protocol):
                self.surrogate = self.surrogate.seeing(self._point(tried.changes), self.noise)
        self.count = len(rows)
        self.preset = self._point({})[: len(ranges)]
        self.steps = [_Step(*found) for found in self._steps()]

    def proposals(self, widths: Iterator[int]) -> Iterator[Expectation]:
        """The most promising first, each after as many steps as it may take; one takes those before it as measured."""
        surrogate, begin = self.surrogate, self._point(self.start)
        for number, width in enumerate(widths):
            screened = self._screened(number) if width == len(self.ranges) else []
            overrides, point = self._walk(surrogate, begin, width, screened)
            if not overrides:
                return
            mean, deviation = surrogate.expected(np.array([point, begin]))
            yield Expectation(overrides, self.sign * mean[0], float(deviation[0]), self.sign * mean[1])
            surrogate = surrogate.seeing(point, self.noise)

    def _screened(self, number: int) -> list[_Step]:
        """A usual step of each parameter that was never varied, at random: while there are more parameters than
        measurements, one after the other would take too long (Box and Meyer 1986, «An Analysis for Unreplicated
        Fractional Factorials»: many at once tell, since few matter)."""
        if self.count >= len(self.ranges):
            return []
        chance = np.random.default_rng([self.count, number])
        places = self.surrogate.seen.points[:, : len(self.ranges)]
        never = [index for index in range(len(self.ranges)) if np.ptp(places[:, index]) == 0]
        choices = ([step for step in self.steps if step.number == index] for index in never)
        return [steps[chance.integers(len(steps))] for steps in choices if steps]

    def _walk(self, surrogate: Surrogate, begin: Array, width: int, first: Sequence[_Step]) -> tuple[Overrides, Array]:
        overrides: Overrides = {step.name: step.value for step in first}
        point, reached = begin.copy(), -np.inf
        for step in first:
            point[step.number] = step.place
        numbers = np.array([step.number for step in self.steps], dtype=int)
        places = np.array([step.place for step in self.steps])
        while len(overrides) < width and self.steps:
            candidates = np.repeat(point[None], len(self.steps), axis=0)
            candidates[np.arange(len(self.steps)), numbers] = places
            scores = surrogate.log_improvement(candidates) + self._belief(candidates)
            best = int(scores.argmax())
            if scores[best] < reached + LEAST_GAIN:
                break
            reached, point = scores[best], candidates[best]
            overrides[self.steps[best].name] = self.steps[best].value
        return overrides, point

    def _belief(self, points: Array) -> Array:
        away = ((points[:, : len(self.ranges)] - self.preset) / PRACTICE) ** 2
        result: Array = -0.5 * BELIEF / self.count * away.sum(axis=1)
        return result

    def _steps(self) -> Iterator[tuple[int, str, Any, float]]:
        for number, entry in enumerate(self.ranges):
            current = self.schema.value_of(entry.name, self.start)
            for way in ("stronger", "weaker"):
                for value in steps(self.schema, entry.name, current, way):
                    yield number, entry.name, value, _inside(entry, value)

    def _point(self, changes: Overrides) -> Array:
        """Places in the ranges; then of all else that was ever changed whether it is as where the search stands."""
        inside = [_inside(entry, self.schema.value_of(entry.name, changes)) for entry in self.ranges]
        missing = object()
        alike = [float(changes.get(name, missing) == self.start.get(name, missing)) for name in self.others]
        return np.array([*inside, *alike])


def better(evidence: Evidence, measured: Sequence[Tried], metric: str, direction: Literal["down", "up"]) -> list[str]:
    """The best configurations: a tenth, and at least one."""
    protocol = evidence.protocol(metric)
    means = {tried.name: sum(v) / len(v) for tried in measured if (v := tried.values(metric, protocol))}
    ordered = sorted(means, key=lambda name: means[name], reverse=direction == "up")
    return ordered[: max(1, -(-len(ordered) // 10))]


def _inside(entry: SearchRange, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0  # removed
    if entry.log and value * entry.low <= 0:
        return 0.0 if entry.low > 0 else 1.0  # switched off: the end next to zero
    return min(max(place(entry, value), 0.0), 1.0)
