"""One thread a project that looks for all panels of a kernel, and sleeps while none is seen."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Protocol

from wavebook_tools.records.project import Project
from wavebook_tools.widgets.reading import ProjectReader, Reading

INTERVAL = 1.0
"""Time between two looks [s]."""

DUTY = 0.05
"""Share of the time that looking and drawing may take: the kernel belongs to the user's cells."""

_log = logging.getLogger(__name__)


class Watcher(Protocol):
    """What a feed serves."""

    def refresh(self, reading: Reading) -> None:
        """Show a reading. Called from the feed's thread about every second, with the same object if nothing is new."""


class Feed:
    """Readings of one project for whoever watches."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._reader = ProjectReader(project)
        self._reading_lock = threading.Lock()
        self._changed = threading.Condition()
        self._watchers: list[Watcher] = []
        self._thread: threading.Thread | None = None
        self._hurry = False
        self.looks = 0
        """Looks so far: it stands still while nobody watches."""

    @classmethod
    def of(cls, project: Project) -> Feed:
        """The feed of a project; each kernel has one."""
        with _feeds_lock:
            return _feeds.setdefault(project.root, cls(project))

    @property
    def watchers(self) -> tuple[Watcher, ...]:
        """Who watches now."""
        with self._changed:
            return tuple(self._watchers)

    def now(self) -> Reading:
        """Look at once, in the calling thread."""
        with self._reading_lock:
            self.looks += 1
            return self._reader.read()

    def add(self, watcher: Watcher) -> None:
        """Serve a watcher from now on; adding it twice is harmless."""
        with self._changed:
            if watcher not in self._watchers:
                self._watchers.append(watcher)
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="wavebook-feed", daemon=True)
                self._thread.start()
            self._changed.notify()

    def remove(self, watcher: Watcher) -> None:
        """Serve a watcher no longer."""
        with self._changed:
            if watcher in self._watchers:
                self._watchers.remove(watcher)

    def hurry(self) -> None:
        """Look now: something was just done."""
        with self._changed:
            self._hurry = True
            self._changed.notify()

    def _serve(self) -> None:
        while True:
            with self._changed:
                while not self._watchers:
                    with self._reading_lock:
                        self._reader.close()
                    self._changed.wait()
                self._hurry = False
            began = time.monotonic()
            try:
                reading = self.now()
            except Exception:  # a record that nobody foresaw must not stop the panels for good
                _log.exception("the project cannot be read")
            else:
                self._show(reading)
            pause = max(INTERVAL, (time.monotonic() - began) / DUTY)
            with self._changed:
                if not self._hurry:
                    self._changed.wait(pause)

    def _show(self, reading: Reading) -> None:
        for watcher in self.watchers:
            try:
                watcher.refresh(reading)
            except Exception:  # one panel that was torn down must not stop the others
                _log.exception("a panel cannot be drawn")


_feeds: dict[Path, Feed] = {}
_feeds_lock = threading.Lock()
