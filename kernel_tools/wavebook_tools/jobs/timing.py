"""How long the phases of finished runs took: what the watchdog's patience and the queue's estimates are learned from.

A row for each finished run stands in the database, as an index of what its events tell; it can always be read again.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from wavebook_tools.records.database import connect
from wavebook_tools.records.project import Project

SCHEMA = """
CREATE TABLE IF NOT EXISTS timings (
    run TEXT PRIMARY KEY,
    task TEXT NOT NULL,
    device TEXT NOT NULL,
    num_envs INTEGER NOT NULL,
    timing TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS timings_by_task ON timings (task, device);
"""

REMEMBERED = 8
"""Earlier runs that are taken into account, the nearest in size first."""

PATIENCE_FACTOR = 5.0
"""How many times the longest silence of earlier runs a run may be silent. Silences of healthy runs differ by less than
two on a quiet machine; a busy one, and a first compilation, are slower by far."""

PATIENCE_FLOOR = {"starting": 120.0, "compiling": 600.0, "training": 60.0, "evaluating": 120.0}
"""A silence that is never too long [s]. Compiling is silent by nature, and learned from runs that found their kernels
in a cache."""


@dataclass(frozen=True)
class RunTiming:
    """The times of one run [s]."""

    starting: float
    """From the first event to the first iteration's begin: interpreter, environment, compilation."""
    per_iteration: float
    evaluating: float
    silences: dict[str, float] = field(default_factory=dict)
    """The longest time between two heartbeats, by phase."""

    def seconds(self, iterations: int) -> float:
        """How long a run of so many iterations takes."""
        return self.starting + self.per_iteration * iterations + self.evaluating


def read_timing(events: Iterable[dict[str, Any]]) -> RunTiming | None:
    """The times of a run from its events; None where it never trained."""
    first = last = None
    phase, phase_began, heartbeat = "starting", 0.0, 0.0
    trained: list[float] = []
    training_began = evaluating_began = None
    silences: dict[str, float] = {}
    for event in events:
        t = float(event["t"])
        if event["kind"] == "state" and event.get("state") == "queued":
            continue
        if event["kind"] == "metric" and (phase != "training" or t < phase_began):
            continue  # copied from the run that this one resumes
        first = t if first is None else first
        last = t
        new_phase = event.get("phase") if event["kind"] == "state" else None
        # While it trains, only an iteration is a sign of life: a library may go on printing for ever.
        if phase != "training" or event["kind"] == "metric" or new_phase:
            if heartbeat:
                silences[phase] = max(silences.get(phase, 0.0), t - heartbeat)
            heartbeat = t
        if new_phase and new_phase != phase:
            phase, phase_began = new_phase, t
            if phase == "training":
                training_began = t
            elif phase == "evaluating":
                evaluating_began = t
        if event["kind"] == "metric":
            trained.append(t)
    if first is None or last is None or training_began is None or not trained:
        return None
    end = evaluating_began or trained[-1]
    return RunTiming(
        starting=training_began - first,
        per_iteration=(trained[-1] - training_began) / len(trained),
        evaluating=last - end,
        silences=silences,
    )


class Timings:
    """The times of a project's finished runs."""

    def __init__(self, project: Project) -> None:
        self._connection = connect(project)
        self._connection.executescript(SCHEMA)

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def add(self, run: str, task: str, device: str, num_envs: int, timing: RunTiming) -> None:
        """Remember a run; ``device`` is the name of its kind, as ``NVIDIA H100 80GB HBM3``."""
        self._connection.execute(
            "INSERT OR REPLACE INTO timings VALUES (?, ?, ?, ?, ?)",
            (run, task, device, num_envs, json.dumps(vars(timing))),
        )

    def like(self, task: str, device: str, num_envs: int) -> list[RunTiming]:
        """The times of the runs of a task on such a device that are nearest in size."""
        rows = self._connection.execute(
            "SELECT timing FROM timings WHERE task = ? AND device = ? ORDER BY abs(num_envs - ?), rowid DESC LIMIT ?",
            (task, device, num_envs, REMEMBERED),
        )
        return [_timing(row) for row in rows]


def patience(timings: Iterable[RunTiming]) -> dict[str, float]:
    """How long a run may be silent, by phase, where earlier runs tell [s]."""
    longest: dict[str, float] = {}
    for timing in timings:
        for phase, silence in timing.silences.items():
            longest[phase] = max(longest.get(phase, 0.0), silence)
    return {
        phase: max(PATIENCE_FLOOR.get(phase, 120.0), PATIENCE_FACTOR * silence) for phase, silence in longest.items()
    }


def _timing(row: sqlite3.Row) -> RunTiming:
    return RunTiming(**json.loads(row["timing"]))
