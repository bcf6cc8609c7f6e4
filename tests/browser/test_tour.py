"""The example that a Binder opens, from its records to the next wave, as docs/tour.md walks through it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab import Lab
from tests.browser.sidebar import Sidebar
from wavebook_tools.jobs.index import rebuild
from wavebook_tools.records.project import Project

pytestmark = pytest.mark.browser

EXAMPLE = Path(__file__).parents[2] / "examples" / "first-walk-on-a-cpu"
DIRECTIVE = "Track the commanded velocity better, with 3 experiments and 2 seeds"


@pytest.fixture(scope="module")
def lab(start_lab: Callable[[Project], Lab], tmp_path_factory: pytest.TempPathFactory) -> Lab:
    root = tmp_path_factory.mktemp("project") / EXAMPLE.name
    shutil.copytree(EXAMPLE, root)
    project = Project(root)
    rebuild(project)
    return start_lab(project)


def test_records_comparison_replay_and_the_next_plan(
    lab: Lab, open_lab: Callable[..., Page], artifact: Callable[[str], Path]
) -> None:
    page = open_lab(lab, width=1280, height=820)
    sidebar = Sidebar(page).ready()
    sidebar.command("application:toggle-left-area")
    sidebar.widen(400)
    run = next(run.id for run in lab.project.runs() if run.result() is not None)

    row = sidebar.run(run)
    expect(row).to_have_attribute("data-state", "done", timeout=30_000)
    row.click()
    sidebar.command("wavebook:open-run", run=str(run))
    view = page.locator(".jp-Wavebook-view")
    expect(view.locator("canvas").first).to_be_visible(timeout=60_000)
    page.screenshot(path=artifact("tour-run.png"))

    wave = sidebar.wave(1)
    wave.hover()
    wave.get_by_role("button", name="Open comparison").click()
    comparison = page.locator(".jp-Wavebook-comparison")
    expect(comparison.get_by_role("heading", name="Fixed evaluation")).to_be_visible(timeout=60_000)
    expect(comparison.locator("canvas").first).to_be_visible(timeout=60_000)
    page.wait_for_timeout(1000)
    page.screenshot(path=artifact("tour-comparison.png"))

    # Nobody here has signed the notebook: a replay is data and plays in any case.
    row.hover()
    row.get_by_role("button", name="Open notebook").click()
    notebook = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    expect(notebook).to_be_visible()
    replay = page.get_by_role("application", name=re.compile("Replay of the robot"))
    for _ in range(20):
        if replay.count():
            break
        notebook.locator(".jp-WindowedPanel-outer").evaluate("node => { node.scrollTop += 900 }")
        page.wait_for_timeout(300)
    page.wait_for_timeout(1000)  # the notebook lays its cells out anew while it is scrolled
    replay.scroll_into_view_if_needed()
    expect(replay).to_be_visible()
    page.get_by_role("combobox", name="Robot").select_option(label="straight fast")  # it walks; others may fall
    still = replay.screenshot(animations="allow")
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_timeout(1500)
    assert replay.screenshot(animations="allow") != still
    page.screenshot(path=artifact("tour-replay.png"))

    # The next wave, proposed from these records without a key.
    sidebar.ask(DIRECTIVE)
    card = sidebar.cards.first
    expect(card).to_contain_text("Waits for approval")
    card.scroll_into_view_if_needed()
    sidebar.picture(artifact("tour-plan.png"))
