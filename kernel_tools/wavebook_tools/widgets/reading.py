"""What the panels show, read at the price of what changed: a glance at the database's version and at live runs' files.

Runs are other processes and tell nobody. SQLite counts every commit of another connection (``data_version``), and a
run that lives appends to its events, so that most looks cost one pragma and one ``stat`` for each live run.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs.devices import Device, list_devices
from wavebook_tools.jobs.load import process_name, with_load
from wavebook_tools.jobs.queue import RECOVERY_INTERVAL, RETRIED_STATES, recover
from wavebook_tools.jobs.schedule import Expectation
from wavebook_tools.jobs.status import expectations, run_status
from wavebook_tools.jobs.store import QueuedRun, QueueStore
from wavebook_tools.records.database import connect
from wavebook_tools.records.project import Project
from wavebook_tools.records.states import FINAL_STATES, RunState

QUEUED_SHOWN = 15
"""Runs that wait, as many as the table shows; it tells how many more there are."""

ENDED_SHOWN = 8
"""Runs that have ended, the newest first."""

SUGGESTED = 300
"""Names that the box for a run suggests; it takes any other."""

DEVICE_INTERVAL = 2.0
"""Time between two questions to the GPUs' driver [s]."""

EXPECTATION_INTERVAL = 5.0
"""Time between two estimates of starts and ends [s]: they play forward every run that waits."""

DEVICE_DUTY = 0.02
"""Share of the time that questions to a slow driver may take."""


@dataclass(frozen=True, eq=False)
class Reading:
    """One look at the project. A look that finds nothing new returns the same object."""

    t: float
    """When it was taken, Unix seconds."""
    devices: tuple[Device, ...] = ()
    live: tuple[dict[str, Any], ...] = ()
    """Runs under way, as ``run_status`` describes them."""
    queued: tuple[dict[str, Any], ...] = ()
    """The first of those that wait, in the order in which they will start."""
    ended: tuple[dict[str, Any], ...] = ()
    """The last of those that have ended, the newest first."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Runs by state."""
    targets: tuple[str, ...] = ()
    """What a person may want to act on: runs and waves that have not ended, then runs that can be repeated."""
    processes: Mapping[int, str] = field(default_factory=dict)
    """Names and owners of the devices' foreign processes, where they can be asked."""
    problems: tuple[str, ...] = ()
    """What could not be read, and why."""

    @property
    def labels(self) -> dict[str, str]:
        """Short names of the devices by their ids."""
        return {device.id: device.title for device in self.devices}


class ProjectReader:
    """Takes readings. Used by one thread at a time."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._reading = Reading(0.0)
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._version = -1
        self._rows: tuple[list[QueuedRun], list[QueuedRun], list[QueuedRun]] = ([], [], [])
        self._unfinished: list[QueuedRun] = []
        self._waiting, self._ended = 0, dict[str, int]()
        self._sizes: dict[str, int] = {}
        self._expected: dict[str, Expectation] = {}
        self._next_devices = 0.0
        self._next_expectations = 0.0
        self._stale = False
        self._next_recovery = 0.0

    def read(self) -> Reading:
        """The state of the project now; the object of the last look where nothing changed since."""
        problems: list[str] = []
        found: dict[str, Any] = {}
        devices = self._devices(problems)
        if devices != self._reading.devices:
            found["devices"] = devices
            found["processes"] = {pid: process_name(pid) for device in devices for pid in device.foreign}
        try:
            found.update(self._runs())
        except (WavebookError, sqlite3.DatabaseError, OSError) as error:
            self.close()
            problems.append(f"the queue cannot be read: {error}")
        if tuple(problems) != self._reading.problems:
            found["problems"] = tuple(problems)
        if found or not self._reading.t:
            self._reading = replace(self._reading, t=time.time(), **found)
        return self._reading

    def close(self) -> None:
        """Close the database; the next look opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._version = -1

    def _devices(self, problems: list[str]) -> tuple[Device, ...]:
        began = time.monotonic()
        if began < self._next_devices:
            problems += [problem for problem in self._reading.problems if problem.startswith("devices:")]
            return self._reading.devices
        try:
            return tuple(with_load(device) for device in list_devices())
        except WavebookError as error:
            problems.append(f"devices: {error}")
            return ()
        finally:
            now = time.monotonic()
            self._next_devices = now + max(DEVICE_INTERVAL, (now - began) / DEVICE_DUTY)

    def _runs(self) -> dict[str, Any]:
        """What changed of the runs."""
        if not self._open():
            return {"live": (), "queued": (), "ended": (), "counts": {}, "targets": ()} if self._reading.counts else {}
        assert self._connection is not None
        found: dict[str, Any] = {}
        version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        moved = version != self._version
        if moved:
            found.update(self._read_table())
            self._version = version
        live, queued, ended = self._rows
        sizes = {run.id: self._size(run) for run in live}
        grew, self._sizes = sizes != self._sizes, sizes
        estimated = self._estimate(moved, grew)
        if moved or grew or estimated:
            found["live"] = self._described(live)
            found["counts"] = self._count(found["live"])
        if moved or estimated:
            found["queued"] = self._described(queued)
        if moved:
            found["ended"] = self._described(ended)
        self._recover()
        return found

    def _open(self) -> bool:
        try:
            inode = os.stat(self.project.database_path).st_ino
        except FileNotFoundError:  # nothing was submitted yet: looking makes no database
            self.close()
            return False
        if self._connection is None or inode != self._inode:
            self.close()
            QueueStore(self.project).close()  # brings a table of an older version up to date
            self._connection = connect(self.project)
            self._inode = inode
        return True

    def _read_table(self) -> dict[str, Any]:
        assert self._connection is not None
        store = QueueStore(self.project)
        try:
            unfinished = self._unfinished = store.unfinished_runs()
        finally:
            store.close()
        ends = sorted(FINAL_STATES)
        marks = ",".join("?" * len(ends))
        query = f"SELECT * FROM runs WHERE state IN ({marks}) ORDER BY ended DESC, number DESC LIMIT ?"
        ended = [QueuedRun.from_row(row) for row in self._connection.execute(query, (*ends, ENDED_SHOWN))]
        live = [run for run in unfinished if run.state is not RunState.QUEUED]
        queued = [run for run in unfinished if run.state is RunState.QUEUED]
        self._rows = (live, queued[:QUEUED_SHOWN], ended)
        counts = self._connection.execute(
            f"SELECT state, count(*) FROM runs WHERE state IN ({marks}) GROUP BY state", ends
        )
        waves = dict.fromkeys(run.wave for run in unfinished)
        repeatable = [run.id for run in ended if run.state in RETRIED_STATES]
        names = [run.id for run in live + queued][:SUGGESTED] + [f"wave {wave}" for wave in waves] + repeatable
        self._waiting, self._ended = len(queued), {state: count for state, count in counts}
        return {"targets": tuple(names)}

    def _estimate(self, moved: bool, grew: bool) -> bool:
        """Estimate starts and ends anew where it is due; whether it was."""
        self._stale = self._stale or moved or grew
        now = time.monotonic()
        if not self._stale or now < self._next_expectations:
            return False
        self._stale = False
        if self._unfinished:
            self._expected = expectations(self.project, self._unfinished)
        took = time.monotonic() - now
        self._next_expectations = now + max(EXPECTATION_INTERVAL, took / DEVICE_DUTY)
        return True

    def _count(self, live: tuple[dict[str, Any], ...]) -> dict[str, int]:
        # The database knows of a run under way only that it was started; what it does now stands in its events.
        # Of a run in a scheduler's line, too, it knows that: it waits as those do that are still in the queue.
        counts = Counter(run["state"] for run in live)
        waiting = counts.pop("queued", 0) + self._waiting
        return dict(sorted(counts.items())) | ({"queued": waiting} if waiting else {}) | self._ended

    def _described(self, runs: list[QueuedRun]) -> tuple[dict[str, Any], ...]:
        return tuple(run_status(self.project, run, self._expected.get(run.id)) for run in runs)

    def _size(self, run: QueuedRun) -> int:
        try:
            return os.stat(self.project.root / run.folder / "events.jsonl").st_size
        except OSError:
            return -1

    def _recover(self) -> None:
        """Whoever follows runs sets the queue in motion again where nobody is left to move it."""
        live, queued, _ = self._rows
        now = time.monotonic()
        if now < self._next_recovery or not (live or queued):
            return
        self._next_recovery = now + RECOVERY_INTERVAL
        with contextlib.suppress(WavebookError, sqlite3.DatabaseError, OSError):
            recover(self.project)
