"""``waves``: the waves and their runs, queueing and cancelling one."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from wavebook.routes.base import Body, RouteHandler
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.records.project import Project


class Reason(Body):
    """Why something is done; may be left out."""

    why: str = ""


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
        await self.answer(self.app.status.all)


class WaveHandler(RouteHandler):
    """One wave."""

    @authenticated
    @authorized
    async def get(self, wave: str) -> None:
        await self.answer(self.app.status.one, self.number("wave", wave))


class RunWaveHandler(RouteHandler):
    """Queueing an approved wave that has not reached the queue."""

    @authenticated
    @authorized
    async def post(self, wave: str) -> None:
        wave_id = self.number("wave", wave)
        await self.work(self.app.approvals.queue_wave, wave_id)
        await self.answer(self.app.status.one, wave_id)


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
