"""A project with a real template, a real kernel and leases of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from tests.jobs.gpus import Machine, driver_folder
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.records.plan import ExperimentSpec, WavePlan
from wavebook_tools.records.project import Project

PARAMETERS = """\
run = "exp000/s0"
task = ""
seed = 0
num_envs = 1
iterations = 1
device = "cpu"
overrides = {}
evaluation = {}
checkpoint = None
"""

TRAINING = """\
import time
from wavebook_tools.notebooks.session import RunSession
session = RunSession.open(run)
session.phase("training")
for iteration in range(iterations):
    session.iteration(iteration, {"Train/mean_reward": float(iteration)})
    time.sleep(0.05)
"""

EVALUATION = """\
session.phase("evaluating")
measured = {"protocol": {"version": 1, "hash": "test"}, "error_vel_xy": 0.1 + 0.01 * seed,
            "error_vel_yaw": 0.2, "time_out": 1.0, "num_envs": num_envs}
session.finish(measured, device=device, train_seconds=1.0, env_steps_per_second=10.0)
"""


def notebook_template(*cells: str) -> nbformat.NotebookNode:
    """A template whose cells are run behind the parameters."""
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.cells = [
        nbformat.v4.new_markdown_cell("", metadata={"tags": ["wavebook-provenance"]}),
        nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
        *(nbformat.v4.new_code_cell(cell) for cell in cells),
    ]
    return notebook


def write_template(project: Project, name: str, *cells: str) -> None:
    """Put a template of the project's own into it."""
    folder = project.root / "templates"
    folder.mkdir(exist_ok=True)
    nbformat.write(notebook_template(*cells), folder / f"{name}.ipynb")


def small_plan(wave: int = 1, *, template: str = "quick", iterations: int = 3, seeds: int = 1) -> WavePlan:
    """A wave of one experiment."""
    return WavePlan(
        id=wave,
        slug="small",
        goal="Find out whether runs can be trusted",
        task="Wavebook-Velocity-Flat-DHAV1",
        num_envs=2,
        iterations=iterations,
        devices=["cpu"],
        experiments=[
            ExperimentSpec(
                id=f"exp{wave:03d}",
                slug="first",
                hypothesis="It runs",
                seeds=list(range(seeds)),
                template=template,
            )
        ],
    )


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return driver_folder(tmp_path_factory.mktemp("driver"))


@pytest.fixture
def machine(tmp_path: Path, driver: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine with two GPUs."""
    machine = Machine(tmp_path, driver)
    machine.set(["GPU-aaaa", "GPU-bbbb"])
    machine.use(monkeypatch)
    return machine


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("WAVEBOOK_LEASES", str(tmp_path / "leases"))
    project = Project.create(tmp_path / "project")
    write_template(project, "quick", TRAINING, EVALUATION)
    return project


@pytest.fixture
def queue(project: Project) -> Iterator[Queue]:
    with Queue(project) as queue:
        yield queue
        for row in queue.store.all():
            if not row.state.final:
                queue.cancel(row.id, "the test")
        queue.wait([row.id for row in queue.store.all()], timeout=30)
