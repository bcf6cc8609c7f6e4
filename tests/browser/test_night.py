"""Night mode in the sidebar: the person grants it in the conversation, sees what is under way, and stops it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.agent.night.conftest import ENDLESS, SETTINGS, until
from tests.browser.lab import Lab
from tests.browser.sidebar import Sidebar
from tests.jobs.conftest import write_template
from wavebook.agent.night import process
from wavebook.agent.night.grant import Nights
from wavebook_tools.records.project import Project

pytestmark = pytest.mark.browser


def test_a_night_is_granted_seen_and_stopped(
    start_lab: Callable[[Project], Lab],
    open_lab: Callable[..., Page],
    artifact: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    project = Project.create(tmp_path / "crawl", SETTINGS)
    write_template(project, "train", ENDLESS)
    sidebar = Sidebar(open_lab(start_lab(project))).ready()
    sidebar.ask("/night learn faster --waves 2 --runs 4 --gpu-hours 1 --hours 2")
    banner = sidebar.panel.get_by_role("region", name="Night mode")
    expect(banner).to_contain_text("learn faster", timeout=30_000)
    # It plans, approves and starts by itself; the banner follows by pushes.
    expect(banner).to_contain_text("runs have ended", timeout=120_000)
    expect(banner).to_contain_text("1 / 2")
    sidebar.picture(artifact("sidebar-night.png"))
    banner.get_by_role("button", name="Stop").click()
    sidebar.page.locator(".jp-Dialog").get_by_role("button", name="Stop").click()
    expect(banner).to_have_count(0, timeout=120_000)
    expect(sidebar.panel).to_contain_text("it was stopped", timeout=30_000)
    assert Nights(project).newest().outcome == "stopped"
    # By command, as another agent would: it cannot grant itself a night, a person is asked.
    asked = {"directive": "learn faster", "waves": 1, "gpu_hours": 1}
    refused = sidebar.asked("wavebook:grant-night", "“learn faster”: 1 wave of up to", "Cancel", **asked)
    assert refused == {"night": None}
    assert len(Nights(project).all()) == 1
    with pytest.raises(Exception, match="cannot be granted"):
        sidebar.command("wavebook:grant-night", directive="learn faster", waves=0)
    until(lambda: not process.alive(project), 60)
