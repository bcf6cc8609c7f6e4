"""What the fixed evaluation measured on each kind of ground."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from bokeh.models import ColumnDataSource, DataRange1d, FactorRange
from bokeh.plotting import figure

from wavebook_tools.comparison.data import JUDGED, Experiment
from wavebook_tools.comparison.linked import FADED, Linked
from wavebook_tools.display.style import make_figure
from wavebook_tools.metrics.quantities import quantity

MOST_BARS = 10
"""Experiments side by side on one kind of ground; the best ones that the filters let through."""


@dataclass(frozen=True)
class Terrains:
    """The figure and the numbers to choose from."""

    plot: figure
    source: ColumnDataSource
    """A bar a row; ``row`` says of which experiment."""
    names: list[str]
    metrics: list[str]
    numbers: dict[str, list[list[float]]]
    """For each metric and terrain one number an experiment, the mean over its seeds; NaN where there is none."""


def terrains(linked: Linked) -> Terrains | None:
    """Bars of the velocity error on each terrain; None where no run tells terrains apart."""
    experiments = linked.experiments
    cells = [cell for e in experiments for run in e.runs for r in run.results for cell in r.per_terrain.items()]
    names = list(dict.fromkeys(name for name, _ in cells))
    found = {key for _, values in cells for key, value in values.items() if isinstance(value, int | float)}
    metrics = sorted(found, key=lambda key: (key != JUDGED, key))
    if not metrics:
        return None
    numbers = {
        metric: [[_mean(experiment, name, metric) for experiment in experiments] for name in names]
        for metric in metrics
    }
    bars = FactorRange()
    plot = make_figure("", "", quantity(metrics[0]).axis, height=320, x_range=bars, name="terrains",
                       y_range=DataRange1d(start=0))  # fmt: skip
    plot.xaxis.major_label_orientation = math.pi / 3
    plot.xgrid.visible = False
    rows = _rows(linked, names, numbers[metrics[0]])
    source = linked.scatter_source(rows.pop("row"), **rows)
    bars.factors = rows["x"]
    drawn = plot.vbar("x", top="top", width=0.85, source=source, color="colour", alpha="alpha",
                      nonselection_alpha=FADED, name="terrains")  # fmt: skip
    linked.link(plot, [drawn], [("", "@label"), ("terrain", "@terrain"), ("mean", "@top{0.0000}")])
    return Terrains(plot, source, names, metrics, numbers)


def _rows(linked: Linked, names: Sequence[str], numbers: Sequence[Sequence[float]]) -> dict[str, list[Any]]:
    """One bar for each terrain and each of the best experiments that were measured there."""
    columns: dict[str, list[Any]] = {"row": [], "x": [], "top": [], "terrain": []}
    measured = [row for row in range(len(linked.experiments)) if any(math.isfinite(line[row]) for line in numbers)]
    for name, line in zip(names, numbers, strict=True):
        for row in measured[:MOST_BARS]:
            columns["row"].append(row)
            columns["x"].append((name.replace("_", " "), linked.experiments[row].id))
            columns["top"].append(line[row])
            columns["terrain"].append(name)
    return columns


def _mean(experiment: Experiment, terrain: str, metric: str) -> float:
    seeds = []
    for run in experiment.runs:
        values = [result.per_terrain.get(terrain, {}).get(metric) for result in run.results]
        known = [float(value) for value in values if isinstance(value, int | float) and math.isfinite(value)]
        if known:
            seeds.append(fmean(known))
    return fmean(seeds) if seeds else math.nan
