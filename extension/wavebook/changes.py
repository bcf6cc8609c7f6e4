"""Pushes: what changed in the project since a browser last looked.

Runs, planners and command lines are other processes, so the watcher looks at what they leave: the database's
``data_version``, which SQLite counts up with every commit of another connection, and the growth of live runs' events.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from jupyter_events import EventLogger

from wavebook.agent.night.process import resume
from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs.queue import RECOVERY_INTERVAL, recover
from wavebook_tools.jobs.store import QueueStore
from wavebook_tools.records.database import connect
from wavebook_tools.records.project import Project
from wavebook_tools.records.states import ACTIVE_STATES

SCHEMA_ID = "https://schema.wavebook.dev/changed/v1"

SCHEMA: dict[str, Any] = {
    "$id": SCHEMA_ID,
    "version": "1",
    "title": "Something in the Wavebook project changed",
    "description": "Says only what to fetch again, because events go to every listener.",
    "personal-data": False,
    "type": "object",
    "required": ["what", "wave", "run"],
    "additionalProperties": False,
    "properties": {
        "what": {
            "type": "array",
            "items": {"enum": ["waves", "chat", "approvals", "requests", "night"]},
            "minItems": 1,
        },
        "wave": {"type": ["integer", "null"]},
        "run": {"type": ["string", "null"]},
    },
}

What = Literal["waves", "chat", "approvals", "requests", "night"]

_log = logging.getLogger(__name__)


@dataclass
class Change:
    """What one look found: the kinds of things, and the waves and runs that are touched."""

    what: set[What] = field(default_factory=set)
    waves: set[int] = field(default_factory=set)
    runs: set[str] = field(default_factory=set)

    def event(self) -> dict[str, Any]:
        """The push: a wave or run is named only where it is the only one."""
        return {
            "what": sorted(self.what),
            "wave": next(iter(self.waves)) if len(self.waves) == 1 else None,
            "run": next(iter(self.runs)) if len(self.runs) == 1 else None,
        }


class ProjectState:
    """Finds out what changed since the last look. Used by one thread at a time."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._connection: sqlite3.Connection | None = None
        self._version = -1
        self._looked = False
        self._tables: dict[str, tuple[Any, ...]] = {}
        self._live: dict[str, tuple[int, str]] = {}
        self._sizes: dict[str, int] = {}

    def look(self) -> Change:
        """What changed since the last look; the first look reports nothing, for whoever listens has just fetched all.

        Raises:
            WavebookError: The database cannot be opened.
        """
        change = Change()
        if self._connection is None:
            if not self.project.database_path.exists():
                self._looked = True
                return change
            self._connection = connect(self.project)
        version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self._version = version
            self._read_tables(change)
            self._looked = True
        self._read_events(change)
        return change

    def close(self) -> None:
        """Close the database."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            self._version = -1

    def _read_tables(self, change: Change) -> None:
        for what, query in _SIGNATURES:
            with contextlib.suppress(sqlite3.OperationalError):  # the table's owner has not made it yet
                signature = tuple(self._connection.execute(query).fetchone()) if self._connection else ()
                if self._looked and signature != self._tables.get(query):
                    change.what.add(what)
                self._tables[query] = signature
        store = QueueStore(self.project)
        try:
            rows = store.in_states(*ACTIVE_STATES)
        finally:
            store.close()
        self._live = {row.id: (row.wave, row.folder) for row in rows}

    def _read_events(self, change: Change) -> None:
        sizes = {}
        for run, (wave, folder) in self._live.items():
            try:
                sizes[run] = (self.project.root / folder / "events.jsonl").stat().st_size
            except OSError:
                continue
            if run in self._sizes and sizes[run] != self._sizes[run]:
                change.what.add("waves")
                change.waves.add(wave)
                change.runs.add(run)
        self._sizes = sizes


# Cheap: an index or one small table each, read only when a commit happened.
_SIGNATURES: Sequence[tuple[What, str]] = (
    ("chat", "SELECT max(id), total(length(body)), count(approval) FROM messages"),
    ("chat", "SELECT max(id), count(*), total(opened), group_concat(title) FROM conversations"),
    ("approvals", "SELECT max(id), max(decided), sum(state = 'pending'), sum(queued) FROM approvals"),
    ("approvals", "SELECT max(id), count(revoked), total(reserved) FROM standing_budgets"),
    ("requests", "SELECT max(id), max(decided), sum(state = 'pending'), count(result) FROM requests"),
    (
        "night",
        "SELECT (SELECT count(judged) + count(*) FROM night_waves), max(id), max(ended), count(stop_by), "
        "group_concat(doing || state) FROM nights",
    ),
    (
        "waves",
        "SELECT max(number), count(*), max(started), max(ended), count(ended), count(cancel_by), count(device), "
        "count(DISTINCT state), total(number * priority), group_concat(CASE state WHEN 'queued' THEN devices END), "
        "group_concat(CASE WHEN ended IS NULL THEN message END) FROM runs",
    ),
)


class ChangeWatcher:
    """Looks while somebody listens, and pushes what it finds, at most once an interval."""

    def __init__(self, project: Project, events: EventLogger, *, interval: float) -> None:
        self.interval = interval
        self._state = ProjectState(project)
        self._events = events
        self._task: asyncio.Task[None] | None = None
        self._look_after_queue = 0.0

    def start(self) -> None:
        """Begin watching in the running event loop."""
        if self._task is None:
            self._task = asyncio.create_task(self._watch(), name="wavebook-changes")

    async def stop(self) -> None:
        """End watching."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        self._state.close()

    async def _watch(self) -> None:
        complained = ""
        while True:
            await asyncio.sleep(self.interval)
            await self._keep_moving()
            if not self._listened_to():
                continue
            try:
                change = await asyncio.to_thread(self._state.look)
            except (WavebookError, sqlite3.DatabaseError, OSError) as error:
                if str(error) != complained:
                    _log.warning("cannot watch the project: %s", error)
                    complained = str(error)
                self._state.close()
                continue
            complained = ""
            if change.what:
                self._events.emit(schema_id=SCHEMA_ID, data=change.event())

    async def _keep_moving(self) -> None:
        """Start the processes of queue and night again where they were killed together with all that they watched."""
        if time.monotonic() < self._look_after_queue:
            return
        self._look_after_queue = time.monotonic() + RECOVERY_INTERVAL
        with contextlib.suppress(WavebookError, sqlite3.DatabaseError, OSError):  # told by whoever asks for something
            await asyncio.to_thread(recover, self._state.project)
            await asyncio.to_thread(resume, self._state.project)

    def _listened_to(self) -> bool:
        # jupyter_events tells only by these whether anybody would receive an event.
        listeners: Sequence[Any] = [
            getattr(self._events, name, {SCHEMA_ID: True}).get(SCHEMA_ID)
            for name in ("_modified_listeners", "_unmodified_listeners")
        ]
        return any(listeners)
