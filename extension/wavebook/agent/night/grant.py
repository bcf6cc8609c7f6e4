"""The grant of a night and what became of it: rows of the project's database, so that it outlives every process."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel

from wavebook.agent.database import opened, transaction
from wavebook.agent.night.terms import Terms
from wavebook_tools.errors import NotFoundError, WavebookError
from wavebook_tools.records.project import Project

SCHEMA = """
CREATE TABLE IF NOT EXISTS nights (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    terms TEXT NOT NULL,
    granted REAL NOT NULL,
    granted_by TEXT NOT NULL,
    state TEXT NOT NULL,
    doing TEXT NOT NULL DEFAULT '',
    stop_by TEXT,
    stop_why TEXT NOT NULL DEFAULT '',
    keep_runs INTEGER NOT NULL DEFAULT 0,
    outcome TEXT,
    why TEXT NOT NULL DEFAULT '',
    ended REAL
);
CREATE TABLE IF NOT EXISTS night_waves (
    night INTEGER NOT NULL,
    wave INTEGER NOT NULL,
    judged TEXT,
    PRIMARY KEY (night, wave)
);
"""

ACTOR = "night"
"""Its name in the ledger."""

State = Literal["running", "paused", "ended"]
Outcome = Literal["goal", "budget", "stuck", "stopped", "failed"]


class Judged(BaseModel):
    """What one wave of the night taught."""

    wave: int
    best: str | None = None
    """The experiment that is best so far, over all waves."""
    improved: bool = False
    """Whether it beats the best before by more than the noise."""
    done: int = 0
    """Runs with a result."""
    broken: int = 0
    """Runs that failed or hung."""
    text: str = ""


class NightRecord(BaseModel):
    """A night."""

    id: int
    terms: Terms
    granted: float
    """Unix seconds, as is ``ended``."""
    granted_by: str
    state: State
    doing: str = ""
    stop_by: str | None = None
    """Who wants it stopped."""
    stop_why: str = ""
    keep_runs: bool = False
    """Whether a stop lets the runs under way go on."""
    outcome: Outcome | None = None
    why: str = ""
    ended: float | None = None
    waves: list[int] = []
    """Waves that it planned, oldest first."""
    judged: list[Judged] = []

    @property
    def deadline(self) -> float:
        """When its time is over [unix seconds]."""
        return self.granted + 3600 * self.terms.hours

    @property
    def open_wave(self) -> int | None:
        """The wave that is not judged yet."""
        known = {judged.wave for judged in self.judged}
        return next((wave for wave in self.waves if wave not in known), None)


class Nights:
    """The nights of a project; at most one is in force."""

    def __init__(self, project: Project, *, clock: Callable[[], float] = time.time) -> None:
        self.project = project
        self._clock = clock

    def grant(self, terms: Terms, by: str) -> NightRecord:
        """Put a night in force.

        Raises:
            WavebookError: One is in force already.
        """
        with opened(self.project, SCHEMA) as connection, transaction(connection):
            row = connection.execute("SELECT id FROM nights WHERE state != 'ended'").fetchone()
            if row is not None:
                raise WavebookError(f"night {row['id']} is under way; stop it first with `wavebook night stop`")
            added = connection.execute(
                "INSERT INTO nights (terms, granted, granted_by, state) VALUES (?, ?, ?, 'running')",
                (terms.model_dump_json(), round(self._clock(), 3), by),
            )
            # Inside the transaction: a grant that the ledger cannot hold is not in force.
            self.project.ledger.append(
                "human", by, "grant night", why=terms.directive, night=added.lastrowid, terms=terms.text
            )
            return _read(connection, added.lastrowid or 0)

    def newest(self) -> NightRecord | None:
        """The last night, whatever became of it."""
        if not self.project.database_path.exists():
            return None
        with opened(self.project, SCHEMA) as connection:
            row = connection.execute("SELECT max(id) AS id FROM nights").fetchone()
            return _read(connection, row["id"]) if row["id"] is not None else None

    def current(self) -> NightRecord | None:
        """The night in force, at work or paused."""
        newest = self.newest()
        return newest if newest is not None and newest.state != "ended" else None

    def all(self) -> list[NightRecord]:
        """All nights, oldest first."""
        if not self.project.database_path.exists():
            return []
        with opened(self.project, SCHEMA) as connection:
            rows = connection.execute("SELECT id FROM nights ORDER BY id").fetchall()
            return [_read(connection, row["id"]) for row in rows]

    def request_stop(self, by: str, why: str = "", *, keep_runs: bool = False) -> NightRecord:
        """Note that a person wants the night in force stopped; from then on it approves nothing.

        Raises:
            NotFoundError: None is in force.
        """
        if self.current() is None:
            raise NotFoundError("no night is under way")
        with opened(self.project, SCHEMA) as connection, transaction(connection):
            row = connection.execute("SELECT id, stop_by FROM nights WHERE state != 'ended'").fetchone()
            if row is None:
                raise NotFoundError("no night is under way")
            if row["stop_by"] is None:
                connection.execute(
                    "UPDATE nights SET stop_by = ?, stop_why = ?, keep_runs = ? WHERE id = ?",
                    (by, why, keep_runs, row["id"]),
                )
                self.project.ledger.append("human", by, "stop night", why=why, night=row["id"], keep_runs=keep_runs)
            return _read(connection, row["id"])

    def set_state(self, night: int, state: Literal["running", "paused"], doing: str) -> None:
        """Note what a night in force is about."""
        with opened(self.project, SCHEMA) as connection:
            connection.execute(
                "UPDATE nights SET state = ?, doing = ? WHERE id = ? AND state != 'ended' AND (state, doing) != (?, ?)",
                (state, doing, night, state, doing),
            )

    @staticmethod
    def begin_wave(connection: sqlite3.Connection, night: int, wave: int) -> None:
        """Note a wave in the transaction that proposes it: a new process finds it whatever happens next, and never
        takes a person's plan of that number for its own."""
        connection.execute("INSERT OR IGNORE INTO night_waves (night, wave) VALUES (?, ?)", (night, wave))

    def drop_wave(self, night: int, wave: int) -> None:
        """Forget a wave that was not approved."""
        with opened(self.project, SCHEMA) as connection:
            connection.execute("DELETE FROM night_waves WHERE night = ? AND wave = ?", (night, wave))

    def judge_wave(self, night: int, judged: Judged) -> None:
        """Keep what a wave taught, in the ledger too."""
        with opened(self.project, SCHEMA) as connection, transaction(connection):
            changed = connection.execute(
                "UPDATE night_waves SET judged = ? WHERE night = ? AND wave = ? AND judged IS NULL",
                (judged.model_dump_json(), night, judged.wave),
            )
            if changed.rowcount:
                evidence = [judged.best] if judged.best else []
                self.project.ledger.append(
                    "agent", ACTOR, "judge wave", why=judged.text, night=night, wave=judged.wave, evidence=evidence
                )

    def end(self, night: int, outcome: Outcome, why: str) -> None:
        """End a night, once."""
        with opened(self.project, SCHEMA) as connection, transaction(connection):
            changed = connection.execute(
                "UPDATE nights SET state = 'ended', doing = '', outcome = ?, why = ?, ended = ? "
                "WHERE id = ? AND state != 'ended'",
                (outcome, why, round(self._clock(), 3), night),
            )
            if changed.rowcount:
                waves = connection.execute("SELECT wave FROM night_waves WHERE night = ? ORDER BY wave", (night,))
                self.project.ledger.append(
                    "agent",
                    ACTOR,
                    "end night",
                    why=why,
                    night=night,
                    outcome=outcome,
                    evidence=[f"wave {row['wave']}" for row in waves],
                )


def _read(connection: sqlite3.Connection, night: int) -> NightRecord:
    row = dict(connection.execute("SELECT * FROM nights WHERE id = ?", (night,)).fetchone())
    row["terms"] = Terms.model_validate_json(row["terms"])
    query = "SELECT wave, judged FROM night_waves WHERE night = ? ORDER BY wave"
    waves = connection.execute(query, (night,)).fetchall()
    judged = [Judged.model_validate_json(wave["judged"]) for wave in waves if wave["judged"]]
    return NightRecord(**row, waves=[wave["wave"] for wave in waves], judged=judged)
