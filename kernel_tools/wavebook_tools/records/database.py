"""wavebook.db: the queue, approvals, chat and the index over the records. The files are the truth of every record."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path

from wavebook_tools.errors import WavebookError
from wavebook_tools.records.project import Project

NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "lustre", "beegfs"})


def connect(project: Project) -> sqlite3.Connection:
    """Open the project's database, made where missing. Each part creates its own tables.

    State changes must survive a power cut, so every commit reaches the disk (``synchronous=FULL``).

    Raises:
        WavebookError: The file is damaged, cannot be written, or lies on a network file system, where SQLite's
            write-ahead log loses data.
    """
    path = project.database_path
    file_system = file_system_of(path.parent)
    if file_system in NETWORK_FILE_SYSTEMS:
        raise WavebookError(
            f"{path.parent} lies on a network file system ({file_system}), where the queue's database is not safe; "
            "link the folder to a local disk"
        )
    try:
        path.parent.mkdir(exist_ok=True)
        connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
    except OSError as error:
        raise WavebookError(f"cannot make {path.parent}: {error.strerror}") from error
    except sqlite3.OperationalError as error:  # not damaged: it cannot be read or written
        raise WavebookError(f"cannot open {path}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise WavebookError(f"cannot open {path}: {error}; `wavebook reindex` rebuilds it from the files") from error
    return connection


def file_system_of(path: Path) -> str:
    """The type of the file system that holds ``path``, as /proc/mounts names it."""
    best, kind = "", ""
    target = str(path.resolve())
    with open("/proc/self/mounts", encoding="utf-8", errors="replace") as mounts:
        for line in mounts:
            _, mount, mount_kind, *_ = line.split(" ")
            mount = mount.replace("\\040", " ")
            inside = target == mount or target.startswith(mount.rstrip("/") + "/")
            if inside and len(mount) >= len(best):
                best, kind = mount, mount_kind
    return kind


def missing_columns(connection: sqlite3.Connection, table: str, columns: Mapping[str, str]) -> list[str]:
    """Statements that give a table of an earlier version what it lacks; none where there is no such table yet.

    Args:
        connection: The database.
        table: The table's name.
        columns: The columns that it should have, each with its definition.
    """
    known = {row["name"] for row in connection.execute(f"PRAGMA table_info({table})")}
    return [f"ALTER TABLE {table} ADD COLUMN {name} {columns[name]}" for name in columns if known and name not in known]
