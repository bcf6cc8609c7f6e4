"""A recorded rollout as a page without a network, and in a notebook, in a real Chromium with WebGL."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import CHROMIUM_SAYS
from tests.browser.lab import Lab
from tests.browser.sidebar import Sidebar
from tests.projects import Drawn, draw_wave
from wavebook_tools.records.project import Project
from wavebook_tools.replay import REPLAY_MIME, Replay, ReplayOutput, write_page

pytestmark = pytest.mark.browser

RECORDED = Path(__file__).parents[1] / "replay" / "rough.json"


@pytest.fixture(scope="module")
def replay() -> Replay:
    return Replay.model_validate_json(RECORDED.read_text())


def picture(view: Locator) -> bytes:
    """The view as it is drawn, without waiting for animations to end."""
    return view.screenshot(animations="allow")


def moment(page: Page) -> int:
    return int(page.get_by_role("slider", name="Moment").input_value())


def test_the_page_plays_without_a_network(
    browser: Browser, replay: Replay, tmp_path: Path, artifact: Callable[[str], Path]
) -> None:
    write_page(replay, tmp_path / "replay.html")
    context = browser.new_context(viewport={"width": 1000, "height": 720}, offline=True, color_scheme="light")
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith("file:") else said.append(request.url))
    page.goto((tmp_path / "replay.html").as_uri())
    view = page.get_by_role("application")
    slider = page.get_by_role("slider", name="Moment")
    robots = page.get_by_role("combobox", name="Robot")
    last = replay.robots[1].frames - 1
    expect(slider).to_have_attribute("max", str(replay.robots[0].frames - 1))
    robots.select_option("1")
    expect(slider).to_have_attribute("max", str(last))

    # It plays, and what is drawn changes.
    page.get_by_role("combobox", name="Speed").select_option("0.25")
    still = picture(view)
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("() => document.querySelector('#replay').shadowRoot.querySelector('input').value > 5")
    page.get_by_role("button", name="Pause").click()
    assert picture(view) != still

    # By the keyboard alone.
    view.focus()
    here = moment(page)
    for key, reached in (("ArrowLeft", here - 1), ("ArrowRight", here), ("End", last), ("Home", 0)):
        page.keyboard.press(key)
        expect(slider).to_have_value(str(reached))
    page.keyboard.press("p")
    expect(robots).to_have_value("0")
    page.keyboard.press("n")
    expect(robots).to_have_value("1")
    page.keyboard.press("f")
    expect(page.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "false")
    before = picture(view)
    page.keyboard.press("d")
    page.wait_for_timeout(300)
    assert picture(view) != before, "the camera turns"
    page.keyboard.press("r")
    page.keyboard.press("f")

    # The numbers are the recorded ones; a change of the system's colours changes the scene's.
    slider.fill("60")
    command, velocity = replay.velocities(replay.robots[1])
    expect(page.get_by_role("row", name=re.compile("forward"))).to_contain_text(
        f"{command[60, 0]:.2f}{velocity[60, 0]:.2f}"
    )
    page.screenshot(path=artifact("replay-light.png"))
    light = picture(view)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(300)
    assert picture(view) != light
    page.screenshot(path=artifact("replay-dark.png"))
    context.close()
    assert [line for line in said if CHROMIUM_SAYS not in line] == []


def test_controls_are_alive_where_the_robots_are_out_of_sight(browser: Browser, replay: Replay, tmp_path: Path) -> None:
    write_page(replay, tmp_path / "replay.html")
    page = browser.new_page(viewport={"width": 1000, "height": 720})
    page.add_init_script(
        "addEventListener('DOMContentLoaded', () => {"
        " document.querySelector('#replay').style.transform = 'translateY(calc(-100% + 60px))'; });"
    )
    page.goto((tmp_path / "replay.html").as_uri())
    expect(page.get_by_role("button", name="Play")).to_be_in_viewport()
    expect(page.get_by_role("application")).not_to_be_in_viewport()
    expect(page.get_by_role("slider", name="Moment")).to_have_attribute("max", str(replay.robots[0].frames - 1))
    expect(page.get_by_role("combobox", name="Speed")).to_have_value("1")
    page.close()


def test_a_notebook_shows_it_untrusted_and_in_both_themes(
    start_lab: Callable[[Project], Lab],
    open_lab: Callable[..., Page],
    tmp_path: Path,
    replay: Replay,
    artifact: Callable[[str], Path],
) -> None:
    project = draw_wave(tmp_path / "project", [Drawn("baseline", {0: 0.5}, baseline=True)])
    notebook = nbformat.v4.new_notebook()
    bundles = [ReplayOutput(replay).bundle, {REPLAY_MIME: {"item": '{"format": 1}'}, "text/html": "<p>fallback</p>"}]
    for bundle in bundles:
        output = nbformat.v4.new_output("display_data", bundle)
        notebook.cells.append(nbformat.v4.new_code_cell("replay", outputs=[output], execution_count=1))
    nbformat.write(notebook, project.root / "replay.ipynb")
    sidebar = Sidebar(open_lab(start_lab(project))).ready()
    page = sidebar.page
    sidebar.command("docmanager:open", path="replay.ipynb", kernelPreference={"shouldStart": False})
    view = page.get_by_role("application", name=re.compile("Replay of the robot"))
    expect(view).to_be_visible()
    outputs = page.locator(".jp-Wavebook-replay")
    expect(outputs.nth(1)).to_contain_text("robot is missing")
    expect(outputs.nth(1)).to_contain_text("fallback")

    light = picture(view)
    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    view.press(" ")
    assert picture(view) != light
    sidebar.theme("JupyterLab Dark")
    page.wait_for_timeout(500)
    page.screenshot(path=artifact("replay-notebook-dark.png"))
    sidebar.theme("JupyterLab Light")
