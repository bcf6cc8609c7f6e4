"""The conversation with a model that takes its time: streamed, stopped, asked again, kept apart, with attachments."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from tests.agent.messages_server import KEY, MessagesServer, serving
from tests.browser.lab import Lab
from tests.browser.sidebar import Sidebar
from tests.browser.test_panels import index
from tests.jobs.conftest import small_plan
from tests.projects import TASK, Drawn, draw_wave
from wavebook.agent.approvals import Approvals
from wavebook.agent.chat import Chat
from wavebook_tools.records.project import Project

pytestmark = pytest.mark.browser

SETTINGS = '[training]\ntask = "{task}"\n[planner.claude]\nbase_url = "{url}"\n'
WEEK = 7 * 24 * 3600.0

CHAT = re.compile(r"/wavebook/api/chat(\?|$)")

ANSWER = 30_000
"""How long an answer may take [ms]: the first of a server waits for the client's library to be loaded."""

MARKDOWN = """\
## What was tried

| experiment | error | verdict |
| --- | --- | --- |
| exp001 | 0.21 | baseline |
| exp002 | 0.18 | better |

```python
weight = 1.5  # of track_lin_vel_xy_exp
```

The second one is **better** than noise."""


def says(text: str, *, pause: float = 0.0) -> dict[str, Any]:
    """A turn of the model; ``pause`` is the time between two pieces of 20 characters [s]."""
    return {"reply": [{"text": text}], "pause": pause}


@pytest.fixture(scope="module")
def model() -> Iterator[MessagesServer]:
    with serving([]) as server:
        yield server


@pytest.fixture(scope="module")
def lab(start_lab: Callable[[Project], Lab], tmp_path_factory: pytest.TempPathFactory, model: MessagesServer) -> Lab:
    """A finished wave, and an old plan that nobody decided in time."""
    root = tmp_path_factory.mktemp("project") / "talk"
    project = Project.create(root, SETTINGS.format(task=TASK, url=model.url))
    draw_wave(
        root, [Drawn("base", {0: 0.21, 1: 0.2}, baseline=True), Drawn("heavier", {0: 0.18, 1: "failed"})], iterations=5
    )
    index(project)
    (root / "notes.md").write_text("Feet drag on stairs.")
    approvals = Approvals(project, clock=lambda: time.time() - 2 * WEEK)
    plan = small_plan(3, template="train").model_copy(update={"directive": "find out whether runs can be trusted"})
    approval = approvals.propose(plan)
    chat = Chat(project)
    chat.append("human", plan.directive)
    answer = chat.append("agent", "This would tell.")
    answer.approval = approval.id
    chat.update(answer)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANTHROPIC_API_KEY", KEY)
        return start_lab(project)


@pytest.fixture
def sidebar(lab: Lab, open_lab: Callable[..., Page], model: MessagesServer) -> Iterator[Sidebar]:
    model.turns.clear()
    model.refused.clear()
    sidebar = Sidebar(open_lab(lab)).ready()
    yield sidebar
    assert model.refused == []
    assert model.turns == []


def test_a_plan_that_nobody_decided_is_denied(
    sidebar: Sidebar, model: MessagesServer, artifact: Callable[[str], Path]
) -> None:
    card = sidebar.cards.first
    expect(card).to_contain_text("Denied: not decided in time")
    expect(card).to_contain_text("Nobody decided within 7 days")
    expect(card.get_by_role("button", name="Approve")).to_have_count(0)
    card.evaluate("node => node.scrollIntoView()")  # the list may be drawn anew meanwhile
    sidebar.picture(artifact("plan-expired-light.png"))
    model.turns += [says("Then let us look at it again.")]
    card.get_by_role("button", name="Ask again").click()
    expect(sidebar.panel).to_contain_text("Then let us look at it again.", timeout=ANSWER)


def test_an_answer_is_streamed_stopped_and_asked_again(
    sidebar: Sidebar,
    model: MessagesServer,
    artifact: Callable[[str], Path],
    accessible: Callable[[Page, str], None],
) -> None:
    page, panel = sidebar.page, sidebar.panel
    sidebar.command("wavebook:new-conversation")
    sidebar.widen(440)
    stop = panel.locator(".jp-chat-input-toolbar").get_by_role("button", name="Stop")
    aloud = panel.get_by_role("log", name="Answer")

    # What is there already is shown, and read out, while more of it comes; Stop is there in two places.
    model.turns += [{**says(MARKDOWN, pause=0.12), "reply": [{"tool": "project_status"}]}, says(MARKDOWN, pause=0.12)]
    sidebar.ask("How does wave 1 stand?")
    expect(stop).to_be_visible()
    expect(panel.locator(".jp-Wavebook-tool")).to_contain_text("project_status", timeout=ANSWER)
    expect(panel.locator(".jp-chat-message table")).to_be_visible()
    expect(aloud).to_contain_text("What was tried")
    assert "better than noise" not in panel.inner_text()
    expect(stop).to_be_visible()
    expect(panel.locator(".jp-chat-message pre code")).to_contain_text("weight = 1.5", timeout=30_000)
    expect(aloud).to_contain_text("The second one is better than noise.", timeout=30_000)
    expect(stop).to_have_count(0)
    assert "|" not in aloud.inner_text()
    sidebar.picture(artifact("chat-answer-light.png"))
    accessible(page, "#wavebook .jp-Wavebook-chat")

    # Stopped by the button; what was said stays, also after a reload.
    model.turns += [says("I look at the curves first. " * 40, pause=0.1)]
    sidebar.ask("Why is exp002 better?")
    expect(panel).to_contain_text("I look at the curves")
    stop.click()
    expect(panel).to_contain_text("Stopped.")
    expect(stop).to_have_count(0)

    # Asked again, the new answer takes the place of the stopped one; Escape stops it too.
    model.turns += [says("On second thoughts. " * 40, pause=0.1)]
    panel.get_by_role("button", name="Try again").click()
    expect(panel).to_contain_text("On second thoughts.")
    expect(panel).not_to_contain_text("I look at the curves")
    sidebar.input.focus()
    page.keyboard.press("Escape")
    expect(panel).to_contain_text("Stopped.")

    # By the keyboard alone: the pencil of the own message, another text, sent.
    model.turns += [says("Because its feet slip less.")]
    page.reload()
    sidebar.ready()
    pencil = panel.get_by_role("button", name="Edit").last
    pencil.focus()
    page.keyboard.press("Enter")
    edited = panel.locator(".jp-chat-message").get_by_role("combobox")
    expect(edited).to_have_value("Why is exp002 better?")
    edited.fill("Why does exp002 slip less?")
    edited.press("Enter")
    expect(panel).to_contain_text("Because its feet slip less.")
    expect(panel).not_to_contain_text("On second thoughts.")
    expect(panel).not_to_contain_text("Why is exp002 better?")

    # What goes wrong says what to do.
    model.turns += [{"status": 401, "error": "authentication_error"}]
    sidebar.ask("And exp001?")
    expect(panel.locator(".jp-chat-message").last).to_contain_text("ANTHROPIC_API_KEY")
    sidebar.theme("JupyterLab Dark")
    page.wait_for_timeout(1000)
    sidebar.picture(artifact("chat-answer-dark.png"))
    accessible(page, "#wavebook .jp-Wavebook-chat")
    sidebar.theme("JupyterLab Light")  # the server keeps it


def test_a_long_word_is_wrapped(sidebar: Sidebar, model: MessagesServer) -> None:
    panel = sidebar.panel
    model.turns += [says("long" * 80)]
    sidebar.command("wavebook:new-conversation")
    sidebar.ask("Where is it?")
    paragraph = panel.locator(".jp-chat-message p").get_by_text("longlong")
    expect(paragraph).to_be_visible(timeout=ANSWER)
    wide, room = paragraph.evaluate("node => [node.scrollWidth, node.clientWidth]")
    assert wide <= room, "a long word widens the conversation"


def test_what_is_written_during_an_answer_is_not_lost(sidebar: Sidebar, model: MessagesServer) -> None:
    panel = sidebar.panel
    stop = panel.locator(".jp-chat-input-toolbar").get_by_role("button", name="Stop")
    sidebar.command("wavebook:new-conversation")
    model.turns += [says("Stairs are hard.")]
    sidebar.ask("Talk about stairs")
    expect(panel).to_contain_text("Stairs are hard.", timeout=ANSWER)
    expect(stop).to_have_count(0)

    # Neither a directive, which waits in the input, nor a change of the one before, which comes there.
    model.turns += [says("Slopes are easier. " * 40, pause=0.1)]
    sidebar.ask("And about slopes?")
    expect(panel).to_contain_text("Slopes are easier.", timeout=ANSWER)
    sidebar.ask("What about gravel?")
    expect(sidebar.input).to_have_value("What about gravel?")
    sidebar.input.fill("")
    panel.get_by_role("button", name="Edit").first.click()
    edited = panel.locator(".jp-chat-message").get_by_role("combobox")
    edited.fill("Talk about steps")
    edited.press("Enter")
    expect(sidebar.input).to_have_value("Talk about steps")
    stop.click()
    expect(panel).to_contain_text("Stopped.")

    model.turns += [says("Steps are as hard.")]
    sidebar.input.press("Enter")
    expect(panel).to_contain_text("Steps are as hard.", timeout=ANSWER)
    expect(sidebar.input).to_have_value("")


HIDDEN = """\
Look: ![of the log](https://away.example/a.png?key=secret) and <img src="//away.example/b.png" alt="a picture"> and
<span style="background-image: url(https://away.example/c.png)">a colour</span> and
<a href="#" data-commandlinker-command="apputils:change-theme" data-commandlinker-args="{}">a link</a>, and
![ours](/logout) and <img srcset="//away.example/d.png 2x" src="data:image/gif;base64,R0lGODlhAQABAAAAACw="> and
<video poster="//away.example/e.png" src="//away.example/f.mp4"></video> and
![a point](data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAACAkQBADs=). That is all."""


def test_what_is_said_fetches_nothing_and_runs_nothing(sidebar: Sidebar, model: MessagesServer) -> None:
    """A log may ask for a picture whose address carries away what was read."""
    fetched: list[str] = []
    sidebar.page.on("request", lambda request: fetched.append(request.url))
    sidebar.command("wavebook:new-conversation")
    model.turns += [says(HIDDEN)]
    sidebar.ask("Show me the log")
    message = sidebar.panel.locator(".jp-chat-message").last
    expect(message).to_contain_text("That is all.", timeout=ANSWER)
    expect(message).to_contain_text("Look: of the log and a picture and")
    address = "https://away.example/a.png?key=secret"  # a person sees it before a click
    expect(message.get_by_role("link", name="of the log")).to_have_attribute("href", address)
    expect(message.get_by_role("img", name="a point")).to_be_visible()  # it lies in the message itself
    expect(message.locator("img[srcset], img:not([src^='data:'])")).to_have_count(0)
    expect(message.locator("video")).to_have_count(0)
    expect(message.locator("[style*=url], [data-commandlinker-command]")).to_have_count(0)
    assert [url for url in fetched if "away.example" in url or "logout" in url] == []


def test_messages_that_were_fetched_before_an_answer_do_not_replace_it(sidebar: Sidebar, model: MessagesServer) -> None:
    page, panel = sidebar.page, sidebar.panel
    sidebar.command("wavebook:new-conversation")
    model.turns += [says("Stairs are hard.")]
    sidebar.ask("Talk about stairs")
    expect(panel).to_contain_text("Stairs are hard.", timeout=ANSWER)

    held: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        if route.request.method == "GET":
            held.append((route, route.fetch()))
        else:
            route.continue_()

    page.route(CHAT, hold)
    page.evaluate("void window.jupyterapp.commands.execute('wavebook:refresh')")
    for _ in range(100):
        if not held:
            page.wait_for_timeout(100)
    model.turns += [says("Gravel is worse.")]
    sidebar.ask("And about gravel?")
    expect(panel).to_contain_text("Gravel is worse.", timeout=ANSWER)
    expect(panel.locator(".jp-chat-input-toolbar").get_by_role("button", name="Stop")).to_have_count(0)
    newest, response = held.pop()  # asked for in the middle of the answer
    newest.fulfill(response=response)
    page.wait_for_timeout(1000)
    expect(panel).to_contain_text("Gravel is worse.")
    for route, response in held:
        route.fulfill(response=response)
    held.clear()

    # Nor that of the conversation that was shown before.
    page.evaluate("void window.jupyterapp.commands.execute('wavebook:refresh')")
    for _ in range(100):
        if not held:
            page.wait_for_timeout(100)
    sidebar.command("wavebook:new-conversation")
    expect(panel.locator(".jp-chat-message")).to_have_count(0)
    for route, response in held:
        route.fulfill(response=response)
    page.unroute_all(behavior="ignoreErrors")  # one more may just be asked for
    page.wait_for_timeout(1000)
    expect(panel.locator(".jp-chat-message")).to_have_count(0)


def test_conversations_are_chosen_named_and_deleted(
    sidebar: Sidebar, model: MessagesServer, artifact: Callable[[str], Path], lab: Lab
) -> None:
    page, panel = sidebar.page, sidebar.panel
    picker = panel.get_by_label("Choose a conversation")
    sidebar.command("wavebook:new-conversation")
    model.turns += [says("Stairs are hard.")]
    sidebar.ask("Talk about stairs")
    expect(panel).to_contain_text("Stairs are hard.", timeout=ANSWER)
    expect(picker.locator("option:checked")).to_contain_text("Talk about stairs")

    panel.get_by_role("button", name="Rename the conversation").click()
    name = panel.get_by_label("Name of the conversation")
    expect(name).to_be_focused()
    name.fill("Stairs")
    name.press("Enter")
    expect(picker.locator("option:checked")).to_contain_text(re.compile(r"^Stairs · .* · 2 messages$"))
    sidebar.picture(artifact("conversations-light.png"))

    first = next(item for item in Chat(lab.project).conversations() if item.title.startswith("find out whether"))
    picker.select_option(str(first.id))
    expect(panel).to_contain_text("This would tell.")
    expect(panel).not_to_contain_text("Stairs are hard.")
    page.reload()
    sidebar.ready()
    expect(panel).to_contain_text("This would tell.")  # the chosen one is kept

    listed = sidebar.command("wavebook:open-conversation", conversation=first.id)
    stairs = next(item for item in listed["conversations"] if item["title"] == "Stairs")  # type: ignore[index, call-overload]
    picker.select_option(str(stairs["id"]))
    expect(panel).to_contain_text("Stairs are hard.")
    panel.get_by_role("button", name="Delete the conversation…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("2 messages go for good")
    dialog.get_by_role("button", name="Delete").click()
    expect(panel).not_to_contain_text("Stairs are hard.")
    expect(panel).to_contain_text("This would tell.")
    assert "Stairs" not in [item.title for item in Chat(lab.project).conversations()]


def test_runs_notebooks_and_files_are_attached(
    sidebar: Sidebar, model: MessagesServer, artifact: Callable[[str], Path], lab: Lab
) -> None:
    page, panel = sidebar.page, sidebar.panel
    sidebar.command("wavebook:new-conversation")
    container = panel.locator(".jp-chat-input-container")
    waiting = container.locator(".jp-chat-attachment")

    # A run from the tree, a file from the file browser; the same without a mouse that drags.
    sidebar.run("exp002/s0").drag_to(container)
    expect(waiting).to_have_text(["exp002/s0"])
    sidebar.command("filebrowser:activate")
    source = page.locator(".jp-DirListing-content").get_by_text("notes.md")
    expect(source).to_be_visible()
    start, end = source.bounding_box(), container.bounding_box()
    assert start is not None
    assert end is not None
    page.mouse.move(start["x"] + 20, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(start["x"] + 60, start["y"] + 30, steps=4)
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + 30, steps=8)
    page.mouse.up()
    expect(waiting).to_have_text(["exp002/s0", "notes.md"])
    sidebar.run("exp001/s1").click(button="right")
    page.get_by_role("menuitem", name="Attach to Message").click()
    expect(waiting).to_have_text(["exp002/s0", "notes.md", "exp001/s1"])
    waiting.nth(2).get_by_role("button").click()
    expect(waiting).to_have_count(2)

    model.turns += [says("They slip.")]
    sidebar.ask("What do these say?")
    expect(panel).to_contain_text("They slip.", timeout=ANSWER)
    expect(waiting).to_have_count(0)
    asked = str(model.requests[-1]["messages"][-1]["content"])
    assert "run exp002/s0" in asked
    assert "file notes.md" in asked
    attached = panel.get_by_role("list", name="Attached").get_by_role("button")
    attached.first.scroll_into_view_if_needed()
    sidebar.picture(artifact("chat-attached-light.png"))
    attached.nth(0).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("article", name="Run exp002/s0")).to_be_visible()
    attached.nth(1).click()
    expect(page.locator(".jp-FileEditor, .jp-MarkdownViewer")).to_be_visible()


def test_a_standing_budget_is_given_seen_and_revoked(sidebar: Sidebar) -> None:
    sidebar.command("wavebook:new-conversation")
    sidebar.ask("/budget 6 2")
    budget = sidebar.panel.locator(".jp-Wavebook-budget")
    expect(budget).to_contain_text("6 runs a wave, 2 of 2 GPU hours left")
    budget.get_by_role("button", name="Revoke").click()
    expect(budget).to_have_count(0)
    # By command, as another agent would: it cannot grant itself a budget, a person is asked.
    refused = sidebar.asked("wavebook:grant-budget", "up to 3 runs", "Cancel", runs=3, hours=1)
    assert refused == {"budget": None}
    expect(budget).to_have_count(0)
    granted = sidebar.asked("wavebook:grant-budget", "up to 3 runs", "Give", runs=3, hours=1)["budget"]  # type: ignore[index]
    assert (granted["runs"], granted["gpu_hours"]) == (3, 1)  # type: ignore[index, call-overload]
    expect(budget).to_contain_text("3 runs a wave")
    sidebar.command("wavebook:revoke-budget")
    expect(budget).to_have_count(0)
