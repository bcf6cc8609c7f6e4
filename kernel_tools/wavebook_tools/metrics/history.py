"""Iteration metrics of a run as NumPy columns, read from events.jsonl."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# pydantic's own parser: three times as fast on these lines as the standard library's, and here already.
from pydantic_core import from_json

from wavebook_tools.records.files import IrregularFileError, open_regular

Floats = NDArray[np.float64]

CHUNK = 1 << 23  # bytes read at a time, so that a long log does not need its size in memory


@dataclass(frozen=True)
class MetricHistory:
    """The metrics of a run's training, one row an iteration, iterations strictly increasing.

    A value that was not recorded or not finite is NaN.
    """

    iterations: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    """Training iteration of each row, from 0 [N]."""
    times: Floats = field(default_factory=lambda: np.empty(0))
    """When the row was written [N], Unix seconds."""
    values: dict[str, Floats] = field(default_factory=dict)
    """One column [N] a metric, by rsl_rl's name."""

    def __len__(self) -> int:
        return len(self.iterations)

    def __getitem__(self, name: str) -> Floats:
        """The column of a metric [N]; all NaN where the run never recorded it."""
        column = self.values.get(name)
        return column if column is not None else np.full(len(self), np.nan)

    @property
    def nbytes(self) -> int:
        """Memory the columns take [bytes]."""
        return self.iterations.nbytes + self.times.nbytes + sum(column.nbytes for column in self.values.values())


class MetricReader:
    """Reads a growing events.jsonl: each ``read`` parses only what was appended since the last one.

    Damaged lines are passed over, and a line that is still being written is left for the next time. A resumed run goes
    back to its checkpoint's iteration: what it had recorded from there on is superseded.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0
        self._file = 0
        self._history = MetricHistory()

    def read(self) -> MetricHistory:
        """The metrics up to now; empty where the file does not exist yet."""
        rows: list[tuple[int, float, dict[str, Any]]] = []
        try:
            with open_regular(self.path) as stream:
                status = os.fstat(stream.fileno())
                if status.st_ino != self._file or status.st_size < self.offset:  # another file took the place
                    self.offset, self._file, self._history = 0, status.st_ino, MetricHistory()
                stream.seek(self.offset)
                rest = b""
                while chunk := stream.read(CHUNK):
                    *lines, rest = (rest + chunk).split(b"\n")
                    rows.extend(_parse(lines))
                self.offset = stream.tell() - len(rest)
        except (FileNotFoundError, IrregularFileError):
            self.offset, self._history = 0, MetricHistory()
        if rows:
            self._history = _without_superseded(_joined(self._history, _columns(rows)))
        return self._history


class MetricCache:
    """Histories of the runs that were asked for last, each read on from where it was left; for a server's threads."""

    def __init__(self, limit: int = 256 << 20) -> None:
        """``limit``: what the columns may take together [bytes]; the run asked for longest ago goes first."""
        self._limit = limit
        self._readers: OrderedDict[Path, MetricReader] = OrderedDict()
        self._sizes: dict[Path, int] = {}
        self._lock = threading.Lock()

    def read(self, path: Path) -> MetricHistory:
        """The metrics in the events.jsonl at ``path`` up to now; empty where there is none."""
        with self._lock:
            reader = self._readers.pop(path, None) or MetricReader(path)
            history = reader.read()
            self._readers[path] = reader
            self._sizes[path] = history.nbytes
            while len(self._readers) > 1 and sum(self._sizes.values()) > self._limit:
                oldest, _ = self._readers.popitem(last=False)
                del self._sizes[oldest]
        return history


_CACHE = MetricCache()


def read_metrics(path: Path) -> MetricHistory:
    """The metrics in the events.jsonl at ``path``; empty where there is none.

    Read again, only what was appended since is parsed. The columns are shared: don't write to them.
    """
    return _CACHE.read(path.resolve())


def _parse(lines: Iterable[bytes]) -> Iterable[tuple[int, float, dict[str, Any]]]:
    for line in lines:
        if b'"metric"' not in line:
            continue
        try:
            event = from_json(line, cache_strings="keys")
        except ValueError:
            continue
        if not isinstance(event, dict) or event.get("kind") != "metric":
            continue
        iteration, time, values = event.get("iteration"), event.get("t"), event.get("values")
        if isinstance(iteration, int) and isinstance(values, dict):
            yield iteration, time if isinstance(time, int | float) else np.nan, values


def _columns(rows: list[tuple[int, float, dict[str, Any]]]) -> MetricHistory:
    iterations = np.array([row[0] for row in rows], np.int64)
    times = np.array([row[1] for row in rows], np.float64)
    values: dict[str, Floats] = {}
    start = 0
    # Nearly all rows have the same names in the same order, so whole blocks convert at once.
    for names, group in groupby((row[2] for row in rows), key=tuple):
        block = list(group)
        for name, column in zip(names, _matrix(block).T, strict=True):
            whole = values.get(name)
            if whole is None:
                whole = values[name] = np.full(len(rows), np.nan)
            whole[start : start + len(block)] = column
        start += len(block)
    return MetricHistory(iterations, times, values)


def _matrix(block: list[dict[str, Any]]) -> Floats:
    try:
        matrix = np.array([list(values.values()) for values in block], np.float64)
    except (TypeError, ValueError):
        matrix = np.array([[_number(value) for value in values.values()] for values in block], np.float64)
    return np.where(np.isfinite(matrix), matrix, np.nan)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else np.nan


def _joined(first: MetricHistory, second: MetricHistory) -> MetricHistory:
    if not len(first):
        return second
    names = [*first.values, *(name for name in second.values if name not in first.values)]
    return MetricHistory(
        np.concatenate([first.iterations, second.iterations]),
        np.concatenate([first.times, second.times]),
        {name: np.concatenate([first[name], second[name]]) for name in names},
    )


def _without_superseded(history: MetricHistory) -> MetricHistory:
    iterations = history.iterations
    if len(iterations) < 2:
        return history
    # A row stands if no later row has its iteration or an earlier one.
    least_later = np.minimum.accumulate(iterations[::-1])[::-1][1:]
    keep = np.append(iterations[:-1] < least_later, True)
    if keep.all():
        return history
    return MetricHistory(
        iterations[keep], history.times[keep], {name: column[keep] for name, column in history.values.items()}
    )
