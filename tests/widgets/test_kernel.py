"""Panels in a real kernel: fresh while a cell is executed, asleep while nobody looks, readable without one."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client import BlockingKernelClient, KernelManager
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from tests.jobs.conftest import small_plan
from tests.projects import Drawn, draw_wave
from wavebook_tools.jobs.index import rebuild
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.records.project import Project

VIEW = "application/vnd.jupyter.widget-view+json"


class Kernel:
    """A kernel in the project's folder, and a front end that says what it looks at."""

    def __init__(self, folder: Path) -> None:
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(cwd=str(folder))
        self.client: BlockingKernelClient = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(self, code: str) -> list[dict[str, Any]]:
        """Execute code to its end; what it published."""
        messages: list[dict[str, Any]] = []
        reply = self.client.execute_interactive(code, timeout=60, output_hook=messages.append)
        assert reply["content"]["status"] == "ok", reply["content"]
        return messages

    def text(self, code: str) -> str:
        """What code prints."""
        return "".join(m["content"]["text"] for m in self.run(code) if m["msg_type"] == "stream")

    def look(self, model: str, views: int) -> None:
        """Say that a widget is seen so many times."""
        content = {"comm_id": model, "data": {"method": "update", "state": {"_view_count": views}, "buffer_paths": []}}
        self.client.shell_channel.send(self.client.session.msg("comm_msg", content))

    def updates(self, seconds: float) -> list[tuple[float, dict[str, Any]]]:
        """What is published within so many seconds, with the time of each."""
        found = []
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                found.append((time.monotonic(), self.client.get_iopub_msg(timeout=left)))
            except Exception:  # the queue's Empty
                break
        return found

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(project: Project) -> Iterator[Kernel]:
    kernel = Kernel(project.root)
    yield kernel
    kernel.stop()


def shown(messages: list[dict[str, Any]]) -> str:
    """The model of the widget that was displayed."""
    views = [m["content"]["data"][VIEW]["model_id"] for m in messages if VIEW in m["content"].get("data", {})]
    assert len(views) == 1
    return str(views[0])


def wait_for(kernel: Kernel, code: str, value: str) -> None:
    deadline = time.monotonic() + 10
    while (text := kernel.text(code).strip()) != value:
        assert time.monotonic() < deadline, f"{code} is {text}, not {value}"
        time.sleep(0.2)


def test_numbers_move_while_a_cell_is_executed(kernel: Kernel, project: Project, queue: Queue) -> None:
    kernel.run("from wavebook_tools.widgets import control\npanel = control()\npanel")
    queue.submit_wave(small_plan(iterations=400))
    # The cell goes on until enough has come, however slow the machine is: all of it comes while the kernel is busy.
    kernel.client.execute("import pathlib, time\nwhile not pathlib.Path('enough').exists():\n    time.sleep(0.1)")
    told: set[str] = set()
    deadline = time.monotonic() + 60
    while len(told) < 3 and time.monotonic() < deadline:
        for _, message in kernel.updates(0.5):
            html = message["content"].get("data", {}).get("state", {}).get("value", "")
            if message["msg_type"] == "comm_msg" and "/400</span>" in html:
                told.add(html)
    (project.root / "enough").touch()
    assert len(told) >= 3


def test_one_thread_serves_many_panels_and_sleeps_while_nobody_looks(kernel: Kernel) -> None:
    kernel.run(
        "import threading\nfrom wavebook_tools.widgets import GpuPanel, QueuePanel\n"
        "from wavebook_tools.widgets.feed import Feed"
    )
    models = [
        shown(kernel.run(f"panel{n} = {kind}()\npanel{n}")) for n, kind in enumerate(["QueuePanel", "GpuPanel"] * 5)
    ]
    for model in models:
        kernel.look(model, 1)
    kernel.run("feed = Feed.of(panel0.project)")
    assert kernel.text("print([t.name for t in threading.enumerate()].count('wavebook-feed'))").strip() == "1"
    wait_for(kernel, "print(len(feed.watchers))", "10")
    looks = int(kernel.text("print(feed.looks)"))
    wait_for(kernel, f"print(feed.looks > {looks})", "True")

    for model in models[1:]:
        kernel.look(model, 0)
    wait_for(kernel, "print(len(feed.watchers))", "1")
    kernel.run("panel0.close()")
    wait_for(kernel, "print(len(feed.watchers))", "0")
    looks = int(kernel.text("print(feed.looks)"))
    kernel.updates(3)
    assert int(kernel.text("print(feed.looks)")) == looks

    kernel.look(models[1], 1)
    wait_for(kernel, "print(len(feed.watchers))", "1")


def test_the_picture_is_renewed_where_it_stands(kernel: Kernel, queue: Queue) -> None:
    kernel.run(
        "from wavebook_tools.widgets import panel as module, QueuePanel\nmodule.PICTURE_INTERVAL = 1.0\n"
        "panel = QueuePanel()\npanel"
    )
    queue.submit_wave(small_plan(iterations=20))
    deadline = time.monotonic() + 30
    pictures: list[str] = []
    while not any("exp001/s0" in picture and "done" in picture for picture in pictures):
        assert time.monotonic() < deadline
        pictures += [
            m["content"]["data"]["text/html"] for _, m in kernel.updates(1) if m["msg_type"] == "update_display_data"
        ]


def execute(project: Project, *cells: str) -> nbformat.NotebookNode:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(
        notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(project.root)}}
    ).execute()
    return notebook


def export(notebook: nbformat.NotebookNode) -> str:
    html, _ = HTMLExporter(template_name="lab").from_notebook_node(notebook)
    return str(html)


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    """A notebook with the panels of a project whose only run has ended."""
    project = draw_wave(tmp_path_factory.mktemp("project"), [Drawn("first", {0: 0.1})], iterations=1)
    rebuild(project)
    return execute(project, "from wavebook_tools.widgets import control\ncontrol()")


@pytest.mark.parametrize("keep_state", [True, False], ids=["with widget state", "without"])
def test_an_exported_page_shows_the_table(executed: nbformat.NotebookNode, keep_state: bool) -> None:
    notebook = deepcopy(executed)
    assert "widgets" in notebook.metadata  # nbclient keeps the state
    if not keep_state:
        del notebook.metadata["widgets"]
    html = export(notebook)
    assert "exp001/s0" in html
    assert "1/1" in html
    assert "model not found" not in html


def test_outputs_say_all_in_plain_html_and_text(executed: nbformat.NotebookNode) -> None:
    picture, widget = executed.cells[0].outputs
    assert "exp001/s0" in picture.data["text/html"]
    assert "1 done" in picture.data["text/plain"]
    assert VIEW not in picture.data
    assert VIEW in widget.data
    assert widget.data["text/html"] == "" == widget.data["text/plain"]
    assert "<script" not in json.dumps(executed.cells[0].outputs)


def test_a_terminal_gets_text(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)
    from wavebook_tools.widgets import control

    assert "Runs: none yet" in repr(control())
