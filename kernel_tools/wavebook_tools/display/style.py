"""How every Bokeh figure of Wavebook looks: colours that colour-blind readers can tell apart, on light and dark."""

from __future__ import annotations

from typing import Any

from bokeh.models import HoverTool, InlineStyleSheet, WheelZoomTool
from bokeh.models.annotations import Title
from bokeh.plotting import figure

BASELINE_COLOUR = "#7f7f7f"
OUTLINE = "#80808050"

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#c0619a", "#a67c00", "#3b93c4")
"""Line colours. The first four are Okabe and Ito's (Wong, Nature Methods 8, 441, 2011), the purple darkened; their
yellow, orange and sky blue are too pale on white and are replaced by darker ones. Each has a contrast of at least 3:1
to white and to JupyterLab's dark background."""

DASHES = ("solid", "dashed", "dotdash", "dotted")
"""Line patterns, the second cue beside the colour; they change when the colours have been through."""

# BokehJS takes a canvas colour that a model leaves at its default from these properties. They name JupyterLab's own
# variables, so a figure follows the theme; our HTML page defines the same variables for light and dark.
_TEXT = "var(--jp-ui-font-color1,#333)"
_QUIET = "var(--jp-ui-font-color2,#666)"
_LINE = "var(--jp-border-color1,#999)"
_GRID = "var(--jp-border-color2,#ddd)"
THEME_VARIABLES = f"""
:host {{
  --bk-axis-label-text-color: {_TEXT}; --bk-major-label-text-color: {_QUIET}; --bk-group-text-color: {_QUIET};
  --bk-axis-line-color: {_LINE}; --bk-major-tick-line-color: {_LINE}; --bk-minor-tick-line-color: transparent;
  --bk-grid-line-color: {_GRID}; --bk-text-color: {_TEXT};
  color: {_TEXT};
}}
"""


def style_sheet() -> InlineStyleSheet:
    """The style sheet that lets a figure follow the theme; each root model carries one."""
    return InlineStyleSheet(css=THEME_VARIABLES)


def line_style(index: int) -> tuple[str, str]:
    """Colour and dash pattern of the curve with that number, from 0."""
    return PALETTE[index % len(PALETTE)], DASHES[index // len(PALETTE) % len(DASHES)]


def make_figure(title: str, x_title: str, y_title: str, *, height: int = 280, **options: Any) -> figure:
    """An empty figure in Wavebook's style, as wide as its place.

    Args:
        title: What it shows; may be empty.
        x_title: Horizontal axis with unit.
        y_title: Vertical axis with unit.
        height: Height of the figure [px].
        options: Further arguments of ``bokeh.plotting.figure``.
    """
    plot = figure(
        title=title or None,
        x_axis_label=x_title,
        y_axis_label=y_title,
        height=height,
        sizing_mode="stretch_width",
        min_width=280,
        **{
            "tools": "pan,box_zoom,wheel_zoom,reset,save",
            "active_drag": "box_zoom",
            "toolbar_location": "right",
            "output_backend": "canvas",
            **options,
        },
    )
    plot.background_fill_color = None
    plot.border_fill_color = None
    plot.outline_line_color = OUTLINE
    plot.toolbar.logo = None
    plot.toolbar.autohide = True
    for zoom in (tool for tool in plot.tools if isinstance(tool, WheelZoomTool)):
        # Without a key the wheel belongs to the page; with it (or two fingers pinched) no tool need be chosen first.
        zoom.modifiers = {"ctrl": True}
        zoom.description = "Wheel Zoom (Ctrl)"
        plot.toolbar.active_scroll = zoom
    if isinstance(plot.title, Title):
        plot.title.text_font_size = "12.5px"
        plot.title.text_font_style = "normal"
    for axis in plot.axis:
        axis.axis_label_text_font_style = "normal"
        axis.axis_label_text_font_size = "12px"
        axis.major_label_text_font_size = "11px"
    return plot


def add_hover(plot: figure, tooltips: list[tuple[str, str]], **options: Any) -> HoverTool:
    """Give a figure a hover tool that shows these label and value pairs."""
    hover = HoverTool(tooltips=tooltips, **options)
    plot.add_tools(hover)
    return hover
