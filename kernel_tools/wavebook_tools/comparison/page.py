"""The comparison as one Bokeh layout: for JupyterLab's panel, for a notebook cell, for one HTML file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bokeh.embed import file_html, json_item
from bokeh.layouts import column
from bokeh.models import InlineStyleSheet
from bokeh.models.layouts import LayoutDOM
from bokeh.models.widgets import Div
from bokeh.resources import Resources
from jinja2 import Template

from wavebook_tools.comparison.data import Comparison, collect
from wavebook_tools.comparison.final_metrics import final_metrics
from wavebook_tools.comparison.interaction import interactive
from wavebook_tools.comparison.learning_curves import grid, plain_curves
from wavebook_tools.comparison.linked import Linked, curve_styles
from wavebook_tools.comparison.overview import ranked
from wavebook_tools.comparison.verdict import judge_all
from wavebook_tools.display.style import style_sheet
from wavebook_tools.records.files import write_atomic
from wavebook_tools.records.project import Project

_TEXT_STYLE = """
:host { color: var(--jp-ui-font-color1, #333); font-size: 13px; line-height: 1.45; }
h1 { font-size: 20px; font-weight: 600; margin: 8px 0 2px; }
h2 { font-size: 16px; font-weight: 600; margin: 20px 0 2px; }
p { margin: 2px 0 6px; max-width: 80em; } ul { margin: 4px 0; padding-left: 20px; }
.asked, summary { color: var(--jp-ui-font-color2, #666); }
.bk-clearfix { display: block; width: 100%; }
.rows { max-height: 420px; overflow: auto; } .rows > div { overflow: visible !important; }
.rows tbody tr { cursor: pointer; } .rows tbody .marked > * { background: var(--jp-layout-color2, #eee); }
.rows tbody .chosen { font-weight: 600; } .rows tbody .chosen > th { font-weight: 600 !important; }
.rows thead th, .rows tbody th { position: sticky; background: var(--jp-layout-color0, var(--jp-layout-color1, #fff)); }
.rows thead th { top: 0; z-index: 1; } .rows tbody th { left: 0; } summary { cursor: pointer; }
"""

# JupyterLab's variables, for a page that stands alone; the contents may load nothing at all from a network.
_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:">
<title>{{ title | e }}</title>
<style>
:root { color-scheme: light dark; --jp-ui-font-color1: #222; --jp-ui-font-color2: #5f5f5f; --jp-border-color1: #999;
  --jp-border-color2: #e0e0e0; --jp-layout-color1: #fff; }
@media (prefers-color-scheme: dark) { :root { --jp-ui-font-color1: #e4e4e4; --jp-ui-font-color2: #a8a8a8;
  --jp-border-color1: #666; --jp-border-color2: #383838; --jp-layout-color1: #161616; } }
body { margin: 0 auto; padding: 8px 20px 40px; max-width: 1800px; background: var(--jp-layout-color1);
  color: var(--jp-ui-font-color1); font-family: system-ui, sans-serif; --bokeh-base-font: system-ui, sans-serif; }
</style>
{{ bokeh_js }}
</head>
<body>
<main>{{ plot_div }}</main>
{{ plot_script }}
</body>
</html>
""")  # noqa: E501


def comparison_item(project: Project, wave_ids: Iterable[int], *, live: bool = False) -> dict[str, Any]:
    """What ``Bokeh.embed.embed_item`` takes, for our own panel in JupyterLab. It holds a CustomJS.

    Args:
        project: The project.
        wave_ids: Numbers of the waves.
        live: Whether the panel answers questions for detail; the page then offers metrics that it does not carry.

    Raises:
        UsageError: No wave is named.
        NotFoundError: There is no such wave.
        WavebookError: A wave.json is damaged.
    """
    return dict(json_item(comparison_layout(collect(project, wave_ids), live=live)))


def comparison_page(project: Project, wave_ids: Iterable[int]) -> str:
    """The comparison as one HTML page that needs nothing else.

    Raises:
        UsageError: No wave is named.
        NotFoundError: There is no such wave.
        WavebookError: A wave.json is damaged.
    """
    comparison = collect(project, wave_ids)
    layout = comparison_layout(comparison)
    # Named here, because Bokeh's settings may say that pages load BokehJS from elsewhere; of its parts it takes only
    # those that the layout needs.
    return file_html(layout, Resources(mode="inline", log_level="warn"), title(comparison), template=_PAGE)


def write_comparison(project: Project, wave_ids: Iterable[int], path: Path) -> None:
    """Write the comparison as one HTML file, whole or not at all.

    Raises:
        UsageError: No wave is named.
        NotFoundError: There is no such wave.
        WavebookError: A wave.json is damaged, or the file cannot be written.
    """
    write_atomic(path, comparison_page(project, wave_ids))


def title(comparison: Comparison) -> str:
    """The comparison's name, for a tab."""
    if len(comparison.plans) == 1:
        return f"Wave {comparison.plans[0].id}: {comparison.plans[0].goal}"
    return f"Waves {', '.join(str(plan.id) for plan in comparison.plans)}"


def comparison_layout(comparison: Comparison, *, live: bool = False, overview: bool = True) -> LayoutDOM:
    """The whole comparison: text, table, figures, and widgets to choose what they show.

    Args:
        comparison: What is compared.
        live: Whether somebody answers questions for detail, as JupyterLab's panel does.
        overview: Whether goals, table and verdicts stand above the figures.
    """
    root = interactive(comparison, linked(comparison, scripts=True), live=live, overview=overview)
    for text in root.select({"type": Div}):
        assert isinstance(text, Div)
        text.stylesheets = [InlineStyleSheet(css=_TEXT_STYLE), *text.stylesheets]
    root.stylesheets = [style_sheet()]
    return root


def comparison_figures(comparison: Comparison) -> LayoutDOM | None:
    """The figures alone, for a notebook that nobody trusts; None where there is nothing to draw yet.

    They hold neither script nor HTML, so that they are drawn in a notebook from elsewhere, too.
    """
    rows = linked(comparison, scripts=False)
    finals, curves = final_metrics(comparison, rows), plain_curves(rows)
    sections = [grid(finals) if finals else None, curves]
    shown = [section for section in sections if section is not None]
    if not shown:
        return None
    root = column(*shown, sizing_mode="stretch_width")
    root.stylesheets = [style_sheet()]
    return root


def linked(comparison: Comparison, *, scripts: bool) -> Linked:
    """The compared experiments as rows, best first."""
    verdicts = judge_all(comparison)
    experiments = ranked(comparison.experiments, verdicts)
    return Linked(experiments, verdicts, curve_styles(comparison.experiments), scripts)
