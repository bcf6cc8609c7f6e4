"""Which line is which experiment: one style each, and one legend for all panels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bokeh.models import InlineStyleSheet, Range1d
from bokeh.models.annotations import Legend, LegendItem
from bokeh.models.layouts import LayoutDOM
from bokeh.plotting import figure

from wavebook_tools.comparison.data import Experiment
from wavebook_tools.display.style import BASELINE_COLOUR, line_style

LineStyle = tuple[str, str, float]
"""Colour, dash pattern and width [px]."""

_WIDTH = 820  # px that the legend's columns share
_STYLE = ".bk-item .bk-label { color: var(--jp-ui-font-color1, #333) !important; padding-right: 14px; }"


def curve_styles(experiments: Sequence[Experiment]) -> dict[str, LineStyle]:
    """Each experiment's line by its id, in the order of the plan; baselines are grey and wide."""
    styles: dict[str, LineStyle] = {}
    number = 0
    for experiment in experiments:
        if experiment.spec.baseline:
            styles[experiment.id] = (BASELINE_COLOUR, "solid", 2.6)
        else:
            styles[experiment.id] = (*line_style(number), 1.8)
            number += 1
    return styles


def shared_legend(
    experiments: Sequence[Experiment], styles: Mapping[str, LineStyle], panels: Sequence[Sequence[Sequence[Any]]]
) -> LayoutDOM:
    """A figure that holds nothing but the legend: a click mutes the experiment in all panels at once.

    Args:
        experiments: What the lines stand for.
        styles: Each one's line, by id.
        panels: For each panel and each experiment, the renderers that belong to it.
    """
    widest = max(len(experiment.label) for experiment in experiments)
    columns = max(1, min(len(experiments), _WIDTH // (7 * widest + 50)))
    rows = -(-len(experiments) // columns)
    plot = figure(
        height=22 * rows + 20,
        sizing_mode="stretch_width",
        x_range=Range1d(start=0, end=1),
        y_range=Range1d(start=0, end=1),
        tools="",
        toolbar_location=None,
        outline_line_color=None,
    )
    plot.background_fill_color = plot.border_fill_color = None
    plot.axis.visible = plot.grid.visible = False
    items = []
    for number, experiment in enumerate(experiments):
        colour, dash, width = styles[experiment.id]
        # A legend paints the swatches of its own figure's lines only; this one lies outside the picture.
        swatch = plot.line([-1], [-1], line_color=colour, line_dash=dash, line_width=width, muted_alpha=0.2)
        renderers: list[Any] = [swatch, *(renderer for panel in panels for renderer in panel[number])]
        items.append(LegendItem(label=experiment.label, renderers=renderers))
    options: dict[str, Any] = {
        "items": items,
        "click_policy": "mute",
        "ncols": columns,
        "location": "top_left",
        "background_fill_color": None,
        "border_line_color": None,
        "padding": 0,
        "margin": 2,
        "spacing": 2,
        "glyph_width": 28,
        "label_text_font_size": "12px",
        "stylesheets": [InlineStyleSheet(css=_STYLE)],
    }
    plot.add_layout(Legend(**options))
    return plot
