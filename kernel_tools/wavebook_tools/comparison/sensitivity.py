"""How much a parameter goes with the velocity error: as importance, as a scatter plot, as parallel coordinates."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import StatisticsError, correlation, fmean
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, FactorRange, FixedTicker, Range1d
from bokeh.plotting import figure
from numpy.typing import NDArray

from wavebook_tools.comparison.data import JUDGED, Experiment
from wavebook_tools.comparison.linked import FADED, Linked
from wavebook_tools.comparison.parameters import differing, short_names
from wavebook_tools.display.style import BASELINE_COLOUR, PALETTE, add_hover, make_figure
from wavebook_tools.metrics.quantities import format_number, quantity

EXPLANATION = (
    "How far a parameter and the velocity error rise and fall together over these experiments: Spearman's rank "
    "correlation for numbers, the correlation ratio of the ranks for choices; 1 is the most. It proves no cause: "
    "parameters that were changed together share it, and with few experiments it is large by chance."
)
FEWEST = 4
"""With fewer experiments a correlation says nothing."""
MOST_AXES = 10
"""Parallel axes that can still be read."""


@dataclass(frozen=True)
class Coded:
    """A parameter that differs, as numbers."""

    name: str
    short: str
    values: NDArray[np.float64]
    """One number an experiment; of a choice its place among ``choices``."""
    choices: tuple[str, ...] = ()
    """The texts of a choice; empty for a number."""
    importance: float = math.nan
    """From 0 to 1; NaN where too few experiments have a result."""
    sign: int = 0
    """1 where the error rises with the parameter, -1 where it falls, 0 for a choice."""


def code_parameters(experiments: Sequence[Experiment]) -> list[Coded]:
    """The parameters that differ, the most important first."""
    found = differing(experiments)
    short = short_names(list(found))
    errors = judged(experiments)
    return sorted(
        (_coded(name, short[name], values, errors) for name, values in found.items()),
        key=lambda one: (-one.importance if math.isfinite(one.importance) else 1.0, one.short),
    )


def judged(experiments: Sequence[Experiment]) -> NDArray[np.float64]:
    """The mean velocity error of each experiment [m/s]; NaN where none was measured."""
    measured = (experiment.measured() for experiment in experiments)
    return np.array([fmean(numbers) if numbers else math.nan for numbers in measured])


def _coded(name: str, short: str, values: Sequence[Any], errors: NDArray[np.float64]) -> Coded:
    numeric = [_number(value) for value in values]
    known = np.isfinite(errors)
    if all(number is not None for number in numeric):
        column = np.array(numeric, np.float64)
        known &= np.isfinite(column)
        try:
            rho = correlation(column[known].tolist(), errors[known].tolist(), method="ranked")
        except StatisticsError:  # one value only, or one experiment
            rho = math.nan
        if known.sum() < FEWEST or not math.isfinite(rho):
            return Coded(name, short, column)
        return Coded(name, short, column, (), abs(rho), int(np.sign(rho)))
    texts = [value if isinstance(value, str) else json.dumps(value, default=str) for value in values]
    choices = tuple(sorted(set(texts)))
    column = np.array([choices.index(text) for text in texts], np.float64)
    importance = _correlation_ratio(column[known], errors[known]) if known.sum() >= FEWEST else math.nan
    return Coded(name, short, column, choices, importance)


def _correlation_ratio(groups: NDArray[np.float64], errors: NDArray[np.float64]) -> float:
    """Root of the share of the ranks' scatter that lies between the groups (Pearson's eta)."""
    ranks = np.argsort(np.argsort(errors)).astype(np.float64)
    total = float(((ranks - ranks.mean()) ** 2).sum())
    own = (ranks[groups == group] for group in np.unique(groups))
    between = sum(len(part) * (part.mean() - ranks.mean()) ** 2 for part in own)
    return math.sqrt(between / total) if total else math.nan


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def importance_bars(parameters: Sequence[Coded]) -> figure | None:
    """The importance of each parameter; None where it is unknown of all."""
    known = [one for one in parameters if math.isfinite(one.importance)][:20]
    if not known:
        return None
    plot = make_figure(
        "Importance for the velocity error",
        "rank correlation, magnitude",
        "parameter",
        height=120 + 26 * len(known),
        y_range=FactorRange(factors=[one.short for one in reversed(known)]),
        x_range=Range1d(start=0, end=1),
    )
    plot.yaxis.axis_label = None
    says = {1: "error rises with it", -1: "error falls with it", 0: "a choice"}
    source = ColumnDataSource(
        {
            "name": [one.short for one in known],
            "path": [one.name for one in known],
            "importance": [one.importance for one in known],
            "says": [says[one.sign] for one in known],
            "colour": [{1: PALETTE[1], -1: PALETTE[0], 0: BASELINE_COLOUR}[one.sign] for one in known],
        }
    )
    bars = plot.hbar(
        "name", right="importance", height=0.6, source=source, color="colour", legend_group="says", name="importance"
    )
    plot.legend[0].update(
        orientation="horizontal", background_fill_alpha=0, border_line_color=None, label_text_color=BASELINE_COLOUR
    )
    plot.add_layout(plot.legend[0], "below")  # inside it would lie over the bars
    add_hover(plot, [("", "@path"), ("importance", "@importance{0.00}"), ("", "@says")], renderers=[bars])
    return plot


def scatter(linked: Linked, parameters: Sequence[Coded]) -> tuple[figure, ColumnDataSource] | None:
    """The most important parameter against the velocity error; None without a parameter or a result."""
    errors = judged(linked.experiments)
    if not parameters or not np.isfinite(errors).any():
        return None
    first = parameters[0]
    plot = make_figure("", first.short, quantity(JUDGED).title, height=300, name="scatter")
    source = linked.source(value=first.values, error=errors, text=texts(first))
    dots = plot.scatter(
        "value", "error", source=source, view=linked.view(), size=11, color="colour", alpha="alpha",
        nonselection_alpha=FADED, name="scatter",
    )  # fmt: skip
    marked = linked.mark(source, "value", "error", "colour")
    plot.scatter(
        "value", "error", source=marked, size=18, fill_color=None, line_color="colour", line_width=2.5, level="overlay"
    )
    if first.choices:
        plot.xaxis.ticker = FixedTicker(ticks=list(range(len(first.choices))))
        plot.xaxis.major_label_overrides = dict(enumerate(first.choices))
    linked.link(plot, [dots], [("", "@label"), ("parameter", "@text"), ("velocity error", "@error{0.0000}")])
    return plot, source


def texts(parameter: Coded) -> list[str]:
    """The parameter's value in each experiment, for human eyes."""
    if parameter.choices:
        return [parameter.choices[int(value)] for value in parameter.values]
    return [format_number(float(value)) for value in parameter.values]


def parallel_coordinates(linked: Linked, parameters: Sequence[Coded]) -> figure | None:
    """One axis for each of the most important parameters, the last one for the velocity error."""
    errors = judged(linked.experiments)
    if not parameters or not np.isfinite(errors).any():
        return None
    shown = list(parameters[:MOST_AXES])
    axes = [*((one.short, _unit(one.values), _ends(one)) for one in shown), (
        quantity(JUDGED).title, _unit(errors), (_least(errors), _most(errors))
    )]  # fmt: skip
    places = list(range(len(axes)))
    plot = make_figure(
        "Parameters and result of each experiment",
        "",
        "",
        height=300,
        x_range=Range1d(start=-0.35, end=len(axes) - 0.65),
        y_range=Range1d(start=-0.16, end=1.16),
        name="parallel",
        tools="save",
        active_drag=None,
    )
    plot.yaxis.visible = plot.ygrid.visible = False
    plot.xaxis.ticker = FixedTicker(ticks=places)
    plot.xaxis.major_label_overrides = {place: name for place, (name, _, _) in enumerate(axes)}
    ends = ColumnDataSource(
        {
            "x": places * 2,
            "y": [-0.04] * len(axes) + [1.04] * len(axes),
            "text": [low for _, _, (low, _) in axes] + [high for _, _, (_, high) in axes],
            "baseline": ["top"] * len(axes) + ["bottom"] * len(axes),
        }
    )
    plot.text("x", "y", "text", source=ends, text_align="center", text_baseline="baseline",
              text_font_size="11px", text_color=BASELINE_COLOUR)  # fmt: skip
    heights = np.stack([height for _, height, _ in axes], axis=1)
    source = linked.source(xs=[places] * len(linked.experiments), ys=list(heights), error=errors)
    lines = plot.multi_line(
        "xs", "ys", source=source, view=linked.view(), line_color="colour", line_dash="dash", line_width="width",
        line_alpha="alpha", nonselection_line_alpha=FADED, name="parallel",
    )  # fmt: skip
    marked = linked.mark(source, "xs", "ys", "colour")
    plot.multi_line("xs", "ys", source=marked, line_color="colour", line_width=4, line_alpha=0.9, level="overlay")
    linked.link(plot, [lines], [("", "@label"), ("velocity error", "@error{0.0000}")])
    return plot


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values from 0 to 1, by their logarithm where they span more than two decades."""
    known = values[np.isfinite(values)]
    if len(known) and known.min() > 0 and known.max() / known.min() > 100:
        values, known = np.log(values), np.log(known)
    reach = np.ptp(known) if len(known) else 0.0
    return (values - known.min()) / reach if reach else np.where(np.isfinite(values), 0.5, np.nan)


def _ends(parameter: Coded) -> tuple[str, str]:
    if parameter.choices:
        return parameter.choices[0], parameter.choices[-1]
    return _least(parameter.values), _most(parameter.values)


def _least(values: NDArray[np.float64]) -> str:
    return format_number(float(np.nanmin(values)), 3)


def _most(values: NDArray[np.float64]) -> str:
    return format_number(float(np.nanmax(values)), 3)


def as_arguments(parameters: Sequence[Coded]) -> list[Mapping[str, Any]]:
    """What ``interaction.js`` needs to put another parameter on the scatter plot's axis."""
    return [
        {"name": one.name, "short": one.short, "values": one.values, "texts": texts(one), "choices": list(one.choices)}
        for one in parameters
    ]
