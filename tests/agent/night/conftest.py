"""Projects whose runs take a second or two: a real queue and kernel, and a notebook that reads its error off a line."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.jobs.conftest import TRAINING, write_template
from wavebook.agent.night import process
from wavebook.agent.night.grant import Nights
from wavebook.agent.night.terms import Terms, make_terms
from wavebook_tools.errors import NotFoundError
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.records.night_settings import NightSettings
from wavebook_tools.records.project import Project

SETTINGS = """\
[training]
task = "Wavebook-Velocity-Flat-DHAV1"
num_envs = 2
iterations = 3

[devices]
use = ["cpu"]

[planner]
name = "offline"
"""

MEASURED = """\
session.phase("evaluating")
weight = overrides.get("env.rewards.track_lin_vel_xy_exp.weight", 3.0)
measured = {"protocol": {"version": 1, "hash": "test"}, "error_vel_xy": 0.30 - 0.02 * weight + 0.001 * seed,
            "error_vel_yaw": 0.2, "time_out": 1.0, "num_envs": num_envs}
session.finish(measured, device=device, train_seconds=1.0, env_steps_per_second=10.0)
"""

ENDLESS = (
    "import time\nfrom wavebook_tools.notebooks.session import RunSession\nRunSession.open(run).phase('training')\n"
)
ENDLESS += "time.sleep(600)\n"


def terms(directive: str = "raise the track lin vel xy exp weight, 2 experiments", **given) -> Terms:
    return make_terms(directive, NightSettings(), given)


def night_processes(project: Project) -> list[psutil.Process]:
    """The processes that follow the project's night."""
    found = []
    for one in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            line = one.cmdline()
            if process.MODULE in line and str(project.root) in line:
                found.append(one)
    return found


def until(reached: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.1)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    monkeypatch.setenv("WAVEBOOK_LEASES", str(tmp_path / "leases"))
    project = Project.create(tmp_path / "project", SETTINGS)
    write_template(project, "train", TRAINING, MEASURED)
    yield project
    with contextlib.suppress(NotFoundError):
        process.stop(project, "the test")
        until(lambda: Nights(project).current() is None, 60)
    until(lambda: not process.alive(project), 30)
    with Queue(project) as queue:
        for row in queue.store.all():
            if not row.state.final:
                queue.cancel(row.id, "the test")
        queue.wait([row.id for row in queue.store.all()], timeout=30)
