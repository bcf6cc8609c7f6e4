"""The learning curves of a comparison: four panels with a shared axis, crosshair and legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from bokeh.layouts import column, row
from bokeh.models import (
    BasicTicker,
    ColumnDataSource,
    CrosshairTool,
    CustomJS,
    InlineStyleSheet,
    LinearScale,
    LogScale,
    LogTicker,
    Range1d,
)
from bokeh.models.annotations import Span
from bokeh.models.layouts import LayoutDOM
from bokeh.models.widgets import Div, Select, Slider, Switch
from bokeh.plotting import figure

from wavebook_tools.comparison.curves import DRAWN, Curve, curve, metrics_and_points
from wavebook_tools.comparison.data import Experiment
from wavebook_tools.comparison.legend import LineStyle, shared_legend
from wavebook_tools.display.style import BASELINE_COLOUR, add_hover, make_figure
from wavebook_tools.metrics.quantities import quantity

PANELS = DRAWN
EXPLANATION = (
    "Measured while training, on each experiment's own terms: they show how it learnt, they do not rank. Lines are "
    "means over the seeds that finished (over all, where none has), bands reach from the smallest to the largest. "
    "A click in the legend mutes an experiment."
)
X_TITLE = "training iteration"

_INPUT = (
    ".bk-input { background-color: var(--jp-layout-color1, #fff); color: var(--jp-ui-font-color1, #333);"
    " border-color: var(--jp-border-color1, #bbb); }"
)

# Every panel shows one metric of all experiments. The callback fills the panels' sources from `raw` anew: another
# metric, smoothing by a running mean whose weight falls off by 1/e in `tau` iterations, a logarithmic axis, which
# leaves out what is not positive.
_REDRAW = """
const tau = smoothing.value
const log = logarithmic.active
function smooth(x, y) {
  const out = new Float32Array(y.length)
  let mean = NaN, last = NaN
  for (let i = 0; i < y.length; i++) {
    if (tau <= 0 || isNaN(mean)) mean = y[i]
    else if (!isNaN(y[i])) mean += (1 - Math.exp(-(x[i] - last) / tau)) * (y[i] - mean)
    last = x[i]
    out[i] = log && !(mean > 0) ? NaN : mean
  }
  return out
}
for (let p = 0; p < plots.length; p++) {
  const metric = selects[p].value
  let least = Infinity, most = -Infinity
  for (let e = 0; e < sources[p].length; e++) {
    const {x, mean, low = mean, high = mean} = raw[metric][e]
    const data = {x, mean: smooth(x, mean), low: smooth(x, low), high: smooth(x, high)}
    for (const y of data.low) if (y < least) least = y
    for (const y of data.high) if (y > most) most = y
    sources[p][e].data = data
  }
  if (!(least <= most)) [least, most] = [log ? 0.1 : 0, 1]
  const pad = log ? Math.pow(most / least, 0.05) || 1.1 : (most - least) * 0.05 || Math.abs(most) * 0.05 || 0.5
  const [start, end] = log ? [least / Math.max(pad, 1.01), most * Math.max(pad, 1.01)] : [least - pad, most + pad]
  plots[p].left[0].axis_label = units[metric]
  plots[p].left[0].ticker = log ? log_ticker : linear_ticker
  plots[p].y_scale = log ? log_scale : linear_scale
  plots[p].y_range.setv({start, end, reset_start: start, reset_end: end})
}
"""


def learning_curves(
    experiments: Sequence[Experiment], styles: Mapping[str, LineStyle], *, scripts: bool
) -> LayoutDOM | None:
    """The section, or None where nothing was recorded yet.

    Args:
        experiments: Whose curves.
        styles: Each experiment's line, by id.
        scripts: Whether metric, smoothing and axis can be chosen, which takes a CustomJS. Without it the four most
            telling metrics are shown, still with hover, zoom and muting, and no text that would be HTML.
    """
    names, points = metrics_and_points(experiments)
    if not names:
        return None
    shown = names[:PANELS]
    end = max((int(run.history.iterations[-1]) for e in experiments for run in e.runs if len(run.history)), default=1)
    x_range = Range1d(start=0, end=max(1, end))
    cross = Span(dimension="height", line_color=BASELINE_COLOUR, line_dash="dotted")
    carried = names if scripts else shown
    curves = {name: [curve(experiment, name, points) for experiment in experiments] for name in carried}
    panels = [_panel(name, experiments, curves[name], styles, x_range, cross, titled=not scripts) for name in shown]
    plots = [plot for plot, _, _ in panels]
    legend = shared_legend(experiments, styles, [renderers for _, _, renderers in panels])
    if not scripts:
        return column(legend, grid(plots), sizing_mode="stretch_width")

    options: list[Any] = [(name, quantity(name).label) for name in names]
    selects = [
        Select(
            value=name,
            options=options,
            title="",
            sizing_mode="stretch_width",
            stylesheets=[InlineStyleSheet(css=_INPUT)],
        )
        for name in shown
    ]
    smoothing = Slider(
        title="Smoothing [iterations]",
        start=0,
        end=max(1, end // 5),
        step=1,
        value=0,
        width=240,
        show_value=True,
    )
    logarithmic = Switch(active=False, label="Logarithmic axis", margin=(18, 5, 5, 15))
    redraw = CustomJS(
        args={
            "raw": {name: [_arrays(c, several=_several(e)) for c, e in zip(row, experiments, strict=True)]
                    for name, row in curves.items()},
            "units": {name: quantity(name).axis for name in names},
            "plots": plots,
            "selects": selects,
            "sources": [sources for _, sources, _ in panels],
            "smoothing": smoothing,
            "logarithmic": logarithmic,
            "linear_scale": LinearScale(),
            "log_scale": LogScale(),
            "linear_ticker": BasicTicker(),
            "log_ticker": LogTicker(num_minor_ticks=0),
        },
        code=_REDRAW,
    )  # fmt: skip
    for select in selects:
        select.js_on_change("value", redraw)
    smoothing.js_on_change("value", redraw)
    logarithmic.js_on_change("active", redraw)
    cells = [column(select, plot, sizing_mode="stretch_width") for select, plot in zip(selects, plots, strict=True)]
    controls = row(smoothing, logarithmic, sizing_mode="stretch_width")
    heading = Div(text=f"<h2>Learning curves</h2><p>{EXPLANATION}</p>", sizing_mode="stretch_width")
    return column(heading, legend, controls, grid(cells), sizing_mode="stretch_width")


def grid(children: Sequence[Any]) -> LayoutDOM:
    """Children two in a row, or one where they would become narrower than 400 px."""
    box = column(*children, sizing_mode="stretch_width")
    columns = "repeat(auto-fit, minmax(min(100%, max(400px, 34%)), 1fr))"
    box.styles = {"display": "grid", "grid-template-columns": columns, "gap": "8px 16px"}
    return box


def _panel(
    name: str,
    experiments: Sequence[Experiment],
    curves: Sequence[Curve],
    styles: Mapping[str, LineStyle],
    x_range: Range1d,
    cross: Span,
    *,
    titled: bool,
) -> tuple[figure, list[ColumnDataSource], list[list[Any]]]:
    plot = make_figure(
        quantity(name).label if titled else "",
        X_TITLE,
        quantity(name).axis,
        x_range=x_range,
        y_range=_y_range(curves),
    )
    sources, renderers = [], []
    lines = []
    for experiment, one in zip(experiments, curves, strict=True):
        colour, dash, width = styles[experiment.id]
        source = ColumnDataSource(_arrays(one, several=True))
        label = experiment.label
        mine: list[Any] = []
        if _several(experiment):
            mine.append(
                plot.varea(
                    "x", "low", "high", source=source, fill_color=colour, fill_alpha=0.2, muted_alpha=0.03, name=label
                )
            )
        look: dict[str, Any] = {"line_color": colour, "line_dash": dash, "line_width": width, "muted_alpha": 0.12}
        line = plot.line("x", "mean", source=source, name=label, **look)
        for renderer in (*mine, line):
            renderer.nonselection_glyph = None  # nothing is selected here, and it would be a third of the models' bytes
        lines.append(line)
        sources.append(source)
        renderers.append([*mine, line])
    add_hover(
        plot,
        [("", "$name"), ("iteration", "@x"), ("mean", "@mean{0.0000}"), ("seeds", "@low{0.0000} … @high{0.0000}")],
        renderers=lines,
    )
    plot.add_tools(CrosshairTool(overlay=cross))
    return plot, sources, renderers


def _y_range(curves: Sequence[Curve]) -> Range1d:
    finite = [values[np.isfinite(values)] for c in curves for values in (c.low, c.high)]
    values = np.concatenate(finite) if finite else np.empty(0)
    if not len(values):
        return Range1d(start=0, end=1)
    least, most = float(values.min()), float(values.max())
    pad = (most - least) * 0.05 or abs(most) * 0.05 or 0.5
    return Range1d(start=least - pad, end=most + pad)


def _several(experiment: Experiment) -> bool:
    return sum(len(run.history) > 0 for run in experiment.runs) > 1


def _arrays(one: Curve, *, several: bool) -> dict[str, Any]:
    x = one.x.astype(np.uint16 if not len(one.x) or one.x[-1] < 1 << 16 else np.int32)
    arrays: dict[str, Any] = {"x": x, "mean": one.mean.astype(np.float32)}
    if several:
        arrays |= {"low": one.low.astype(np.float32), "high": one.high.astype(np.float32)}
    return arrays
