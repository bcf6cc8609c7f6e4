"""How long iterations of rsl_rl take; imports nothing of ours, so that mjlab's environment can use it."""

from __future__ import annotations

import statistics
import time
from typing import Any


class Laps:
    """Keeps the length of each iteration and rsl_rl's two parts of it, as told to the runner's logger."""

    def __init__(self, runner: Any) -> None:
        self.lengths: list[float] = []
        self.collection: list[float] = []
        self.learning: list[float] = []
        self._last: float | None = None
        original = runner.logger.log

        def log(*args: Any, **kwargs: Any) -> None:
            original(*args, **kwargs)
            now = time.perf_counter()
            if self._last is not None:
                self.lengths.append(now - self._last)
            self._last = now
            self.collection.append(kwargs["collect_time"])
            self.learning.append(kwargs["learn_time"])

        runner.logger.log = log

    def restart(self) -> None:
        """Forget what was measured; the next iteration only starts the clock."""
        for kept in (self.lengths, self.collection, self.learning):
            kept.clear()
        self._last = None

    def summary(self, steps: int) -> dict[str, Any]:
        median = statistics.median(self.lengths)
        return {
            "env_steps_per_second": steps / median,
            "iteration_seconds": {"median": median, "min": min(self.lengths), "max": max(self.lengths)},
            "collection_seconds": statistics.median(self.collection[1:]),
            "learning_seconds": statistics.median(self.learning[1:]),
        }
