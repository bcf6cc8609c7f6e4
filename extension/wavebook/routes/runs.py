"""``runs``: one run, its metrics, its log, and cancelling it."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from wavebook.routes.base import RouteHandler
from wavebook.routes.waves import Reason
from wavebook_tools.errors import NotFoundError, UsageError, did_you_mean
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.jobs.status import project_status
from wavebook_tools.metrics import read_metrics, thin
from wavebook_tools.metrics.quantities import NO_UNIT, Quantity, by_preference, quantity
from wavebook_tools.records.project import Project

LAST_ALERTS = 20
LONGEST_TAIL = 1 << 20  # bytes of log in one answer
POINTS = 500
MOST_POINTS = 10_000
MOST_EVENTS = 1000
EVENT_KINDS = frozenset({"state", "cell", "alert"})


def run_details(project: Project, run_id: str) -> dict[str, Any]:
    """Where a run stands, its input, its result and its last alerts."""
    record = project.run(run_id)
    spec, result = record.spec(), record.result()
    status = project_status(Project.create(project.root), wave=spec.wave)["waves"][0]["runs"]
    run = next((run for run in status if run["id"] == record.id), None)
    if run is None:
        raise NotFoundError(f"the run {run_id!r} was never queued here; `wavebook reindex` reads it from its files")
    return {
        **run,
        "spec": spec.model_dump(mode="json"),
        "result": result.model_dump(mode="json") if result else None,
        "alerts": record.alerts()[-LAST_ALERTS:],
    }


def run_metrics(project: Project, run_id: str, names: list[str] | None, points: int) -> dict[str, Any]:
    """A run's curves on one shared axis, thinned without losing a peak."""
    history = read_metrics(project.run(run_id).events_path)
    for name in names or []:
        if len(history) and name not in history.values:
            raise UsageError(f"{run_id} has no metric {name!r}.{did_you_mean(name, history.values)}")
    wanted = by_preference(set(history.values)) if names is None else names
    iterations, values = thin(history, wanted, points)
    return {
        "iterations": iterations.tolist(),
        "values": {
            name: [None if missing else value for value, missing in zip(column.tolist(), np.isnan(column), strict=True)]
            for name, column in values.items()
        },
        "quantities": {name: _describe(quantity(name)) for name in values},
    }


def _describe(known: Quantity) -> dict[str, Any]:
    return {"label": known.label, "unit": None if known.unit == NO_UNIT else known.unit, "better": known.better}


def run_events(project: Project, run_id: str, start: int) -> dict[str, Any]:
    """What happened in a run beside metrics and prints: its states, cells and alerts, from byte ``start`` on."""
    record = project.run(run_id)
    kept: deque[dict[str, Any]] = deque(maxlen=MOST_EVENTS)
    end = start
    for event, behind in record.events_from(start):
        end = behind
        if event["kind"] in EVENT_KINDS:
            kept.append(event)
    return {"events": list(kept), "end": end}


def log_part(path: Path, start: int | None, size: int) -> dict[str, Any]:
    """A stretch of a log: its last ``size`` bytes, or up to ``size`` bytes from ``start`` on."""
    try:
        with open(path, "rb") as stream:
            end = stream.seek(0, 2)
            begin = max(0, end - size) if start is None else min(start, end)
            stream.seek(begin)
            data = stream.read(size)
    except FileNotFoundError:
        return {"text": "", "start": 0, "end": 0, "size": 0}
    if start is None:
        # Begin at a character; a stretch from a given start begins where the one before it ended.
        skipped = next((count for count, byte in enumerate(data[:4]) if byte & 0xC0 != 0x80), 0) if begin else 0
        begin, data = begin + skipped, data[skipped:]
    if begin + len(data) < end:
        data = data[: len(data) - _cut_character(data)]
    return {"text": data.decode("utf-8", errors="replace"), "start": begin, "end": begin + len(data), "size": end}


def _cut_character(data: bytes) -> int:
    """How many bytes at the end belong to a character that goes on behind it."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            return len(data) - error.start
    return 0


def cancel_run(queue_class: type[Queue], project: Project, run_id: str, by: str, why: str) -> dict[str, Any]:
    """Ask for a run to be ended, and say where it stands then."""
    project.run(run_id)
    with queue_class(project) as queue:
        cancelled = queue.cancel(run_id, by, why)
    return {"cancelled": [run_id] if cancelled else []}


def replay_text(project: Project, run_id: str) -> str:
    """A run's replay, checked, as JSON."""
    from wavebook_tools.replay.document import read_replay

    return read_replay(project, project.run(run_id)).model_dump_json()


class RunHandler(RouteHandler):
    """One run."""

    @authenticated
    @authorized
    async def get(self, experiment: str, run: str) -> None:
        await self.answer(run_details, self.app.project, f"{experiment}/{run}")


class MetricsHandler(RouteHandler):
    """The curves of a run."""

    @authenticated
    @authorized
    async def get(self, experiment: str, run: str) -> None:
        listed = self.get_query_argument("names", "")
        names = [name for name in listed.split(",") if name] or None
        points = self.number("points", self.get_query_argument("points", str(POINTS)), least=4, most=MOST_POINTS)
        await self.answer(run_metrics, self.app.project, f"{experiment}/{run}", names, points)


class EventsHandler(RouteHandler):
    """What happened in a run."""

    @authenticated
    @authorized
    async def get(self, experiment: str, run: str) -> None:
        start = self.number("start", self.get_query_argument("start", "0"), least=0)
        await self.answer(run_events, self.app.project, f"{experiment}/{run}", start)


class LogHandler(RouteHandler):
    """What a run printed."""

    @authenticated
    @authorized
    async def get(self, experiment: str, run: str) -> None:
        tail = self.number("tail", self.get_query_argument("tail", "65536"), most=LONGEST_TAIL)
        given = self.get_query_argument("start", None)
        start = None if given is None else self.number("start", given, least=0)
        record = await self.work(self.app.project.run, f"{experiment}/{run}")
        await self.answer(log_part, record.log_path, start, tail)


class ReplayHandler(RouteHandler):
    """Robots of a run's evaluation, in motion."""

    @authenticated
    @authorized
    async def get(self, experiment: str, run: str) -> None:
        text = await self.work(replay_text, self.app.project, f"{experiment}/{run}")
        # Written by the thread already: a replay may have some hundred kilobytes.
        self.finish(text.encode(), set_content_type="application/json")


class CancelRunHandler(RouteHandler):
    """Cancelling a run."""

    @authenticated
    @authorized
    async def post(self, experiment: str, run: str) -> None:
        why, app = self.body(Reason).why, self.app
        run_id = f"{experiment}/{run}"
        await self.answer(cancel_run, app.queue_class, app.project, run_id, self.person, why)


ROUTES = [
    ("runs/([^/]+)/([^/]+)", RunHandler),
    ("runs/([^/]+)/([^/]+)/metrics", MetricsHandler),
    ("runs/([^/]+)/([^/]+)/events", EventsHandler),
    ("runs/([^/]+)/([^/]+)/log", LogHandler),
    ("runs/([^/]+)/([^/]+)/replay", ReplayHandler),
    ("runs/([^/]+)/([^/]+)/cancel", CancelRunHandler),
]
