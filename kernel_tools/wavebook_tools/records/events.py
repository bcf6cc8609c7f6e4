"""events.jsonl: what happened in a run, one JSON object a line, as it happens.

Two processes append to it: the runner (states, cells, log lines) and its kernel (iteration metrics). Each line is
one ``write`` to a descriptor opened with ``O_APPEND`` under a lock on the file, so lines never mix and a killed
process leaves none half-written.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Literal

from wavebook_tools.records.files import IrregularFileError, open_regular

EventKind = Literal["state", "cell", "metric", "log", "alert"]

_BLOCK = 1 << 18
"""How much of a file is read at once from its end [bytes]."""


class EventWriter:
    """Appends events to a run's events.jsonl."""

    def __init__(self, path: Path) -> None:
        """Open the file, which is made where there is none.

        Raises:
            OSError: It cannot be written, or is no regular file.
        """
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
            self.close()
            raise IrregularFileError(path)

    def write(self, kind: EventKind, **fields: Any) -> dict[str, Any]:
        """Append one event, stamped with the time, and return it. A float that is not finite is written as null."""
        event = {"t": round(time.time(), 3), "kind": kind, **fields}
        self.append(event)
        return event

    def append(self, event: dict[str, Any]) -> None:
        """Append an event that has its time already."""
        line = json.dumps(_finite(event), ensure_ascii=False, separators=(",", ":"), default=str).encode() + b"\n"
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            end = os.lseek(self._descriptor, 0, os.SEEK_END)
            if end and os.pread(self._descriptor, 1, end - 1) != b"\n":
                line = b"\n" + line  # a full disk cut an earlier line short: don't let it swallow this one
            written = os.write(self._descriptor, line)
            if written != len(line):
                os.ftruncate(self._descriptor, end)
                raise OSError(28, "no space left for the event", str(self.path))
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def metric(self, iteration: int, values: dict[str, float]) -> None:
        """Append the metrics of one training iteration, with rsl_rl's names."""
        self.write("metric", iteration=iteration, values=values)

    def close(self) -> None:
        """Close the file; closing twice is harmless."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def read_events(path: Path, *, start: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the events of a run from byte ``start`` on; a damaged line and one still being written are passed over."""
    for event, _ in events_from(path, start):
        yield event


def events_from(path: Path, start: int) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield pairs of an event and the offset behind its line [bytes], so that a reader can go on from there."""
    stream = _opened(path)
    if stream is None:
        return
    with stream:
        stream.seek(start)
        offset = start
        for line in stream:
            if not line.endswith(b"\n"):
                return
            offset += len(line)
            event = _parsed(line)
            if event is not None:
                yield event, offset


def events_backwards(path: Path, kind: EventKind) -> Iterator[dict[str, Any]]:
    """Yield the events of one kind, newest first; the lines of other kinds are not even parsed.

    States and alerts may lie megabytes of metrics away from the end.
    """
    mark = f'"{kind}"'.encode()
    stream = _opened(path)
    if stream is None:
        return
    with stream:
        start = stream.seek(0, os.SEEK_END)
        rest = b""
        while start:
            size = min(_BLOCK, start)
            start -= size
            stream.seek(start)
            lines = (stream.read(size) + rest).split(b"\n")
            rest = lines.pop(0) if start else b""
            for line in reversed(lines):
                event = _parsed(line) if mark in line else None
                if event is not None and event["kind"] == kind:
                    yield event


def _opened(path: Path) -> BinaryIO | None:
    """The file to be read; None where there is none, or no regular one: a run's own code can put a pipe there, and
    who lists all runs must not wait for it."""
    try:
        return open_regular(path)
    except (FileNotFoundError, IrregularFileError):
        return None


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):  # a run's own code can write what it likes
        return None
    return event if isinstance(event, dict) and "kind" in event else None


def _finite(value: Any) -> Any:
    # JSON has no NaN; a reader sees null, and the watchdog reports the cause in an alert of its own.
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
