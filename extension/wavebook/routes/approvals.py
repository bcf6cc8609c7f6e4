"""``approvals`` and ``budget``: the plans that wait for a person, the person's decision, and what needs none."""

from __future__ import annotations

from typing import Any, Literal

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from wavebook.agent.approvals import Approvals
from wavebook.agent.plan_changes import FieldsError, PlanChanges
from wavebook.agent.standing import StandingBudgets
from wavebook.routes.base import Body, RouteHandler


class DecisionBody(Body):
    """What a person decided. Who decided is the server's knowledge, never the browser's word."""

    decision: Literal["approve", "reject"]
    why: str = ""
    devices: list[str] | None = None
    """Where an approved wave is to run, instead of where the plan says."""
    changes: PlanChanges | None = None
    """What the person changed in the plan."""


class CheckBody(Body):
    """Changes to try on a plan."""

    changes: PlanChanges


class BudgetBody(Body):
    """What the agent may spend without asking."""

    runs: int
    gpu_hours: float


def all_approvals(approvals: Approvals) -> dict[str, Any]:
    """All approvals, oldest first."""
    return {"approvals": [approval.model_dump(mode="json") for approval in approvals.list()]}


class ApprovalsHandler(RouteHandler):
    """All approvals."""

    @authenticated
    @authorized
    async def get(self) -> None:
        await self.answer(all_approvals, self.app.approvals)


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
            self.app.approvals.decide,
            approval_id,
            body.decision,
            self.person,
            body.why,
            devices=body.devices,
            changes=body.changes,
        )
        self.finish(decided.model_dump(mode="json"))


def checked_changes(approvals: Approvals, approval_id: int, changes: PlanChanges) -> dict[str, Any]:
    """What changes would make of a plan, or what is wrong with each field."""
    try:
        _, cost, told = approvals.changed(approval_id, changes)
    except FieldsError as error:
        return {"problems": error.fields, "changes": [], "estimate": None}
    return {"problems": {}, "changes": list(told), "estimate": cost.model_dump()}


class CheckHandler(RouteHandler):
    """Changes of a plan, tried and not made."""

    @authenticated
    @authorized
    async def post(self, approval: str) -> None:
        approval_id, body = self.number("approval", approval), self.body(CheckBody)
        await self.answer(checked_changes, self.app.approvals, approval_id, body.changes)


def standing_budget(budgets: StandingBudgets) -> dict[str, Any]:
    """The standing budget, or null."""
    current = budgets.current()
    return {"budget": current.model_dump() if current else None}


class BudgetHandler(RouteHandler):
    """The standing budget."""

    @authenticated
    @authorized
    async def get(self) -> None:
        await self.answer(standing_budget, StandingBudgets(self.app.project))

    @authenticated
    @authorized
    async def post(self) -> None:
        body = self.body(BudgetBody)
        budgets = StandingBudgets(self.app.project)
        await self.work(budgets.grant, body.runs, body.gpu_hours, self.person)
        await self.answer(standing_budget, budgets)

    @authenticated
    @authorized
    async def delete(self) -> None:
        budgets = StandingBudgets(self.app.project)
        await self.work(budgets.revoke, self.person)
        self.finish({"budget": None})


ROUTES = [
    ("approvals", ApprovalsHandler),
    ("approvals/([^/]+)", ApprovalHandler),
    ("approvals/([^/]+)/check", CheckHandler),
    ("budget", BudgetHandler),
]
