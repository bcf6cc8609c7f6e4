"""What a person does to runs and waves with a button: cancel, repeat, move. Each answers in one sentence."""

from __future__ import annotations

import re

from wavebook_tools.errors import NotFoundError, UsageError, did_you_mean
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.jobs.store import QueuedRun
from wavebook_tools.records.project import Project
from wavebook_tools.records.states import RunId, RunState

STEP = 1
"""By how much a button moves a run's priority."""


def named(queue: Queue, target: str) -> list[QueuedRun]:
    """The queue's rows of a run (``exp001/s0``) or of a wave (``wave 3`` or ``3``).

    Raises:
        UsageError: The text names neither.
        NotFoundError: There is no such run or wave.
    """
    text = target.strip()
    if not text:
        raise UsageError("name a run, as exp001/s0, or a wave, as wave 3")
    if (wave := re.fullmatch(r"(?:wave\s*)?(\d+)", text, re.IGNORECASE)) is not None:
        queue.project.wave(int(wave[1]))
        return queue.store.of_wave(int(wave[1]))
    try:
        run_id = RunId(text)
    except UsageError as error:
        known = [row.id for row in queue.store.all()]
        raise UsageError(f"{error}.{did_you_mean(text, known)} A wave is named like 'wave 3'") from None
    row = queue.store.get(run_id)
    if row is None:
        raise NotFoundError(
            f"there is no run {text!r} in the queue.{did_you_mean(text, [row.id for row in queue.store.all()])}"
        )
    return [row]


def cancellable(project: Project, target: str) -> list[str]:
    """The runs that cancelling ``target`` would end.

    Raises:
        UsageError: There are none.
    """
    with Queue(project) as queue:
        rows = named(queue, target)
        ends = [row.id for row in rows if not row.state.final]
        if not ends:
            raise UsageError(f"{target.strip()} has ended already ({_states(rows)})")
        return ends


def cancel(project: Project, target: str, by: str) -> str:
    """Ask for a run, or all runs of a wave, to be ended; they have ended when their state says so."""
    with Queue(project) as queue:
        rows = named(queue, target)
        if _is_wave(target):
            ended = queue.cancel_wave(rows[0].wave, by) if rows else []
        else:
            ended = [RunId(row.id) for row in rows if queue.cancel(row.id, by)]
        if not ended:
            raise UsageError(f"{target.strip()} has ended, or is being cancelled already ({_states(rows)})")
        return f"Being cancelled: {', '.join(ended)}"


def retry(project: Project, target: str, by: str, *, resume: bool) -> str:
    """Queue what failed, hung or was cancelled once more, from scratch or from the last checkpoint."""
    with Queue(project) as queue:
        rows = named(queue, target)
        if not rows:
            raise UsageError(
                f"{target.strip()} has no runs in the queue; `wavebook reindex` reads them from their files"
            )
        run_id = None if _is_wave(target) else rows[0].id
        return f"Queued again: {', '.join(queue.retry_wave(rows[0].wave, by, resume=resume, run_id=run_id))}"


def move(project: Project, target: str, by: str, step: int) -> str:
    """Raise or lower the priority of what waits."""
    with Queue(project) as queue:
        rows = named(queue, target)
        waiting = [row for row in rows if row.state is RunState.QUEUED]
        if not waiting:
            raise UsageError(f"{target.strip()} does not wait any more ({_states(rows)})")
        for row in waiting:
            queue.set_priority(row.id, row.priority + step, by)
        where = f"{waiting[0].priority + step:+d}" if len(waiting) == 1 else f"moved by {step:+d}"
        return f"Priority of {', '.join(row.id for row in waiting)}: {where}"


def _is_wave(target: str) -> bool:
    return "/" not in target


def _states(rows: list[QueuedRun]) -> str:
    return ", ".join(sorted({row.state.value for row in rows})) or "no runs"
