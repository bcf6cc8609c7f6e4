"""``retry``, ``priority`` and ``devices`` of runs and waves: what a person does to the queue beside cancelling."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from pydantic import Field
from tornado.web import authenticated

from wavebook.routes.base import Body, RouteHandler
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.records.project import Project


class RetryBody(Body):
    """How what failed is repeated."""

    resume: bool = False
    """From the last checkpoint where there is one, else from scratch."""


class PriorityBody(Body):
    """Where a run stands in the queue: the higher, the sooner."""

    priority: int


class DevicesBody(Body):
    """Where a run may go: ``auto``, ``cpu``, or indices and UUIDs."""

    devices: list[str] = Field(min_length=1)


def retry(
    queue_class: type[Queue], project: Project, wave_id: int, run_id: str | None, resume: bool, by: str
) -> dict[str, Any]:
    """Queue repeats of a wave's failed runs, or of one run."""
    with queue_class(project) as queue:
        return {"queued": [str(run) for run in queue.retry_wave(wave_id, by, resume=resume, run_id=run_id)]}


def retry_run(queue_class: type[Queue], project: Project, run_id: str, resume: bool, by: str) -> dict[str, Any]:
    """Queue a repeat of one run."""
    return retry(queue_class, project, project.run(run_id).spec().wave, run_id, resume, by)


def set_priority(queue_class: type[Queue], project: Project, run_id: str, priority: int, by: str) -> dict[str, Any]:
    """Move a run within the queue."""
    with queue_class(project) as queue:
        queue.set_priority(run_id, priority, by)
    return {"run": run_id, "priority": priority}


def set_devices(queue_class: type[Queue], project: Project, run_id: str, devices: list[str], by: str) -> dict[str, Any]:
    """Send a queued run to other devices."""
    with queue_class(project) as queue:
        queue.set_devices(run_id, devices, by)
    return {"run": run_id, "devices": devices}


class RetryWaveHandler(RouteHandler):
    """Repeating what of a wave failed."""

    @authenticated
    @authorized
    async def post(self, wave: str) -> None:
        wave_id, resume, app = self.number("wave", wave), self.body(RetryBody).resume, self.app
        await self.answer(retry, app.queue_class, app.project, wave_id, None, resume, self.person)


class RetryRunHandler(RouteHandler):
    """Repeating a run that failed."""

    @authenticated
    @authorized
    async def post(self, experiment: str, run: str) -> None:
        resume, app, run_id = self.body(RetryBody).resume, self.app, f"{experiment}/{run}"
        await self.answer(retry_run, app.queue_class, app.project, run_id, resume, self.person)


class PriorityHandler(RouteHandler):
    """A run's place in the queue."""

    @authenticated
    @authorized
    async def post(self, experiment: str, run: str) -> None:
        priority, app, run_id = self.body(PriorityBody).priority, self.app, f"{experiment}/{run}"
        await self.answer(set_priority, app.queue_class, app.project, run_id, priority, self.person)


class DevicesHandler(RouteHandler):
    """Where a queued run may go."""

    @authenticated
    @authorized
    async def post(self, experiment: str, run: str) -> None:
        devices, app, run_id = self.body(DevicesBody).devices, self.app, f"{experiment}/{run}"
        await self.answer(set_devices, app.queue_class, app.project, run_id, devices, self.person)


ROUTES = [
    ("waves/([^/]+)/retry", RetryWaveHandler),
    ("runs/([^/]+)/([^/]+)/retry", RetryRunHandler),
    ("runs/([^/]+)/([^/]+)/priority", PriorityHandler),
    ("runs/([^/]+)/([^/]+)/devices", DevicesHandler),
]
