"""The whole way in JupyterLab, with the real simulator: a directive, a plan, real training, the comparison."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab import Lab
from tests.browser.sidebar import Sidebar
from wavebook_tools.records.project import Project

pytestmark = [pytest.mark.browser, pytest.mark.sim, pytest.mark.slow]

SETTINGS = """\
[training]
task = "Wavebook-Velocity-Flat-DHAV1"
num_envs = 4
iterations = 4

[evaluation]
num_envs = 2
seconds = 1.1

[devices]
use = ["cpu"]
"""
DIRECTIVE = "Make DHAV1 track its commanded velocity better on flat ground, with 2 experiments and 1 seed"
RUN_MILLISECONDS = 600_000


@pytest.mark.timeout(1800)
def test_a_directive_becomes_runs_and_a_comparison(
    start_lab: Callable[[Project], Lab],
    open_lab: Callable[..., Page],
    artifact: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    lab = start_lab(Project.create(tmp_path_factory.mktemp("project") / "crawl", SETTINGS))
    page = open_lab(lab, width=1440, height=900)
    sidebar = Sidebar(page).ready()

    # A directive gets a plan, which survives a reload.
    sidebar.ask(DIRECTIVE)
    card = sidebar.cards.first
    expect(card).to_contain_text("Waits for approval")
    sidebar.widen(420)
    sidebar.picture(artifact("sidebar-plan-light.png"))
    page.reload()
    sidebar.ready()
    expect(card.get_by_role("button", name="Approve")).to_be_visible()
    assert lab.project.waves() == []

    # Nothing has run until a person approves.
    card.get_by_role("button", name="Approve").click()
    expect(card).to_contain_text("Approved by")
    wave = sidebar.wave(1)
    expect(wave).to_be_visible()
    plan = lab.project.wave(1).plan()
    first, *others = [run.id for run in lab.project.wave(1).runs()]
    expect(sidebar.run(first)).to_have_attribute("data-state", "running", timeout=RUN_MILLISECONDS)
    sidebar.picture(artifact("sidebar-running-light.png"))
    page.reload()
    sidebar.ready()
    expect(card).to_contain_text("Approved by")

    for run in (first, *others):
        expect(sidebar.run(run)).to_have_attribute("data-state", "done", timeout=RUN_MILLISECONDS)
        expect(sidebar.run(run)).to_contain_text("m/s")
    expect(wave).to_have_attribute("data-state", "done")
    results = [run.result() for run in lab.project.wave(1).runs()]
    assert len(results) == plan.run_count
    assert all(result is not None and 0 < result.error_vel_xy < 5 for result in results)

    # The comparison is drawn, in both themes.
    wave.hover()
    wave.get_by_role("button", name="Open comparison").click()
    view = page.locator(".jp-Wavebook-comparison")
    # The server draws it anew from all records, which takes its time while the last run's report is being written.
    expect(view.locator("canvas").first).to_be_visible(timeout=60_000)
    expect(view).to_contain_text("Learning curves")
    page.screenshot(path=artifact("wave-light.png"))
    sidebar.theme("JupyterLab Dark")
    page.wait_for_timeout(500)
    page.screenshot(path=artifact("wave-dark.png"))
    sidebar.picture(artifact("sidebar-done-dark.png"))
    sidebar.theme("JupyterLab Light")
    sidebar.picture(artifact("sidebar-done-light.png"))

    # The executed notebook opens with its plots alive.
    row = sidebar.run(first)
    row.hover()
    row.get_by_role("button", name="Open notebook").click()
    notebook = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    expect(notebook.locator(".jp-Wavebook-plot").first).to_be_attached()
    notebook.locator(".jp-Wavebook-plot").first.scroll_into_view_if_needed()
    expect(notebook.locator(".jp-Wavebook-plot canvas").first).to_be_visible()
    page.screenshot(path=artifact("notebook-light.png"))
