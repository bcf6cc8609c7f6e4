"""Iteration metrics of runs: their names and units, reading them fast, thinning them out, reducing them to numbers."""

from wavebook_tools.metrics.history import MetricCache, MetricHistory, MetricReader, read_metrics
from wavebook_tools.metrics.quantities import Quantity, quantity
from wavebook_tools.metrics.reducers import reduce
from wavebook_tools.metrics.thinning import thin, thin_indices

__all__ = [
    "MetricCache",
    "MetricHistory",
    "MetricReader",
    "Quantity",
    "quantity",
    "read_metrics",
    "reduce",
    "thin",
    "thin_indices",
]
