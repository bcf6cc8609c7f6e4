"""The next wave of a night: asked of the planner, checked against the grant, approved under it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wavebook.agent.approvals import Approval, Approvals
from wavebook.agent.claude_history import FOOTNOTE
from wavebook.agent.manners import BASELINE_SEEDS, check_manners
from wavebook.agent.night.grant import ACTOR, NightRecord
from wavebook.agent.planner import Planner, Proposal, Request, TextDelta, Unattended
from wavebook.agent.reading import read_directive
from wavebook_tools.errors import UsageError, WavebookError
from wavebook_tools.metrics.quantities import counted
from wavebook_tools.records.plan import WavePlan
from wavebook_tools.records.project import Project
from wavebook_tools.tasks import load_tasks

ATTEMPTS = 2
"""So often a planner is asked for one wave, where what it proposed first may not run without a person."""


class NeedsPersonError(WavebookError):
    """A plan that only a person may approve."""

    def __init__(self, why: str, plan: WavePlan) -> None:
        super().__init__(why)
        self.plan = plan


@dataclass(frozen=True)
class Asked:
    """What a planner answered."""

    plan: WavePlan | None
    foreign: Sequence[str]
    text: str


async def ask(planner: Planner, request: Request) -> Asked:
    """The planner's answer, without anybody who reads it.

    A planner that breaks off after it proposed a plan had said what counts: the plan was checked as it was proposed.

    Raises:
        WavebookError: The planner cannot plan; the message says why.
    """
    plan: WavePlan | None = None
    foreign: tuple[str, ...] = ()
    text = ""
    try:
        async for part in planner.answer(request):
            if isinstance(part, TextDelta):
                text += part.text
            elif isinstance(part, Proposal):
                plan, foreign = part.plan, tuple(part.foreign)
    except WavebookError:
        if plan is None:
            raise
    return Asked(plan, foreign, text)


async def next_plan(planner: Planner, project: Project, night: NightRecord, directive: str) -> WavePlan:
    """The next wave, fit to run under the grant.

    Raises:
        UsageError: The planner has nothing to propose that may run.
        NeedsPersonError: What it proposes needs a person.
        WavebookError: The planner does not answer.
    """
    hint, refused = "", ""
    for _ in range(ATTEMPTS):
        unattended = Unattended(len(night.waves) + 1, night.terms.waves, night.terms.runs, hint)
        asked = await ask(planner, Request(directive, unattended=unattended))
        if asked.plan is None:
            words = asked.text.split(FOOTNOTE)[0].strip()[-500:]  # without the count of tokens
            refused = f"{planner.label} proposed no wave: {words or 'it said nothing'}"
            hint = "Your last answer proposed no wave. Nobody can answer questions: propose one, or it ends here."
            continue
        refused = await asyncio.to_thread(why_not, project, night, asked.plan, asked.foreign)
        if not refused:
            return asked.plan.model_copy(update={"directive": night.terms.directive})
        hint = f"Your last plan could not run without a person: {refused} Propose one that can."
    if asked.plan is not None and (asked.foreign or Approvals(project).unseen_code(asked.plan)):
        raise NeedsPersonError(refused, asked.plan)
    raise UsageError(refused)


def why_not(project: Project, night: NightRecord, plan: WavePlan, foreign: Sequence[str]) -> str:
    """Why a plan may not run without a person; empty where it may."""
    if foreign:
        return f"it was planned after reading {', '.join(foreign)}, whose text is no wish of a person."
    if unseen := Approvals(project).unseen_code(plan):
        return f"it has code that no person has approved ({', '.join(unseen)})."
    if plan.run_count > night.terms.runs:
        return f"it has {plan.run_count} runs and the grant allows {night.terms.runs} a wave."
    if plan.evaluation != project.settings().evaluation:
        return "it changes the evaluation, which is the project's."
    if others := _other_devices(project, night, plan):
        return f"it runs on {', '.join(others)}, and neither the settings (devices.use) nor the directive name that."
    try:
        check_manners(project, plan)
    except UsageError as error:
        return f"{error}.{_too_few_runs(project, night, plan)}"
    return ""


def _too_few_runs(project: Project, night: NightRecord, plan: WavePlan) -> str:
    """What keeps a plan too small for a baseline on several seeds; empty where that is not what it lacks."""
    granted, allowed = night.terms.runs, project.settings().budget.max_runs
    if plan.run_count < min(granted, allowed) or min(granted, allowed) >= BASELINE_SEEDS:
        return ""
    limit = f"The grant (--runs {granted})" if granted <= allowed else f"wavebook.toml (budget.max_runs = {allowed})"
    return f" {limit} allows no more than {counted(min(granted, allowed), 'run')} a wave."


def _other_devices(project: Project, night: NightRecord, plan: WavePlan) -> Sequence[str]:
    """Devices of a plan that nobody gave to the night. The CPU is no one's alone: its hours count like any."""
    settings = project.settings()
    if "auto" in settings.devices.use:
        return []
    named = read_directive(night.terms.directive, load_tasks(), settings.training.task).devices or []
    wanted = {*plan.devices, *(device for one in plan.experiments for device in one.devices or [])}
    return sorted(wanted - {*settings.devices.use, *named, "cpu"})


def approve(approvals: Approvals, approval: Approval, night: NightRecord, hours_left: float) -> Approval:
    """Approve a pending plan under the grant; the hours that are left become the wave's own limit.

    So a wave whose hours nobody can estimate is ended where they are spent.

    Raises:
        WavebookError: It was decided meanwhile, cannot run any more, or cannot be queued.
    """
    approvals.limit_hours(approval.id, hours_left)
    number, terms = night.waves.index(approval.plan.id) + 1, night.terms
    why = (
        f"under night {night.id}, granted by {night.granted_by}: wave {number} of {terms.waves}, "
        f"{approval.plan.run_count} of {terms.runs} runs, {hours_left:.3g} of {terms.gpu_hours:g} device hours left"
    )
    evidence: list[Any] = sorted({name for e in approval.plan.experiments for name in e.evidence})
    return approvals.decide(approval.id, "approve", ACTOR, why, actor="agent", refs={"evidence": evidence})
