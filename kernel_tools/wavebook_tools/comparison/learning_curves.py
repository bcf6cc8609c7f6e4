"""The learning curves of a comparison: four panels with a shared axis, crosshair, legend and selection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.layouts import column
from bokeh.models import ColumnDataSource, CrosshairTool, Range1d
from bokeh.models.annotations import Legend, LegendItem, Span, Title
from bokeh.models.layouts import LayoutDOM
from bokeh.models.renderers import GlyphRenderer
from bokeh.plotting import figure

from wavebook_tools.comparison.curves import DRAWN, Curve, bands, curve, metrics_and_points
from wavebook_tools.comparison.linked import FADED, Linked
from wavebook_tools.display.style import BASELINE_COLOUR, make_figure
from wavebook_tools.metrics.quantities import quantity

EXPLANATION = (
    "Measured while training, on each experiment's own terms: they show how it learnt, they do not rank. Lines are "
    "means over the seeds that finished (over all, where none has), bands reach from the smallest to the largest. "
    "A click on a line selects its experiment in every figure; the legend mutes."
)
X_TITLE = "training iteration"
PLAIN_METRICS = DRAWN
BAND = 0.16
"""Opacity of a band."""
MOST_LEGEND = 40
"""More entries than this would be higher than the figures that they explain."""


@dataclass(frozen=True)
class Panel:
    """One metric of all experiments."""

    plot: figure
    source: ColumnDataSource
    """One row an experiment: ``xs`` and ``ys`` of its line, ``bx`` and ``by`` of its band's outline."""
    end: int
    """The last iteration of all."""


def make_panels(linked: Linked, names: Sequence[str]) -> list[Panel]:
    """Empty panels that share their iterations, crosshair and selection; ``interaction.js`` fills them.

    With scripts each has a range of its own, which the script lets follow the others': one range would have all four
    drawn anew in every frame of a drag.
    """
    experiments = linked.experiments
    end = max((int(run.history.iterations[-1]) for e in experiments for run in e.runs if len(run.history)), default=1)
    end = max(1, end)
    shared = Range1d(start=0, end=end)
    cross = Span(dimension="height", line_color=BASELINE_COLOUR, line_dash="dotted", level="overlay")
    ranges = [Range1d(start=0, end=end) if linked.scripts else shared for _ in names]
    return [_panel(name, linked, x_range, end, cross) for name, x_range in zip(names, ranges, strict=True)]


def plain_curves(linked: Linked) -> LayoutDOM | None:
    """The most telling metrics without a script: hover, zoom and selection alone. None where nothing was recorded."""
    names, points = metrics_and_points(linked.experiments, budget=120_000)
    names = names[:PLAIN_METRICS]
    if not names:
        return None
    panels = make_panels(linked, names)
    for name, panel in zip(names, panels, strict=True):
        curves = [curve(experiment, name, min(points, 200)) for experiment in linked.experiments]
        panel.source.data.update(_outlines(curves, banded=bands(linked.experiments)))
        panel.plot.title = Title(text=quantity(name).label)
        low, high = span(curves)
        panel.plot.y_range = Range1d(start=low, end=high)
    _legend(panels[0], linked)
    return grid([panel.plot for panel in panels])


def grid(children: Sequence[Any]) -> LayoutDOM:
    """Children two in a row, or one where they would become narrower than 400 px."""
    box = column(*children, sizing_mode="stretch_width")
    columns = "repeat(auto-fit, minmax(min(100%, max(400px, 34%)), 1fr))"
    box.styles = {"display": "grid", "grid-template-columns": columns, "gap": "8px 16px"}
    return box


def span(curves: Sequence[Curve]) -> tuple[float, float]:
    """The least and the largest value of curves with some air around them."""
    finite = [values[np.isfinite(values)] for c in curves for values in (c.low, c.high)]
    values = np.concatenate(finite) if finite else np.empty(0)
    if not len(values):
        return 0.0, 1.0
    least, most = float(values.min()), float(values.max())
    pad = (most - least) * 0.05 or abs(most) * 0.05 or 0.5
    return least - pad, most + pad


def _panel(name: str, linked: Linked, x_range: Range1d, end: int, cross: Span) -> Panel:
    plot = make_figure(
        " ",  # its place is kept for the metric's name
        X_TITLE,
        quantity(name).axis,
        x_range=x_range,
        y_range=Range1d(start=0, end=1),
        tools="xpan,xbox_zoom,xwheel_zoom,box_zoom,reset,save",
        active_drag="xpan",
        lod_threshold=None,  # thinned out already; Bokeh's own thinning would drop peaks while panning
        lod_interval=0,  # else each figure is drawn once more half a second after each time
    )
    empty: list[list[float]] = [[] for _ in linked.experiments]
    source = linked.source(xs=empty, ys=empty, bx=empty, by=empty, band=[BAND] * len(empty))
    band = plot.patches(
        "bx", "by", source=source, view=linked.view(), fill_color="colour", line_color=None, name="band",
        fill_alpha="band", nonselection_fill_alpha=0.02,
    )  # fmt: skip
    line = plot.multi_line(
        "xs", "ys", source=source, view=linked.view(), line_color="colour", line_dash="dash", line_width="width",
        line_alpha="alpha", nonselection_line_alpha=FADED, name="mean",
    )  # fmt: skip
    marked = linked.mark(source, "xs", "ys", "colour")
    plot.multi_line("xs", "ys", source=marked, line_color="colour", line_width=4, line_alpha=0.9, level="overlay")
    linked.link(
        plot,
        [line],
        [("", "@label"), ("iteration", "$snap_x{0}"), ("mean", "$snap_y{0.0000}")],
        line_policy="nearest",
    )
    plot.add_tools(CrosshairTool(overlay=cross))
    band.level = "underlay"
    return Panel(plot, source, end)


def _outlines(curves: Sequence[Curve], *, banded: bool) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {"xs": [], "ys": [], "bx": [], "by": []}
    for one in curves:
        x = one.x.astype(np.int32)
        columns["xs"].append(x)
        columns["ys"].append(one.mean.astype(np.float32))
        drawn = banded and one.banded
        columns["bx"].append(np.concatenate([x, x[::-1]]) if drawn else [])
        columns["by"].append(np.concatenate([one.low, one.high[::-1]]).astype(np.float32) if drawn else [])
    return columns


def _legend(panel: Panel, linked: Linked) -> None:
    line = next(r for r in panel.plot.renderers if isinstance(r, GlyphRenderer) and r.name == "mean")
    shown = linked.experiments[:MOST_LEGEND]
    look: dict[str, Any] = {
        "items": [LegendItem(label=one.label, renderers=[line], index=row) for row, one in enumerate(shown)],
        "ncols": 3,
        "label_text_font_size": "11px",
        "label_text_color": BASELINE_COLOUR,
        "border_line_color": None,
        "background_fill_color": None,
    }
    panel.plot.add_layout(Legend(**look), "above")
