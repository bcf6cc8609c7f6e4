"""Where the time of an iteration goes: methods of live objects, timed without what they call of each other."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def wait_for(device: str) -> Callable[[], None]:
    """A function that returns once everything asked of ``device`` (``cpu``, ``cuda:N``) is done."""
    if not device.startswith("cuda"):
        return lambda: None
    import torch

    return lambda: torch.cuda.synchronize(device)


class PhaseClock:
    """Sums the seconds spent in phases; a phase inside another is taken off the outer one.

    While the clock runs it waits for the device at each border, so that work is counted where it was asked for. The
    waiting itself slows an iteration down: measure its length with the clock stopped.
    """

    def __init__(self, wait: Callable[[], None], now: Callable[[], float] = time.perf_counter) -> None:
        self.running = False
        """Whether time is counted; a stopped clock passes calls straight on."""
        self.seconds: dict[str, float] = {}
        """By phase [s]."""
        self._wait = wait
        self._now = now
        self._open: list[str] = []
        self._since = 0.0

    def watch(self, owner: Any, method: str, phase: str) -> None:
        """Count the calls of ``owner.method`` as ``phase``, from now on and for this object only."""
        original = getattr(owner, method)

        def timed(*args: Any, **kwargs: Any) -> Any:
            if not self.running:
                return original(*args, **kwargs)
            self._turn()
            self._open.append(phase)
            try:
                return original(*args, **kwargs)
            finally:
                self._turn()
                self._open.pop()

        setattr(owner, method, timed)

    def _turn(self) -> None:
        self._wait()
        now = self._now()
        if self._open:
            phase = self._open[-1]
            self.seconds[phase] = self.seconds.get(phase, 0.0) + now - self._since
        self._since = now
