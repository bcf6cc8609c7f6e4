"""Fewer points for the screen, without losing a peak."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wavebook_tools.metrics.history import Floats, MetricHistory


def thin_indices(y: Floats, points: int) -> NDArray[np.int64]:
    """Indices of at most ``points`` values of ``y`` [N] that draw the same picture.

    Min-max decimation: the first and the last value, and of equal stretches between them the smallest and the largest.
    Every index is one of the data, and the extremes of the whole are always among them. (Jugel et al., «M4: A
    Visualization-Oriented Time Series Data Aggregation», VLDB 2014, without the stretches' own ends.)

    Args:
        y: Values in order, NaN where there is none.
        points: Most indices wanted, at least 4.
    """
    count = len(y)
    if count <= points:
        return np.arange(count)
    stretches = max(1, (points - 2) // 2)
    edges = np.linspace(1, count - 1, stretches + 1).astype(np.int64)
    inner = y[1:-1]
    width = int(np.diff(edges).max())
    # One row a stretch, filled up with NaN behind its end.
    index = edges[:-1, None] - 1 + np.arange(width)
    inside = index < (edges[1:, None] - 1)
    rows = np.where(inside, inner[np.minimum(index, len(inner) - 1)], np.nan)
    known = np.isfinite(rows)
    low = np.where(known, rows, np.inf).argmin(axis=1)
    high = np.where(known, rows, -np.inf).argmax(axis=1)
    some = known.any(axis=1)
    starts = edges[:-1]
    return np.unique(np.concatenate([[0], (starts + low)[some], (starts + high)[some], [count - 1]]))


def thin(history: MetricHistory, names: list[str], points: int) -> tuple[NDArray[np.int64], dict[str, Floats]]:
    """Several metrics of a run on one shared axis of at most about ``points`` iterations.

    The points are shared out between the metrics, so that each keeps its own extremes.

    Returns:
        Iterations [M] and, for each name, its values there [M].
    """
    if len(history) <= points or not names:
        kept = np.arange(len(history))
    else:
        share = max(4, points // len(names))
        kept = np.unique(np.concatenate([thin_indices(history[name], share) for name in names]))
    return history.iterations[kept], {name: history[name][kept] for name in names}
