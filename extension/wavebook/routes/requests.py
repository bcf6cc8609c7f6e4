"""``requests``: calls of tools that agents asked for, and the person's decision. What was allowed is done behind it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Literal

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from wavebook.agent.tools.registry import TOOLS
from wavebook.agent.tools.requests import Requests
from wavebook.routes.base import Body, RouteHandler
from wavebook_tools.errors import WavebookError
from wavebook_tools.records.project import Project

log = logging.getLogger(__name__)

_executing: set[asyncio.Task[None]] = set()
"""What runs now: the event loop itself keeps only weak references to tasks."""


class AnswerBody(Body):
    """What a person decided."""

    decision: Literal["allow", "deny"]
    why: str = ""


def all_requests(project: Project) -> dict[str, Any]:
    """All requests, oldest first."""
    return {"requests": [request.model_dump(mode="json") for request in Requests(project).list()]}


async def execute(project: Project, number: int) -> None:
    """Do what was allowed; its result, or why it failed, stands in the request."""
    try:
        await asyncio.to_thread(Requests(project).execute, number, TOOLS)
    except WavebookError as error:
        log.warning("request %s was not executed: %s", number, error)


class RequestsHandler(RouteHandler):
    """All requests."""

    @authenticated
    @authorized
    async def get(self) -> None:
        await self.answer(all_requests, self.app.project)


class RequestHandler(RouteHandler):
    """The decision about one."""

    @authenticated
    @authorized
    async def post(self, request: str) -> None:
        number, body, project = self.number("request", request), self.body(AnswerBody), self.app.project
        store, allowed = Requests(project), body.decision == "allow"
        decided = await self.work(store.decide, number, approve=allowed, by=self.person, why=body.why)
        if allowed:
            task = asyncio.create_task(execute(project, number))
            _executing.add(task)
            task.add_done_callback(_executing.discard)
        self.finish(decided.model_dump(mode="json"))


ROUTES = [("requests", RequestsHandler), ("requests/([^/]+)", RequestHandler)]
"""Routes below ``/wavebook/api/``."""
