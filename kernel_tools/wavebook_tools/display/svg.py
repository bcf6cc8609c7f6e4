"""Small pictures of curves: SVG of a few kilobytes, drawn in a millisecond, as an image that any viewer shows.

JupyterLab removes inline SVG from untrusted outputs but keeps images, so the picture goes into an ``img`` element.
It follows the system's light or dark setting only; its colours are readable on both.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from wavebook_tools.metrics.history import Floats
from wavebook_tools.metrics.quantities import format_number
from wavebook_tools.metrics.thinning import thin_indices

WIDTH = 840
PANEL_HEIGHT = 150
POINTS = 240

_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#767676}.v{font-weight:600}.f{fill:none;stroke:#8886}"
    ".c{fill:none;stroke-width:1.6;stroke-linejoin:round}"
)


@dataclass(frozen=True)
class Series:
    """One curve."""

    x: Floats
    """Iterations [N]."""
    y: Floats
    """Values [N]; NaN where there is none."""
    colour: str = "#1f86c7"
    label: str = ""
    """What the legend calls it; curves without a label are in no legend."""


@dataclass(frozen=True)
class Panel:
    """Curves on the same axes."""

    title: str
    """Label and unit."""
    series: tuple[Series, ...]


def curves_image(panels: Sequence[Panel], *, x_title: str, description: str) -> str:
    """An ``img`` element that shows the panels two in a row.

    Args:
        panels: The curves.
        x_title: What the horizontal axes count.
        description: The picture in words, for those who don't see it.
    """
    svg = curves_svg(panels, x_title=x_title)
    data = base64.b64encode(svg.encode()).decode()
    return f'<img alt="{escape(description)}" style="max-width:100%" src="data:image/svg+xml;base64,{data}">'


def curves_svg(panels: Sequence[Panel], *, x_title: str) -> str:
    """The panels as an SVG document; below them the legend of the first one's curves."""
    columns = min(2, max(1, len(panels)))
    rows = -(-len(panels) // columns)
    width, height = WIDTH // columns, PANEL_HEIGHT
    legend, legend_height = _legend(panels[0].series if panels else (), rows * height + 34)
    whole = rows * height + 20 + legend_height
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{whole}" '
        f'viewBox="0 0 {WIDTH} {whole}"><style>{_STYLE}</style>'
    ]
    for number, panel in enumerate(panels):
        parts.append(f'<g transform="translate({number % columns * width} {number // columns * height})">')
        parts.append(_panel(panel, width, height))
        parts.append("</g>")
    parts.append(f'<text x="{WIDTH / 2:.0f}" y="{rows * height + 14}" text-anchor="middle">{escape(x_title)}</text>')
    return "".join([*parts, legend, "</svg>"])


def _panel(panel: Panel, width: int, height: int) -> str:
    left, right, top, bottom = 56, 10, 24, 22
    inner_width, inner_height = width - left - right, height - top - bottom
    frame = f'<rect class="f" x="{left}" y="{top}" width="{inner_width}" height="{inner_height}"/>'
    title = f'<text x="{left}" y="16">{escape(panel.title)}</text>'
    drawn = [_known(series) for series in panel.series if np.isfinite(series.y).any()]
    if not drawn:
        return f'{title}{frame}<text x="{left + 8}" y="{top + 18}">no value yet</text>'
    x_low, x_high = min(s.x.min() for s in drawn), max(s.x.max() for s in drawn)
    y_low, y_high = min(s.y.min() for s in drawn), max(s.y.max() for s in drawn)
    margin = (y_high - y_low) * 0.05 or abs(y_high) * 0.05 or 1.0
    x_scale = inner_width / max(x_high - x_low, 1e-9)
    y_scale = inner_height / (y_high - y_low + 2 * margin)
    curves = ""
    for series in drawn:
        across, up = left + (series.x - x_low) * x_scale, top + (y_high + margin - series.y) * y_scale
        if len(across) > 1:
            points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across.tolist(), up.tolist(), strict=True))
            curves += f'<polyline class="c" stroke="{series.colour}" points="{points}"/>'
        else:
            curves += f'<circle class="c" stroke="{series.colour}" cx="{across[0]:.1f}" cy="{up[0]:.1f}" r="2"/>'
    latest = ""
    if len(panel.series) == 1:
        value = format_number(float(drawn[0].y[-1]), 3)
        latest = f'<text class="v" x="{width - right}" y="16" text-anchor="end">{value}</text>'
    ticks = "".join(
        f'<text x="{left - 4}" y="{top + (y_high + margin - value) * y_scale + 4:.1f}" text-anchor="end">'
        f"{_tick(float(value), float(y_high - y_low))}</text>"
        for value in sorted({float(y_low), float(y_high)})
    )
    ends = (
        f'<text x="{left}" y="{height - 6}">{x_low:.0f}</text>'
        f'<text x="{width - right}" y="{height - 6}" text-anchor="end">{x_high:.0f}</text>'
    )
    return title + latest + frame + curves + ticks + ends


def _known(series: Series) -> Series:
    known = np.isfinite(series.y)
    x, y = series.x[known], series.y[known]
    kept = thin_indices(y, POINTS)
    return Series(x[kept], y[kept], series.colour)


def _legend(series: Sequence[Series], top: int) -> tuple[str, int]:
    labelled = [one for one in series if one.label]
    if not labelled:
        return "", 0
    columns = max(1, WIDTH // (max(len(one.label) for one in labelled) * 7 + 50))
    parts = []
    for number, one in enumerate(labelled):
        x, y = number % columns * (WIDTH // columns) + 8, top + number // columns * 18
        parts.append(f'<path class="c" stroke="{one.colour}" d="M{x} {y - 4}h22"/>')
        parts.append(f'<text x="{x + 28}" y="{y}">{escape(one.label)}</text>')
    return "".join(parts), 18 * -(-len(labelled) // columns) + 6


def _tick(value: float, span: float) -> str:
    return format_number(value if abs(value) > span / 1000 else 0.0, 3)
