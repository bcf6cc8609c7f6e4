"""The tree of waves, the view of a run and the devices, in a project of 500 runs on a machine with two GPUs."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.lab import Lab
from tests.browser.sidebar import Sidebar
from tests.jobs.conftest import EVALUATION, driver, small_plan, write_template  # noqa: F401
from tests.jobs.gpus import Machine
from tests.projects import Drawn, draw_wave, many
from wavebook_tools.diagnosis.finding import Action, Finding, Suggestion
from wavebook_tools.jobs import leases
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.jobs.recovery import finish_from_record
from wavebook_tools.records.events import EventWriter
from wavebook_tools.records.files import write_json
from wavebook_tools.records.project import Project

pytestmark = pytest.mark.browser

GPUS = ("GPU-aaaa", "GPU-bbbb")
FAILED = "exp166/s0"
ELSEWHERE = "exp001/s1"
"""A run that another machine did, whose devices are known by what its result calls them."""
LIVE, WAITING, LAST = "exp168/s0", "exp168/s1", "exp168/s2"

TALKING = """\
import time
from wavebook_tools.notebooks.session import RunSession
session = RunSession.open(run)
session.phase("training")
for iteration in range(iterations):
    print(f"iteration {iteration} is done")
    session.iteration(iteration, {"Train/mean_reward": float(iteration), "Metrics/error_vel_xy": 1 / (1 + iteration)})
    time.sleep(0.1)
"""


def make_project(root: Path) -> Project:
    """Three waves of 55 experiments with three runs each, and one after them in which something went wrong."""
    experiments = many(495)
    for wave in range(3):
        part = experiments[55 * wave : 55 * (wave + 1)]
        project = draw_wave(root, part, wave=wave + 1, iterations=12, parent=wave or None)
    draw_wave(
        root,
        [
            Drawn("too-many-robots", {0: "failed", 1: "hung"}, {"env.rewards.feet_gait.weight": 0.5}),
            Drawn("given-up", {0: "cancelled"}),
        ],
        wave=4,
        slug="gait",
        iterations=40,
        parent=3,
        goal="Find a gait that survives stairs",
    )
    finding = Finding(
        kind="out_of_memory",
        message="the device's memory is full",
        ends_run=True,
        suggestion=Suggestion(Action.FEWER_ENVS, "half as many robots fit", num_envs=2048),
    )
    record = project.run(FAILED)
    with contextlib.closing(EventWriter(record.events_path)) as events:
        events.write("alert", **finding.event())
        events.write("state", state="failed", message="the device's memory is full")
    record.log_path.write_text("first line\n" * 400 + "\x1b[31mRuntimeError: CUDA out of memory\x1b[0m\n")
    result = project.run(ELSEWHERE).result()
    assert result is not None
    named = {"device": "cuda:0", "device_name": "NVIDIA H200"}
    write_json(project.run(ELSEWHERE).result_path, result.model_copy(update=named))
    index(project)
    write_template(project, "quick", TALKING, EVALUATION)
    return project


def index(project: Project) -> None:
    """Put all runs into the database as they ended; `wavebook reindex` would also look for processes of each."""
    with Queue(project) as queue:
        records = {str(record.id): record for record in project.runs()}
        queue.store.add((record.spec(), project.relative(record.path)) for record in records.values())
        queue.store.start(ELSEWHERE, "GPU-419015cd-0480-cf40-ac68-3e2d64f07ec9")
        for row in queue.store.all():
            finish_from_record(queue.store, row, records[row.id])


@pytest.fixture(scope="module")
def lab(
    start_lab: Callable[[Project], Lab],
    tmp_path_factory: pytest.TempPathFactory,
    driver: Path,  # noqa: F811
) -> Iterator[Lab]:
    """One run trains on GPU 0, another project holds GPU 1, two runs wait."""
    folder = tmp_path_factory.mktemp("panels")
    project = make_project(folder / "gaits")
    machine = Machine(folder, driver)
    machine.set(GPUS)
    with pytest.MonkeyPatch.context() as patch:
        machine.use(patch)
        lab = start_lab(project)
        patch.setenv("WAVEBOOK_LEASES", str(lab.home / "leases"))
        held = leases.acquire(GPUS[1], run="exp004/s1", project="/home/ana/crawler")
        assert held is not None
        with Queue(project) as queue:
            # Of a quarter of an hour: it outlives these tests, so that what they see does not depend on their speed.
            plan = small_plan(5, iterations=9000, seeds=3)
            experiment = plan.experiments[0].model_copy(update={"id": "exp168"})
            runs = queue.submit_wave(
                plan.model_copy(update={"devices": ["auto"], "parent": 4, "experiments": [experiment]})
            )
            yield lab
            queue.cancel_wave(5, "the test")
            assert queue.wait([*runs, *(row.id for row in queue.store.of_wave(5))], timeout=60)
        held.release()


@pytest.fixture
def sidebar(lab: Lab, open_lab: Callable[..., Page]) -> Sidebar:
    return Sidebar(open_lab(lab, width=1440, height=900)).ready()


def names(rows: Locator) -> list[str]:
    """The runs among the rows that are drawn, in their order."""
    return rows.evaluate_all(
        "rows => rows.map(row => [row.dataset.index, row.dataset.run]).filter(item => item[1])"
        ".sort((a, b) => a[0] - b[0]).map(item => item[1])"
    )


def test_500_runs_are_scrolled_filtered_sorted_and_walked(
    sidebar: Sidebar, lab: Lab, artifact: Callable[[str], Path], accessible: Callable[[Page, str], None]
) -> None:
    page, tree = sidebar.page, sidebar.panel.get_by_role("tree")
    sidebar.widen(460)
    expect(sidebar.run(LIVE)).to_have_attribute("data-state", "running", timeout=60_000)
    expect(sidebar.run(LIVE)).to_contain_text("GPU 0")
    expect(sidebar.run(WAITING)).to_have_attribute("data-state", "queued")
    sidebar.picture(artifact("waves.png"))
    accessible(page, "#wavebook .jp-Wavebook-waves")

    # All 500 are in the tree, few of them in the page.
    for wave in (1, 2, 3):
        sidebar.wave(wave).click()
    sidebar.wave(5).focus()
    page.keyboard.press("End")
    last = sidebar.run("exp055/s2")
    expect(last).to_be_focused()
    assert sidebar.rows.count() < 80
    frames = page.evaluate(SCROLL)
    assert sorted(frames)[len(frames) // 2] < 100, f"half of the frames took longer than 100 ms: {frames}"
    assert sidebar.rows.count() < 80
    expect(last).to_be_focused()  # however far away it was scrolled
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(sidebar.wave(1)).to_be_focused()

    # What fits a search is shown with what it lies under.
    search = sidebar.panel.get_by_role("searchbox")
    search.fill("tracking-weight-77 s1")
    expect(sidebar.rows).to_have_count(3)
    assert names(sidebar.rows) == ["exp078/s1"]
    search.fill("nvidia h200")
    expect(sidebar.run(ELSEWHERE)).to_contain_text("NVIDIA H200")
    assert names(sidebar.rows) == [ELSEWHERE]
    search.fill("no such run")
    expect(sidebar.panel).to_contain_text("No run fits the filter")
    sidebar.panel.get_by_role("button", name="Show all runs").click()
    sidebar.panel.get_by_label("State").select_option("failed")
    expect(sidebar.rows).to_have_count(4)
    assert names(sidebar.rows) == [FAILED, "exp166/s1"]
    sidebar.panel.get_by_label("State").select_option("all")

    # The best is on top, whatever wave it is of.
    sidebar.panel.get_by_label("Order").select_option("metric")
    page.keyboard.press("Tab")
    results = {run.id: run.result() for wave in (1, 2, 3) for run in lab.project.wave(wave).runs()}
    best = min((result.error_vel_xy, run) for run, result in results.items() if result is not None)[1]
    tree.evaluate("tree => { tree.parentElement.scrollTop = 0; }")
    expect(sidebar.run(best)).to_be_visible()
    assert names(sidebar.rows)[0] == best

    # By descent a wave lies under the one it came from.
    sidebar.panel.get_by_label("Order").select_option("lineage")
    search.fill("wave")
    expect(sidebar.wave(1)).to_have_attribute("aria-level", "1")
    sidebar.wave(1).focus()
    page.keyboard.press("ArrowLeft")
    expect(sidebar.wave(1)).to_have_attribute("aria-expanded", "false")
    expect(sidebar.rows).to_have_count(1)
    search.fill("gait survives")
    expect(sidebar.wave(4)).to_have_attribute("aria-level", "1")  # those before it do not fit
    sidebar.panel.get_by_label("Order").select_option("newest")
    search.fill("")

    # What was chosen outlives a reload.
    sidebar.panel.get_by_label("Order").select_option("state")
    page.wait_for_timeout(1500)  # the state database writes with a delay
    page.reload()
    sidebar.ready()
    expect(sidebar.panel.get_by_label("Order")).to_have_value("state")
    sidebar.theme("JupyterLab Dark")
    page.wait_for_timeout(300)
    sidebar.picture(artifact("waves-dark.png"))
    accessible(page, "#wavebook .jp-Wavebook-waves")


# Time between frames [ms] while the list is scrolled from its end to its beginning.
SCROLL = """async () => {
  const list = document.querySelector('.jp-Wavebook-list');
  const frames = [];
  let last = performance.now();
  for (let step = 60; step >= 0; step--) {
    list.scrollTop = list.scrollHeight * step / 60;
    const now = await new Promise(requestAnimationFrame);
    frames.push(now - last);
    last = now;
  }
  return frames;
}"""


def test_a_run_is_followed_and_a_failed_one_explained(
    sidebar: Sidebar, artifact: Callable[[str], Path], accessible: Callable[[Page, str], None]
) -> None:
    page = sidebar.page
    expect(sidebar.run(LIVE)).to_have_attribute("data-state", "running", timeout=60_000)
    sidebar.run(LIVE).dblclick()
    view = page.get_by_role("article", name=f"Run {LIVE}")
    expect(view.locator(".jp-Wavebook-curve canvas")).to_have_count(2)
    log = view.get_by_label(f"Log of {LIVE}")
    expect(log).to_contain_text("is done")
    before = int(re.findall(r"iteration (\d+) is done", log.inner_text())[-1])
    expect(log).to_contain_text(f"iteration {before + 30} is done", timeout=30_000)
    assert log.evaluate("node => node.scrollHeight - node.scrollTop - node.clientHeight") < 30
    expect(view.get_by_role("img", name="Velocity error xy, training [m/s] over")).to_be_visible()
    expect(view.get_by_label("Device load")).to_contain_text("GPU 0")
    expect(view.get_by_role("list", name="Events")).to_contain_text("training")
    page.screenshot(path=artifact("run-live.png"))
    accessible(page, ".jp-Wavebook-runPage")

    sidebar.command("wavebook:open-run", run=FAILED)
    view = page.get_by_role("article", name=f"Run {FAILED}")
    expect(view.get_by_label("Alerts")).to_contain_text("fewer envs")
    expect(view.get_by_label("Alerts")).to_contain_text("2048 environments")
    expect(view.get_by_label(f"Log of {FAILED}")).to_contain_text("RuntimeError: CUDA out of memory")
    assert "\x1b" not in view.inner_text()
    expect(view.get_by_label("Configuration")).to_contain_text("rewards.feet_gait.weight")
    expect(view.locator(".jp-Wavebook-curve canvas")).to_have_count(6)
    view.get_by_role("button", name="Show all").click()
    expect(view.locator(".jp-Wavebook-curve canvas")).to_have_count(21)
    view.get_by_role("button", name="Show the most telling").click()
    sidebar.theme("JupyterLab Dark")
    page.wait_for_timeout(300)
    page.screenshot(path=artifact("run-failed-dark.png"))
    accessible(page, f'.jp-Wavebook-runPage[aria-label="Run {FAILED}"]')

    # A finished run has its result, also where the window is narrow; what was open is open again after a reload.
    sidebar.command("wavebook:open-run", run="exp001/s0")
    view = page.get_by_role("article", name="Run exp001/s0")
    expect(view.get_by_label("Result")).to_contain_text("error_vel_xy")
    page.wait_for_timeout(1500)
    page.reload()
    sidebar.ready()
    expect(view.get_by_label("Result")).to_contain_text("error_vel_xy")


def test_times_stand_still_while_the_server_does_not_answer(sidebar: Sidebar) -> None:
    page, row = sidebar.page, sidebar.run(LIVE)
    expect(row).to_have_attribute("data-state", "running", timeout=60_000)
    page.route("**/wavebook/api/**", lambda route: route.abort())
    page.evaluate("void window.jupyterapp.commands.execute('wavebook:refresh').catch(() => undefined)")
    expect(sidebar.panel.get_by_role("alert")).to_contain_text("cannot reach its server")
    page.wait_for_timeout(1100)
    before = row.inner_text()
    page.wait_for_timeout(2500)
    assert row.inner_text() == before
    page.unroute("**/wavebook/api/**")
    expect(row).not_to_have_text(before)


def test_the_filter_fills_its_lines_at_any_width(sidebar: Sidebar) -> None:
    bar = sidebar.panel.get_by_role("search")
    parts = [bar.get_by_role("searchbox"), bar.get_by_label("State"), bar.get_by_label("Order")]
    for width, lines in ((280, 2), (330, 2), (460, 1)):
        sidebar.widen(width)
        boxes = [part.bounding_box() for part in parts]
        whole = bar.bounding_box()
        assert whole is not None
        rows: dict[float, float] = {}
        for box in boxes:
            assert box is not None
            rows[box["y"]] = max(rows.get(box["y"], 0), box["x"] + box["width"])
        assert len(rows) == lines, width
        for end in rows.values():  # none of them ends before the bar does
            assert whole["x"] + whole["width"] - end == pytest.approx(8, abs=1), width


def test_queued_runs_are_sent_to_devices(
    sidebar: Sidebar, lab: Lab, artifact: Callable[[str], Path], accessible: Callable[[Page, str], None]
) -> None:
    page = sidebar.page
    expect(sidebar.run(LIVE)).to_have_attribute("data-state", "running", timeout=60_000)
    sidebar.command("wavebook:open-devices")
    view = page.get_by_role("article", name="GPUs and queue")
    first, second = view.locator(f'[data-device="{GPUS[0]}"]'), view.locator(f'[data-device="{GPUS[1]}"]')
    expect(first).to_contain_text(LIVE)
    expect(second).to_contain_text("exp004/s1 of /home/ana/crawler")
    queue = view.locator(".jp-Wavebook-queue li")
    expect(queue).to_have_count(2)

    # From the queue, and from the tree in the sidebar.
    queue.filter(has_text=LAST).drag_to(second)
    expect(second).to_contain_text(f"Waiting for it: {LAST}")
    sidebar.run(WAITING).drag_to(first)
    expect(first).to_contain_text(f"Waiting for it: {WAITING}")
    assert lab.project.run(LAST).spec().devices == [GPUS[1]]
    page.screenshot(path=artifact("devices.png"))
    accessible(page, ".jp-Wavebook-devices")
    view.get_by_label(f"Device of {WAITING}").select_option("auto")
    expect(first).not_to_contain_text("Waiting for it")

    view.get_by_role("button", name=f"Start {LAST} sooner").click()
    expect(queue.first).to_contain_text(LAST)
    sidebar.theme("JupyterLab Dark")
    page.wait_for_timeout(300)
    page.screenshot(path=artifact("devices-dark.png"))
    accessible(page, ".jp-Wavebook-devices")

    # The context menu offers what fits the run.
    sidebar.run(WAITING).click(button="right")
    menu = page.locator(".lm-Menu-content")
    expect(menu).to_contain_text("Send Run to Device…")
    expect(menu).not_to_contain_text("Retry Run from Scratch")
    menu.get_by_text("Cancel Run", exact=True).click()
    expect(sidebar.run(WAITING)).to_have_attribute("data-state", "cancelled")
    sidebar.run(WAITING).click(button="right")
    menu.get_by_text("Retry Run from Scratch").click()
    expect(sidebar.run(f"{WAITING}-r1")).to_have_attribute("data-state", "queued")
    sidebar.run(WAITING).click(button="right")
    menu.get_by_text("Reveal Folder").click()
    expect(page.locator(".jp-DirListing-content").get_by_text("notebook.ipynb")).to_be_visible()


def test_every_command_is_described_and_reached(sidebar: Sidebar, lab: Lab) -> None:
    page = sidebar.page
    described = page.evaluate(
        """async () => {
          const { commands } = window.jupyterapp;
          const ids = commands.listCommands().filter(id => id.startsWith('wavebook:'));
          return Promise.all(ids.map(async id => [
            id, commands.label(id), commands.caption(id), (await commands.describedBy(id)).args?.type
          ]));
        }"""
    )
    assert len(described) >= 19
    for command, label, caption, schema in described:
        assert label, command
        assert caption, command
        assert schema == "object", command
    sidebar.command("launcher:create")
    launcher = page.locator(".jp-Launcher:visible")
    expect(launcher.locator('.jp-LauncherCard[title^="Show the devices"]')).to_be_visible()
    page.locator("#jp-MainMenu").get_by_text("Wavebook", exact=True).click()
    page.locator(".lm-Menu-content").get_by_text("GPUs and Queue").click()
    expect(page.get_by_role("article", name="GPUs and queue")).to_be_visible()
    # What ended before is not said to be cancelled now, and what cannot be done is told.
    ended = next(run.id for run in lab.project.waves()[0].runs() if run.result() is not None)
    assert sidebar.command("wavebook:cancel-run", run=ended) == {"cancelled": []}
    with pytest.raises(Exception, match=r"no night"):
        sidebar.command("wavebook:stop-night")
    # A command of the palette asks, and takes nothing from a click of long ago.
    with pytest.raises(Exception, match=r"no run exp999/s0"):
        sidebar.command("wavebook:open-run", run="exp999/s0")


def test_a_plan_is_sent_to_a_chosen_device(sidebar: Sidebar, lab: Lab, artifact: Callable[[str], Path]) -> None:
    sidebar.ask("track velocity better on flat ground, 2 experiments")
    card = sidebar.cards.last
    expect(card).to_contain_text("as on NVIDIA H200")
    sidebar.widen(240)
    for name in ("Approve", "Change…", "Reject"):
        button, panel = card.get_by_role("button", name=name).bounding_box(), sidebar.panel.bounding_box()
        assert button is not None
        assert panel is not None
        assert button["x"] + button["width"] <= panel["x"] + panel["width"], name
    sidebar.picture(artifact("plan-narrow.png"))
    card.get_by_role("button", name="Change…").click()
    form = card.get_by_role("form")
    devices = form.get_by_role("group", name="Devices")
    expect(devices.get_by_role("checkbox")).to_have_count(3)
    expect(devices.get_by_label("Any device")).to_be_checked()
    devices.get_by_role("checkbox", name="GPU 1").check()
    expect(devices.get_by_label("Any device")).not_to_be_checked()
    # By command a person is asked, whoever called it; also then it is approved as changed.
    assert sidebar.asked("wavebook:approve", "Its runs are queued", "Cancel") == {"approval": None}
    with pytest.raises(Exception, match="exp999' is no experiment"):
        sidebar.asked("wavebook:approve", "Its runs are queued", "Approve", changes={"drop": ["exp999"]})
    sidebar.widen(420)
    sidebar.picture(artifact("plan-devices.png"))
    form.get_by_role("button", name="Approve as changed").click()
    expect(card).to_contain_text("Approved by")
    wave = lab.project.waves()[-1]
    assert wave.plan().devices == [GPUS[1]]
    assert {tuple(run.spec().devices) for run in wave.runs()} == {(GPUS[1],)}
    with Queue(lab.project) as queue:
        queue.cancel_wave(wave.id, "the test")
        assert queue.wait([run.id for run in queue.store.of_wave(wave.id)], timeout=60)
