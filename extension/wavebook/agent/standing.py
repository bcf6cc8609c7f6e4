"""A standing budget: what a person lets the agent spend without asking for each wave."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

from pydantic import BaseModel

from wavebook.agent.approvals import Approval, Approvals
from wavebook.agent.database import opened, transaction
from wavebook_tools.errors import UsageError, WavebookError
from wavebook_tools.records.plan import WavePlan
from wavebook_tools.records.project import Project

SCHEMA = """
CREATE TABLE IF NOT EXISTS standing_budgets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    runs INTEGER NOT NULL,
    gpu_hours REAL NOT NULL,
    reserved REAL NOT NULL DEFAULT 0,
    granted REAL NOT NULL,
    granted_by TEXT NOT NULL,
    revoked REAL
);
"""

MOST_RUNS = 1000
MOST_HOURS = 10_000.0


class StandingBudget(BaseModel):
    """A budget in force."""

    id: int
    runs: int
    """The most runs of one wave."""
    gpu_hours: float
    """Over all waves approved under it [h]."""
    reserved: float
    """What the waves approved so far were estimated to take [h]."""
    granted: float
    """Unix seconds."""
    granted_by: str

    @property
    def left(self) -> float:
        """What is not reserved [h]."""
        return max(0.0, self.gpu_hours - self.reserved)

    @property
    def text(self) -> str:
        """What a person reads."""
        return (
            f"Standing budget of {self.granted_by}: up to {self.runs} runs a wave, {self.gpu_hours:g} GPU hours, "
            f"of which {self.left:g} are left. Revoke it with /budget off."
        )


class StandingBudgets:
    """The standing budget of a project: at most one is in force, and it outlives restarts."""

    def __init__(self, project: Project, *, clock: Callable[[], float] = time.time) -> None:
        self.project = project
        self._clock = clock

    def current(self) -> StandingBudget | None:
        """The budget in force, or None."""
        if not self.project.database_path.exists():
            return None
        with opened(self.project, SCHEMA) as connection:
            return _current(connection)

    def grant(self, runs: int, gpu_hours: float, by: str) -> StandingBudget:
        """Put a budget in force, in the place of any before it.

        Raises:
            UsageError: A limit is out of range.
        """
        if not 1 <= runs <= MOST_RUNS:
            raise UsageError(f"runs: {runs} is not from 1 to {MOST_RUNS}")
        if not 0 <= gpu_hours <= MOST_HOURS:
            raise UsageError(f"gpu_hours: {gpu_hours:g} is not from 0 to {MOST_HOURS:g}")
        now = round(self._clock(), 3)
        with opened(self.project, SCHEMA) as connection, transaction(connection):
            connection.execute("UPDATE standing_budgets SET revoked = ? WHERE revoked IS NULL", (now,))
            connection.execute(
                "INSERT INTO standing_budgets (runs, gpu_hours, granted, granted_by) VALUES (?, ?, ?, ?)",
                (runs, gpu_hours, now, by),
            )
            # Inside the transaction: a budget that the ledger cannot hold is not in force.
            self.project.ledger.append("human", by, "grant budget", runs=runs, gpu_hours=gpu_hours)
            granted = _current(connection)
        assert granted is not None
        return granted

    def revoke(self, by: str) -> None:
        """End the budget in force.

        Raises:
            WavebookError: There is none.
        """
        with opened(self.project, SCHEMA) as connection, transaction(connection):
            ended = connection.execute(
                "UPDATE standing_budgets SET revoked = ? WHERE revoked IS NULL", (round(self._clock(), 3),)
            )
            if not ended.rowcount:
                raise WavebookError("there is no standing budget to revoke")
            self.project.ledger.append("human", by, "revoke budget")

    def reserve(self, plan: WavePlan, gpu_hours: float | None) -> StandingBudget | str:
        """Take a wave's GPU hours out of the budget.

        Args:
            plan: The wave.
            gpu_hours: What it is estimated to take [h]; None where no earlier run tells.

        Returns:
            The budget that covers the wave, or the reason why none does.
        """
        with opened(self.project, SCHEMA) as connection, transaction(connection):
            budget = _current(connection)
            if budget is None:
                return "there is no standing budget"
            if plan.run_count > budget.runs:
                return f"the wave has {plan.run_count} runs and the standing budget allows {budget.runs}"
            if gpu_hours is None:
                return "no earlier run tells how many GPU hours the wave takes"
            if gpu_hours > budget.left:
                return (
                    f"the wave takes about {gpu_hours:g} GPU hours and {budget.left:g} are left of the standing budget"
                )
            connection.execute(
                "UPDATE standing_budgets SET reserved = reserved + ? WHERE id = ?", (gpu_hours, budget.id)
            )
            return budget

    def give_back(self, budget: StandingBudget, gpu_hours: float) -> None:
        """Undo a reservation whose wave did not reach the queue."""
        with opened(self.project, SCHEMA) as connection:
            connection.execute(
                "UPDATE standing_budgets SET reserved = max(0, reserved - ?) WHERE id = ?", (gpu_hours, budget.id)
            )


def approve_within_budget(approvals: Approvals, approval: Approval) -> tuple[Approval, str]:
    """Approve a pending plan where the standing budget covers it.

    Its hours become the wave's own limit, so that the runs are ended where the estimate was too low.

    Returns:
        The approval as it is then, and a sentence on what the budget did; empty where there is no budget.
    """
    budgets = StandingBudgets(approvals.project)
    if approval.state != "pending" or budgets.current() is None:
        return approval, ""
    if unseen := approvals.unseen_code(approval.plan):
        return approval, f"This plan waits for you: it has code that no person has approved ({', '.join(unseen)})."
    hours = approval.estimate.gpu_hours
    budget = budgets.reserve(approval.plan, hours)
    if isinstance(budget, str):
        return approval, f"This plan waits for you: {budget}."
    try:
        if hours:
            approvals.limit_hours(approval.id, budget.left)
        why = f"under standing budget {budget.id}: {budget.runs} runs a wave, {budget.gpu_hours:g} GPU hours"
        decided = approvals.decide(approval.id, "approve", budget.granted_by, why)
    except WavebookError as error:
        budgets.give_back(budget, hours or 0.0)
        return approvals.get(approval.id), f"This plan waits for you: {error}."
    return decided, f"Approved {why}."


def _current(connection: sqlite3.Connection) -> StandingBudget | None:
    row = connection.execute(
        "SELECT id, runs, gpu_hours, reserved, granted, granted_by FROM standing_budgets WHERE revoked IS NULL"
    ).fetchone()
    return StandingBudget(**dict(row)) if row else None
