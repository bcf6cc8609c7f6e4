"""``approvals``: the plans that wait for a person, and the person's decision."""

from __future__ import annotations

from typing import Any, Literal

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from wavebook.agent.approvals import Approvals
from wavebook.routes.base import Body, RouteHandler


class DecisionBody(Body):
    """What a person decided. Who decided is the server's knowledge, never the browser's word."""

    decision: Literal["approve", "reject"]
    why: str = ""
    devices: list[str] | None = None
    """Where an approved wave is to run, instead of where the plan says."""


def all_approvals(approvals: Approvals) -> dict[str, Any]:
    """All approvals, oldest first."""
    return {"approvals": [approval.model_dump(mode="json") for approval in approvals.list()]}


class ApprovalsHandler(RouteHandler):
    """All approvals."""

    @authenticated
    @authorized
    async def get(self) -> None:
        self.finish(await self.work(all_approvals, self.app.approvals))


class ApprovalHandler(RouteHandler):
    """One approval and its decision."""

    @authenticated
    @authorized
    async def get(self, approval: str) -> None:
        found = await self.work(self.app.approvals.get, self.number("approval", approval))
        self.finish(found.model_dump(mode="json"))

    @authenticated
    @authorized
    async def post(self, approval: str) -> None:
        approval_id, body = self.number("approval", approval), self.body(DecisionBody)
        decided = await self.work(
            self.app.approvals.decide, approval_id, body.decision, self.person, body.why, devices=body.devices
        )
        self.finish(decided.model_dump(mode="json"))


ROUTES = [("approvals", ApprovalsHandler), ("approvals/([^/]+)", ApprovalHandler)]
