"""The panels of a notebook in a real JupyterLab: live, busy, reloaded, reopened without a kernel, untrusted."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import conftest
from tests.browser import lab as lab_module
from tests.browser.lab import Lab
from tests.browser.sidebar import Sidebar
from tests.jobs.conftest import EVALUATION, TRAINING, small_plan, write_template
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.records.project import Project

pytestmark = pytest.mark.browser

MANAGER = "@jupyter-widgets/jupyterlab-manager"
WIDGETS_SAY = (
    "Could not send widget sync message",
    "widget model not found",
    "Cannot read properties of null (reading 'kernel')",
)
"""What the widgets' extension says by itself: when a kernel ends, where a file names widgets that it does not hold, and
(an error of jupyterlab-manager 5.0) for each notebook that is opened without a kernel."""

CONTROL = "from wavebook_tools.widgets import control\npanel = control()\npanel"


@pytest.fixture(scope="module")
def with_widgets() -> Iterator[pytest.MonkeyPatch]:
    """JupyterLab with the widgets' extension, which the other tests leave out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conftest, "JUPYTERLAB_SAYS", (*conftest.JUPYTERLAB_SAYS, *WIDGETS_SAY))
        patch.setattr(lab_module, "OTHERS", tuple(name for name in lab_module.OTHERS if name != MANAGER))
        yield patch


def make_project(path: Path) -> Project:
    project = Project.create(path)
    write_template(project, "quick", TRAINING, EVALUATION)
    return project


@pytest.fixture(scope="module")
def lab(
    with_widgets: pytest.MonkeyPatch, start_lab: Callable[[Project], Lab], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    lab = start_lab(make_project(tmp_path_factory.mktemp("widgets") / "project"))
    with_widgets.setenv("WAVEBOOK_LEASES", str(lab.home / "leases"))
    yield lab
    end_all(lab.project)


def end_all(project: Project) -> None:
    with Queue(project) as queue:
        rows = [row for row in queue.store.all() if not row.state.final]
        for row in rows:
            queue.cancel(row.id, "the test")
        assert queue.wait([row.id for row in rows], timeout=30)


class Notebook:
    """A notebook that is open in a page."""

    def __init__(self, lab: Lab, sidebar: Sidebar, path: str, *, kernel: bool = True) -> None:
        self.sidebar, self.page = sidebar, sidebar.page
        self.file = lab.project.root / path
        sidebar.command("docmanager:open", path=path, kernelPreference={"shouldStart": kernel})
        self.node = self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        expect(self.node).to_be_visible()
        self.panel = self.node.locator(".wavebook-panel").first
        self.picture = self.node.locator(".wavebook-picture").first
        self.target = self.panel.get_by_placeholder("exp001/s0 or wave 3")
        self.status = self.page.locator("#jp-main-statusbar")

    def run_all(self) -> None:
        """Execute all cells; returns when the panel shows."""
        expect(self.status).to_contain_text("| Idle")
        self.page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
        expect(self.panel).to_be_visible()

    def button(self, name: str) -> Locator:
        return self.panel.get_by_role("button", name=name, exact=True)

    def iteration(self, run: str) -> int:
        """How far the panel says that a run is."""
        row = self.panel.locator("tr").filter(has=self.page.get_by_role("rowheader", name=run, exact=True))
        match = re.search(r"(\d+)/\d+", row.inner_text())
        return int(match[1]) if match else -1

    def wait_for_picture(self, text: str) -> None:
        """Wait until the picture, which is hidden beside the panel, has been renewed."""
        expect(self.picture).to_contain_text(text)

    def save(self) -> nbformat.NotebookNode:
        self.sidebar.command("docmanager:save")
        return nbformat.read(self.file, as_version=4)

    def close_with_kernel(self) -> None:
        """End the kernel as a person does who leaves for the day."""
        self.page.evaluate("window.jupyterapp.serviceManager.sessions.shutdownAll()")
        expect(self.status).not_to_contain_text("| Idle")
        self.save()
        self.page.evaluate("void window.jupyterapp.commands.execute('application:close-all')")
        expect(self.node).to_have_count(0)


def write_notebook(lab: Lab, name: str, *cells: str) -> str:
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    nbformat.write(notebook, lab.project.root / f"{name}.ipynb")
    return f"{name}.ipynb"


@pytest.fixture(scope="module", autouse=True)
def patient() -> Iterator[None]:
    """Kernels start beside runs that work: on a small machine that takes its time."""
    expect.set_options(timeout=40_000)
    yield
    expect.set_options(timeout=conftest.PATIENCE)


@pytest.fixture
def sidebar(lab: Lab, open_lab: Callable[..., Page]) -> Iterator[Sidebar]:
    sidebar = Sidebar(open_lab(lab, height=1050)).ready()
    yield sidebar
    sidebar.page.evaluate("window.jupyterapp.serviceManager.sessions.shutdownAll()")


@pytest.fixture
def finished(lab: Lab) -> str:
    """A run that has ended, for panels that show something."""
    with Queue(lab.project) as queue:
        if (row := queue.store.get("exp001/s0")) is None:
            queue.submit_wave(small_plan(1, iterations=2))
        assert queue.wait(["exp001/s0"], timeout=60)
        row = queue.store.get("exp001/s0")
        assert row is not None
        assert row.state == "done"
    return "exp001/s0"


def test_a_notebook_controls_the_queue(
    lab: Lab, sidebar: Sidebar, finished: str, artifact: Callable[[str], Path]
) -> None:
    page = sidebar.page
    notebook = Notebook(lab, sidebar, write_notebook(lab, "control", CONTROL))
    notebook.run_all()
    expect(notebook.picture).not_to_be_visible()
    expect(notebook.panel).to_contain_text(finished)

    # Bad input is explained below the form, and nothing is submitted.
    notebook.panel.get_by_text("Submit a notebook").click()
    notebook.panel.get_by_label("Notebook").select_option("quick")
    expect(notebook.panel.get_by_label("Iterations")).to_have_value("1")  # the template's own
    notebook.panel.get_by_label("Iterations").fill("300")
    notebook.panel.get_by_label("Seeds").fill("0, one")
    notebook.panel.get_by_label("Overrides").fill("env.rewards.track_lin_vel_xy_exp.wait = 2")
    notebook.button("Submit").click()
    alert = notebook.panel.get_by_role("alert")
    expect(alert).to_contain_text("seeds: 'one' is no seed")
    expect(alert).to_contain_text("hypothesis: say in a sentence")
    notebook.panel.get_by_label("Seeds").fill("0-1")
    notebook.panel.get_by_label("Hypothesis").fill("A heavier <b>reward</b> tracks better")
    notebook.button("Submit").click()
    expect(alert).to_contain_text("Did you mean 'env.rewards.track_lin_vel_xy_exp.weight'")
    alert.scroll_into_view_if_needed()
    page.screenshot(path=artifact("widgets-error.png"))
    assert [wave.id for wave in lab.project.waves()] == [1]

    notebook.panel.get_by_label("Overrides").fill("env.rewards.track_lin_vel_xy_exp.weight = 2.5")
    notebook.button("Submit").click()
    expect(notebook.panel).to_contain_text("Queued: exp002/s0, exp002/s1")
    notebook.panel.get_by_text("Submit a notebook").click()
    expect(notebook.panel).to_contain_text("training")

    notebook.target.fill("exp002/s1")
    notebook.button("Sooner").click()
    expect(notebook.panel).to_contain_text("queued (priority +1)")
    notebook.target.fill("exp002/s0")
    notebook.button("Log").click()
    expect(notebook.panel.get_by_role("log")).to_contain_text("iteration 16/300")
    page.evaluate("document.activeElement.blur()")
    page.screenshot(path=artifact("widgets-light.png"))
    sidebar.theme("JupyterLab Dark")
    notebook.panel.screenshot(path=artifact("widgets-dark.png"))
    sidebar.theme("JupyterLab Light")

    notebook.target.fill("wave 2")
    notebook.button("Cancel").click()
    expect(notebook.panel).to_contain_text("End wave 2 with its 2 unfinished runs?")
    page.screenshot(path=artifact("widgets-question.png"))
    notebook.button("No").click()
    expect(notebook.button("Yes, end")).not_to_be_visible()
    notebook.button("Cancel").click()
    notebook.button("Yes, end").click()
    expect(notebook.panel).to_contain_text("2 cancelled")
    notebook.target.fill("exp002/s1")
    notebook.button("Retry").click()
    expect(notebook.panel).to_contain_text("Queued again: exp002/s1-r1")
    end_all(lab.project)


def test_numbers_stay_fresh_while_a_cell_is_executed(lab: Lab, sidebar: Sidebar, finished: str) -> None:
    busy = "import time\nfor _ in range(120):\n    time.sleep(0.1)"
    notebook = Notebook(lab, sidebar, write_notebook(lab, "busy", CONTROL, busy))
    with Queue(lab.project) as queue:
        number = lab.project.waves()[-1].id + 1
        queue.submit_wave(small_plan(number, iterations=600))
        run = f"exp{number:03d}/s0"
        deadline = time.monotonic() + 30
        while (
            not lab.project.run(run).log_path.exists() or "iteration" not in lab.project.run(run).log_path.read_text()
        ):
            assert time.monotonic() < deadline
            time.sleep(0.1)
    notebook.run_all()
    expect(notebook.status).to_contain_text("| Busy")
    expect(notebook.panel).to_contain_text("training")
    seen = set()
    while "| Busy" in notebook.status.inner_text():
        seen.add(notebook.iteration(run))
        notebook.page.wait_for_timeout(300)
    assert len(seen) >= 5
    end_all(lab.project)


def test_a_reloaded_page_finds_its_panel_alive(lab: Lab, sidebar: Sidebar, finished: str) -> None:
    notebook = Notebook(lab, sidebar, write_notebook(lab, "reload", CONTROL))
    notebook.run_all()
    notebook.save()
    sidebar.page.wait_for_timeout(1500)  # the layout is saved with a delay
    sidebar.page.reload()
    sidebar.ready()
    expect(notebook.panel).to_be_visible()
    expect(notebook.picture).not_to_be_visible()
    notebook.target.fill("exp009/s9")
    notebook.button("Retry").click()
    expect(notebook.panel.get_by_role("alert")).to_contain_text("no run 'exp009/s9'")


@pytest.mark.parametrize("kernel", [False, True], ids=["no kernel", "a new kernel"])
def test_without_its_kernel_the_last_table_stays(
    lab: Lab, sidebar: Sidebar, finished: str, artifact: Callable[[str], Path], kernel: bool
) -> None:
    path = write_notebook(lab, f"left-{kernel}", CONTROL)
    notebook = Notebook(lab, sidebar, path)
    notebook.run_all()
    notebook.wait_for_picture(finished)
    saved = notebook.save()
    assert "widgets" not in saved.metadata  # as JupyterLab is set up
    notebook.close_with_kernel()

    reopened = Notebook(lab, sidebar, path, kernel=kernel)
    if kernel:
        expect(reopened.status).to_contain_text("| Idle")
    expect(reopened.picture).to_be_visible()
    expect(reopened.picture).to_contain_text(finished)
    expect(reopened.picture).to_contain_text("As of")
    reopened.page.wait_for_timeout(3000)  # the extension gives up looking for the widget after two seconds
    for word in ("Error displaying", "Loading widget"):
        assert word not in reopened.node.inner_text()
    reopened.page.screenshot(path=artifact("widgets-reopened.png"))


def test_an_untrusted_notebook_shows_the_table(lab: Lab, sidebar: Sidebar, finished: str) -> None:
    path = write_notebook(lab, "mine", CONTROL)
    notebook = Notebook(lab, sidebar, path)
    notebook.run_all()
    notebook.wait_for_picture(finished)
    notebook.save()
    notebook.close_with_kernel()
    # From somebody else: never signed here.
    document = nbformat.read(lab.project.root / path, as_version=4)
    document.cells.insert(0, nbformat.v4.new_markdown_cell("From elsewhere"))
    document.cells[1].source += "  # changed"
    for output in document.cells[1].outputs:
        output.data["text/plain"] = str(output.data["text/plain"]) + " "
    nbformat.write(document, lab.project.root / "theirs.ipynb")
    theirs = Notebook(lab, sidebar, "theirs.ipynb", kernel=False)
    expect(theirs.picture).to_be_visible()
    expect(theirs.picture).to_contain_text(finished)
    theirs.page.wait_for_timeout(3000)
    assert "Error displaying" not in theirs.node.inner_text()


def test_saved_widget_states_show_the_panel_without_its_kernel(
    with_widgets: pytest.MonkeyPatch,
    start_lab: Callable[[Project], Lab],
    open_lab: Callable[..., Page],
    tmp_path_factory: pytest.TempPathFactory,
    artifact: Callable[[str], Path],
) -> None:
    keep = {f"{MANAGER}/plugin.jupyterlab-settings": {"saveState": True}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lab_module, "QUIET_SETTINGS", {**lab_module.QUIET_SETTINGS, **keep})
        lab = start_lab(make_project(tmp_path_factory.mktemp("kept") / "project"))
    with Queue(lab.project) as queue:
        queue.submit_wave(small_plan(1, iterations=2))
        assert queue.wait(["exp001/s0"], timeout=60)
    sidebar = Sidebar(open_lab(lab)).ready()
    path = write_notebook(lab, "kept", CONTROL)
    notebook = Notebook(lab, sidebar, path)
    notebook.run_all()
    expect(notebook.panel).to_contain_text("exp001/s0")
    assert "widgets" in notebook.save().metadata
    sidebar.page.evaluate("window.jupyterapp.serviceManager.sessions.shutdownAll()")
    sidebar.page.evaluate("void window.jupyterapp.commands.execute('application:close-all')")
    expect(notebook.node).to_have_count(0)

    # The extension reads saved states only where a kernel runs, be it a new one that knows nothing of the panel.
    reopened = Notebook(lab, sidebar, path)
    expect(reopened.panel).to_be_visible()
    expect(reopened.panel).to_contain_text("exp001/s0")
    expect(reopened.picture).not_to_be_visible()
    assert "Error displaying" not in reopened.node.inner_text()
    reopened.page.screenshot(path=artifact("widgets-kept.png"))
    reopened.close_with_kernel()

    bare = Notebook(lab, sidebar, path, kernel=False)
    expect(bare.picture).to_be_visible()
    expect(bare.picture).to_contain_text("exp001/s0")
