"""Bokeh plots in notebooks and in the comparison: drawn from our own server, refused where they could run code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from bokeh.embed import json_item
from bokeh.models import ColumnDataSource, CustomJS, DataTable, Div, HelpTool, HoverTool, OpenURL, TableColumn, TapTool
from bokeh.plotting import figure
from nbformat.sign import NotebookNotary
from playwright.sync_api import Locator, Page, expect

from tests.browser.lab import Lab
from tests.browser.sidebar import Sidebar
from tests.projects import Drawn, draw_wave
from wavebook_tools.jobs.index import rebuild
from wavebook_tools.records.project import Project

pytestmark = pytest.mark.browser

MIME = "application/vnd.wavebook.bokeh+json"


@pytest.fixture(scope="module")
def lab(start_lab: Callable[[Project], Lab], tmp_path_factory: pytest.TempPathFactory) -> Lab:
    project = draw_wave(
        tmp_path_factory.mktemp("project") / "drawn",
        [
            Drawn("baseline", {0: 0.52, 1: 0.55}, baseline=True),
            Drawn("heavier", {0: 0.31, 1: 0.34}, {"env.rewards.track_lin_vel_xy_exp.weight": 6.0}),
        ],
    )
    rebuild(project)
    return start_lab(project)


@pytest.fixture
def sidebar(lab: Lab, open_lab: Callable[..., Page]) -> Sidebar:
    return Sidebar(open_lab(lab)).ready()


def line(**options: Any) -> Any:
    plot = figure(**{"height": 200, "width": 400, "tools": "pan,wheel_zoom,reset", **options})
    plot.line([0, 1, 2], [0.6, 0.4, 0.3])
    return plot


def with_callback() -> Any:
    plot = line()
    plot.x_range.js_on_change("start", CustomJS(code="window.codeHasRun = true"))
    return plot


def with_link() -> Any:
    plot = line()
    plot.add_tools(TapTool(callback=OpenURL(url="https://example.org")))
    return plot


def with_help_elsewhere() -> Any:
    plot = line()
    plot.add_tools(HelpTool(redirect="https://example.org"))
    return plot


def with_html_tooltip() -> Any:
    plot = line()
    plot.add_tools(HoverTool(tooltips="<b>@y</b>"))
    return plot


def table() -> Any:
    return DataTable(source=ColumnDataSource({"x": [1]}), columns=[TableColumn(field="x")], width=300, height=80)


def write_notebook(lab: Lab, name: str, model: Any, *, trusted: bool = False) -> str:
    """An executed notebook as it comes from elsewhere, or signed as one of ours."""
    item = model if isinstance(model, str) else json.dumps(json_item(model))
    notebook = nbformat.v4.new_notebook()
    output = nbformat.v4.new_output(
        "display_data", {MIME: {"item": item}, "text/html": "<p>the fallback</p>", "text/plain": "a plot"}
    )
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.cells = [nbformat.v4.new_code_cell("plot", outputs=[output], execution_count=1)]
    # Through the disk and back: what is signed is what will be read.
    path = lab.project.root / f"{name}.ipynb"
    nbformat.write(notebook, path)
    if trusted:
        notary = NotebookNotary(data_dir=str(lab.home / "data"))
        notary.sign(nbformat.read(path, as_version=4))
        notary.store.close()
    return path.name


def open_notebook(sidebar: Sidebar, path: str) -> Locator:
    sidebar.command("docmanager:open", path=path, kernelPreference={"shouldStart": False})
    output = sidebar.page.locator(".jp-OutputArea-output").first
    expect(output).to_be_attached()
    return output


def documents(sidebar: Sidebar) -> int:
    """Documents that BokehJS holds on to."""
    return int(sidebar.page.evaluate("window.caughtBokeh?.documents.length ?? 0"))


@pytest.mark.parametrize(
    ("name", "make", "trusted", "drawn"),
    [
        ("plain", line, False, True),
        ("callback", with_callback, False, False),
        ("callback-signed", with_callback, True, True),
        ("link", with_link, False, False),
        ("html-tooltip", with_html_tooltip, False, False),
        ("help", lambda: line(tools="pan,help"), False, True),
        ("help-elsewhere", with_help_elsewhere, False, False),
        ("html", lambda: Div(text="<img src=x onerror='window.codeHasRun = true'>"), False, False),
        ("table", table, False, False),
        ("table-signed", table, True, True),
        ("broken", lambda: '{"doc": ', True, False),
        ("something-else", lambda: '{"a": 1}', True, False),
    ],
)
def test_a_plot_is_drawn_only_where_it_can_do_no_harm(
    sidebar: Sidebar, lab: Lab, name: str, make: Callable[[], Any], trusted: bool, drawn: bool
) -> None:
    output = open_notebook(sidebar, write_notebook(lab, name, make(), trusted=trusted))
    if drawn:
        expect(output.locator("canvas, .bk-DataTable").first).to_be_in_viewport(ratio=0.9)
        expect(output).not_to_contain_text("the fallback")
    else:
        expect(output).to_contain_text("the fallback")
        expect(output.locator("canvas")).to_have_count(0)
    assert trusted or sidebar.page.evaluate("window.codeHasRun ?? false") is False


def test_trusting_a_notebook_draws_its_plot_and_closing_it_forgets_it(sidebar: Sidebar, lab: Lab) -> None:
    output = open_notebook(sidebar, write_notebook(lab, "trust-me", with_callback()))
    expect(output).to_contain_text("CustomJS")
    sidebar.page.evaluate("void window.jupyterapp.commands.execute('notebook:trust')")  # ends with the dialog
    sidebar.page.get_by_role("dialog").get_by_role("button", name="Trust").click()
    expect(output.locator("canvas").first).to_be_visible()
    assert documents(sidebar) == 1

    plain = open_notebook(sidebar, write_notebook(lab, "again", line(title="first")))
    expect(sidebar.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) canvas").first).to_be_visible()
    assert plain is not None
    assert documents(sidebar) == 2
    sidebar.command("docmanager:save-all")  # trust is saved with the notebook; else closing would ask
    sidebar.command("application:close-all")
    expect(sidebar.page.locator(".jp-NotebookPanel")).to_have_count(0)
    assert documents(sidebar) == 0


def test_a_plot_far_down_a_long_notebook_is_drawn_when_it_is_reached(sidebar: Sidebar, lab: Lab) -> None:
    path = lab.project.root / write_notebook(lab, "long", line())
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [nbformat.v4.new_markdown_cell("text\n\n" * 20) for _ in range(60)] + notebook.cells
    nbformat.write(notebook, path)
    sidebar.command("docmanager:open", path=path.name, kernelPreference={"shouldStart": False})
    canvas = sidebar.page.locator(".jp-Wavebook-plot canvas").first
    cells = sidebar.page.locator(".jp-WindowedPanel-outer")
    expect(sidebar.page.locator(".jp-MarkdownOutput").first).to_be_visible()
    expect(canvas).not_to_be_in_viewport()
    for _ in range(2):
        canvas.scroll_into_view_if_needed()
        expect(canvas).to_be_in_viewport()
        box = canvas.bounding_box()
        assert box is not None
        assert (box["width"], box["height"]) > (300, 150)
        cells.evaluate("node => { node.scrollTop = 0; }")
        expect(canvas).not_to_be_in_viewport()


def test_the_comparison_follows_the_theme_and_a_reload(sidebar: Sidebar, artifact: Callable[[str], Path]) -> None:
    wave = sidebar.wave(1)
    wave.hover()
    wave.get_by_role("button", name="Open comparison").click()
    view = sidebar.page.locator(".jp-Wavebook-comparison")
    expect(view.locator("canvas").first).to_be_visible()
    expect(view).to_contain_text("Learning curves")
    light = view.locator("canvas").first.screenshot()
    sidebar.theme("JupyterLab Dark")
    sidebar.page.wait_for_timeout(500)
    assert view.locator("canvas").first.screenshot() != light
    sidebar.page.screenshot(path=artifact("comparison-dark.png"))

    sidebar.theme("JupyterLab Light")
    view.locator("xpath=ancestor::*[contains(@class, 'jp-MainAreaWidget')]").get_by_role(
        "button", name="Draw the comparison again"
    ).click()
    expect(view.locator("canvas").first).to_be_visible()
    sidebar.page.wait_for_timeout(1500)  # the layout is saved with a delay
    assert documents(sidebar) == 1
    sidebar.page.reload()
    sidebar.ready()
    expect(view.locator("canvas").first).to_be_visible()


def test_a_comparison_that_cannot_be_drawn_says_why(sidebar: Sidebar) -> None:
    sidebar.command("wavebook:open-comparison", waves=[7])
    expect(sidebar.page.locator(".jp-Wavebook-comparison")).to_contain_text("no wave 7")
