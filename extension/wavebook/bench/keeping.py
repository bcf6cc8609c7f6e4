"""Keeps a project as a record that can be given away: without database and checkpoints, and with short paths."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from wavebook_tools.records.project import STATE_FOLDER, Project

LEFT_OUT = (STATE_FOLDER, "checkpoints", "comparison.html", "templates", "fault-stacks.txt")
"""What a record is complete without: what can be made again, and what is large."""


def keep_record(project: Project, folder: Path) -> None:
    """Copy a project's files and shorten the paths in them to what lies below the project or a package folder.

    Args:
        folder: Where the copy goes; it must not exist.
    """
    shutil.copytree(project.root, folder, ignore=shutil.ignore_patterns(*LEFT_OUT))
    prefixes = _prefixes(project)
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        text = path.read_bytes()
        short = text
        for prefix in prefixes:
            short = short.replace(prefix, b"")
        if short != text:
            path.write_bytes(short)


def _prefixes(project: Project) -> list[bytes]:
    """What paths begin with on this machine, the longest first."""
    folders = {str(project.root), *sys.path, sys.prefix, sys.base_prefix, tempfile.gettempdir(), str(Path.home())}
    found = {f"{Path(folder)}/" for folder in folders if folder and len(Path(folder).parts) > 1}
    return [prefix.encode() for prefix in sorted(found, key=len, reverse=True)]
