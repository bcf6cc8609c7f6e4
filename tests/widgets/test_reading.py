"""What the panels read: only what changed, and the truth."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from tests.jobs.conftest import small_plan, write_template
from tests.jobs.gpus import Machine
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.jobs.store import QueueStore
from wavebook_tools.records.project import Project
from wavebook_tools.records.run import RunSpec, RunState
from wavebook_tools.widgets import reading as reading_module
from wavebook_tools.widgets.reading import ProjectReader, Reading
from wavebook_tools.widgets.tables import device_table, duration, queue_table

SLEEP = "import time\ntime.sleep(60)"


def read_until(reader: ProjectReader, fits: Callable[[Reading], bool], seconds: float = 30.0) -> Reading:
    deadline = time.monotonic() + seconds
    while not fits(reading := reader.read()):
        assert time.monotonic() < deadline, f"not reached: {reading}"
        time.sleep(0.1)
    return reading


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's load is asked once, so that nothing but the queue can change."""
    monkeypatch.setattr(reading_module, "DEVICE_INTERVAL", 1000.0)


def test_looking_makes_no_database(project: Project) -> None:
    reading = ProjectReader(project).read()
    assert reading.counts == {}
    assert not project.database_path.exists()
    assert "No runs yet" in queue_table(reading)


@pytest.mark.usefixtures("still")
def test_a_look_that_finds_nothing_new_returns_the_same_reading(project: Project, queue: Queue) -> None:
    write_template(project, "sleep", SLEEP)
    reader = ProjectReader(project)
    queue.submit_wave(small_plan(1, template="sleep", seeds=10))
    queue.submit_wave(small_plan(2, template="sleep", seeds=10))
    read_until(reader, lambda r: bool(r.live))
    time.sleep(6)  # its start is over, and the expectations that followed it are made
    first = reader.read()
    assert all(reader.read() is first for _ in range(5))

    queue.set_priority("exp002/s9", 3, "the test")
    moved = reader.read()
    assert moved is not first
    assert moved.queued[0]["id"] == "exp002/s9"
    assert moved.counts["queued"] == 19
    assert "… and 4 more that wait" in queue_table(moved)
    assert moved.targets[:2] == ("exp001/s0", "exp002/s9")
    assert "wave 1" in moved.targets


def test_a_run_is_followed_from_the_queue_to_its_end(project: Project, queue: Queue) -> None:
    reader = ProjectReader(project)
    queue.submit_wave(small_plan(iterations=120))
    read_until(reader, lambda r: any(device.holders for device in r.devices))  # devices are asked more seldom
    live = read_until(reader, lambda r: bool(r.live) and r.live[0]["iteration"] > 5)
    assert live.counts == {"running": 1}
    html = queue_table(live)
    assert f"{live.live[0]['iteration']}/120" in html
    assert "training" in html
    assert "≈ " in html  # no earlier run tells how long it takes; its pace does
    assert any("exp001/s0" in holder for device in live.devices for holder in device.holders)
    assert "exp001/s0" in device_table(live, str(project.root))
    assert str(project.root) not in device_table(live, str(project.root))  # a run of one's own is named shortly

    ended = read_until(reader, lambda r: not r.live)
    assert ended.counts == {"done": 1}
    assert "velocity error 0.1 m/s" in queue_table(ended)


def test_a_database_that_is_replaced_is_read_anew(project: Project, queue: Queue) -> None:
    reader = ProjectReader(project)
    queue.submit_wave(small_plan(iterations=1))
    queue.wait(["exp001/s0"], timeout=30)
    read_until(reader, lambda r: r.counts == {"done": 1})
    kept = project.database_path.read_bytes()
    project.database_path.with_suffix(".new").write_bytes(
        b"this is no database, but long enough to be taken for one" * 99
    )
    for suffix in ("-wal", "-shm"):
        project.database_path.with_name(project.database_path.name + suffix).unlink(missing_ok=True)
    os.replace(project.database_path.with_suffix(".new"), project.database_path)
    broken = reader.read()
    assert "the queue cannot be read" in broken.problems[0]
    assert 'role="alert"' in queue_table(broken)

    project.database_path.with_suffix(".new").write_bytes(kept)
    os.replace(project.database_path.with_suffix(".new"), project.database_path)
    assert reader.read().problems == ()


def test_runs_in_a_schedulers_line_wait_like_those_in_ours(project: Project) -> None:
    plan = small_plan(seeds=3)
    specs = [RunSpec.from_plan(plan, plan.experiments[0], seed) for seed in range(3)]
    with contextlib.closing(QueueStore(project)) as store:
        store.add((spec, project.relative(project.run_folder(plan, spec))) for spec in specs)
        for spec in specs[:2]:
            store.start(spec.id, "", "slurm")
            store.set_message(spec.id, "waits in Slurm (Resources)")
        waiting = ProjectReader(project).read()
        store.finish(specs[0].id, RunState.CANCELLED)
        cancelled = ProjectReader(project).read()
    assert waiting.counts == {"queued": 3}
    assert queue_table(waiting).count("waits in Slurm (Resources)") == 2
    assert "more that wait" not in queue_table(waiting)
    assert cancelled.counts == {"queued": 2, "cancelled": 1}
    assert "took" not in queue_table(cancelled), "it never ran"


def test_gpus_show_foreign_processes_by_name(project: Project, machine: Machine) -> None:
    foreign = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        machine.set(["GPU-aaaa", "GPU-bbbb"], {"GPU-bbbb": [foreign.pid]})
        reading = ProjectReader(project).read()
        html = device_table(reading, str(project.root))
        assert [reading.labels[name] for name in ("GPU-aaaa", "GPU-bbbb")] == ["GPU 0", "GPU 1"]
        assert f"({foreign.pid})" in html
        assert "python" in html
    finally:
        foreign.kill()
        foreign.wait()


def test_what_records_say_is_escaped() -> None:
    run = {
        "id": "exp001/s0",
        "state": "failed",
        "phase": None,
        "priority": 0,
        "device": "<b>",
        "device_name": None,
        "metrics": {"<i>": 1.0},
        "message": "<img src=x onerror=alert(1)>",
        "iteration": 1,
        "iterations": 2,
        "started": 1.0,
        "ended": 2.0,
    }
    html = queue_table(Reading(1.0, ended=(run,), counts={"failed": 1}, problems=("<u>",)))
    for harm in ("<img", "<b>", "<i>", "<u>"):
        assert harm not in html
    assert "&lt;img" in html
    html = queue_table(Reading(1.0, ended=({**run, "device": "GPU-1,GPU-2", "device_name": "<s>H200"},)))
    assert "2 × &lt;s&gt;H200" in html


@pytest.mark.parametrize(("seconds", "text"), [(-5, "0 s"), (42.2, "42 s"), (180, "3 min"), (7600, "2.1 h")])
def test_durations_are_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text
