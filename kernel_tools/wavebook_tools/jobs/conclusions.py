"""What follows a wave's last run: its comparison and report, written by processes of their own, one after the other."""

from __future__ import annotations

import contextlib
import sys
import time

from wavebook_tools.errors import NotFoundError
from wavebook_tools.jobs.processes import NICENESS, start_child
from wavebook_tools.jobs.store import QueueStore
from wavebook_tools.records.project import Project

LATELY = 24 * 3600.0
"""How old the end of a wave may be that is still compared without anybody asking [s]."""


class Conclusions:
    """Waves that have ended and are to be compared.

    One at a time: small waves end faster than they can be compared, and dozens of comparisons at once would take the
    machine from the runs.
    """

    def __init__(self, project: Project, store: QueueStore) -> None:
        self.project = project
        self.store = store
        self._waiting: list[int] = []
        self._wave: int | None = None
        """The wave that is being compared."""

    def __bool__(self) -> bool:
        """Whether any is left."""
        return self._wave is not None or bool(self._waiting)

    def add(self, wave_id: int) -> None:
        """Compare a wave, unless some of its runs have not ended."""
        if wave_id != self._wave and wave_id not in self._waiting and not self.store.wave_unfinished(wave_id):
            self._waiting.append(wave_id)

    def make_up(self) -> None:
        """Add waves that ended lately and were not compared: the queue's process was killed before it came to them."""
        for wave_id in self.store.ended_waves(time.time() - LATELY):
            with contextlib.suppress(NotFoundError):
                if not self.project.wave(wave_id).comparison_path.exists():
                    self.add(wave_id)

    def start_next(self) -> int | None:
        """Start with the next wave; returns the process, None where there is none to start."""
        while self._wave is None and self._waiting:
            wave_id = self._waiting.pop(0)
            if self.store.wave_unfinished(wave_id):
                continue  # something of it is repeated: it will end once more
            command = [sys.executable, "-m", "wavebook_tools.comparison", str(self.project.root), str(wave_id)]
            pid = start_child(command, niceness=NICENESS, cwd=self.project.root)
            self._wave = wave_id
            return pid
        return None

    def ended(self) -> None:
        """The process that was started last has ended."""
        self._wave = None
