"""The comparison in JupyterLab: accessible in both themes, finer where one looks closer, saved as a file, in a cell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.sign import NotebookNotary
from playwright.sync_api import Locator, Page, expect

from tests.browser.lab import Lab
from tests.browser.sidebar import Sidebar
from tests.projects import Drawn, draw_wave
from wavebook_tools.comparison import compare
from wavebook_tools.jobs.index import rebuild
from wavebook_tools.records.project import Project

pytestmark = pytest.mark.browser

WEIGHT, RATE, PRESET = "env.rewards.track_lin_vel_xy_exp.weight", "agent.algorithm.learning_rate", "env.reward_preset"
ITERATIONS = 1500

DOCUMENT = "window.caughtBokeh.documents.at(-1)"
PANEL = f"[...{DOCUMENT}.all_models].find(m => m.name == 'mean' && m.data_source)"
LINE = f"{PANEL}.data_source.data.xs[0]"
RANGE = f"[...{DOCUMENT}.all_models].find(m => m.renderers?.includes?.({PANEL})).x_range"


@pytest.fixture(scope="module")
def lab(start_lab: Callable[[Project], Lab], tmp_path_factory: pytest.TempPathFactory) -> Lab:
    root = tmp_path_factory.mktemp("project") / "drawn"
    first = [
        Drawn("baseline", {0: 0.32, 1: 0.33}, baseline=True),
        Drawn("heavier", {0: 0.27, 1: 0.275}, {WEIGHT: 3.0}),
        Drawn("heaviest", {0: 0.30, 1: 0.295}, {WEIGHT: 6.0}),
        Drawn("fast", {0: "failed"}, {RATE: 0.1}),
    ]
    later = [
        Drawn("gait", {0: 0.24, 1: 0.245}, {WEIGHT: 3.0, PRESET: "gait"}, baseline=True),
        Drawn("slower", {0: 0.22, 1: 0.225}, {WEIGHT: 3.0, PRESET: "gait", RATE: 0.0005}),
        Drawn("slowest", {0: 0.25, 1: 0.26}, {WEIGHT: 4.0, PRESET: "gait", RATE: 0.0001}),
    ]
    draw_wave(root, first, iterations=ITERATIONS, rough=True)
    project = draw_wave(root, later, wave=2, slug="gait", parent=1, iterations=ITERATIONS, rough=True)
    rebuild(project)
    return start_lab(project)


# What is written on the canvas that becomes a file; the canvases of its figures have texts of their own.
CATCH_TEXTS = """() => {
  const texts = new Map(), context = CanvasRenderingContext2D.prototype, { fillText } = context;
  context.fillText = function (text, ...rest) {
    texts.set(this.canvas, [...(texts.get(this.canvas) ?? []), text]);
    return fillText.call(this, text, ...rest);
  };
  const { toBlob } = HTMLCanvasElement.prototype;
  HTMLCanvasElement.prototype.toBlob = function (...rest) {
    window.writtenOnPicture = texts.get(this) ?? [];
    return toBlob.apply(this, rest);
  };
}"""


def drawn(page: Page) -> None:
    """Wait until the first panel has its lines."""
    page.wait_for_function(f"{LINE}.length > 100", timeout=60_000)


def test_the_view_is_accessible_shows_detail_and_can_be_saved(
    lab: Lab,
    open_lab: Callable[..., Page],
    artifact: Callable[[str], Path],
    accessible: Callable[[Page, str], None],
    tmp_path: Path,
) -> None:
    page = open_lab(lab, width=1440, height=1000)
    sidebar = Sidebar(page).ready()
    sidebar.command("wavebook:open-comparison", waves=[1, 2])
    view = page.locator(".jp-Wavebook-comparison")
    expect(view.get_by_role("heading", name="Learning curves")).to_be_visible(timeout=60_000)
    drawn(page)
    sidebar.command("application:toggle-left-area")
    sidebar.command("application:toggle-right-area")
    page.wait_for_timeout(500)
    for theme, name in (("JupyterLab Dark", "dark"), ("JupyterLab Light", "light")):
        sidebar.theme(theme)
        page.wait_for_timeout(500)
        pictures(view, name, artifact)
        accessible(page, ".jp-Wavebook-comparison")

    # Zoomed in, every iteration is drawn: they come from the server.
    before = page.evaluate(f"Array.from({LINE}).filter(x => 700 <= x && x <= 760).length")
    page.evaluate(f"{RANGE}.setv({{start: 700, end: 760}})")
    page.wait_for_function(f"Array.from({LINE}).filter(x => 700 <= x && x <= 760).length == 61")
    assert before < 61

    # With Ctrl the wheel zooms, without a tool that is chosen before; alone it scrolls the page, also over a figure.
    page.evaluate(f"{RANGE}.setv({{start: 0, end: 1400}})")
    chosen = view.get_by_label("Panel 1")
    chosen.evaluate("node => node.scrollIntoView()")
    box = chosen.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 160)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -240)
    page.keyboard.up("Control")
    page.wait_for_function(f"{RANGE}.end - {RANGE}.start < 1300")
    zoomed = page.evaluate(f"{RANGE}.end - {RANGE}.start")
    assert chosen.bounding_box() == box
    page.wait_for_timeout(1000)  # else Chromium takes it for the same turn of the wheel
    page.mouse.wheel(0, -60)
    scrolled = "([node, top]) => node.getBoundingClientRect().y > top + 30"
    page.wait_for_function(scrolled, arg=[chosen.element_handle(), box["y"]])
    assert page.evaluate(f"{RANGE}.end - {RANGE}.start") == zoomed

    button = page.locator("[title^='Save as an HTML file'], jp-button[aria-label^='Save as an HTML file']").first
    with page.expect_download(timeout=60_000) as download:
        button.click()
    path = tmp_path / "saved.html"
    download.value.save_as(path)
    assert download.value.suggested_filename == "comparison-1-2.html"
    assert 1_000_000 < path.stat().st_size < 3_000_000

    # A picture of the figures says which line is whose.
    page.evaluate(CATCH_TEXTS)
    picture = view.get_by_role("button", name="Figures as PNG")
    picture.scroll_into_view_if_needed()
    with page.expect_download(timeout=60_000):
        picture.click()
    assert {"exp002 heavier", "exp005 gait"} <= set(page.evaluate("window.writtenOnPicture"))

    # Drawn again, as when a run ends: what was chosen stays.
    view.get_by_label("Panel 2").select_option(label="Value loss")
    view.get_by_label("exp002 heavier").uncheck()
    page.wait_for_function(f"{PANEL}.data_source.data.alpha.some(alpha => alpha < 0.2)")
    before = page.evaluate(f"{DOCUMENT}.roots()[0].id")
    page.locator("[title='Draw the comparison again'], jp-button[aria-label='Draw the comparison again']").first.click()
    page.wait_for_function(f"before => {DOCUMENT}.roots()[0].id != before", arg=before, timeout=60_000)
    page.wait_for_function(f"{PANEL}.data_source.data.alpha.some(alpha => alpha < 0.2)")
    expect(view.get_by_label("exp002 heavier")).not_to_be_checked()
    assert view.get_by_label("Panel 2").input_value() == "Value loss"


def pictures(view: Locator, theme: str, artifact: Callable[[str], Path]) -> None:
    """Pictures of the view from its top and from each of its sections."""
    for heading in ("Fixed evaluation", "Learning curves", "Reward terms", "Parameters"):
        view.get_by_role("heading", name=heading, exact=True).evaluate("node => node.scrollIntoView()")
        view.page.wait_for_timeout(200)
        view.page.screenshot(path=artifact(f"comparison-{heading.lower().replace(' ', '-')}-{theme}.png"))


@pytest.mark.parametrize("trusted", [True, False])
def test_a_cell_shows_all_of_it_where_it_is_trusted_and_the_figures_elsewhere(
    lab: Lab, open_lab: Callable[..., Page], trusted: bool
) -> None:
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    outputs = [nbformat.v4.new_output("display_data", bundle) for bundle in compare(1, project=lab.project).bundles]
    notebook.cells = [nbformat.v4.new_code_cell("compare(1)", outputs=outputs, execution_count=1)]
    path = lab.project.root / f"cell-{trusted}.ipynb"
    nbformat.write(notebook, path)
    if trusted:
        notary = NotebookNotary(data_dir=str(lab.home / "data"))
        notary.sign(nbformat.read(path, as_version=4))
        notary.store.close()
    page = open_lab(lab)
    sidebar = Sidebar(page).ready()
    sidebar.command("docmanager:open", path=path.name, kernelPreference={"shouldStart": False})
    expect(page.locator(".jp-Wavebook-plot canvas").first).to_be_attached(timeout=60_000)
    drawn(page)
    legend = page.locator(".jp-Wavebook-plot").get_by_label("exp002 heavier")
    expect(legend).to_have_count(1 if trusted else 0)
