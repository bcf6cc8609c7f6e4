"""Rebuilding the index of runs from the files, which are the truth."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from pathlib import Path

from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs.processes import find_supervisor
from wavebook_tools.jobs.recovery import event_time, finish_from_record
from wavebook_tools.jobs.store import QueueStore
from wavebook_tools.jobs.wakeup import ensure_dispatcher
from wavebook_tools.records.events import EventWriter
from wavebook_tools.records.project import Project, RunRecord
from wavebook_tools.records.states import RunState


def rebuild(project: Project) -> int:
    """Read every record on disk into the database; returns how many runs were found.

    A damaged database is set aside, not deleted: approvals and the chat stand in it alone. Runs that the database knows
    keep their rows. A run that was under way when the database was lost is taken up where its processes live, and gets
    the state that its files tell where they don't.

    The dispatcher is woken or started, so that it goes on with what still runs.

    Raises:
        WavebookError: A record is damaged; its file is named, and the rest is indexed all the same.
    """
    store = _open(project)
    known = {row.id for row in store.all()}
    problems: list[str] = []
    count = 0
    for wave in project.waves():
        for record in wave.runs():
            count += 1
            if record.id in known:
                continue
            try:
                spec = record.spec()
            except WavebookError as error:
                problems.append(str(error))
                continue
            store.add([(spec, project.relative(record.path))])
            _settle(store, spec.id, record)
    unfinished = store.unfinished()
    store.close()
    if unfinished:
        ensure_dispatcher(project)
    if problems:
        raise WavebookError("; ".join(problems))
    return count


def _settle(store: QueueStore, run_id: str, record: RunRecord) -> None:
    """Give a run that was just added the state that its processes and its record tell."""
    started = next((e for e in record.events() if e["kind"] == "state" and e.get("state") != RunState.QUEUED), None)
    supervisor = find_supervisor(record.path)
    if supervisor is not None:  # it is still at it: the next dispatcher goes on with it
        store.start(run_id, str((started or {}).get("device") or "unknown"))
        store.set_native(run_id, str(supervisor))
    elif started is not None:
        store.start(run_id, str(started.get("device") or "unknown"))
        row = store.get(run_id)
        assert row is not None
        finish_from_record(store, row, record)
        store.set_times(run_id, started=event_time(started) or row.submitted, ended=_last_time(record))
    else:
        # Never started. It stays out of the queue until a person asks for it, with `retry`.
        message = "was queued when the database was lost"
        with contextlib.suppress(OSError), contextlib.closing(EventWriter(record.events_path)) as events:
            events.write("state", state=RunState.CANCELLED, message=message)
        store.finish(run_id, RunState.CANCELLED, message=message)


def _open(project: Project) -> QueueStore:
    try:
        store = QueueStore(project)
        store.check()
        return store
    except (WavebookError, sqlite3.DatabaseError):
        damaged = project.database_path
        aside = damaged.with_name(f"wavebook-damaged-{time.strftime('%Y%m%d-%H%M%S')}.db")
        with contextlib.suppress(FileNotFoundError):
            damaged.rename(aside)
        for suffix in ("-wal", "-shm"):
            Path(f"{damaged}{suffix}").unlink(missing_ok=True)
        return QueueStore(project)


def _last_time(record: RunRecord) -> float:
    times = (event_time(event) for event in record.events())
    return max((t for t in times if t is not None), default=time.time())
