"""The GPU hours of waves: when one has spent what its plan allows, its runs are ended."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable

from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs.store import QueuedRun, QueueStore
from wavebook_tools.records.project import Project
from wavebook_tools.records.states import ACTIVE_STATES


def gpu_seconds(runs: Iterable[QueuedRun], now: float) -> float:
    """Time on GPUs of these runs until ``now`` (Unix seconds), over all their devices [s]."""
    return sum(max(0.0, (run.ended or now) - run.started) * run.gpu_count for run in runs if run.started is not None)


class WaveBudgets:
    """Watches the budgets of the waves that run."""

    def __init__(self, project: Project, store: QueueStore) -> None:
        self.project = project
        self.store = store
        self._allowed: dict[int, float | None] = {}

    def exceeded(self) -> tuple[list[int], float | None]:
        """Waves under way that have spent their GPU hours, and when the next will have if all goes on [s]."""
        now = time.time()
        spent_out, soonest = [], None
        active = self.store.in_states(*ACTIVE_STATES)
        for wave in {run.wave for run in active}:
            allowed = self._gpu_seconds_allowed(wave)
            gpus = sum(run.gpu_count for run in active if run.wave == wave)
            if allowed is None or gpus == 0:
                continue
            left = (allowed - gpu_seconds(self.store.of_wave(wave), now)) / gpus
            if left <= 0:
                spent_out.append(wave)
            else:
                soonest = left if soonest is None else min(soonest, left)
        return spent_out, soonest

    def message(self, wave: int) -> str:
        """What is told when a wave's budget is spent."""
        return f"the wave's budget of {(self._gpu_seconds_allowed(wave) or 0) / 3600:g} GPU hours is spent"

    def _gpu_seconds_allowed(self, wave: int) -> float | None:
        if wave not in self._allowed:
            hours = None
            with contextlib.suppress(WavebookError, OSError, ValueError, AttributeError):
                hours = json.loads(self.project.wave(wave).plan_path.read_bytes()).get("budget", {}).get("gpu_hours")
            self._allowed[wave] = None if hours is None else float(hours) * 3600
        return self._allowed[wave]
