"""``close_branch`` and ``open_branch``: give up a direction of research with its reasons, or take it up again."""

from __future__ import annotations

from pydantic import Field

from wavebook.agent.branches import close, reopen
from wavebook.agent.tools.tool import Access, Arguments, Tool, Workspace


class Branch(Arguments):
    branch: str = Field(
        pattern=r"^[A-Za-z0-9_.-]{2,120}$", description="A parameter, a part of its dotted name, or a task's name"
    )
    why: str = Field(min_length=10, max_length=2000)
    evidence: list[str] = Field(default=[], max_length=50, description="Records it rests on, as exp001 or exp001/s0")


def _close(workspace: Workspace, arguments: Branch) -> str:
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
