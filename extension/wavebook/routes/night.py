"""``night``: how night mode stands, its grant and its stop."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from wavebook.agent.night import process
from wavebook.agent.night.status import night_status
from wavebook.agent.night.terms import Terms, make_terms
from wavebook.routes.base import Body, RouteHandler
from wavebook_tools.records.project import Project


class NightBody(Body):
    """A directive, and the limits that differ from wavebook.toml."""

    directive: str
    waves: int | None = None
    runs: int | None = None
    gpu_hours: float | None = None
    hours: float | None = None
    until: str | None = None
    """As ``error_vel_xy=0.10``."""
    patience: int | None = None
    end_hopeless: bool | None = None


def grant(project: Project, body: NightBody, by: str) -> dict[str, Any]:
    """Grant a night and begin it."""
    Project.create(project.root)
    process.start(project, terms_of(project, body), by)
    return night_status(project)


def terms_of(project: Project, body: NightBody) -> Terms:
    """The terms of a night that is asked for."""
    return make_terms(body.directive, project.settings().night, body.model_dump(exclude={"directive"}))


def terms(project: Project, body: NightBody) -> dict[str, Any]:
    """What a person would grant, in words."""
    asked = terms_of(project, body)
    return {"directive": asked.directive, "terms": asked.text}


def stop(project: Project, by: str) -> dict[str, Any]:
    """Stop the night and its runs."""
    process.stop(project, by)
    return night_status(project)


class NightHandler(RouteHandler):
    """The newest night."""

    @authenticated
    @authorized
    async def get(self) -> None:
        self.finish(await self.work(night_status, self.app.project))

    @authenticated
    @authorized
    async def post(self) -> None:
        self.finish(await self.work(grant, self.app.project, self.body(NightBody), self.person))

    @authenticated
    @authorized
    async def delete(self) -> None:
        self.finish(await self.work(stop, self.app.project, self.person))


class NightTermsHandler(RouteHandler):
    """The terms of a night that nobody has granted yet."""

    @authenticated
    @authorized
    async def post(self) -> None:
        self.finish(await self.work(terms, self.app.project, self.body(NightBody)))


ROUTES = [("night", NightHandler), ("night/terms", NightTermsHandler)]
