"""What an agent asks for waits in the sidebar, with Allow and Deny."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab import Lab
from tests.browser.sidebar import Sidebar
from wavebook.agent.tools.registry import TOOLS
from wavebook.agent.tools.requests import Requests
from wavebook.agent.tools.tool import Workspace
from wavebook_tools.records.project import Project

pytestmark = pytest.mark.browser


def test_a_person_allows_one_request_and_denies_another(
    start_lab: Callable[[Project], Lab],
    open_lab: Callable[..., Page],
    artifact: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    project = Project.create(tmp_path / "crawl")
    sidebar = Sidebar(open_lab(start_lab(project))).ready()
    requests, tool = Requests(project), TOOLS["cancel_runs"]
    agent = Workspace(project, "claude-opus-5-5", foreign=["the log of exp001/s0"])
    for wave, why in ((1, "Terrain level 0.0 three times"), (2, "The device is needed")):
        requests.ask(tool, tool.arguments(wave=wave, why=why), agent)
    # They come by a push, without a reload.
    cards = sidebar.panel.get_by_role("region", name="Requests of agents")
    expect(cards).to_contain_text("claude-opus-5-5 asks")
    expect(cards).to_contain_text("Terrain level 0.0 three times")
    expect(cards).to_contain_text("it had read: the log of exp001/s0")
    sidebar.picture(artifact("sidebar-requests.png"))
    cards.get_by_role("button", name="Deny").first.click()
    expect(cards.get_by_role("button", name="Deny")).to_have_count(1)
    cards.get_by_role("button", name="Allow").click()
    expect(cards).to_have_count(0)
    assert [request.decided_by is not None for request in requests.list()] == [True, True]
    assert requests.get(1).state == "rejected"
    assert requests.get(2).state in {"approved", "failed"}  # there is no such wave
