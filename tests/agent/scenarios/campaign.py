"""Records of runs that went wrong, in the form that real ones leave, and both planners on top of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from tests.agent.conftest import WaitingQueue
from tests.agent.messages_server import serving
from tests.projects import draw_run
from wavebook.agent.approvals import Approval, Approvals
from wavebook.agent.claude import ClaudePlanner
from wavebook.agent.offline import OfflinePlanner
from wavebook.agent.planner import Proposal, Request, TextDelta
from wavebook_tools.comparison.__main__ import note_findings, note_verdicts
from wavebook_tools.records.ledger import Decision
from wavebook_tools.records.planner_settings import ClaudeSettings
from wavebook_tools.records.project import Project

ROUGH = "Wavebook-Velocity-Rough-DHAV1"
HIM = "Wavebook-Velocity-Rough-HIM-DHAV1"


def inject(project: Project, run: str, finding: str, evidence: dict[str, Any], *, state: str = "failed") -> None:
    """Give a recorded run the alert that the watchdog writes, before the state in which it ended."""
    path = project.run(run).events_path
    lines = [line for line in path.read_text().splitlines() if f'"state":"{state}"' not in line]
    alert = {"t": 2.0, "kind": "alert", "finding": finding, "message": f"{finding} found", "ends_run": True}
    ended = {"t": 3.0, "kind": "state", "state": state, "message": f"{finding} found"}
    lines += [json.dumps(event) for event in (alert | {"evidence": evidence, "suggestion": None}, ended)]
    path.write_text("\n".join(lines) + "\n")


def decide(planner: str, project: Project, say: str, calls: list[dict[str, Any]]) -> tuple[Approval | None, str]:
    """What a planner makes of a directive, approved by a person; Claude by a script of tool calls.

    Returns:
        The approved plan, where one was proposed, and what was said.
    """
    if planner == "offline":
        parts = asyncio.run(_collect(OfflinePlanner(project), say))
    else:
        turns = [{"reply": [{"tool": call["tool"], "input": call["input"]}]} for call in calls]
        with serving([*turns, {"reply": [{"text": "Done."}]}]) as server:
            parts = asyncio.run(_collect(ClaudePlanner(project, ClaudeSettings(base_url=server.url)), say))
        assert server.refused == []
    said = "".join(part.text for part in parts if isinstance(part, TextDelta))
    plans = [part.plan for part in parts if isinstance(part, Proposal)]
    if not plans:
        return None, said
    approvals = Approvals(project, queue=WaitingQueue)
    approval = approvals.propose(plans[0])
    return approvals.decide(approval.id, "approve", "ada"), said


async def _collect(planner: Any, say: str) -> list[Any]:
    return [part async for part in planner.answer(Request(say))]


def run_wave(project: Project, approval: Approval, outcomes: Mapping[str, Any], *, rough: bool = True) -> None:
    """Let an approved wave end: by slug the velocity error or the state; then note what the queue notes then."""
    plan = approval.plan
    for experiment in plan.experiments:
        for position, seed in enumerate(experiment.seeds):
            outcome = outcomes[experiment.slug]
            if isinstance(outcome, list):
                outcome = outcome[position]
            draw_run(project, plan, experiment, seed, outcome, rough=rough)
    note_verdicts(project, plan.id)
    note_findings(project, plan.id)


def ledger(project: Project, what: str) -> list[Decision]:
    """The decisions of one sort."""
    return [decision for decision in project.ledger.read() if decision.what == what]
