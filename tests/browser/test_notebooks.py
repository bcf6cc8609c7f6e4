"""Notebooks and replays of runs: which are trusted, templates of a project's own, and robots in the main area."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab import Lab
from tests.browser.sidebar import Sidebar
from tests.jobs.conftest import EVALUATION, TRAINING, small_plan, write_template
from wavebook.agent.approvals import Approvals
from wavebook_tools.records.project import Project

pytestmark = pytest.mark.browser

RUN = "exp001/s0"
RECORDED = Path(__file__).parents[1] / "replay" / "rough.json"

DRAWN = """\
import os
from IPython.display import HTML, display
display(HTML("<p>drawn</p><script>window.codeHasRun = true</script>"))
print("secrets:", os.environ.get("WAVEBOOK_TEST_API_KEY"), "sk-ant-" + "a1B2" * 8)
"""
REPLAY = f"""\
import shutil
shutil.copy({str(RECORDED)!r}, session.record.path / "replay.json")
"""


def approve(lab: Lab, approval: int) -> None:
    """Approve a plan as the sidebar does, so that the server's own account runs it."""
    assert lab.ask(f"wavebook/api/approvals/{approval}", {"decision": "approve"})["state"] == "approved"


@pytest.fixture(scope="module")
def lab(start_lab: Callable[[Project], Lab], tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A project with one finished run, which the server started with a secret in its environment."""
    project = Project.create(tmp_path_factory.mktemp("project") / "walk")
    write_template(project, "quick", TRAINING, DRAWN, REPLAY, EVALUATION)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WAVEBOOK_TEST_API_KEY", "a-secret-of-the-test")
        lab = start_lab(project)
    approve(lab, Approvals(project).propose(small_plan()).id)
    return lab


@pytest.fixture
def sidebar(lab: Lab, open_lab: Callable[..., Page]) -> Sidebar:
    sidebar = Sidebar(open_lab(lab)).ready()
    expect(sidebar.run(RUN)).to_have_attribute("data-state", "done", timeout=90_000)
    return sidebar


def test_what_wavebook_ran_is_trusted_until_it_is_changed(
    sidebar: Sidebar, lab: Lab, artifact: Callable[[str], Path]
) -> None:
    page, path = sidebar.page, lab.project.run(RUN).notebook_path
    text = path.read_text()
    assert "a-secret-of-the-test" not in text
    assert "a1B2a1B2" not in text
    assert "secrets: None [redacted key]" in text
    row = sidebar.run(RUN)
    row.click(button="right")
    page.get_by_role("menuitem", name="Open Notebook").click()
    output = page.locator(".jp-NotebookPanel .jp-RenderedHTMLCommon").filter(has_text="drawn")
    expect(output).to_be_attached()
    page.wait_for_function("() => window.codeHasRun === true")
    page.screenshot(path=artifact("notebook-trusted-light.png"))

    # Changed by somebody else, its code does not run any more.
    notebook = nbformat.reads(text, as_version=4)
    notebook.cells[-1].source += "\n# by hand"
    changed = path.with_name("changed.ipynb")
    nbformat.write(notebook, changed)
    sidebar.command("docmanager:open", path=lab.project.relative(changed))
    shown = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    expect(shown.locator(".jp-RenderedHTMLCommon").filter(has_text="drawn")).to_be_attached()
    trusted = page.evaluate(
        """() => {
          const { currentWidget } = window.jupyterapp.shell;
          const cells = [...currentWidget.content.model.cells].filter(cell => cell.type === 'code');
          return cells.map(cell => cell.trusted);
        }"""
    )
    assert trusted
    assert not any(trusted)


def test_a_replay_opens_in_the_main_area(
    sidebar: Sidebar, artifact: Callable[[str], Path], accessible: Callable[[Page, str], None]
) -> None:
    page = sidebar.page
    sidebar.run(RUN).click(button="right")
    page.get_by_role("menuitem", name="Open Replay").click()
    view = page.locator(".jp-Wavebook-replayView")
    expect(view.get_by_role("application")).to_be_visible(timeout=30_000)
    expect(view.get_by_role("slider", name="Moment")).to_be_visible()
    view.get_by_role("button", name="Play").click()
    expect(view.get_by_role("slider", name="Moment")).not_to_have_value("0")
    page.screenshot(path=artifact("run-replay-light.png"))
    accessible(page, ".jp-Wavebook-replayView")
    sidebar.theme("JupyterLab Dark")
    page.wait_for_timeout(500)
    page.screenshot(path=artifact("run-replay-dark.png"))
    sidebar.theme("JupyterLab Light")  # the server keeps it

    # It is there again after a reload, and the run's page leads to it.
    page.wait_for_timeout(1500)  # the state database writes with a delay
    page.reload()
    sidebar.ready()
    expect(view.get_by_role("application")).to_be_visible()
    sidebar.command("wavebook:open-run", run=RUN)
    page.get_by_role("article", name=f"Run {RUN}").get_by_role("button", name="Replay").click()
    expect(view.get_by_role("application")).to_be_visible()


def test_a_template_is_copied_changed_and_checked(sidebar: Sidebar, lab: Lab, artifact: Callable[[str], Path]) -> None:
    page = sidebar.page
    copied = sidebar.command("wavebook:copy-template", template="train", name="mine")["template"]  # type: ignore[index]
    assert copied["path"] == "templates/mine.ipynb"  # type: ignore[index, call-overload]
    expect(page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")).to_contain_text("What a run takes in")
    with pytest.raises(Exception, match="already"):
        sidebar.command("wavebook:copy-template", template="train", name="mine")
    path = lab.project.root / "templates" / "mine.ipynb"
    path.write_text(path.read_text().replace("num_envs = 64", "robots = 64"))
    told = sidebar.command("wavebook:check-templates", template="mine")["templates"][0]  # type: ignore[index]
    assert "misses the parameter num_envs" in told["problems"][0]  # type: ignore[index, call-overload]
    expect(page.get_by_role("alert").filter(has_text="mine misses the parameter num_envs")).to_be_visible()
    page.screenshot(path=artifact("template-checked-light.png"))
