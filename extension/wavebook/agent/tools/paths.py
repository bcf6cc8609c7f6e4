"""Which files an agent may see: regular, not hidden, below the project or the task's package."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from wavebook_tools.errors import NotFoundError, UsageError, did_you_mean
from wavebook_tools.records.files import IrregularFileError, inside, open_regular
from wavebook_tools.records.project import Project
from wavebook_tools.records.redaction import redact, without_private_keys

LARGEST = 64 << 20
"""A file larger than this is not read at all [bytes]."""

WIDEST = 2000
"""Characters of a line that are shown."""


def visible(name: str) -> bool:
    """Whether a name may be shown: hidden files hold settings, keys and databases."""
    return not name.startswith(".")


def project_path(root: Path, relative: str) -> Path:
    """A path below the root that exists.

    Raises:
        UsageError: It leaves the root, also through a link, or is hidden.
        NotFoundError: There is no such file; the message names the nearest.
    """
    if "\0" in relative:
        raise UsageError("a path with a null character in it")
    path = inside(root, relative)
    if not all(visible(part) for part in path.relative_to(root.resolve()).parts):
        raise UsageError(f"{relative!r} is hidden and is not shown to agents")
    try:
        there = path.exists()
    except OSError as error:
        raise UsageError(f"{relative[:200]!r} is no path: {error.strerror}") from error
    if not there:
        near = sorted(p.name for p in path.parent.iterdir() if visible(p.name)) if path.parent.is_dir() else []
        raise NotFoundError(f"there is no {relative!r}.{did_you_mean(path.name, near)}")
    return path


def opened(path: Path, name: str) -> BinaryIO:
    """A regular file, opened to be read.

    Raises:
        UsageError: It is no regular file.
    """
    try:
        return open_regular(path)
    except IrregularFileError as error:
        raise UsageError(f"{name!r} is no regular file") from error


def record_path(project: Project, path: Path) -> Path:
    """A file of a run's record, which the run's own code may have replaced by a link.

    Raises:
        UsageError: It leads out of the project.
        NotFoundError: There is none.
    """
    return project_path(project.root, path.relative_to(project.root).as_posix())


def read_text(path: Path, name: str) -> str:
    """The text of a regular file.

    Raises:
        UsageError: It is no regular file, too large, or no text.
    """
    with opened(path, name) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size > LARGEST:
            raise UsageError(f"{name!r} has {size >> 20} MB; at most {LARGEST >> 20} are read")
        data = stream.read(LARGEST)
    if b"\0" in data[:8192]:
        raise UsageError(f"{name!r} is no text")
    return data.decode("utf-8", errors="replace")


def lines_of(text: str, first: int, count: int) -> str:
    """Some lines with their numbers, from ``first`` on, which counts from 1."""
    lines = without_private_keys(text).splitlines()
    shown = lines[first - 1 : first - 1 + count]
    left = len(lines) - (first - 1 + len(shown))
    numbered = [f"{number:5}  {_shortened(line)}" for number, line in enumerate(shown, start=first)]
    if left > 0:
        numbered.append(f"… {left} more lines; go on with first_line={first + len(shown)}")
    return "\n".join(numbered) or f"there are {len(lines)} lines; none from {first} on"


def _shortened(line: str) -> str:
    # Redacted before it is cut: of half a secret nothing tells what it is.
    return line if len(line) <= WIDEST else redact(line[: 2 * WIDEST])[:WIDEST]
