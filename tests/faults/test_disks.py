"""Disks that are full or read-only: no run in a false state, nothing half-written, and the queue goes on afterwards."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.conftest import read_only
from tests.faults.invariants import check_devices, check_runs
from tests.jobs.conftest import EVALUATION, TRAINING, small_plan, write_template
from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.records.run import RunState

OpenQueue = Callable[..., Queue]

FILL = """\
with open("fill", "wb", buffering=0) as stream:
    while True:
        stream.write(bytes(1 << 16))
"""

FILL_SLOWLY = """\
import shutil, time
if seed == 0:
    with open("fill", "wb", buffering=0) as stream:
        while True:
            stream.write(bytes(1 << 18))
            if shutil.disk_usage(".").free < 14_000_000:
                time.sleep(0.5)
"""

WAIT = """\
import time
from pathlib import Path
Path("waits").touch()
while not Path("GATE").exists():
    time.sleep(0.05)
"""


def wait_until(holds: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def leftovers(root: Path) -> list[str]:
    return [str(path.relative_to(root)) for path in root.rglob(".*") if path.name.startswith((".0", ".spec", ".wave."))]


def test_a_run_that_fills_the_disk(disk: Path, open_queue: OpenQueue) -> None:
    queue = open_queue(disk / "project", "[limits]\nfree_disk_gb = 0\n")
    write_template(queue.project, "fills", TRAINING, FILL, EVALUATION)
    (run,) = queue.submit_wave(small_plan(1, template="fills"))
    fill = queue.project.waves_path / "001-small" / "exp001-first" / "s0" / "fill"
    wait_until(lambda: fill.exists() and shutil.disk_usage(disk).free == 0)
    # Submitting to a full disk is refused, and leaves nothing that looks like a wave.
    with pytest.raises((WavebookError, OSError)) as refused:
        queue.submit_wave(small_plan(2))
    assert isinstance(refused.value, WavebookError), repr(refused.value)
    assert [wave.id for wave in queue.project.waves()] == [1]
    assert leftovers(queue.project.root) == []
    time.sleep(2)  # the run and whatever watches it meet the full disk
    fill.unlink()
    assert queue.wait([run], timeout=60)
    row = queue.store.get(run)
    assert row is not None
    assert row.state is RunState.FAILED
    queue.submit_wave(small_plan(2))
    assert queue.wait(["exp002/s0"], timeout=60)
    assert check_runs(queue) == {"failed": 1, "done": 1}
    assert queue.project.run(run).result() is None
    check_devices(queue.project)


def test_a_run_is_ended_before_the_disk_is_full(disk: Path, open_queue: OpenQueue) -> None:
    queue = open_queue(disk / "project", "[limits]\nfree_disk_gb = 0.02\n")
    write_template(queue.project, "fills", TRAINING, FILL_SLOWLY, EVALUATION)
    first, second = queue.submit_wave(small_plan(1, template="fills", seeds=2))
    assert queue.wait([first], timeout=60)
    record = queue.project.run(first)
    alerts = [event for event in record.events() if event["kind"] == "alert"]
    assert [alert["finding"] for alert in alerts] == ["disk full"]
    assert alerts[0]["evidence"]["free_bytes"] > 0
    # The next run waits for space, says so, and starts once there is some.
    wait_until(lambda: (row := queue.store.get(second)) and row.message and "disk space" in row.message)
    (record.path / "fill").unlink()
    queue.ensure_dispatcher()
    assert queue.wait([second], timeout=60)
    assert check_runs(queue) == {"failed": 1, "done": 1}
    check_devices(queue.project)


def test_a_read_only_project_takes_no_wave(disk: Path, open_queue: OpenQueue) -> None:
    queue = open_queue(disk / "project")
    queue.project.settings_path.write_text("[limits]\nfree_disk_gb = 0\n")
    with read_only(queue.project.root), pytest.raises(WavebookError, match=r"[Rr]ead-only"):
        queue.submit_wave(small_plan(1))
    assert queue.project.waves() == []
    assert queue.store.all() == []
    assert leftovers(queue.project.root) == []
    queue.submit_wave(small_plan(1))
    assert queue.wait(["exp001/s0"], timeout=60)
    assert check_runs(queue) == {"done": 1}


def test_a_run_whose_folder_becomes_read_only(disk: Path, open_queue: OpenQueue) -> None:
    queue = open_queue(disk / "project", "[limits]\nfree_disk_gb = 0\n")
    write_template(queue.project, "waits", TRAINING, WAIT.replace("GATE", str(disk / "go-on")), EVALUATION)
    (run,) = queue.submit_wave(small_plan(1, template="waits"))
    folder = queue.project.waves_path / "001-small" / "exp001-first" / "s0"
    wait_until((folder / "waits").exists)
    with read_only(folder):
        (disk / "go-on").touch()
        wait_until(lambda: (row := queue.store.get(run)) and row.state.final)
    row = queue.store.get(run)
    assert row is not None
    assert row.state is RunState.FAILED
    # Writable again: what failed can be repeated.
    (repeat,) = queue.retry_wave(1, "the test")
    assert queue.wait([repeat], timeout=60)
    assert check_runs(queue) == {"failed": 1, "done": 1}
    check_devices(queue.project)
