"""Runs that hold their devices until a test lets them go on, in a project whose queue hands them to a cluster."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tests.jobs.conftest import EVALUATION, small_plan, write_template
from tests.jobs.engines.slurm_cluster import wait_until
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.jobs.store import QueuedRun
from wavebook_tools.records.plan import WavePlan
from wavebook_tools.records.project import Project

HOLD = """\
import os, time
from pathlib import Path
from wavebook_tools.notebooks.session import RunSession
session = RunSession.open(run)
session.phase("training")
print("devices", os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
while not Path(session.project.root, "go").exists():
    time.sleep(0.05)
"""


@contextlib.contextmanager
def queue_of(project: Project, settings: str) -> Iterator[Queue]:
    """The project's queue under these settings; runs that are left are cancelled."""
    project.settings_path.write_text(settings)
    write_template(project, "hold", HOLD, EVALUATION)
    with Queue(project) as queue:
        yield queue
        release(queue)
        left = [row.id for row in queue.store.all() if not row.state.final]
        for run_id in left:
            queue.cancel(run_id, "the test")
        assert queue.wait(left, timeout=90)


def release(queue: Queue) -> None:
    """Let the runs go on to their evaluation."""
    (queue.project.root / "go").touch()


def plan(wave: int = 1, *, template: str = "hold", seeds: int = 1, devices: tuple[str, ...] = ("auto",)) -> WavePlan:
    return small_plan(wave, template=template, seeds=seeds).model_copy(update={"devices": list(devices)})


def row(queue: Queue, run_id: str) -> QueuedRun:
    found = queue.store.get(run_id)
    assert found is not None
    return found


def devices(queue: Queue, run_id: str) -> str | None:
    """What a run that is training sees, None before that."""
    log = queue.project.run(run_id).log_path
    lines = log.read_text().splitlines() if log.exists() else []
    return next((line.split()[1] for line in lines if line.startswith("devices ")), None)


def training(queue: Queue, *runs: str, timeout: float = 90) -> None:
    wait_until(
        lambda: all(devices(queue, run) for run in runs), timeout, lambda: str([row(queue, run) for run in runs])
    )


def ended(queue: Queue, run_id: str, timeout: float = 90) -> QueuedRun:
    assert queue.wait([run_id], timeout=timeout), row(queue, run_id)
    return row(queue, run_id)
