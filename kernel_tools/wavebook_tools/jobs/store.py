"""The queue's table: one row a run. Only state changes are written here; metrics and heartbeats stay in files."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wavebook_tools.jobs.cancellation import Cancellation
from wavebook_tools.records.database import connect, missing_columns
from wavebook_tools.records.project import Project
from wavebook_tools.records.states import FINAL_STATES, UNFINISHED_STATES, RunState

if TYPE_CHECKING:
    from wavebook_tools.records.run import RunSpec

LOCAL = "local"
"""The engine of runs on this machine."""

PAGE = 64
"""Rows of the queue that are read at a time."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order of submission
    id TEXT NOT NULL UNIQUE,
    wave INTEGER NOT NULL,
    folder TEXT NOT NULL,                      -- below the project
    task TEXT NOT NULL DEFAULT '',             -- as in its spec, so that estimates need no files
    num_envs INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL,
    priority INTEGER NOT NULL DEFAULT 0,
    devices TEXT NOT NULL,                     -- where it may go, a JSON list
    gpus INTEGER NOT NULL DEFAULT 1,           -- how many devices it trains on
    share INTEGER NOT NULL DEFAULT 0,          -- whether it may share its device
    device TEXT,                               -- what it got; several with commas
    device_name TEXT,                          -- as its result calls it, for a reader on another machine
    engine TEXT NOT NULL DEFAULT 'local',
    native TEXT,                               -- the engine's name of it
    submitted REAL NOT NULL,
    started REAL,
    ended REAL,
    message TEXT,
    cancel_by TEXT,
    cancel_why TEXT,
    iteration INTEGER,                         -- index of the record, so that a long list needs no files
    iterations INTEGER NOT NULL,
    metrics TEXT
);
CREATE INDEX IF NOT EXISTS runs_by_state ON runs (state, priority DESC, number);
CREATE INDEX IF NOT EXISTS runs_by_wave ON runs (wave, number);
"""

ADDED_COLUMNS = {
    "task": "TEXT NOT NULL DEFAULT ''",
    "num_envs": "INTEGER NOT NULL DEFAULT 0",
    "gpus": "INTEGER NOT NULL DEFAULT 1",
    "share": "INTEGER NOT NULL DEFAULT 0",
    "engine": "TEXT NOT NULL DEFAULT 'local'",
    "device_name": "TEXT",
}
"""Columns that databases of earlier versions do not have."""


@dataclass(frozen=True)
class QueuedRun:
    """A row of the queue."""

    id: str
    wave: int
    folder: str
    task: str
    """Empty where an earlier version queued it."""
    num_envs: int
    state: RunState
    priority: int
    devices: list[str]
    gpus: int
    share: bool
    device: str | None
    device_name: str | None
    engine: str
    native: str | None
    submitted: float
    started: float | None
    ended: float | None
    message: str | None
    cancel_by: str | None
    cancel_why: str | None
    iteration: int | None
    iterations: int
    metrics: dict[str, float]

    @property
    def request(self) -> tuple[str, int, bool]:
        """What it asks for: runs with the same request wait for the same devices."""
        return json.dumps(self.devices), self.gpus, self.share

    @property
    def cancellation(self) -> Cancellation | None:
        """The request to end it, None where nobody made one."""
        return None if self.cancel_by is None else Cancellation(self.cancel_by, self.cancel_why or "")

    @property
    def waits_on_cluster(self) -> bool:
        """Whether a scheduler has it and has not begun it, as far as the queue knows."""
        return self.engine != LOCAL and self.started is None and not self.state.final

    @property
    def gpu_count(self) -> int:
        """GPUs that it was given; a scheduler, which tells the node alone, gave it what it asked for."""
        if self.engine != LOCAL:
            return 0 if self.devices == ["cpu"] else self.gpus
        return sum(1 for name in (self.device or "").split(",") if name and name != "cpu")

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> QueuedRun:
        values = {name: row[name] for name in cls.__dataclass_fields__}
        values["state"] = RunState(row["state"])
        values["devices"] = json.loads(row["devices"])
        values["share"] = bool(row["share"])
        values["metrics"] = json.loads(row["metrics"]) if row["metrics"] else {}
        return cls(**values)


class QueueStore:
    """Reads and writes the queue's table. Each call is one transaction."""

    def __init__(self, project: Project) -> None:
        self._connection = connect(project)
        self._upgrade()
        self._connection.executescript(SCHEMA)

    def close(self) -> None:
        self._connection.close()

    def _upgrade(self) -> None:
        """Give the table of an older version what it lacks."""
        if not missing_columns(self._connection, "runs", ADDED_COLUMNS):
            return
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")  # another process may have done it meanwhile
            missing = missing_columns(self._connection, "runs", ADDED_COLUMNS)
            columns = {row["name"] for row in self._connection.execute("PRAGMA table_info(runs)")}
            if "native" not in columns:
                self._connection.execute("ALTER TABLE runs RENAME COLUMN supervisor TO native")
            for statement in missing:
                self._connection.execute(statement)

    def add(self, runs: Iterable[tuple[RunSpec, str]]) -> None:
        """Queue runs, all or none, given by their spec and their folder below the project."""
        now = time.time()
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(
                "INSERT INTO runs (id, wave, folder, task, num_envs, state, priority, devices, gpus, share, submitted, "
                "iterations) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        spec.id,
                        spec.wave,
                        folder,
                        spec.task,
                        spec.num_envs,
                        RunState.QUEUED,
                        spec.priority,
                        json.dumps(spec.devices),
                        spec.gpus,
                        spec.share,
                        now,
                        spec.iterations,
                    )
                    for spec, folder in runs
                ],
            )

    def get(self, run_id: str) -> QueuedRun | None:
        row = self._connection.execute("SELECT * FROM runs WHERE id = ?", (run_id,)).fetchone()
        return QueuedRun.from_row(row) if row else None

    def of_wave(self, wave_id: int) -> list[QueuedRun]:
        rows = self._connection.execute("SELECT * FROM runs WHERE wave = ? ORDER BY number", (wave_id,))
        return [QueuedRun.from_row(row) for row in rows]

    def all(self) -> list[QueuedRun]:
        return [QueuedRun.from_row(row) for row in self._connection.execute("SELECT * FROM runs ORDER BY number")]

    def unfinished_runs(self) -> list[QueuedRun]:
        """Runs that are queued or under way, in the order in which the queue serves them."""
        return self.in_states(*UNFINISHED_STATES)

    def in_states(self, *states: RunState) -> list[QueuedRun]:
        """Runs in any of these states, in the order in which the queue serves them."""
        marks = ",".join("?" * len(states))
        rows = self._connection.execute(
            f"SELECT * FROM runs WHERE state IN ({marks}) ORDER BY priority DESC, number", states
        )
        return [QueuedRun.from_row(row) for row in rows]

    def queued(self) -> Iterator[QueuedRun]:
        """Queued runs in the order in which they are served, read as they are asked for.

        The head of a long queue is found without reading its tail, and runs may change their state meanwhile.
        """
        last: tuple[int, int] | None = None
        while True:
            after = "" if last is None else "AND (priority < ? OR (priority = ? AND number > ?))"
            values = () if last is None else (last[0], last[0], last[1])
            rows = self._connection.execute(
                f"SELECT * FROM runs WHERE state = ? {after} ORDER BY priority DESC, number LIMIT {PAGE}",
                (RunState.QUEUED, *values),
            ).fetchall()
            yield from map(QueuedRun.from_row, rows)
            if len(rows) < PAGE:
                return
            last = rows[-1]["priority"], rows[-1]["number"]

    def requests(self) -> int:
        """How many different requests for devices wait: once each of them is seen to wait, all runs do."""
        query = "SELECT count(*) FROM (SELECT DISTINCT devices, gpus, share FROM runs WHERE state = ?)"
        (count,) = self._connection.execute(query, (RunState.QUEUED,)).fetchone()
        return int(count)

    def cancelled_in_queue(self) -> list[QueuedRun]:
        """Runs that somebody cancelled before they started."""
        query = "SELECT * FROM runs WHERE state = ? AND cancel_by IS NOT NULL"
        return [QueuedRun.from_row(row) for row in self._connection.execute(query, (RunState.QUEUED,))]

    def unfinished(self) -> bool:
        """Whether any run is queued or under way."""
        query = f"SELECT 1 FROM runs WHERE state IN ({_marks(UNFINISHED_STATES)}) LIMIT 1"
        return self._connection.execute(query, UNFINISHED_STATES).fetchone() is not None

    def wave_unfinished(self, wave_id: int) -> bool:
        """Whether any run of a wave is queued or under way."""
        query = f"SELECT 1 FROM runs WHERE wave = ? AND state IN ({_marks(UNFINISHED_STATES)}) LIMIT 1"
        return self._connection.execute(query, (wave_id, *UNFINISHED_STATES)).fetchone() is not None

    def ended_waves(self, since: float) -> list[int]:
        """Waves of which all runs have ended, the last of them after ``since`` [Unix s]."""
        query = (
            f"SELECT wave FROM runs GROUP BY wave HAVING max(state IN ({_marks(UNFINISHED_STATES)})) = 0 "
            "AND max(ended) > ? ORDER BY wave"
        )
        return [int(row["wave"]) for row in self._connection.execute(query, (*UNFINISHED_STATES, since))]

    def start(self, run_id: str, device: str, engine: str = "local", *, devices: list[str] | None = None) -> bool:
        """Mark a queued run as starting on a device. One that a scheduler takes may wait there; ``set_started`` tells
        when it has its device.

        Returns:
            False where it is not queued any more, is to be cancelled, or does not ask for ``devices`` any more.
        """
        with self._connection:
            changed = self._connection.execute(
                "UPDATE runs SET state = ?, device = ?, engine = ?, started = ?, message = NULL "
                "WHERE id = ? AND state = ? AND cancel_by IS NULL AND devices = coalesce(?, devices)",
                (
                    RunState.STARTING,
                    device,
                    engine,
                    time.time() if engine == LOCAL else None,
                    run_id,
                    RunState.QUEUED,
                    None if devices is None else json.dumps(devices),
                ),
            )
        return changed.rowcount == 1

    def requeue(self, run_id: str) -> None:
        """Put back a run that was taken up and never started."""
        self._update(run_id, [RunState.STARTING], state=RunState.QUEUED, device=None, started=None, native=None)

    def set_native(self, run_id: str, native: str) -> None:
        """Note the engine's name of a run."""
        self._update(run_id, list(RunState), native=native)

    def set_message(self, run_id: str, message: str | None) -> None:
        """Note why a run waits, here or in a cluster's queue; one that has ended keeps what is noted."""
        self._update(run_id, [RunState.QUEUED, RunState.STARTING], message=message)

    def set_device(self, run_id: str, device: str) -> None:
        """Note where a scheduler has put a run."""
        self._update(run_id, UNFINISHED_STATES, device=device)

    def set_started(self, run_id: str, started: float) -> None:
        """Note since when a run that a scheduler was handed has its device [Unix s]."""
        self._update(run_id, UNFINISHED_STATES, started=started)

    def set_priority(self, run_id: str, priority: int) -> bool:
        """Move a queued run; False where it does not wait any more."""
        return self._update(run_id, [RunState.QUEUED], priority=priority)

    def set_devices(self, run_id: str, devices: list[str]) -> bool:
        """Send a queued run to other devices; False where it does not wait any more."""
        return self._update(run_id, [RunState.QUEUED], devices=json.dumps(devices), message=None)

    def request_cancel(self, run_id: str, by: str, why: str) -> bool:
        """Note who wants a run cancelled; False where it has ended or somebody asked before."""
        with self._connection:
            changed = self._connection.execute(
                f"UPDATE runs SET cancel_by = ?, cancel_why = ?, message = ? WHERE id = ? AND cancel_by IS NULL "
                f"AND state NOT IN ({_marks(FINAL_STATES)})",
                (by, why, f"being cancelled by {by}", run_id, *sorted(FINAL_STATES)),
            )
        return changed.rowcount == 1

    def finish(
        self,
        run_id: str,
        state: RunState,
        *,
        message: str | None = None,
        ended: float | None = None,
        iteration: int | None = None,
        metrics: dict[str, float] | None = None,
        device_name: str | None = None,
    ) -> bool:
        """Give a run its final state, once; False where it has one already. ``ended`` is now where absent [Unix s]."""
        values = {"state": state, "ended": ended or time.time(), "message": message, "iteration": iteration}
        values |= {"metrics": json.dumps(metrics or {}), "device_name": device_name}
        return self._update(run_id, UNFINISHED_STATES, **values)

    def set_times(self, run_id: str, *, started: float, ended: float) -> None:
        """Correct when a run started and ended, for one that is read back from its record [unix seconds]."""
        self._update(run_id, list(RunState), started=started, ended=ended)

    def check(self) -> None:
        """Raise sqlite3.DatabaseError where the file is damaged."""
        (answer,) = self._connection.execute("PRAGMA quick_check(1)").fetchone()
        if answer != "ok":
            raise sqlite3.DatabaseError(answer)

    def _update(self, run_id: str, states: Sequence[RunState], **values: object) -> bool:
        assignments = ", ".join(f"{name} = ?" for name in values)
        with self._connection:
            changed = self._connection.execute(
                f"UPDATE runs SET {assignments} WHERE id = ? AND state IN ({_marks(states)})",
                (*values.values(), run_id, *states),
            )
        return changed.rowcount == 1


def _marks(values: Iterable[object]) -> str:
    return ",".join("?" for _ in values)
