"""The queue's table: one row a run. Only state changes are written here; metrics and heartbeats stay in files."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass

from wavebook_tools.records.database import connect
from wavebook_tools.records.project import Project
from wavebook_tools.records.run import FINAL_STATES, RunState

SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order of submission
    id TEXT NOT NULL UNIQUE,
    wave INTEGER NOT NULL,
    folder TEXT NOT NULL,                      -- below the project
    state TEXT NOT NULL,
    priority INTEGER NOT NULL DEFAULT 0,
    devices TEXT NOT NULL,                     -- the request, a JSON list
    device TEXT,                               -- the lease
    supervisor TEXT,                           -- pid, start ticks, boot id
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
CREATE INDEX IF NOT EXISTS runs_by_wave ON runs (wave);
"""


@dataclass(frozen=True)
class QueuedRun:
    """A row of the queue."""

    id: str
    wave: int
    folder: str
    state: RunState
    devices: list[str]
    device: str | None
    supervisor: str | None
    submitted: float
    started: float | None
    ended: float | None
    message: str | None
    cancel_by: str | None
    cancel_why: str | None
    iteration: int | None
    iterations: int
    metrics: dict[str, float]

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> QueuedRun:
        values = {name: row[name] for name in row.keys() if name in cls.__dataclass_fields__}  # noqa: SIM118
        values["state"] = RunState(row["state"])
        values["devices"] = json.loads(row["devices"])
        values["metrics"] = json.loads(row["metrics"] or "{}")
        return cls(**values)


class QueueStore:
    """Reads and writes the queue's table. Each call is one transaction."""

    def __init__(self, project: Project) -> None:
        self._connection = connect(project)
        self._connection.executescript(SCHEMA)

    def close(self) -> None:
        self._connection.close()

    def add(self, runs: Iterable[tuple[str, int, str, list[str], int]]) -> None:
        """Queue runs, all or none, given as (id, wave, folder, devices, iterations)."""
        now = time.time()
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(
                "INSERT INTO runs (id, wave, folder, state, devices, submitted, iterations) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (run_id, wave, folder, RunState.QUEUED, json.dumps(devices), now, iterations)
                    for run_id, wave, folder, devices, iterations in runs
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

    def in_states(self, *states: RunState) -> list[QueuedRun]:
        """Runs in any of these states, in the order in which the queue serves them."""
        marks = ",".join("?" * len(states))
        rows = self._connection.execute(
            f"SELECT * FROM runs WHERE state IN ({marks}) ORDER BY priority DESC, number", states
        )
        return [QueuedRun.from_row(row) for row in rows]

    def start(self, run_id: str, device: str) -> bool:
        """Mark a queued run as starting on a device; False where it is not queued any more."""
        return self._update(
            run_id, [RunState.QUEUED], state=RunState.STARTING, device=device, started=time.time(), message=None
        )

    def set_supervisor(self, run_id: str, identity: str) -> None:
        self._update(run_id, list(RunState), supervisor=identity)

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
        iteration: int | None = None,
        metrics: dict[str, float] | None = None,
    ) -> bool:
        """Give a run its final state, once; False where it has one already."""
        running = [s for s in RunState if not s.final]
        values = {"state": state, "ended": time.time(), "message": message, "iteration": iteration}
        return self._update(run_id, running, **values, metrics=json.dumps(metrics or {}))

    def set_times(self, run_id: str, *, started: float, ended: float) -> None:
        """Correct when a run started and ended, for one that is read back from its record [unix seconds]."""
        self._update(run_id, list(RunState), started=started, ended=ended)

    def check(self) -> None:
        """Raise sqlite3.DatabaseError where the file is damaged."""
        (answer,) = self._connection.execute("PRAGMA quick_check(1)").fetchone()
        if answer != "ok":
            raise sqlite3.DatabaseError(answer)

    def _update(self, run_id: str, states: list[RunState], **values: object) -> bool:
        assignments = ", ".join(f"{name} = ?" for name in values)
        with self._connection:
            changed = self._connection.execute(
                f"UPDATE runs SET {assignments} WHERE id = ? AND state IN ({_marks(states)})",
                (*values.values(), run_id, *states),
            )
        return changed.rowcount == 1


def _marks(values: Iterable[object]) -> str:
    return ",".join("?" for _ in values)
