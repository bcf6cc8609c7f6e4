"""One number from a curve."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from wavebook_tools.errors import UsageError, did_you_mean
from wavebook_tools.metrics.history import Floats

LAST = 50
"""Iterations that ``tail`` averages: enough to even out what differs from iteration to iteration."""

_REDUCERS: dict[str, Callable[[Floats, int], float]] = {
    "first": lambda y, _: y[0],
    "last": lambda y, _: y[-1],
    "min": lambda y, _: y.min(),
    "max": lambda y, _: y.max(),
    "mean": lambda y, _: y.mean(),
    "tail": lambda y, last: y[-last:].mean(),
}

REDUCERS = tuple(_REDUCERS)


def reduce(y: Floats, how: str, *, last: int = LAST) -> float:
    """One number from the recorded values of a curve [N]; NaN where there is none.

    Args:
        y: Values in order of iteration; those that are NaN are left out.
        how: ``first``, ``last``, ``min``, ``max``, ``mean``, or ``tail``: the mean of the ``last`` values.
        last: How many values ``tail`` averages, at least 1.

    Raises:
        UsageError: No such reducer, or ``last`` below 1.
    """
    if how not in _REDUCERS:
        raise UsageError(f"there is no reducer {how!r}; there are {', '.join(REDUCERS)}.{did_you_mean(how, REDUCERS)}")
    if last < 1:
        raise UsageError(f"the mean of the last {last} values is undefined; give at least 1")
    known = y[np.isfinite(y)]
    return float(_REDUCERS[how](known, last)) if len(known) else float("nan")
