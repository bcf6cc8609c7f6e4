"""``retry_runs``: run again what failed, hung or was cancelled."""

from __future__ import annotations

from pydantic import Field

from wavebook.agent.tools.tool import Access, Arguments, Tool, Workspace
from wavebook_tools.jobs.queue import Queue


class RetryRuns(Arguments):
    wave: int = Field(ge=1)
    run: str | None = Field(default=None, max_length=60, description="This run alone, as exp001/s0")
    resume: bool = Field(default=False, description="Go on from the last checkpoint where there is one")


def run(workspace: Workspace, arguments: RetryRuns) -> str:
    """Queue the repeats."""
    with Queue(workspace.project) as queue:
        queued = queue.retry_wave(
            arguments.wave, workspace.decided_by or workspace.actor, resume=arguments.resume, run_id=arguments.run
        )
    return f"queued again: {', '.join(queued)}"


TOOL = Tool(
    "retry_runs",
    "Run again what failed, hung or was cancelled in a wave; from scratch or from the last checkpoint. Waits for a "
    "person's approval.",
    RetryRuns,
    run,
    access=Access.CONTROL,
)
