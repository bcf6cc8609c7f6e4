"""Learning curves of experiments: the mean over seeds and the band that they span."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wavebook_tools.comparison.data import Experiment
from wavebook_tools.metrics.history import Floats, MetricHistory
from wavebook_tools.metrics.quantities import by_preference
from wavebook_tools.metrics.thinning import thin_indices
from wavebook_tools.records.run import RunState

BYTES = 780_000
"""What the curves of one page may take [bytes]; with BokehJS (1.8 MB) and its models a page stays below 3 MB."""
MOST_POINTS, FEWEST_POINTS = 400, 32
DRAWN = 4
"""Metrics that are drawn at a time."""
POINT_BYTES = 4.0
"""What one number takes when packed, deflated and written as base64, with its share of the iterations [bytes]."""
MOST_BANDS = 64
"""Above so many experiments their bands would only hide each other."""


@dataclass(frozen=True)
class Curve:
    """One metric of one experiment, thinned out for the screen."""

    x: NDArray[np.int64]
    """Training iterations [M]."""
    mean: Floats
    """Mean over the seeds that recorded the iteration [M]."""
    low: Floats
    """Smallest of the seeds [M]; the mean itself where there is one seed."""
    high: Floats
    """Largest of the seeds [M]."""
    banded: bool = False
    """Whether there were several seeds."""


def curve(experiment: Experiment, metric: str, points: int, *, window: tuple[float, float] | None = None) -> Curve:
    """The mean over an experiment's seeds, and the smallest and largest of them.

    Over those that finished, where there are any; else over those that still run, else over those that ended early.

    Args:
        experiment: Whose runs.
        metric: Name as rsl_rl logs it.
        points: Most points kept; the mean's extremes are always among them.
        window: Only iterations between these two, and one neighbour on either side.
    """
    histories = [history for history in _histories(experiment) if metric in history.values]
    if not histories:
        return Curve(np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty(0))
    iterations, seeds = _aligned(histories, metric)
    # A mean over fewer seeds than before would jump where one stops, as those of a running wave do.
    reach = min(int(history.iterations[-1]) for history in histories)
    known = np.isfinite(seeds).any(axis=0) & (iterations <= reach)
    if not known.all():
        iterations, seeds = iterations[known], seeds[:, known]
    if window is not None:
        first, last = np.searchsorted(iterations, window[0]), np.searchsorted(iterations, window[1], "right")
        inside = slice(max(0, int(first) - 1), int(last) + 1)
        iterations, seeds = iterations[inside], seeds[:, inside]
    if not len(iterations):
        return Curve(iterations, np.empty(0), np.empty(0), np.empty(0))
    if len(histories) == 1:
        kept = thin_indices(seeds[0], points)
        values = seeds[0, kept]
        return Curve(iterations[kept], values, values, values)
    mean = np.nanmean(seeds, axis=0)
    kept = thin_indices(mean, points)
    seeds = seeds[:, kept]
    return Curve(iterations[kept], mean[kept], np.nanmin(seeds, axis=0), np.nanmax(seeds, axis=0), banded=True)


def metrics_and_points(experiments: Sequence[Experiment], *, budget: int = BYTES) -> tuple[list[str], int]:
    """Which metrics a page carries, most telling first, and with how many points a curve, to stay within its bytes."""
    names = metric_names(experiments)
    longest = max((len(run.history) for e in experiments for run in e.runs), default=0)
    columns = sum(3 if bands(experiments) and len(e.runs) > 1 else 1 for e in experiments)
    per_point = max(1, columns) * POINT_BYTES
    fitting = int(budget / (per_point * max(1, min(longest, FEWEST_POINTS))))
    names = names[: max(DRAWN, fitting)]
    points = int(budget / (per_point * max(1, len(names))))
    return names, min(MOST_POINTS, max(FEWEST_POINTS, points))


def metric_names(experiments: Sequence[Experiment]) -> list[str]:
    """All metrics that were recorded, most telling first."""
    return by_preference({name for e in experiments for run in e.runs for name in run.history.values})


def bands(experiments: Sequence[Experiment]) -> bool:
    """Whether so few experiments are compared that their bands tell something."""
    return len(experiments) <= MOST_BANDS


def _aligned(histories: Sequence[MetricHistory], metric: str) -> tuple[NDArray[np.int64], Floats]:
    first = histories[0].iterations
    if all(np.array_equal(first, history.iterations) for history in histories[1:]):
        return first, np.array([history[metric] for history in histories])
    iterations = np.unique(np.concatenate([history.iterations for history in histories]))
    seeds = np.full((len(histories), len(iterations)), np.nan)
    for row, history in zip(seeds, histories, strict=True):
        row[np.searchsorted(iterations, history.iterations)] = history[metric]
    return iterations, seeds


def _histories(experiment: Experiment) -> list[MetricHistory]:
    ranks: dict[int, list[MetricHistory]] = {0: [], 1: [], 2: []}
    for run in experiment.runs:
        if len(run.history):
            ranks[0 if run.state is RunState.DONE else 1 if not run.state.final else 2].append(run.history)
    return ranks[0] or ranks[1] or ranks[2]
