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

from wavebook_tools.display.tables import format_number
from wavebook_tools.metrics.history import Floats
from wavebook_tools.metrics.thinning import thin_indices

WIDTH = 840
PANEL_HEIGHT = 150
POINTS = 240

_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#767676}.v{font-weight:600}.f{fill:none;stroke:#8886}"
    ".c{fill:none;stroke:#1f86c7;stroke-width:1.6;stroke-linejoin:round}"
)


@dataclass(frozen=True)
class Panel:
    """One curve with its title."""

    title: str
    """Label and unit."""
    x: Floats
    """Iterations [N]."""
    y: Floats
    """Values [N]; NaN where there is none."""


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
    """The panels as an SVG document."""
    columns = min(2, max(1, len(panels)))
    rows = -(-len(panels) // columns)
    width, height = WIDTH // columns, PANEL_HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{rows * height + 20}" '
        f'viewBox="0 0 {WIDTH} {rows * height + 20}"><style>{_STYLE}</style>'
    ]
    for number, panel in enumerate(panels):
        parts.append(f'<g transform="translate({number % columns * width} {number // columns * height})">')
        parts.append(_panel(panel, width, height))
        parts.append("</g>")
    parts.append(f'<text x="{WIDTH / 2:.0f}" y="{rows * height + 14}" text-anchor="middle">{escape(x_title)}</text>')
    return "".join([*parts, "</svg>"])


def _panel(panel: Panel, width: int, height: int) -> str:
    left, right, top, bottom = 56, 10, 24, 22
    inner_width, inner_height = width - left - right, height - top - bottom
    frame = f'<rect class="f" x="{left}" y="{top}" width="{inner_width}" height="{inner_height}"/>'
    title = f'<text x="{left}" y="16">{escape(panel.title)}</text>'
    known = np.isfinite(panel.y)
    if not known.any():
        return f'{title}{frame}<text x="{left + 8}" y="{top + 18}">no value yet</text>'
    x, y = panel.x[known], panel.y[known]
    kept = thin_indices(y, POINTS)
    x, y = x[kept], y[kept]
    (x_low, x_high), (y_low, y_high) = (x.min(), x.max()), (y.min(), y.max())
    margin = (y_high - y_low) * 0.05 or abs(y_high) * 0.05 or 1.0
    across = left + (x - x_low) / max(x_high - x_low, 1e-9) * inner_width
    up = top + (y_high + margin - y) / (y_high - y_low + 2 * margin) * inner_height
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across.tolist(), up.tolist(), strict=True))
    curve = (
        f'<polyline class="c" points="{points}"/>'
        if len(x) > 1
        else f'<circle class="c" cx="{across[0]:.1f}" cy="{up[0]:.1f}" r="2"/>'
    )
    latest = f'<text class="v" x="{width - right}" y="16" text-anchor="end">{format_number(float(y[-1]), 3)}</text>'
    ticks = "".join(
        f'<text x="{left - 4}" y="{at:.1f}" text-anchor="end">{format_number(float(value), 3)}</text>'
        for value, at in ((y_high, up.min() + 4), (y_low, up.max() + 4))[: 2 if y_high > y_low else 1]
    )
    ends = (
        f'<text x="{left}" y="{height - 6}">{x_low:.0f}</text>'
        f'<text x="{width - right}" y="{height - 6}" text-anchor="end">{x_high:.0f}</text>'
    )
    return title + latest + frame + curve + ticks + ends
