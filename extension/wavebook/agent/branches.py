"""Directions of research that were given up, with their reasons: lines of the ledger, so that they last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from wavebook_tools.errors import UsageError, did_you_mean
from wavebook_tools.records.project import Project
from wavebook_tools.records.redaction import redact
from wavebook_tools.tasks import TaskSchema

CLOSED, OPENED = "close branch", "open branch"


def closed_branches(project: Project) -> dict[str, str]:
    """Names of the closed branches and why they were closed."""
    closed: dict[str, str] = {}
    for decision in project.ledger.read():
        name = decision.refs.get("branch")
        if not isinstance(name, str):
            continue
        if decision.what == CLOSED:
            closed[name] = decision.why
        elif decision.what == OPENED:
            closed.pop(name, None)
    return closed


def closing(branch: str, names: Iterable[str]) -> list[str]:
    """Which of some parameters or tasks a branch covers: it is one, or some parts of its dotted name."""
    return [name for name in names if f".{branch}." in f".{name}."]


def left_for(project: Project, task: str, tasks: Mapping[str, TaskSchema]) -> TaskSchema | None:
    """Where the effort goes once a task with HIM was given up: the task on the same ground without it."""
    sibling = task.replace("-HIM-", "-")
    if sibling == task or task not in closed_branches(project):
        return None
    return tasks.get(sibling)


def close(project: Project, actor: str, branch: str, why: str, evidence: Sequence[str] = ()) -> None:
    """Close a branch.

    Raises:
        UsageError: It is closed already.
    """
    if branch in closed_branches(project):
        raise UsageError(f"the branch {branch!r} is closed already")
    project.ledger.append("agent", actor, CLOSED, why=redact(why), branch=branch, evidence=list(evidence))


def reopen(project: Project, actor: str, branch: str, why: str) -> None:
    """Open a closed branch again.

    Raises:
        UsageError: It is not closed; the message names the nearest that is.
    """
    closed = closed_branches(project)
    if branch not in closed:
        raise UsageError(f"the branch {branch!r} is not closed.{did_you_mean(branch, closed)}")
    project.ledger.append("agent", actor, OPENED, why=redact(why), branch=branch)
