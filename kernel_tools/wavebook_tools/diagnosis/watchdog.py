"""Looks at a run while it is under way, and says why one failed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from wavebook_tools.diagnosis.finding import Finding
from wavebook_tools.diagnosis.hang import Hang
from wavebook_tools.diagnosis.out_of_memory import MemoryKills, kernel_log_kills
from wavebook_tools.diagnosis.signature import Event, Failure, RunView, Signature
from wavebook_tools.diagnosis.signatures import SIGNATURES
from wavebook_tools.diagnosis.tail import Lines, Tail

LOG_KEPT = 32 * 1024
"""Characters of the log's end that tell why a run failed: a few tracebacks."""


class Watchdog:
    """Reads what a run appends to its events and its log, and tells what is wrong with it, each thing once.

    Args:
        folder: The run's folder.
        patience: How long a run may be silent, by phase [s], where earlier runs have told.
        now: The monotonic clock [s]: a changed wall clock and a suspended machine are no silence.
    """

    def __init__(
        self, folder: Path, *, patience: Mapping[str, Any] | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.folder = folder
        self.run = RunView.of(folder)
        self.hang = Hang(patience)
        self.signatures: list[Signature] = [signature() for signature in SIGNATURES]
        self._now = now
        self._events = Tail(folder / "events.jsonl")
        # The events hold a part of what is printed, the log all of it, also what C libraries print past Python.
        self._log = Tail(folder / "log.txt", skip=True)
        self._lines, self._log_lines = Lines(), Lines()
        self._log_end = ""
        self._started = time.monotonic()
        self._kills = MemoryKills()

    @property
    def phase(self) -> str:
        """What the run does: starting, compiling, training, evaluating."""
        return self.run.phase

    @property
    def last_iteration(self) -> int | None:
        """The newest iteration of the run itself; None before the first."""
        return self.run.last_iteration

    def look(self) -> list[Finding]:
        """What is found since the last look; meant to be called about once a second."""
        found, alive = self._read()
        hang = self.hang.look(self._now(), alive, self.run)
        return [*found, hang] if hang is not None else found

    def explain(self, *, exit_code: int, error: str | None) -> Finding | None:
        """Which known failure a run shows that failed by itself.

        Args:
            exit_code: The worker's; negative is the signal that ended it.
            error: What the failed cell or the worker said.
        """
        self._read()  # what it said last; alerts would come too late
        kills = self._kills.since() or kernel_log_kills(self._started)
        log = self._log_end + self._log_lines.rest[-LOG_KEPT:].decode(errors="replace")
        failure = Failure(exit_code, error or "", log, kills)
        for signature in self.signatures:
            try:
                finding = signature.explain(failure, self.run)
            except Exception as broken:  # what watches must not end what it watches
                return _broken(signature, broken)
            if finding is not None:
                return finding
        return None

    def _read(self) -> tuple[list[Finding], bool]:
        """What the new events and lines of the log show, and whether there was a sign of life."""
        found: list[Finding] = []
        alive = False
        lines = self._log_lines.split(data) if (data := self._log.read()) else []
        if lines:
            text = b"\n".join(lines).decode(errors="replace") + "\n"
            self._log_end = (self._log_end + text)[-LOG_KEPT:]
            printed = {"kind": "log", "stream": "file", "text": text}
            alive |= self.run.see(printed)
            found += self._show(printed)
        for event in self._new_events():
            alive |= self.run.see(event)
            found += self._show(event)
        return found, alive

    def _new_events(self) -> Iterator[Event]:
        data = self._events.read()
        for line in self._lines.split(data) if data else ():
            try:
                event = json.loads(line)
            except (ValueError, RecursionError):
                continue  # damaged, or no work of ours
            if isinstance(event, dict):
                # What is printed comes from the log, where it is whole.
                yield {**event, "text": ""} if event.get("kind") == "log" and self._log.found else event

    def _show(self, event: Event) -> Iterator[Finding]:
        for signature in list(self.signatures):
            try:
                finding = signature.see(event, self.run)
            except Exception as broken:  # what watches must not end what it watches
                self.signatures.remove(signature)
                finding = _broken(signature, broken)
            if finding is not None:
                yield finding


def _broken(signature: Signature, error: Exception) -> Finding:
    message = f"the watch for {signature.kind!r} failed: {type(error).__name__}: {error}"
    return Finding("watchdog", message[:600])
