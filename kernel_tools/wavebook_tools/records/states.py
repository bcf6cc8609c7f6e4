"""What runs are called and where they stand. Free of pydantic: the processes around a run import it at their start."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

from wavebook_tools.errors import UsageError

RUN_FOLDER_VARIABLE = "WAVEBOOK_RUN_FOLDER"
"""Environment variable that every process below a run's supervisor carries: its notebook finds the record by it, and
what is left of a process tree whose root died is found by it too."""


class RunState(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    EVALUATING = "evaluating"
    DONE = "done"
    FAILED = "failed"
    HUNG = "hung"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Whether the run has ended and will not change its state again."""
        return self in FINAL_STATES


FINAL_STATES = frozenset({RunState.DONE, RunState.FAILED, RunState.HUNG, RunState.CANCELLED})

ACTIVE_STATES = (RunState.STARTING, RunState.RUNNING, RunState.EVALUATING)
"""A run that was taken up and has not ended."""

UNFINISHED_STATES = (RunState.QUEUED, *ACTIVE_STATES)


class RunId(str):
    """The name of a run everywhere: ``exp001/s0``, a repeat of it ``exp001/s0-r1``.

    Raises:
        UsageError: The text does not name a run.
    """

    experiment: str
    seed: int
    repeat: int

    def __new__(cls, text: str) -> RunId:
        match = re.fullmatch(r"(exp\d{3,})/s(\d+)(?:-r([1-9]\d*))?", text)
        if match is None:
            raise UsageError(f"{text!r} does not name a run; runs are named like 'exp001/s0'")
        run_id = super().__new__(cls, text)
        run_id.experiment, run_id.seed, run_id.repeat = match[1], int(match[2]), int(match[3] or 0)
        return run_id

    @classmethod
    def of(cls, experiment: str, seed: int, repeat: int = 0) -> RunId:
        """The run of an experiment's seed; ``repeat`` counts further executions of the same seed from 1."""
        return cls(f"{experiment}/s{seed}" + (f"-r{repeat}" if repeat else ""))

    @property
    def folder(self) -> str:
        """Name of the run's folder below its experiment's."""
        return self.partition("/")[2]


def latest_repeats(run_ids: Iterable[str]) -> list[RunId]:
    """The newest repeat of each experiment's seed among ``run_ids``: a repeat stands for the run it repeats."""
    latest: dict[tuple[str, int], RunId] = {}
    for run_id in map(RunId, run_ids):
        key = (run_id.experiment, run_id.seed)
        if key not in latest or run_id.repeat > latest[key].repeat:
            latest[key] = run_id
    return list(latest.values())
