"""What the fixed evaluation measured: each seed, the mean, its interval, and the zone of no difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from bokeh.layouts import column
from bokeh.models import ColumnDataSource, FactorRange, Range1d
from bokeh.models.layouts import LayoutDOM
from bokeh.models.widgets import Div
from bokeh.plotting import figure

from wavebook_tools.comparison.data import JUDGED, Comparison, Experiment
from wavebook_tools.comparison.learning_curves import grid
from wavebook_tools.comparison.legend import LineStyle
from wavebook_tools.comparison.statistics import Noise, difference
from wavebook_tools.comparison.verdict import Verdict, find_baseline, noise_floor
from wavebook_tools.display.style import BASELINE_COLOUR, add_hover, make_figure
from wavebook_tools.metrics.quantities import quantity

EXPLANATION = (
    "The same commands, seeds and ground for every run: what ranks is the velocity error. Circles are seeds, diamonds "
    "their mean. In the grey zone a mean is no different from the baseline's (vertical line); the bar around a mean is "
    "its own uncertainty at the same level. Both are missing where no experiment has two seeds: the noise is unknown."
)
METRICS = (JUDGED, "error_vel_yaw", "time_out", "terrain_level")


@dataclass(frozen=True)
class Yardstick:
    """What the experiments of one wave are judged against."""

    baseline: Experiment | None
    protocol: str | None

    @classmethod
    def of(cls, comparison: Comparison, wave_id: int) -> Yardstick:
        baseline = find_baseline(comparison, wave_id)
        return cls(baseline, baseline.protocol if baseline else None)


def final_metrics(
    comparison: Comparison,
    experiments: Sequence[Experiment],
    verdicts: Mapping[str, Verdict],
    styles: Mapping[str, LineStyle],
    *,
    headed: bool,
) -> LayoutDOM | None:
    """The section, or None where no run has finished.

    Args:
        comparison: What is compared.
        experiments: Its experiments in the order of the rows, best first.
        verdicts: The verdict on each, by id.
        styles: The line of each in the learning curves, by id: the same colour here.
        headed: Whether a heading with the explanation stands above.
    """
    measured = [metric for metric in METRICS if any(experiment.measured(metric) for experiment in experiments)]
    if not measured:
        return None
    yardsticks = {plan.id: Yardstick.of(comparison, plan.id) for plan in comparison.plans}
    noises = {
        (plan.id, metric): noise_floor(comparison, plan.id, metric, yardsticks[plan.id].protocol)
        for plan in comparison.plans
        for metric in measured
    }
    plots = [_plot(metric, experiments, verdicts, styles, yardsticks, noises) for metric in measured]
    if not headed:
        return grid(plots)
    heading = Div(text=f"<h2>Fixed evaluation</h2><p>{EXPLANATION}</p>", sizing_mode="stretch_width")
    return column(heading, grid(plots), sizing_mode="stretch_width")


def _plot(
    metric: str,
    experiments: Sequence[Experiment],
    verdicts: Mapping[str, Verdict],
    styles: Mapping[str, LineStyle],
    yardsticks: Mapping[int, Yardstick],
    noises: Mapping[tuple[int, str], Noise | None],
) -> figure:
    about = quantity(metric)
    labels = [experiment.label for experiment in experiments]
    arrow = {"down": "lower is better", "up": "higher is better", None: ""}[about.better]
    plot = make_figure(
        f"{about.label}, {arrow}" if arrow else about.label,
        about.axis,
        "experiment",
        height=70 + 26 * max(2, len(labels)),
        y_range=FactorRange(factors=list(reversed(labels))),
    )
    plot.yaxis.axis_label = None
    plot.ygrid.visible = False
    rows: dict[str, list[object]] = {key: [] for key in _COLUMNS}
    seeds: dict[str, list[object]] = {"label": [], "value": [], "seed": [], "colour": []}
    reach: list[float] = []
    for experiment in experiments:
        colour = styles[experiment.id][0]
        yardstick, noise = yardsticks[experiment.plan.id], noises[experiment.plan.id, metric]
        for run in experiment.runs:
            value = run.measured(metric, yardstick.protocol)
            if value is not None:
                _append(seeds, label=experiment.label, value=value, seed=run.seed, colour=colour)
        numbers = experiment.measured(metric, yardstick.protocol)
        if not numbers:
            continue
        mean = fmean(numbers)
        half = noise.factor * noise.deviation / len(numbers) ** 0.5 if noise else 0.0
        others = yardstick.baseline.measured(metric, yardstick.protocol) if yardstick.baseline else []
        base = fmean(others) if others else mean
        found = difference(numbers, others, noise) if others and experiment is not yardstick.baseline else None
        threshold = found.threshold if found else 0.0
        verdict = verdicts[experiment.id]
        _append(
            rows, label=experiment.label, mean=mean, low=mean - half, high=mean + half, base=base,
            zone_low=base - threshold, zone_high=base + threshold, colour=colour, seeds=len(numbers),
            verdict=verdict.verdict,
        )  # fmt: skip
        reach += [*numbers, base]
    # Very few degrees of freedom make a zone so wide that the points would shrink to one: it may leave the picture.
    span = max(reach) - min(reach) or abs(reach[0]) * 0.1 or 0.1
    widest = max(max(abs(h - b), abs(u - m)) for h, b, u, m in _halves(rows))
    pad = max(0.15 * span, min(widest * 1.1, 2.5 * span))
    plot.x_range = Range1d(start=min(reach) - pad, end=max(reach) + pad)
    source, points = ColumnDataSource(rows), ColumnDataSource(seeds)
    plot.hbar("label", left="zone_low", right="zone_high", height=0.8, source=source, color=BASELINE_COLOUR, alpha=0.22)
    plot.hbar(
        "label", left="base", right="base", height=0.94, source=source, line_color=BASELINE_COLOUR, line_width=1.5
    )
    plot.segment("low", "label", "high", "label", source=source, line_color="colour", line_width=2)
    circles = plot.scatter(
        "value", "label", source=points, size=8, fill_color=None, line_color="colour", line_width=1.5
    )
    diamonds = plot.scatter("mean", "label", source=source, marker="diamond", size=13, color="colour")
    add_hover(
        plot,
        [("", "@label"), ("mean", "@mean{0.0000}"), ("interval", "@low{0.0000} … @high{0.0000}"),
         ("seeds", "@seeds"), ("verdict", "@verdict")],
        renderers=[diamonds],
    )  # fmt: skip
    add_hover(plot, [("", "@label"), ("seed", "@seed"), ("value", "@value{0.0000}")], renderers=[circles])
    return plot


_COLUMNS = ("label", "mean", "low", "high", "base", "zone_low", "zone_high", "colour", "seeds", "verdict")


def _append(rows: dict[str, list[object]], **values: object) -> None:
    for key, value in values.items():
        rows[key].append(value)


def _halves(rows: Mapping[str, list[object]]) -> list[tuple[float, float, float, float]]:
    return list(zip(rows["zone_high"], rows["base"], rows["high"], rows["mean"], strict=True))  # type: ignore[arg-type]
