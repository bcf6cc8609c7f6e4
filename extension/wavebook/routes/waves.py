"""``waves``: the waves and their runs, queueing and cancelling one."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from wavebook.routes.base import Body, RouteHandler
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.jobs.status import project_status
from wavebook_tools.records.project import Project


class Reason(Body):
    """Why something is done; may be left out."""

    why: str = ""


def all_waves(project: Project) -> dict[str, Any]:
    """All waves; none in a folder that holds no project yet."""
    if not project.waves():
        return {"waves": []}
    return project_status(Project.create(project.root))


def one_wave(project: Project, wave_id: int) -> dict[str, Any]:
    """A wave, its runs and its plan."""
    record = project.wave(wave_id)
    wave: dict[str, Any] = project_status(Project.create(project.root), wave=wave_id)["waves"][0]
    return {**wave, "plan": record.plan().model_dump(mode="json")}


def cancel_wave(queue_class: type[Queue], project: Project, wave_id: int, by: str, why: str) -> list[str]:
    """Cancel a wave; the names of the runs that this call ends."""
    project.wave(wave_id)
    with queue_class(project) as queue:
        return [str(run) for run in queue.cancel_wave(wave_id, by, why)]


class WavesHandler(RouteHandler):
    """All waves."""

    @authenticated
    @authorized
    async def get(self) -> None:
        self.finish(await self.work(all_waves, self.app.project))


class WaveHandler(RouteHandler):
    """One wave."""

    @authenticated
    @authorized
    async def get(self, wave: str) -> None:
        self.finish(await self.work(one_wave, self.app.project, self.number("wave", wave)))


class RunWaveHandler(RouteHandler):
    """Queueing an approved wave that has not reached the queue."""

    @authenticated
    @authorized
    async def post(self, wave: str) -> None:
        wave_id = self.number("wave", wave)
        await self.work(self.app.approvals.queue_wave, wave_id)
        self.finish(await self.work(one_wave, self.app.project, wave_id))


class CancelWaveHandler(RouteHandler):
    """Cancelling what of a wave has not ended."""

    @authenticated
    @authorized
    async def post(self, wave: str) -> None:
        wave_id, why = self.number("wave", wave), self.body(Reason).why
        app = self.app
        cancelled = await self.work(cancel_wave, app.queue_class, app.project, wave_id, self.person, why)
        self.finish({"cancelled": cancelled})


ROUTES = [
    ("waves", WavesHandler),
    ("waves/([^/]+)", WaveHandler),
    ("waves/([^/]+)/run", RunWaveHandler),
    ("waves/([^/]+)/cancel", CancelWaveHandler),
]
