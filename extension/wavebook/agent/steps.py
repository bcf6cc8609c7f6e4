"""How far a parameter is moved: the next values worth trying from where it stands."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain
from typing import Any

from wavebook.agent.topics import Way
from wavebook_tools.errors import UsageError
from wavebook_tools.tasks import Parameter, SearchRange, TaskSchema, check_overrides

FACTORS = (2.0, 1.5, 3.0)
"""Steps of a parameter that is searched by factors, the most telling first."""

FRACTIONS = (0.25, 0.125, 0.5)
"""Steps of one that is searched by differences, in parts of its range."""


def steps(schema: TaskSchema, name: str, current: Any, way: Way, *, beyond: bool = False) -> Iterator[Any]:
    """Valid values of a parameter away from ``current``, the most telling step first.

    A stronger value is larger in magnitude, a weaker one smaller. A parameter without a declared search range moves by
    factors within its own limits; one with a range stays in it, or goes ``beyond`` it by factors at last.
    """
    parameter = schema.parameters[name]
    seen = []
    candidates = _candidates(schema, name, parameter, current, way)
    if beyond and parameter.type == "float" and isinstance(current, int | float):
        candidates = chain(candidates, (float(f"{value:.3g}") for value in _by_factors(current, way)))
    for value in candidates:
        if value == current or value in seen or not _allowed(schema, name, value):
            continue
        seen.append(value)
        yield value


def place(entry: SearchRange, value: float) -> float:
    """Where a value lies in its range, from 0 to 1 and beyond; of its sign, where it is searched by factors."""
    if entry.log:
        return math.log(value / entry.low) / math.log(entry.high / entry.low)
    return (value - entry.low) / (entry.high - entry.low)


def scaled(current: Any, factor: float) -> Any:
    """A value times a factor, whole numbers and lists of them rounded to whole ones; others as they are."""
    if isinstance(current, list | tuple):
        return [scaled(item, factor) for item in current]
    if isinstance(current, bool) or not isinstance(current, int | float):
        return current
    return round(current * factor) if isinstance(current, int) else float(f"{current * factor:.4g}")


def _candidates(schema: TaskSchema, name: str, parameter: Parameter, current: Any, way: Way) -> Iterator[Any]:
    if parameter.type == "list" and parameter.item == "int" and isinstance(current, list | tuple):
        for factor in (2.0, 4.0):
            scale = factor if way == "stronger" else 1 / factor
            yield [max(1, round(item * scale)) for item in current]
        return
    if parameter.type not in {"float", "int"} or isinstance(current, bool) or not isinstance(current, int | float):
        return
    for value in _numbers(schema, name, float(current), way):
        yield round(value) if parameter.type == "int" else float(f"{value:.3g}")


def _numbers(schema: TaskSchema, name: str, current: float, way: Way) -> Iterator[float]:
    known = schema.range_of(name)
    if known is None:
        yield from _by_factors(current, way)
        return
    low, high = known.low, known.high
    if known.log and current != 0:
        yield from (_clipped(value, low, high) for value in _by_factors(current, way))
        return
    # The sign of a range tells a penalty from a reward; a term that is off begins on its side of zero.
    sign = -1.0 if abs(low) > abs(high) else 1.0
    for fraction in FRACTIONS:
        step = sign * fraction * (high - low)
        yield _clipped(current + step if way == "stronger" else current - step, low, high)


def _by_factors(current: float, way: Way) -> Iterator[float]:
    """Multiples and parts of a value; none of nothing."""
    if current != 0:
        yield from (current * factor if way == "stronger" else current / factor for factor in FACTORS)


def _clipped(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def _allowed(schema: TaskSchema, name: str, value: Any) -> bool:
    try:
        check_overrides(schema, {name: value})
    except UsageError:
        return False
    return True
