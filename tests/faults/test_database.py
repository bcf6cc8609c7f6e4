"""A database that is lost while runs are live, done and waiting."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path

from tests.faults.invariants import check_devices, check_runs
from tests.faults.test_disks import WAIT, wait_until
from tests.jobs.conftest import EVALUATION, TRAINING, small_plan, write_template
from wavebook_tools.jobs.processes import find_supervisor
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.records.project import Project
from wavebook_tools.records.run import RunState


def overwrite_database(project: Project) -> None:
    """Put garbage where the database was; all of it, so nothing may wait in its log."""
    with contextlib.closing(sqlite3.connect(project.database_path)) as connection:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert not busy
    project.database_path.write_bytes(b"garbage, not a database" * 1000)


def test_a_database_that_is_overwritten_while_runs_are_under_way(project: Project, tmp_path: Path) -> None:
    gate = tmp_path / "go-on"
    write_template(project, "waits", TRAINING, WAIT.replace("GATE", str(gate)), EVALUATION)
    with Queue(project) as queue:
        (done,) = queue.submit_wave(small_plan(1))
        assert queue.wait([done], timeout=60)
        (live,) = queue.submit_wave(small_plan(2, template="waits"))
        wait_until((project.run(live).path / "waits").exists)
        (queued,) = queue.submit_wave(small_plan(3))
    supervisor = find_supervisor(project.run(live).path)
    assert supervisor is not None
    overwrite_database(project)

    command = [sys.executable, "-m", "wavebook", "reindex", "--project", str(project.root)]
    rebuilt = subprocess.run(command, capture_output=True, text=True, check=False)
    assert rebuilt.returncode == 0, rebuilt.stderr
    with Queue(project) as queue:
        states = {row.id: row.state for row in queue.store.all()}
        assert states[done] is RunState.DONE
        assert not states[live].final
        row = queue.store.get(queued)
        assert row is not None
        assert (row.state, row.message) == (RunState.CANCELLED, "was queued when the database was lost")
        # The same processes still work at it, and nobody began it anew.
        assert find_supervisor(project.run(live).path) == supervisor
        gate.touch()
        assert queue.wait([live], timeout=60)
        (repeat,) = queue.retry_wave(3, "the test")
        assert queue.wait([repeat], timeout=60)
        assert check_runs(queue) == {"done": 3, "cancelled": 1}
    check_devices(project)
