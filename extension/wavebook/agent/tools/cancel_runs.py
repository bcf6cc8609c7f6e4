"""``cancel_runs``: end a run or all runs of a wave."""

from __future__ import annotations

from pydantic import Field, model_validator

from wavebook.agent.tools.tool import Access, Arguments, Tool, Workspace
from wavebook_tools.errors import UsageError
from wavebook_tools.jobs.queue import Queue


class CancelRuns(Arguments):
    run: str | None = Field(default=None, max_length=60, description="As exp001/s0")
    wave: int | None = Field(default=None, ge=1, description="All runs of this wave that have not ended")
    why: str = Field(min_length=5, max_length=1000, description="The reason, for the ledger")

    @model_validator(mode="after")
    def _one(self) -> CancelRuns:
        if (self.run is None) == (self.wave is None):
            raise ValueError("name a run or a wave, one of the two")
        return self


def run(workspace: Workspace, arguments: CancelRuns) -> str:
    """Ask for the end of the runs; their processes are gone a moment later."""
    by = workspace.decided_by or workspace.actor
    why = f"{arguments.why} (asked for by {workspace.actor})"
    with Queue(workspace.project) as queue:
        if arguments.wave is not None:
            cancelled = [str(run_id) for run_id in queue.cancel_wave(arguments.wave, by, why)]
        else:
            assert arguments.run is not None
            cancelled = [arguments.run] if queue.cancel(arguments.run, by, why) else []
    if not cancelled:
        raise UsageError("nothing was cancelled: what was named has ended already")
    return f"being cancelled: {', '.join(cancelled)}"


TOOL = Tool(
    "cancel_runs",
    "End a run, or all runs of a wave that have not ended. Waits for a person's approval.",
    CancelRuns,
    run,
    access=Access.CONTROL,
)
