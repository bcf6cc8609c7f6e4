"""``launch_wave``: queue a wave that a person has approved."""

from __future__ import annotations

from pydantic import Field

from wavebook.agent.tools.tool import Access, Arguments, Tool, Workspace
from wavebook_tools.errors import NotFoundError, WavebookError


class LaunchWave(Arguments):
    wave: int = Field(ge=1)


def run(workspace: Workspace, arguments: LaunchWave) -> str:
    """Queue it, or say what it waits for. An agent cannot approve."""
    approval = workspace.approvals.for_wave(arguments.wave)
    if approval is None:
        raise NotFoundError(f"no wave {arguments.wave} was ever proposed; propose_wave does that")
    if approval.queued:
        return f"wave {arguments.wave} is queued already; project_status tells how it stands"
    if approval.state == "pending":
        return f"wave {arguments.wave} waits for a person's approval (approval {approval.id}); an agent cannot give it"
    if approval.state != "approved":
        raise WavebookError(f"wave {arguments.wave} was {approval.state} {f'({approval.why})' if approval.why else ''}")
    workspace.approvals.queue_wave(arguments.wave)
    return f"wave {arguments.wave} is queued"


TOOL = Tool(
    "launch_wave",
    "Queue a wave that the person has approved and that did not reach the queue. Approved waves are queued at once by "
    "themselves, so this is seldom needed; a wave without approval stays where it is.",
    LaunchWave,
    run,
    access=Access.PROPOSE,
)
