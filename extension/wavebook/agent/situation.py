"""How a project stands, in a page: what an agent must know, read from records and never remembered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wavebook.agent.approvals import Approval
from wavebook.agent.branches import closed_branches
from wavebook.agent.night.grant import Nights
from wavebook.agent.pruning import hopeless_runs
from wavebook.agent.tools.requests import Requests
from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs.devices import list_devices
from wavebook_tools.jobs.status import project_status
from wavebook_tools.records.project import Project

WAVES = 8
"""Of so many waves the runs are counted; older ones are found by searching."""


def situation(project: Project, approvals: Sequence[Approval]) -> str:
    """Settings, devices, waves and runs, open decisions, closed branches. No text that a run wrote stands in it."""
    settings = project.settings()
    training, budget = settings.training, settings.budget
    lines = [
        f"task {training.task}, {training.num_envs} robots, {training.iterations} iterations unless a plan differs",
        f"budget of a wave: {budget.max_runs} runs"
        + (f", {budget.gpu_hours:g} GPU hours" if budget.gpu_hours is not None else ""),
        f"devices: {_devices()}",
    ]
    lines += _open_decisions(project, approvals)
    if (night := Nights(project).current()) is not None:
        lines.append(f"night {night.id} of {night.granted_by} is under way, within {night.terms.text}")
    lines += [f"closed branch {name}: {why}" for name, why in closed_branches(project).items()]
    waves = project_status(Project.create(project.root))["waves"] if project.waves() else []
    if len(waves) > WAVES:
        lines.append(f"{len(waves) - WAVES} older waves; search_records finds their experiments")
    lines += [_wave(wave) for wave in waves[-WAVES:]]
    lines += [str(hopeless) for hopeless in hopeless_runs(project)]
    if not waves:
        lines.append("no wave has run yet")
    return "\n".join(lines)


def _open_decisions(project: Project, approvals: Sequence[Approval]) -> list[str]:
    lines = []
    for approval in approvals:
        if approval.state == "pending":
            lines.append(
                f"wave {approval.plan.id} waits for the person's approval (approval {approval.id}, "
                f"{approval.plan.run_count} runs): {approval.plan.goal}"
            )
        elif approval.state == "approved" and not approval.queued:
            lines.append(f"wave {approval.plan.id} is approved and has not reached the queue; launch_wave queues it")
    rejected = [a for a in approvals if a.state == "rejected"][-3:]
    lines += [f"wave {a.plan.id} was rejected by the person: {a.why or 'no reason given'}" for a in rejected]
    for request in Requests(project).list():
        if request.state == "pending":
            lines.append(f"request {request.id} waits for the person: {request.tool} {request.arguments}")
    return lines


def _wave(wave: dict[str, Any]) -> str:
    states: dict[str, int] = {}
    for run in wave["runs"]:
        states[run["state"]] = states.get(run["state"], 0) + 1
    counted = ", ".join(f"{number} {state}" for state, number in states.items())
    names = ", ".join(dict.fromkeys(run["id"].partition("/")[0] for run in wave["runs"]))
    return f"wave {wave['id']} ({wave['state']}): {wave['goal']}; {names}; runs: {counted}"


def _devices() -> str:
    try:
        return ", ".join(f"{device.id} {device.name}" for device in list_devices())
    except WavebookError as error:
        return f"not known ({error})"
