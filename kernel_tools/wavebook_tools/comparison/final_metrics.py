"""What the fixed evaluation measured: each seed, the mean, its interval, and the zone of no difference."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from bokeh.models import ColumnDataSource, FactorRange, Range1d
from bokeh.models.renderers import GlyphRenderer
from bokeh.plotting import figure

from wavebook_tools.comparison.data import JUDGED, Comparison, Experiment
from wavebook_tools.comparison.linked import FADED, Linked
from wavebook_tools.comparison.statistics import Noise, difference
from wavebook_tools.comparison.verdict import find_baseline, noise_floor
from wavebook_tools.display.style import BASELINE_COLOUR, make_figure
from wavebook_tools.metrics.quantities import quantity

EXPLANATION = (
    "The same commands, seeds and ground for every run: what ranks is the velocity error. Circles are seeds, diamonds "
    "their mean. In the grey zone a mean is no different from the baseline's (vertical line); the bar around a mean is "
    "its own uncertainty at the same level. Both are missing where no experiment has two seeds: the noise is unknown. "
    "Of very many experiments the best are shown; filter to see others."
)
METRICS = (JUDGED, "error_vel_yaw", "time_out", "terrain_level")
MOST_ROWS = 30
"""Experiments drawn at a time: as many as one looks through without scrolling."""


@dataclass(frozen=True)
class Yardstick:
    """What the experiments of one wave are judged against."""

    baseline: Experiment | None
    protocol: str | None

    @classmethod
    def of(cls, comparison: Comparison, wave_id: int) -> Yardstick:
        baseline = find_baseline(comparison, wave_id)
        return cls(baseline, baseline.protocol if baseline else None)


def final_metrics(comparison: Comparison, linked: Linked) -> list[figure]:
    """A figure for each metric that was measured; none where no run has finished.

    Args:
        comparison: What is compared.
        linked: Its experiments in the order of the rows, best first.
    """
    measured = [metric for metric in METRICS if any(experiment.measured(metric) for experiment in linked.experiments)]
    yardsticks = {plan.id: Yardstick.of(comparison, plan.id) for plan in comparison.plans} if measured else {}
    noises = {
        (plan.id, metric): noise_floor(comparison, plan.id, metric, yardsticks[plan.id].protocol)
        for plan in comparison.plans
        for metric in measured
    }
    return [_plot(metric, linked, yardsticks, noises) for metric in measured]


def rows_with_a_mean(plot: figure) -> list[int]:
    """The rows of the experiments of which a figure shows something."""
    means = next(one for one in plot.renderers if isinstance(one, GlyphRenderer) and one.name == "means").data_source
    assert isinstance(means, ColumnDataSource)
    return [row for row, mean in enumerate(means.data["mean"]) if math.isfinite(mean)]


def _plot(
    metric: str,
    linked: Linked,
    yardsticks: Mapping[int, Yardstick],
    noises: Mapping[tuple[int, str], Noise | None],
) -> figure:
    about = quantity(metric)
    labels = [experiment.label for experiment in linked.experiments][:MOST_ROWS]
    arrow = {"down": "lower is better", "up": "higher is better", None: ""}[about.better]
    plot = make_figure(
        f"{about.label}, {arrow}" if arrow else about.label,
        about.axis,
        "experiment",
        height=70 + 26 * max(2, len(labels)),
        y_range=FactorRange(factors=list(reversed(labels))),
        name="final",
    )
    plot.yaxis.axis_label = None
    plot.ygrid.visible = False
    rows: dict[str, list[object]] = {key: [] for key in _COLUMNS}
    seeds: dict[str, list[Any]] = {"row": [], "value": [], "seed": []}
    reach: list[float] = []
    for row, experiment in enumerate(linked.experiments):
        yardstick, noise = yardsticks[experiment.plan.id], noises[experiment.plan.id, metric]
        for run in experiment.runs:
            value = run.measured(metric, yardstick.protocol)
            if value is not None:
                _append(seeds, row=row, value=value, seed=run.seed)
        numbers = experiment.measured(metric, yardstick.protocol)
        verdict = linked.verdicts[experiment.id].verdict
        if not numbers:
            _append(rows, **dict.fromkeys(_COLUMNS, math.nan) | {"seeds": 0, "verdict": verdict})
            continue
        mean = fmean(numbers)
        half = noise.factor * noise.deviation / len(numbers) ** 0.5 if noise else 0.0
        others = yardstick.baseline.measured(metric, yardstick.protocol) if yardstick.baseline else []
        base = fmean(others) if others else mean
        found = difference(numbers, others, noise) if others and experiment is not yardstick.baseline else None
        threshold = found.threshold if found else 0.0
        _append(
            rows, mean=mean, low=mean - half, high=mean + half, base=base, zone_low=base - threshold,
            zone_high=base + threshold, seeds=len(numbers), verdict=verdict,
        )  # fmt: skip
        reach += [*numbers, base]
    # Very few degrees of freedom make a zone so wide that the points would shrink to one: it may leave the picture.
    span = max(reach) - min(reach) or abs(reach[0]) * 0.1 or 0.1
    widest = max((max(abs(h - b), abs(u - m)) for h, b, u, m in _halves(rows) if math.isfinite(m)), default=0.0)
    pad = max(0.15 * span, min(widest * 1.1, 2.5 * span))
    plot.x_range = Range1d(start=min(reach) - pad, end=max(reach) + pad)
    source = linked.source(**rows)
    points = linked.scatter_source(seeds["row"], value=seeds["value"], seed=seeds["seed"])
    drawn: dict[str, Any] = {"source": source, "view": linked.view()}
    plot.hbar("label", left="zone_low", right="zone_high", height=0.8, color=BASELINE_COLOUR, alpha=0.22, **drawn)
    plot.hbar("label", left="base", right="base", height=0.94, line_color=BASELINE_COLOUR, line_width=1.5, **drawn)
    plot.segment("low", "label", "high", "label", line_color="colour", line_width=2, line_alpha="alpha", **drawn)
    circles = plot.scatter(
        "value", "label", source=points, size=8, fill_color=None, line_color="colour", line_width=1.5,
        line_alpha="alpha", nonselection_line_alpha=FADED,
    )  # fmt: skip
    diamonds = plot.scatter("mean", "label", marker="diamond", size=13, color="colour", alpha="alpha",
                            name="means", **drawn)  # fmt: skip
    linked.link(
        plot,
        [diamonds],
        [("", "@label"), ("mean", "@mean{0.0000}"), ("interval", "@low{0.0000} … @high{0.0000}"),
         ("seeds", "@seeds"), ("verdict", "@verdict")],
    )  # fmt: skip
    linked.link(plot, [circles], [("", "@label"), ("seed", "@seed"), ("value", "@value{0.0000}")])
    plot.hbar("label", left=min(reach) - 9 * pad, right=max(reach) + 9 * pad, height=1, color="colour", alpha=0.16,
              source=linked.mark(source, "label", "colour"), level="overlay")  # fmt: skip
    return plot


_COLUMNS = ("mean", "low", "high", "base", "zone_low", "zone_high", "seeds", "verdict")


def _append(rows: dict[str, list[Any]], **values: object) -> None:
    for key, value in values.items():
        rows[key].append(value)


def _halves(rows: Mapping[str, list[object]]) -> list[tuple[float, float, float, float]]:
    return list(zip(rows["zone_high"], rows["base"], rows["high"], rows["mean"], strict=True))  # type: ignore[arg-type]
