"""Going on with a run where another left off: its newest whole checkpoint, and the curves up to it."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path

from wavebook_tools.records.events import EventWriter
from wavebook_tools.records.project import RunRecord
from wavebook_tools.records.states import RunState


@dataclass(frozen=True)
class Checkpoint:
    """A policy that a run saved, and the training's state beside it."""

    path: Path
    iteration: int


def newest_checkpoint(record: RunRecord) -> Checkpoint | None:
    """The newest checkpoint of a run that was written whole: ``model_N.pt`` with ``state_N.pt`` beside it.

    The training writes the state last and both by rename, so a pair is whole.
    """
    found = []
    for path in record.checkpoints_path.glob("model_*.pt"):
        match = re.fullmatch(r"model_(\d+)\.pt", path.name)
        if match and path.with_name(f"state_{match[1]}.pt").exists():
            found.append(Checkpoint(path, int(match[1])))
    return max(found, key=lambda checkpoint: checkpoint.iteration, default=None)


def begin_resumed(record: RunRecord, original: RunRecord, checkpoint: Checkpoint) -> None:
    """Begin the record of a resumed run with what it goes on from: a note, and the metrics up to the checkpoint.

    The metrics keep the times at which they were measured.
    """
    with contextlib.closing(EventWriter(record.events_path)) as events:
        events.write(
            "state",
            state=RunState.QUEUED,
            resumed_from=str(original.id),
            checkpoint=checkpoint.path.name,
            iteration=checkpoint.iteration,
        )
        for event in original.events():
            iteration = event.get("iteration")
            if event["kind"] == "metric" and isinstance(iteration, int) and iteration <= checkpoint.iteration:
                events.append(event)
