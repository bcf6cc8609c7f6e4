"""A plan that stands below no message, as one proposed by command, waits in the sidebar."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab import Lab
from tests.browser.sidebar import Sidebar
from tests.code_terms import PITCH_RATE
from wavebook.agent.approvals import Approvals
from wavebook_tools.records.plan import WavePlan
from wavebook_tools.records.project import Project

pytestmark = pytest.mark.browser

GOAL = "Find out whether less pitching lowers the velocity error"


def plan(number: int) -> WavePlan:
    """A wave with a reward term of its own."""
    experiment = {
        "id": "exp001",
        "slug": "pitch",
        "hypothesis": "Less pitching lowers the velocity error.",
        "seeds": [0],
        "code": [{"kind": "reward", **PITCH_RATE}],
    }
    return WavePlan.model_validate(
        {
            "id": number,
            "slug": "pitch",
            "goal": GOAL,
            "task": "Wavebook-Velocity-Flat-DHAV1",
            "num_envs": 64,
            "iterations": 10,
            "devices": ["cpu"],
            "experiments": [experiment],
        }
    )


def test_a_plan_from_elsewhere_waits_in_the_sidebar_and_is_read_whole(
    start_lab: Callable[[Project], Lab],
    open_lab: Callable[..., Page],
    artifact: Callable[[str], Path],
    accessible: Callable[[Page, str], None],
    tmp_path: Path,
) -> None:
    project = Project.create(tmp_path / "crawl")
    sidebar = Sidebar(open_lab(start_lab(project))).ready()
    waiting = sidebar.panel.get_by_role("region", name="Plans that wait")
    expect(waiting).to_have_count(0)
    approval = Approvals(project).propose(plan(1))
    expect(waiting).to_contain_text("The plan of wave 1 waits for you")  # without a reload
    expect(waiting).to_contain_text(GOAL)
    waiting.locator("summary").first.click()
    card = waiting.locator(".jp-Wavebook-plan")
    expect(card).to_contain_text("+def pitch_rate(env, asset_cfg):")
    expect(card.locator(".jp-Wavebook-experiment")).to_contain_text("Code of its own: pitch_rate")
    expect(card).not_to_contain_text("unchanged")
    # A long line of code scrolls in its own frame.
    card_box, panel_box = card.bounding_box(), sidebar.panel.bounding_box()
    assert card_box is not None
    assert panel_box is not None
    assert card_box["x"] + card_box["width"] <= panel_box["x"] + panel_box["width"]
    sidebar.picture(artifact("sidebar-waiting-plan.png"))
    accessible(sidebar.page, ".jp-Wavebook-waiting")
    card.get_by_role("button", name="Reject").click()
    card.get_by_role("button", name="Reject").click()  # the first click asks why
    expect(waiting).to_have_count(0)
    assert Approvals(project).get(approval.id).state == "rejected"

    # That of an answer stands below it alone.
    sidebar.ask("track velocity better on flat ground, 2 experiments")
    expect(sidebar.cards).to_have_count(1, timeout=60_000)
    expect(sidebar.cards.get_by_role("button", name="Approve")).to_be_visible()
    expect(waiting).to_have_count(0)
