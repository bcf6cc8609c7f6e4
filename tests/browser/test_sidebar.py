"""The panel without a simulator: what it teaches, what it refuses, and what survives a reload."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab import Lab
from tests.browser.sidebar import Sidebar
from tests.jobs.conftest import EVALUATION, TRAINING, write_template
from wavebook_tools.records.project import Project

pytestmark = pytest.mark.browser

SETTINGS = """\
[training]
task = "Wavebook-Velocity-Flat-DHAV1"
num_envs = 2
iterations = {iterations}

[evaluation]
num_envs = 2
seconds = 2.0
"""
DIRECTIVE = "Make DHAV1 track its commanded velocity better on flat ground, with 2 experiments"


@pytest.fixture(scope="module")
def lab(start_lab: Callable[[Project], Lab], tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A project whose training template is quick and needs no simulator; kernel and queue are the real ones."""
    project = Project.create(tmp_path_factory.mktemp("project") / "crawl", SETTINGS.format(iterations=3))
    write_template(project, "train", TRAINING, EVALUATION)
    return start_lab(project)


@pytest.fixture
def sidebar(lab: Lab, open_lab: Callable[..., Page]) -> Sidebar:
    sidebar = Sidebar(open_lab(lab)).ready()
    sidebar.command("wavebook:new-conversation")
    return sidebar


def test_an_empty_project_teaches_what_to_do(sidebar: Sidebar, artifact: Callable[[str], Path]) -> None:
    expect(sidebar.panel).to_contain_text("No waves yet")
    example = sidebar.panel.get_by_role("list", name="Examples").get_by_role("button").first
    example.click()
    expect(sidebar.input).to_have_value(example.inner_text())
    expect(sidebar.input).to_be_focused()
    expect(sidebar.cards).to_have_count(0)  # an example is drafted, not sent
    sidebar.picture(artifact("sidebar-empty.png"))


def test_a_rejected_plan_stays_rejected_after_a_reload(sidebar: Sidebar, lab: Lab) -> None:
    sidebar.ask(DIRECTIVE)
    card = sidebar.cards.first
    expect(card).to_contain_text("Waits for approval")
    expect(card.get_by_role("button", name="Approve")).to_be_visible()
    sidebar.page.reload()
    sidebar.ready()
    expect(card).to_contain_text("Waits for approval")

    card.get_by_role("button", name="Reject").click()
    card.get_by_label("Reason for the rejection").fill("one seed is not enough")
    card.get_by_role("button", name="Reject").click()
    expect(card).to_contain_text("Rejected by")
    expect(card).to_contain_text("one seed is not enough")
    expect(card.get_by_role("button", name="Approve")).to_have_count(0)
    sidebar.page.reload()
    sidebar.ready()
    expect(card).to_contain_text("one seed is not enough")
    assert lab.project.waves() == []
    assert [decision.what for decision in lab.project.ledger.read()][-1] == "reject"


def test_a_directive_that_does_not_get_through_is_told_and_not_lost(sidebar: Sidebar, lab: Lab) -> None:
    sidebar.page.route("**/wavebook/api/chat*", lambda route: route.abort())
    sidebar.ask(DIRECTIVE)
    expect(sidebar.panel.get_by_role("alert")).to_contain_text("cannot reach its server")
    expect(sidebar.input).to_have_value(DIRECTIVE)
    sidebar.page.unroute("**/wavebook/api/chat*")
    settings = lab.project.settings_path.read_text()
    try:
        lab.project.settings_path.write_text("[training]\niteratons = 5\n")
        sidebar.ask(DIRECTIVE)
        alert = sidebar.panel.get_by_role("alert").filter(has_text="training.iterations")
        expect(alert).to_contain_text("training.iteratons")
        expect(sidebar.input).to_have_value(DIRECTIVE)
        expect(sidebar.panel.locator(".jp-chat-message")).to_have_count(0)
    finally:
        lab.project.settings_path.write_text(settings)
    sidebar.input.press("Enter")
    expect(sidebar.cards).to_have_count(1)
    expect(sidebar.panel.get_by_role("alert")).to_have_count(0)


def test_a_server_that_was_away_is_asked_soon_and_its_banner_goes(sidebar: Sidebar) -> None:
    page = sidebar.page
    page.route("**/wavebook/api/**", lambda route: route.abort())
    page.evaluate("void window.jupyterapp.commands.execute('wavebook:refresh').catch(() => undefined)")
    alert = sidebar.panel.get_by_role("alert")
    expect(alert).to_contain_text("cannot reach its server")
    asked: list[str] = []
    for time in range(3):  # every 15 s where nothing is wrong
        page.wait_for_event("requestfailed", lambda request: "/wavebook/api/project" in request.url, timeout=12_000)
        if time == 0:  # what was asked before this is over now
            page.on("requestfailed", lambda request: asked.append(request.url.partition("/wavebook/api/")[2]))
    # One question each time, not one for everything that is shown: the console tells of all of them.
    assert {path.partition("?")[0] for path in asked if path} == {"project"}
    page.unroute("**/wavebook/api/**")
    expect(alert).to_have_count(0)


def test_a_launcher_that_opens_by_itself_leaves_the_focus_to_who_writes(sidebar: Sidebar) -> None:
    page = sidebar.page
    launcher = page.locator(".jp-Launcher:visible")
    expect(launcher).to_be_visible()
    page.wait_for_timeout(1000)  # the first one opens late, and takes the focus when it is drawn
    first = launcher.element_handle()
    directive, rest = DIRECTIVE.split(", ")
    sidebar.input.click()
    page.keyboard.type(directive)
    sidebar.command("launcher:create")  # as JupyterLab does when the server has listed the folder
    page.wait_for_function("launcher => launcher.offsetParent === null", arg=first)
    page.wait_for_timeout(500)
    page.keyboard.type(f", {rest}")
    page.keyboard.press("Enter")
    expect(sidebar.cards).to_have_count(1)
    expect(sidebar.panel.locator(".jp-chat-message").first).to_contain_text(DIRECTIVE)

    # One that a person opens or clicks on has it.
    sidebar.input.press("Control+Shift+l")
    expect(launcher).to_be_focused()
    sidebar.input.click()
    page.keyboard.type("x")
    launcher.click(position={"x": 5, "y": 5})
    expect(sidebar.input).not_to_be_focused()


def test_a_second_decision_is_refused_in_words(sidebar: Sidebar) -> None:
    result = sidebar.command("wavebook:plan", directive=DIRECTIVE)
    number = result["approval"]["id"]  # type: ignore[index]
    assert sidebar.command("wavebook:reject", approval=number)["approval"]["state"] == "rejected"  # type: ignore[index]
    with pytest.raises(Exception, match="already"):
        sidebar.command("wavebook:approve", approval=number)


def test_runs_are_followed_cancelled_and_opened(sidebar: Sidebar, lab: Lab) -> None:
    lab.project.settings_path.write_text(SETTINGS.format(iterations=1200))
    sidebar.ask(DIRECTIVE)
    sidebar.cards.last.get_by_role("button", name="Approve").click()
    expect(sidebar.cards.last).to_contain_text("Approved by")

    expect(sidebar.rows.first).to_be_visible()
    record = lab.project.waves()[-1]
    first = sidebar.run(record.runs()[0].id)
    expect(first).to_have_attribute("data-state", "running", timeout=60_000)
    bar = first.get_by_role("progressbar")
    expect(bar).not_to_have_attribute("aria-valuenow", "0", timeout=60_000)

    first.hover()
    first.get_by_role("button", name="Open log").click()
    expect(sidebar.page.locator(".jp-FileEditor")).to_be_visible()

    first.click(button="right")
    sidebar.page.get_by_role("menuitem", name="Cancel Run").click()
    expect(first).to_have_attribute("data-state", "cancelled", timeout=60_000)

    wave = sidebar.wave(record.id)
    wave.hover()
    wave.get_by_role("button", name="Cancel wave…").click()
    dialog = sidebar.page.get_by_role("dialog")
    expect(dialog).to_contain_text("not ended")
    dialog.get_by_role("button", name="Keep running").click()
    expect(wave).not_to_have_attribute("data-state", "cancelled")
    wave.hover()
    wave.get_by_role("button", name="Cancel wave…").click()
    dialog.get_by_role("button", name="Cancel wave").click()
    expect(wave).to_have_attribute("data-state", "cancelled", timeout=60_000)
    first.hover()
    first.get_by_role("button", name="Open notebook").click()
    expect(sidebar.page.locator(".jp-NotebookPanel")).to_be_visible()


def test_the_tree_is_walked_by_keyboard_and_stays_as_it_was_left(sidebar: Sidebar, lab: Lab) -> None:
    record = lab.project.waves()[-1]
    run = sidebar.run(record.runs()[0].id)
    expect(sidebar.page.locator(".jp-Launcher")).to_be_visible(timeout=30_000)
    sidebar.page.wait_for_timeout(1000)  # the launcher takes the focus when it opens, however late
    sidebar.wave(record.id).focus()
    sidebar.page.keyboard.press("ArrowDown")
    expect(sidebar.rows.nth(1)).to_be_focused()
    sidebar.page.keyboard.press("ArrowDown")
    expect(run).to_be_focused()
    sidebar.page.keyboard.press("ArrowLeft")
    expect(sidebar.rows.nth(1)).to_be_focused()
    sidebar.page.keyboard.press("ArrowLeft")
    expect(sidebar.rows.nth(1)).to_have_attribute("aria-expanded", "false")
    expect(run).to_have_count(0)
    sidebar.page.wait_for_timeout(1500)  # the state database writes with a delay
    sidebar.page.reload()
    sidebar.ready()
    expect(sidebar.rows.nth(1)).to_have_attribute("aria-expanded", "false")
