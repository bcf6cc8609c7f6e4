"""Follows files that others append to, at the price of one ``stat`` while nothing changes."""

from __future__ import annotations

import os
from pathlib import Path

MOST_AT_ONCE = 4 * 1024 * 1024
"""The most that is read at one look [bytes]: what a run writes must not fill the memory of what watches it."""


class Tail:
    """What was appended to a file since the last look.

    Args:
        path: The file; it may not be there yet.
        skip: Whether to pass over all but the newest where more than ``MOST_AT_ONCE`` was appended at once; else the
            rest waits for the next look.
    """

    def __init__(self, path: Path, *, skip: bool = False) -> None:
        self._path = os.fspath(path)
        self._skip = skip
        self.found = False
        """Whether the file was ever there."""
        self._offset = 0

    def read(self) -> bytes:
        """The new bytes; empty where there are none or the file cannot be read."""
        try:
            size = os.stat(self._path).st_size
            self.found = True
            if size <= self._offset:
                self._offset = size  # cut: what is left was seen
                return b""
            with open(self._path, "rb") as stream:
                if self._skip and size - self._offset > MOST_AT_ONCE:
                    self._offset = size - MOST_AT_ONCE
                stream.seek(self._offset)
                data = stream.read(MOST_AT_ONCE)
        except OSError:
            return b""
        self._offset += len(data)
        return data


class Lines:
    """Whole lines out of pieces. A line longer than ``MOST_AT_ONCE`` is dropped."""

    def __init__(self) -> None:
        self.rest = b""
        """The beginning of a line that is not complete yet."""
        self._dropping = False

    def split(self, data: bytes) -> list[bytes]:
        """The lines that ``data`` completes."""
        *lines, rest = (self.rest + data).split(b"\n")
        if self._dropping and lines:
            del lines[0]
            self._dropping = False
        if len(rest) > MOST_AT_ONCE:
            rest, self._dropping = b"", True
        self.rest = b"" if self._dropping else rest
        return lines
