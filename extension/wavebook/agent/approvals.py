"""Plans that wait for a person: proposed, then approved, rejected, expired or withdrawn, each decided once.

An approval is a row of the project's database and outlives reload and restart. Approving writes the ledger first and
queues the wave second; a process that dies between the two leaves a row that is approved and not queued, which
``recover`` takes up again.
"""

from __future__ import annotations

import fcntl
import getpass
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from pydantic import BaseModel, Field

from wavebook.agent.code_diffs import CodeDiff, code_diffs, code_refs, digests
from wavebook.agent.database import opened, transaction
from wavebook.agent.estimate import Estimate, estimate
from wavebook.agent.plan_changes import PlanChanges, changed, defaults
from wavebook.agent.submission import check_placed, check_simulator, check_templates, submit_once
from wavebook_tools.errors import NotFoundError, UsageError, WavebookError
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.records.ledger import Actor
from wavebook_tools.records.numbering import Numbers, next_numbers
from wavebook_tools.records.plan import WavePlan
from wavebook_tools.records.project import Project
from wavebook_tools.tasks import TaskSchema, check_plan

SCHEMA = """
CREATE TABLE IF NOT EXISTS approvals (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    wave INTEGER NOT NULL,
    plan TEXT NOT NULL,
    estimate TEXT NOT NULL,
    created REAL NOT NULL,
    expires REAL NOT NULL,
    decided REAL,
    decided_by TEXT,
    why TEXT NOT NULL DEFAULT '',
    queued INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS approvals_by_wave ON approvals (wave);
"""

LIFETIME = 7 * 24 * 3600.0
"""How long a plan waits before it counts as denied [s]."""

MOST_PENDING = 20
"""Plans that may wait at a time: an agent cannot bury the one that a person looks for."""

ApprovalState = Literal["pending", "approved", "rejected", "expired", "withdrawn"]
Verb = Literal["approve", "reject"]


class TakenError(UsageError):
    """A plan's numbers were free when it was made and are not any more."""


class Approval(BaseModel):
    """A proposed wave and what was decided about it."""

    id: int
    kind: Literal["wave"] = "wave"
    state: ApprovalState
    plan: WavePlan
    estimate: Estimate
    created: float
    """Unix seconds, as are ``expires`` and ``decided``."""
    expires: float
    decided: float | None = None
    decided_by: str | None = None
    why: str = ""
    queued: bool = False
    """Whether an approved wave has reached the queue."""
    code: list[CodeDiff] = Field(default_factory=list)
    """The plan's code overrides as diffs."""
    base: dict[str, Any] = Field(default_factory=dict)
    """What the task has without the plan, for every name that the plan overrides; a name it does not know is absent."""
    problem: str = ""
    """Why a pending plan cannot be approved here yet, as where the simulator is not installed."""


class Approvals:
    """The approvals of a project."""

    def __init__(
        self,
        project: Project,
        *,
        lifetime: float = LIFETIME,
        tasks: Mapping[str, TaskSchema] | None = None,
        queue: Callable[[Project], Queue] = Queue,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.project = project
        self.lifetime = lifetime
        self._tasks = tasks
        self._queue = queue
        self._clock = clock

    def propose(
        self,
        plan: WavePlan,
        *,
        by: str | None = None,
        asked_before: bool = False,
        along: Callable[[sqlite3.Connection], None] | None = None,
    ) -> Approval:
        """Put a checked plan before a person, with no more hours than the project's budget allows, whoever wrote it.

        Args:
            plan: The plan; its wave and experiments must have free numbers (``next_numbers``).
            by: Who gave the directive; the account that this process runs as where absent.
            asked_before: The directive stands in the ledger already, as that of a night does.
            along: Writes what must be known of the plan exactly if it was proposed.

        Raises:
            NotFoundError: There is no template of a name that the plan gives.
            TakenError: One of its numbers is taken.
            UsageError: The plan cannot run (``check_plan``, ``check_templates``, ``check_placed``), or too many wait
                for a decision.
            WavebookError: The driver of the devices that the plan names does not answer.
        """
        settings = self.project.settings()
        check_plan(plan, self._tasks, device_names=settings.engine.device_names)
        check_templates(self.project, plan)
        # The wave's devices may still be chosen as it is approved, so only what no choice mends is refused here.
        check_placed(self.project, plan.model_copy(update={"devices": ["auto"]}))
        plan = plan.model_copy(update={"budget": plan.budget.within(settings.budget)})
        now = round(self._clock(), 3)
        guess = estimate(self.project, plan)
        with opened(self.project, SCHEMA) as connection, transaction(connection):
            _refuse_flood(connection, now)
            self._refuse_taken(connection, plan)
            added = connection.execute(
                "INSERT INTO approvals (kind, state, wave, plan, estimate, created, expires) "
                "VALUES ('wave', 'pending', ?, ?, ?, ?, ?)",
                (plan.id, plan.model_dump_json(), guess.model_dump_json(), now, now + self.lifetime),
            )
            approval_id = added.lastrowid or 0
            if along is not None:
                along(connection)
            # Inside the transaction: a plan that the ledger cannot hold is not proposed.
            human = plan.planner == "human"
            if plan.directive and not human and not asked_before:
                self.project.ledger.append("human", by or _account(), "directive", why=plan.directive, wave=plan.id)
            self.project.ledger.append(
                "human" if human else "agent",
                (by or _account()) if human else plan.planner,
                "plan",
                why=plan.goal,
                wave=plan.id,
                approval=approval_id,
                experiments=[experiment.id for experiment in plan.experiments],
                **code_refs(plan),
                evidence=sorted({record for experiment in plan.experiments for record in experiment.evidence}),
            )
        return self.get(approval_id)

    def next_numbers(self) -> Numbers:
        """The first free numbers, plans that may still be queued counted in."""
        return next_numbers(self.project, [a.plan for a in self.list() if a.state in {"pending", "approved"}])

    def list(self) -> Sequence[Approval]:
        """All approvals, oldest first; those whose time has run out are marked as expired."""
        if not self.project.database_path.exists():
            return []
        with opened(self.project, SCHEMA) as connection:
            self._expire(connection)
            rows = connection.execute("SELECT * FROM approvals ORDER BY id")
            found = [_approval(row) for row in rows]
        for approval in found:
            approval.base = defaults(approval.plan, self._tasks)
            if approval.state == "pending":
                approval.problem = self._problem(approval.plan)
            if digests(approval.plan):
                approval.code = code_diffs(approval.plan, [a.plan for a in found if a.id < approval.id and _seen(a)])
        return found

    def _problem(self, plan: WavePlan) -> str:
        try:
            check_simulator(self.project, plan)
        except WavebookError as error:
            return str(error)
        return ""

    def get(self, approval_id: int) -> Approval:
        """One approval; NotFoundError where there is none of that id."""
        for approval in self.list():
            if approval.id == approval_id:
                return approval
        raise NotFoundError(f"there is no approval {approval_id} in {self.project.root}")

    def for_wave(self, wave_id: int) -> Approval | None:
        """The newest approval of a wave, or None where it never had one."""
        return next((approval for approval in reversed(self.list()) if approval.plan.id == wave_id), None)

    def decide(
        self,
        approval_id: int,
        verb: Verb,
        by: str,
        why: str = "",
        *,
        devices: Sequence[str] | None = None,
        changes: PlanChanges | None = None,
        actor: Actor = "human",
        refs: Mapping[str, Any] | None = None,
    ) -> Approval:
        """Approve or reject a plan, once. Approving queues its wave.

        Args:
            approval_id: Which.
            verb: ``approve`` or ``reject``.
            by: The person as the server knows them.
            why: Their reason.
            devices: Where an approved wave is to run, instead of where the plan says.
            changes: What the person changed in the plan; the changed plan is what is approved.
            actor: Who decides: a person, or the agent under a person's grant.
            refs: What else the ledger is to name.

        Raises:
            NotFoundError: There is no such approval.
            UsageError: The plan cannot run any more; it stays pending.
            WavebookError: It is decided already, the simulator is not installed, or the wave cannot be queued; then it
                stays pending.
        """
        if verb not in ("approve", "reject"):
            raise UsageError(f"{verb!r} is no decision; give 'approve' or 'reject'")
        with self._deciding():
            approval = self.get(approval_id)
            if approval.state != "pending":
                raise WavebookError(_decided_already(approval))
            if verb == "approve":
                engine = self.project.settings().engine
                told: list[str] = []
                if changes is not None:
                    plan, told = changed(approval.plan, changes, self._tasks, engine.device_names)
                    cost = estimate(self.project, plan)
                    approval = approval.model_copy(update={"plan": plan, "estimate": cost})
                if devices is not None:
                    moved = approval.plan.model_copy(update={"devices": [*devices]})
                    approval = approval.model_copy(update={"plan": moved})
                check_plan(approval.plan, self._tasks, device_names=engine.device_names)
                check_placed(self.project, approval.plan)
                check_simulator(self.project, approval.plan)
                if told:
                    # Before the decision: a change that the ledger cannot hold is not approved.
                    self.project.ledger.append(
                        "human", by, "change", why="; ".join(told), wave=approval.plan.id, approval=approval.id
                    )
                self._store_plan(approval)
            self._set(approval_id, state="approved" if verb == "approve" else "rejected", by=by, why=why)
            try:
                self._note(approval, verb, by, why, actor, refs)
                if verb == "approve":
                    self._submit(approval)
            except WavebookError:
                self._set(approval_id, state="pending", by=None, why="")
                raise
            return self.get(approval_id)

    def withdraw(self, approval_id: int, by: str, why: str) -> bool:
        """Take back a plan in whose place another stands; one that is decided already stays as it is.

        Returns:
            Whether it was withdrawn.

        Raises:
            NotFoundError: There is no such approval.
            WavebookError: The ledger cannot hold it; the plan waits on.
        """
        with self._deciding():
            approval = self.get(approval_id)
            if approval.state != "pending":
                return False
            self._note(approval, "withdraw", by, why)
            self._set(approval_id, state="withdrawn", by=by, why=why)
            return True

    def changed(self, approval_id: int, changes: PlanChanges) -> tuple[WavePlan, Estimate, Sequence[str]]:
        """A pending plan as it would be with changes, what it would cost, and the changes in words.

        Raises:
            NotFoundError: There is no such approval.
            FieldsError: A change cannot be made; each problem stands at its field.
        """
        names = self.project.settings().engine.device_names
        plan, told = changed(self.get(approval_id).plan, changes, self._tasks, names)
        return plan, estimate(self.project, plan), told

    def unseen_code(self, plan: WavePlan) -> Sequence[str]:
        """Code overrides of a plan whose source no person has approved yet, by name."""
        known = {digest for a in self.list() if _seen(a) for digest in digests(a.plan).values()}
        return [name for name, digest in digests(plan).items() if digest not in known]

    def limit_hours(self, approval_id: int, gpu_hours: float) -> None:
        """Let a pending wave spend no more than so many GPU hours [h]; a lower limit of its own stays."""
        with self._deciding():
            approval = self.get(approval_id)
            own = approval.plan.budget.gpu_hours
            limit = gpu_hours if own is None else min(own, gpu_hours)
            budget = approval.plan.budget.model_copy(update={"gpu_hours": limit})
            if approval.state == "pending":
                self._store_plan(
                    approval.model_copy(update={"plan": approval.plan.model_copy(update={"budget": budget})})
                )

    def queue_wave(self, wave_id: int) -> Approval:
        """Queue an approved wave that has not reached the queue.

        Raises:
            NotFoundError: No plan for such a wave was ever proposed.
            WavebookError: It is queued already, or not approved.
        """
        with self._deciding():
            approval = self.for_wave(wave_id)
            if approval is None:
                self.project.wave(wave_id)
                raise WavebookError(f"wave {wave_id} was submitted before; retry what failed of it instead")
            if approval.state != "approved":
                raise WavebookError(f"wave {wave_id} is {approval.state}; only an approved wave can be queued")
            if approval.queued:
                raise WavebookError(f"wave {wave_id} was submitted before; retry what failed of it instead")
            self._submit(approval)
            return self.get(approval.id)

    def recover(self) -> Sequence[int]:
        """Finish approvals that a dying process left between decision and queue; returns the waves queued now.

        Raises:
            WavebookError: The queue refuses one of them; that plan is pending again.
        """
        if not self.project.database_path.exists():
            return []
        queued = []
        with self._deciding():
            for approval in self.list():
                if approval.state == "approved" and not approval.queued:
                    if not self._noted(approval):
                        self._note(approval, "approve", approval.decided_by or "", approval.why)
                    try:
                        self._submit(approval)
                    except WavebookError:
                        self._set(approval.id, state="pending", by=None, why="")
                        raise
                    queued.append(approval.plan.id)
        return queued

    def _submit(self, approval: Approval) -> None:
        """Hand the wave to the queue and note that it arrived."""
        plan = approval.plan
        queue = self._queue(self.project)
        try:
            submit_once(queue, plan)
        except WavebookError as error:
            self.project.ledger.append(
                "watchdog", "queue", "refuse", why=str(error), wave=plan.id, approval=approval.id
            )
            raise
        finally:
            queue.close()
        with opened(self.project, SCHEMA) as connection:
            connection.execute("UPDATE approvals SET queued = 1 WHERE id = ?", (approval.id,))

    def _note(
        self,
        approval: Approval,
        verb: str,
        by: str,
        why: str,
        actor: Actor = "human",
        refs: Mapping[str, Any] | None = None,
    ) -> None:
        plan = approval.plan
        names = {**(refs or {}), "wave": plan.id, "approval": approval.id, **code_refs(plan)}
        self.project.ledger.append(actor, by, verb, why=why, **names)

    def _store_plan(self, approval: Approval) -> None:
        # Stored before the decision, so that a recovery queues what was approved and not what was proposed.
        with opened(self.project, SCHEMA) as connection:
            connection.execute(
                "UPDATE approvals SET plan = ?, estimate = ? WHERE id = ?",
                (approval.plan.model_dump_json(), approval.estimate.model_dump_json(), approval.id),
            )

    def _noted(self, approval: Approval) -> bool:
        return any(
            decision.what == "approve" and decision.refs.get("approval") == approval.id
            for decision in self.project.ledger.read()
        )

    def _set(self, approval_id: int, *, state: ApprovalState, by: str | None, why: str) -> None:
        decided = None if state == "pending" else round(self._clock(), 3)
        with opened(self.project, SCHEMA) as connection:
            connection.execute(
                "UPDATE approvals SET state = ?, decided = ?, decided_by = ?, why = ? WHERE id = ?",
                (state, decided, by, why, approval_id),
            )

    def _expire(self, connection: sqlite3.Connection) -> None:
        now = round(self._clock(), 3)
        due = connection.execute("SELECT id FROM approvals WHERE state = 'pending' AND expires <= ?", (now,)).fetchall()
        for row in due:
            changed = connection.execute(
                "UPDATE approvals SET state = 'expired', decided = ?, why = 'not decided in time' "
                "WHERE id = ? AND state = 'pending'",
                (now, row["id"]),
            )
            if changed.rowcount:
                self.project.ledger.append(
                    "watchdog", "approvals", "expire", why="not decided in time", approval=row["id"]
                )

    def _refuse_taken(self, connection: sqlite3.Connection, plan: WavePlan) -> None:
        rows = connection.execute("SELECT plan FROM approvals WHERE state IN ('pending', 'approved')")
        proposed = [WavePlan.model_validate_json(row["plan"]) for row in rows]
        free = next_numbers(self.project, proposed)
        waves = {other.id for other in proposed} | {record.id for record in self.project.waves()}
        if plan.id in waves:
            raise TakenError(f"wave {plan.id} is there already; the next free number is {free.wave}")
        taken = {experiment.id for other in proposed for experiment in other.experiments}
        taken |= {path.name.partition("-")[0] for path in self.project.waves_path.glob("*/exp*-*")}
        for experiment in plan.experiments:
            if experiment.id in taken:
                raise TakenError(
                    f"the experiment {experiment.id} is there already; the next free one is {free.experiment_id()}"
                )

    @contextmanager
    def _deciding(self) -> Iterator[None]:
        # One decision at a time over all processes, from the claim to the queue. The kernel drops the lock with the
        # process, so a row found approved and not queued under this lock is a leftover, never work in progress.
        Project.create(self.project.root)
        descriptor = os.open(self.project.state_path / "approvals.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _seen(approval: Approval) -> bool:
    """Whether a person has read the plan: approved it, which no standing budget does with code that none has read."""
    return approval.state == "approved"


def _approval(row: sqlite3.Row) -> Approval:
    values = {name: row[name] for name in row.keys() if name in Approval.model_fields}  # noqa: SIM118
    values["plan"] = WavePlan.model_validate_json(row["plan"])
    values["estimate"] = Estimate.model_validate_json(row["estimate"])
    return Approval(**values)


def _refuse_flood(connection: sqlite3.Connection, now: float) -> None:
    waiting = "SELECT wave FROM approvals WHERE state = 'pending' AND expires > ? ORDER BY wave"
    waves = [str(row["wave"]) for row in connection.execute(waiting, (now,))]
    if len(waves) >= MOST_PENDING:
        raise UsageError(
            f"{len(waves)} plans wait for a decision already (waves {', '.join(waves)}); approve or reject some first"
        )


def _decided_already(approval: Approval) -> str:
    if approval.state == "expired":
        return f"the plan of wave {approval.plan.id} counts as denied: nobody decided in time; ask for it again"
    by = f" by {approval.decided_by}" if approval.decided_by else ""
    return f"the plan of wave {approval.plan.id} is {approval.state} already{by}; a plan is decided once"


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user-{os.getuid()}"
