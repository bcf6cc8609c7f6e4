"""How the agent's tables in wavebook.db are opened."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from wavebook_tools.errors import WavebookError
from wavebook_tools.records.database import connect
from wavebook_tools.records.project import Project


@contextmanager
def opened(project: Project, schema: str) -> Iterator[sqlite3.Connection]:
    """A connection with the tables of ``schema`` in place, closed at the end.

    Each call opens its own, so that any thread of the server may make one.

    Raises:
        WavebookError: The database cannot be opened, read or written.
    """
    Project.create(project.root)
    connection = connect(project)
    try:
        connection.executescript(schema)
        yield connection
    except sqlite3.DatabaseError as error:
        raise WavebookError(f"cannot use {project.database_path}: {error}") from error
    finally:
        connection.close()


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of the block or nothing; other writers wait."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
