"""A run's folder that tests write into as a run does, and a clock of their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from wavebook_tools.diagnosis.finding import Finding
from wavebook_tools.diagnosis.watchdog import Watchdog
from wavebook_tools.records.events import EventWriter

GOOD = {
    "Train/mean_reward": 10.0,
    "Train/mean_episode_length": 900.0,
    "Loss/value": 0.02,
    "Policy/mean_std": 0.8,
    "Metrics/error_vel_xy": 0.85,
    "Episode_Termination/time_out": 0.9,
    "Guard/resets": 0.0,
}


@dataclass
class WatchedRun:
    """A run that a watchdog watches: what the test writes, and what the watchdog then says."""

    folder: Path
    patience: dict[str, float] = field(default_factory=dict)
    now: float = 1000.0

    def __post_init__(self) -> None:
        self.events = EventWriter(self.folder / "events.jsonl")
        self.watchdog = Watchdog(self.folder, patience=self.patience, now=lambda: self.now)

    def train(self, iterations: int = 1, *, start: int | None = None, **changed: Any) -> list[Finding]:
        """Begin to train, and tell of good iterations but for what is ``changed``: a value, or a function of the
        iteration; ``/`` in a name is written as ``__``."""
        if self.watchdog.phase != "training":
            self.events.write("state", state="running", phase="training")
        last = self.watchdog.last_iteration
        first = start if start is not None else 0 if last is None else last + 1
        found = []
        for iteration in range(first, first + iterations):
            values = GOOD | {"Metrics/error_vel_xy": max(0.4, 0.85 - iteration / 200)}
            for name, value in changed.items():
                values[name.replace("__", "/")] = value(iteration) if callable(value) else value
            self.events.metric(iteration, values)
            found += self.look()
        return found

    def log(self, text: str) -> None:
        with open(self.folder / "log.txt", "a") as stream:
            stream.write(text)

    def look(self, seconds: float = 1.0) -> list[Finding]:
        self.now += seconds
        return self.watchdog.look()

    def wait(self, seconds: float) -> list[Finding]:
        """Look every second for so long."""
        return [finding for _ in range(round(seconds)) for finding in self.look()]

    def explain(self, error: str = "", exit_code: int = 1) -> Finding | None:
        return self.watchdog.explain(exit_code=exit_code, error=error)


MakeRun = Callable[..., WatchedRun]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    def make(spec: dict[str, Any] | None = None, **patience: float) -> WatchedRun:
        spec = {"num_envs": 4096, "iterations": 500, "overrides": {}} | (spec or {})
        (tmp_path / "spec.json").write_text(json.dumps(spec))
        return WatchedRun(tmp_path, patience)

    return make


@pytest.fixture
def run(make_run: MakeRun) -> WatchedRun:
    return make_run()
