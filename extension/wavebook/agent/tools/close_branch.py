"""``close_branch`` and ``open_branch``: give up a direction of research with its reasons, or take it up again."""

from __future__ import annotations

import contextlib

from pydantic import Field

from wavebook.agent.branches import close, closing, reopen
from wavebook.agent.tools.tool import Access, Arguments, Tool, Workspace
from wavebook_tools.errors import UsageError, WavebookError, did_you_mean
from wavebook_tools.records.code import marks


class Branch(Arguments):
    branch: str = Field(
        pattern=r"^[A-Za-z0-9_.-]{2,120}$", description="A parameter, a part of its dotted name, or a task's name"
    )
    why: str = Field(min_length=10, max_length=2000)
    evidence: list[str] = Field(default=[], max_length=50, description="Records it rests on, as exp001 or exp001/s0")


def _known(workspace: Workspace) -> list[str]:
    """What a branch may cover: tasks, their parameters, and what experiments changed, code among it."""
    names = [name for task, schema in workspace.tasks.items() for name in (task, *schema.parameters)]
    for wave in workspace.project.waves():
        with contextlib.suppress(WavebookError):  # a plan that cannot be read is told of elsewhere
            plan = wave.plan()
            names += [*marks(plan.code), *(name for experiment in plan.experiments for name in experiment.changes)]
    return list(dict.fromkeys(names))


def _close(workspace: Workspace, arguments: Branch) -> str:
    branch, known = arguments.branch, _known(workspace)
    if not closing(branch, known):
        raise UsageError(f"no task is called {branch!r}, and no parameter or part of one.{did_you_mean(branch, known)}")
    close(workspace.project, workspace.actor, arguments.branch, arguments.why, arguments.evidence)
    return f"the branch {arguments.branch} is closed; waves that change it are refused until it is opened again"


def _open(workspace: Workspace, arguments: Branch) -> str:
    reopen(workspace.project, workspace.actor, arguments.branch, arguments.why)
    return f"the branch {arguments.branch} is open again"


CLOSE = Tool(
    "close_branch",
    "Close a direction after repeated failure, with reasons: waves that change it are refused from then on.",
    Branch,
    _close,
    access=Access.RECORD,
)
OPEN = Tool(
    "open_branch",
    "Open a closed direction again, with reasons.",
    Branch,
    _open,
    access=Access.RECORD,
)
