"""What a run's notebook calls: one object that knows the run's record and writes to it."""

from __future__ import annotations

import faulthandler
import os
import sys
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

from wavebook_tools.diagnosis.stacks import FAULT_FILE, FAULT_SIGNAL
from wavebook_tools.errors import UsageError, WavebookError
from wavebook_tools.records.events import EventWriter
from wavebook_tools.records.files import write_json
from wavebook_tools.records.project import Project, RunRecord
from wavebook_tools.records.redaction import redact, redact_document
from wavebook_tools.records.run import RUN_FOLDER_VARIABLE, RunId, RunResult, RunSpec, RunState

PRINTED_LINES = 20
"""About how many progress lines a training prints; the curves and the events show every iteration."""

PROGRESS_INTERVAL = 2.0
"""Time between two notes of a phase's progress [s]."""


class RunSession:
    """A run seen from inside its notebook.

    Under Wavebook's runner the record is the run's own folder. Executed by hand, the notebook records a repeat of the
    run in a folder beside it (``s0-r1``, ``s0-r2``, …), so that nothing of the original is overwritten.
    """

    def __init__(self, record: RunRecord, *, by_hand: bool) -> None:
        self.record = record
        self.by_hand = by_hand
        self.spec: RunSpec = record.spec()
        self._events = EventWriter(record.events_path)
        self._started = time.monotonic()
        self._phase = ""
        self._told = 0.0
        self._first_iteration: tuple[int, float] | None = None
        if not by_hand:
            # For a watchdog that asks where a run hangs on a machine that lets no process trace another. The file
            # stays open: the signal's handler writes to its descriptor.
            self._stacks = open(record.path / FAULT_FILE, "a")  # noqa: SIM115
            faulthandler.register(FAULT_SIGNAL, file=self._stacks, all_threads=True)
            # Where native code crashes is printed into the log, for the watchdog and for people. Not to the standard
            # error: ipykernel has put a pipe to itself there, and what is in it dies with the kernel.
            self._crash = open(record.log_path, "a")  # noqa: SIM115
            faulthandler.enable(self._crash)

    @classmethod
    def open(cls, run: str, folder: Path | None = None) -> RunSession:
        """Open the session of the run that this notebook records.

        Args:
            run: The run's name, as ``exp001/s0``.
            folder: The folder of the notebook; the working directory where absent.

        Raises:
            UsageError: The notebook does not lie in that run's folder.
        """
        run_id = RunId(run)
        marked = os.environ.get(RUN_FOLDER_VARIABLE)
        if marked:
            session = cls(RunRecord(Path(marked)), by_hand=False)
            if session.spec.run_id != run_id:
                raise UsageError(f"the notebook names the run {run!r} and is executed as {session.spec.id!r}")
        else:
            session = cls(_repeat_of(RunRecord((folder or Path.cwd()).resolve()), run_id), by_hand=True)
            print(f"By hand: this repeat is recorded as {session.spec.id} in {session.record.path}")
        session.phase("starting")
        return session

    @property
    def project(self) -> Project:
        """The project that the run belongs to."""
        return Project.find(self.record.path)

    def resume_from(self, checkpoint: str | None) -> Path | None:
        """The checkpoint to start from, named relative to the project; None starts from scratch.

        Raises:
            UsageError: The path leaves the project, or there is no such file.
        """
        if checkpoint is None:
            return None
        path = self.project.resolve(checkpoint)
        if not path.is_file():
            raise UsageError(f"the checkpoint {checkpoint!r} is not in the project {self.project.root}")
        return path

    @property
    def checkpoints(self) -> Path:
        """The run's folder of checkpoints."""
        self.record.checkpoints_path.mkdir(exist_ok=True)
        return self.record.checkpoints_path

    def phase(self, name: str, *, progress: float | None = None) -> None:
        """Tell what the run does now: starting, compiling, training, evaluating.

        Args:
            name: The phase.
            progress: How much of it is done, from 0 to 1. Of one phase it is written every `PROGRESS_INTERVAL`, so it
                may be told as often as it is known.
        """
        now = time.monotonic()
        if progress is not None and name == self._phase and now - self._told < PROGRESS_INTERVAL and progress < 1.0:
            return
        self._phase, self._told = name, now
        state = RunState.EVALUATING if name == "evaluating" else RunState.RUNNING
        told = {} if progress is None else {"progress": round(progress, 4)}
        self._events.write("state", state=state, phase=name, **told)

    def iteration(self, iteration: int, values: dict[str, float]) -> None:
        """Record one training iteration's metrics, with rsl_rl's names; a line is printed now and then.

        Names are redacted, too: everything that shows or compares a run writes them out.
        """
        self._events.metric(iteration, {_shown(name): value for name, value in values.items()})
        total = self.spec.iterations
        if iteration % max(1, total // PRINTED_LINES) == 0 or iteration + 1 == total:
            now = time.monotonic()
            elapsed = now - self._started
            shown = [("reward", "Train/mean_reward", ""), ("error", "Metrics/error_vel_xy", " m/s")]
            parts = [f"{label} {values[name]:.3f}{unit}" for label, name, unit in shown if values.get(name) is not None]
            parts.append(f"{elapsed:.0f} s")
            if self._first_iteration is None:
                self._first_iteration = (iteration, now)
            elif iteration + 1 < total:
                first, began = self._first_iteration
                left = (now - began) / (iteration - first) * (total - iteration - 1)
                parts.append(f"about {left:.0f} s left")
            print(f"iteration {iteration + 1}/{total}  {'  '.join(parts)}", flush=True)

    def alert(self, finding: str, message: str, **fields: Any) -> None:
        """Record something that a person should look at."""
        message = redact(message)
        self._events.write("alert", finding=finding, message=message, **redact_document(fields))
        print(f"Alert: {message}", file=sys.stderr)

    def finish(self, measured: dict[str, Any], **training: Any) -> RunResult:
        """Write result.json from what the evaluation measured and what the training took, secrets redacted; once.

        Raises:
            WavebookError: The run has a result already.
        """
        if self.record.result_path.exists():
            raise WavebookError(f"{self.record.result_path} is there already; a run has one result")
        told = redact_document({**training, **measured})
        result = RunResult.model_validate({**told, "seed": self.spec.seed})
        write_json(self.record.result_path, result.model_dump(mode="json", exclude_none=True))
        if self.by_hand:
            self._events.write("state", state=RunState.DONE, message="executed by hand")
        return result


@lru_cache(maxsize=4096)
def _shown(name: str) -> str:
    """A metric's name without secrets; the same ones come with every iteration."""
    return redact(name)


def _repeat_of(original: RunRecord, run_id: RunId) -> RunRecord:
    if not original.spec_path.exists():
        raise UsageError(f"{original.path} is not the folder of a run (no spec.json); open the notebook where it lies")
    spec = original.spec()
    if (spec.experiment, spec.seed) != (run_id.experiment, run_id.seed):
        raise UsageError(f"the notebook names the run {str(run_id)!r} and lies in the folder of {spec.id!r}")
    repeat = spec.repeat
    while True:
        repeat += 1
        repeat_id = RunId.of(spec.experiment, spec.seed, repeat)
        folder = original.path.parent / repeat_id.folder
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        record = RunRecord(folder)
        write_json(record.spec_path, spec.model_copy(update={"id": str(repeat_id), "repeat": repeat}))
        return record
