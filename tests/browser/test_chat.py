"""The conversation and its plan cards: commands, tool calls, and a plan that is changed before it is approved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab import Lab
from tests.browser.sidebar import Sidebar
from tests.browser.test_sidebar import DIRECTIVE, SETTINGS
from tests.jobs.conftest import EVALUATION, TRAINING, write_template
from wavebook.agent.chat import Chat, TextPart, ToolPart
from wavebook_tools.records.project import Project

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def lab(start_lab: Callable[[Project], Lab], tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A project whose training template needs no simulator, with an answer that used a tool."""
    project = Project.create(tmp_path_factory.mktemp("project") / "talk", SETTINGS.format(iterations=3))
    write_template(project, "train", TRAINING, EVALUATION)
    chat = Chat(project)
    chat.append("human", "What does the readme say?")
    answer = chat.append("agent", "I looked it up.")
    tool = ToolPart(id="1", name="read_file", arguments={"path": "README.md"}, result="# Talk")
    answer.parts = [TextPart(text="I looked it up."), tool]
    chat.update(answer)
    return start_lab(project)


def test_commands_tool_calls_and_a_plan_that_is_changed(
    lab: Lab, open_lab: Callable[..., Page], artifact: Callable[[str], Path]
) -> None:
    sidebar = Sidebar(open_lab(lab)).ready()
    sidebar.widen(480)

    tool = sidebar.panel.locator(".jp-Wavebook-tool")
    tool.locator("summary").focus()
    sidebar.page.keyboard.press("Enter")
    expect(tool.get_by_label("Arguments")).to_contain_text("README.md")
    expect(tool.get_by_label("Result")).to_have_text("# Talk")

    sidebar.input.click()
    sidebar.page.keyboard.type("/bu")
    expect(sidebar.page.get_by_role("listbox").get_by_role("option")).to_contain_text("/budget")
    sidebar.page.keyboard.press("Enter")  # the first one is marked without an arrow key
    expect(sidebar.input).to_have_value("/budget ")
    sidebar.input.fill("")
    sidebar.page.keyboard.type("/")
    expect(sidebar.page.get_by_role("listbox").get_by_role("option")).to_have_count(7)
    sidebar.page.keyboard.press("Tab")
    expect(sidebar.input).to_have_value("/plan ")
    sidebar.ask("/budget")
    expect(sidebar.panel).to_contain_text("There is no standing budget")

    sidebar.ask(DIRECTIVE)
    card = sidebar.cards.last
    expect(card.locator("del").first).to_be_visible(timeout=30_000)
    sidebar.picture(artifact("chat-plan-light.png"))
    card.get_by_role("button", name="Change…").click()
    form = card.get_by_role("form")
    experiment = form.get_by_role("group").nth(1)
    changed = experiment.locator(".jp-Wavebook-field input").first
    before = changed.input_value()
    changed.fill("much")
    expect(changed).to_have_attribute("aria-invalid", "true")
    expect(experiment).to_contain_text("give a number")
    approve = form.get_by_role("button", name="Approve as changed")
    expect(approve).to_be_disabled()
    sidebar.theme("JupyterLab Dark")
    sidebar.picture(artifact("chat-change-dark.png"))
    changed.fill(before)
    form.get_by_role("group").first.get_by_role("checkbox").uncheck()
    experiment.get_by_label("Seeds").fill("0, 7")
    expect(form.get_by_role("status")).to_contain_text("2 runs")
    approve.click()
    expect(card).to_contain_text("Approved by", timeout=30_000)
    expect(sidebar.rows.first).to_be_visible()  # approved comes before queued
    [only] = lab.project.waves()[-1].plan().experiments
    assert only.seeds == [0, 7]
    change = next(line for line in lab.project.ledger.read() if line.what == "change")
    assert "dropped" in change.why
    assert "-> 0, 7" in change.why
