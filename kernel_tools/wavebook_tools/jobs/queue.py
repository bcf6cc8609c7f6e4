"""The queue as callers see it: submit a wave, cancel a run, retry what failed."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from wavebook_tools.errors import NotFoundError, UsageError, WavebookError, did_you_mean
from wavebook_tools.jobs import engines, wakeup
from wavebook_tools.jobs.cancellation import request_cancellation
from wavebook_tools.jobs.devices import check_devices_of, devices_for, list_devices
from wavebook_tools.jobs.engines import cluster_for
from wavebook_tools.jobs.resume import begin_resumed, newest_checkpoint
from wavebook_tools.jobs.store import LOCAL, QueuedRun, QueueStore
from wavebook_tools.records.files import write_atomic, write_json
from wavebook_tools.records.plan import ExperimentSpec, WavePlan
from wavebook_tools.records.project import Project, RunRecord
from wavebook_tools.records.run import RunId, RunSpec, RunState, latest_repeats

if TYPE_CHECKING:
    from wavebook_tools.records.ledger import Actor

RETRIED_STATES = frozenset({RunState.FAILED, RunState.HUNG, RunState.CANCELLED})

RECOVERY_INTERVAL = 5.0
"""How often whoever follows runs looks whether the queue still moves [s]: a dispatcher that was killed together with
all that it watched leaves nobody else to start the next one."""


class Queue:
    """Runs waiting for devices, and the ones on them.

    Submitting writes the records, notes the runs in the database and makes sure that a dispatcher lives. The dispatcher
    and the runs are processes of their own: they go on when the caller ends.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.store = QueueStore(project)

    def __enter__(self) -> Queue:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; the runs go on."""
        self.store.close()

    def submit_wave(self, plan: WavePlan) -> list[RunId]:
        """Write an approved plan and its runs to disk and queue the runs.

        Returns:
            The runs' names in the order in which they will start.

        Raises:
            UsageError: The wave or one of its experiments is there already, a device is unknown, or a template lacks
                a parameter. Nothing is written then.
            WavebookError: The project cannot be written. What was written is taken back.
        """
        self._refuse_known(plan)
        settings = self.project.settings()
        if cluster_for(settings) is None:
            check_devices_of(plan, list_devices())
            self.ensure_dispatcher()  # it starts while the notebooks are written
        limits = settings.limits.of_run(plan.budget.run_hours)
        specs = [
            RunSpec.from_plan(plan, experiment, seed, limits=limits, version=_version())
            for experiment in plan.experiments
            for seed in experiment.seeds
        ]
        notebooks = [self._notebook(spec) for spec in specs]
        folder = self.project.waves_path / plan.folder
        staged = folder.with_name(f".{folder.name}")
        try:
            shutil.rmtree(staged, ignore_errors=True)
            for spec, notebook in zip(specs, notebooks, strict=True):
                record = RunRecord(staged / self.project.run_folder(plan, spec).relative_to(folder))
                write_json(record.spec_path, spec)
                write_atomic(record.notebook_path, notebook)
            write_json(staged / "wave.json", plan)
            self._move_into_place(staged, folder)
        except BaseException:
            shutil.rmtree(staged, ignore_errors=True)
            raise
        try:
            self._add(plan, specs)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self.ensure_dispatcher()
        return [spec.run_id for spec in specs]

    def retry_wave(self, wave_id: int, by: str, *, resume: bool = False, run_id: str | None = None) -> list[RunId]:
        """Queue a repeat of every run of a wave that failed, hung or was cancelled and was not repeated yet.

        Args:
            by: Who asks for it.
            resume: Go on from the last checkpoint of each run that left one; the others start from scratch. The
                repeat's record begins with the curves up to that checkpoint.
            run_id: Repeat this run alone.

        Raises:
            UsageError: Nothing is left to repeat, or the run named did not fail.
        """
        plan = self.project.wave(wave_id).plan()
        rows = {row.id: row for row in self.store.of_wave(wave_id)}
        latest = latest_repeats(rows)
        failed = [run for run in latest if rows[run].state in RETRIED_STATES]
        if run_id is not None:
            failed = [run for run in failed if run == run_id]
            if not failed:
                self._refuse_retry(RunId(run_id), rows, latest)
        if not failed:
            states = ", ".join(sorted({rows[run].state for run in latest})) or "no runs"
            raise UsageError(f"wave {wave_id} has nothing to retry (its runs: {states})")
        specs = []
        for run in failed:
            spec = self._repeat(plan, run)
            original = RunRecord(self.project.root / rows[run].folder)
            checkpoint = newest_checkpoint(original) if resume else None
            if checkpoint is not None:
                relative = self.project.relative(checkpoint.path)
                spec = spec.model_copy(update={"checkpoint": relative, "resumed_from": str(run)})
            record = RunRecord(self.project.run_folder(plan, spec))
            write_json(record.spec_path, spec)
            write_atomic(record.notebook_path, self._notebook(spec))
            if checkpoint is not None:
                begin_resumed(record, original, checkpoint)
            specs.append(spec)
        self.project.ledger.append(
            "human",
            by,
            "retry",
            wave=wave_id,
            runs=[spec.id for spec in specs],
            resumed={spec.id: spec.resumed_from for spec in specs if spec.resumed_from},
        )
        self._add(plan, specs)
        self.ensure_dispatcher()
        return [spec.run_id for spec in specs]

    def _repeat(self, plan: WavePlan, run: RunId) -> RunSpec:
        experiment = plan.experiment(run.experiment)
        repeat = self._free_repeat(plan, experiment, run.seed)
        limits = self.project.settings().limits.of_run(plan.budget.run_hours)
        return RunSpec.from_plan(plan, experiment, run.seed, repeat=repeat, limits=limits, version=_version())

    def _refuse_retry(self, run: RunId, rows: dict[str, QueuedRun], latest: list[RunId]) -> None:
        if run not in rows:
            raise NotFoundError(f"there is no run {run!r} in the queue.{did_you_mean(run, list(rows))}")
        if run not in latest:
            newer = next(r for r in latest if (r.experiment, r.seed) == (run.experiment, run.seed))
            raise UsageError(f"the run {run!r} was repeated already, as {newer!r}")
        raise UsageError(f"the run {run!r} is {rows[run].state}; only what failed, hung or was cancelled is repeated")

    def set_priority(self, run_id: str, priority: int, by: str) -> None:
        """Move a queued run: runs of a higher priority start first, first come, first served within one.

        Raises:
            NotFoundError: The queue has no such run.
            UsageError: It does not wait any more, or the priority is out of range.
        """
        if not -1000 <= priority <= 1000:
            raise UsageError(f"a priority lies between -1000 and 1000, not at {priority}")
        row = self._row(RunId(run_id))
        if not self.store.set_priority(run_id, priority):
            raise _no_longer_queued(row)
        self.project.ledger.append("human", by, "priority", wave=row.wave, runs=[run_id], priority=priority)
        self.ensure_dispatcher()

    def set_devices(self, run_id: str, devices: list[str], by: str) -> None:
        """Send a queued run to other devices: ``['auto']``, ``['cpu']``, or indices and UUIDs.

        Raises:
            NotFoundError: The queue has no such run.
            UsageError: It does not wait any more, a device is unknown, or they are fewer than the run trains on.
        """
        row = self._row(RunId(run_id))
        if cluster_for(self.project.settings()) is None:
            devices_for(run_id, devices, row.gpus, list_devices())
        if not self.store.set_devices(run_id, devices):
            raise _no_longer_queued(row, "cancel it, retry it, and send the repeat elsewhere")
        # The spec is the run's whole input, from which a lost database is rebuilt.
        record = RunRecord(self.project.root / row.folder)
        write_json(record.spec_path, record.spec().model_copy(update={"devices": devices}))
        self.project.ledger.append("human", by, "devices", wave=row.wave, runs=[run_id], devices=devices)
        self.ensure_dispatcher()

    def cancel(
        self, run_id: str, by: str, why: str = "", *, actor: Actor = "human", evidence: Sequence[str] = ()
    ) -> bool:
        """Ask for a run to be ended. A queued run is cancelled at once; a running one when its processes are gone.

        Args:
            run_id: Which.
            by: Who asks for it.
            why: Their reason.
            actor: A person, or the agent under a person's grant.
            evidence: The records that the reason rests on.

        Returns:
            Whether this call cancels it; False where it has ended or is being cancelled already.

        Raises:
            NotFoundError: The queue has no such run.
            WavebookError: The request cannot be written, or the cluster does not answer.
        """
        row = self._row(RunId(run_id))
        if not self.store.request_cancel(run_id, by, why):
            return False
        rests_on = {"evidence": list(evidence)} if evidence else {}
        self.project.ledger.append(actor, by, "cancel", why=why, wave=row.wave, runs=[run_id], **rests_on)
        row = self.store.get(run_id) or row
        if row.state is not RunState.QUEUED:
            # The file first: a supervisor that is just starting has no name to signal yet, but looks for the file.
            request_cancellation(RunRecord(self.project.root / row.folder), by, why)
            row = self.store.get(run_id) or row
            engines.cancel(row, None if row.engine == LOCAL else cluster_for(self.project.settings()))
        self.ensure_dispatcher()
        return True

    def _row(self, run_id: RunId) -> QueuedRun:
        row = self.store.get(run_id)
        if row is None:
            self.project.run(run_id)  # tells the nearest names where it does not exist at all
            raise NotFoundError(f"the run {run_id!r} was never queued here; `wavebook reindex` reads it from its files")
        return row

    def cancel_wave(self, wave_id: int, by: str, why: str = "") -> list[RunId]:
        """Ask for all runs of a wave to be ended; returns those that this call cancels."""
        self.project.wave(wave_id)
        # Queued runs first, so that none of them starts on the device of a run that is just being ended.
        rows = sorted(self.store.of_wave(wave_id), key=lambda row: row.state is not RunState.QUEUED)
        return [RunId(row.id) for row in rows if not row.state.final and self.cancel(row.id, by, why)]

    def wait(self, run_ids: Iterable[str], timeout: float) -> bool:
        """Wait until all of these runs have ended; False where some have not after ``timeout`` [s]."""
        deadline = time.monotonic() + timeout
        look_after = time.monotonic() + RECOVERY_INTERVAL
        left = set(run_ids)
        while left:
            if time.monotonic() > look_after:
                recover(self.project)
                look_after += RECOVERY_INTERVAL
            left = {run_id for run_id in left if (row := self.store.get(run_id)) and not row.state.final}
            if left and time.monotonic() > deadline:
                return False
            time.sleep(0.05 if left else 0)
        return True

    def ensure_dispatcher(self) -> None:
        """Wake the dispatcher, or start one where none lives."""
        wakeup.ensure_dispatcher(self.project)

    def _move_into_place(self, staged: Path, folder: Path) -> None:
        """A wave appears whole: its folder is filled under another name and renamed."""
        try:
            staged.rename(folder)
        except OSError as error:
            raise WavebookError(f"cannot make the wave's folder {folder}: {error.strerror or error}") from error

    def _notebook(self, spec: RunSpec) -> str:
        # Imported here: papermill is slow to import, and looking at the queue or cancelling needs none of it.
        import nbformat

        from wavebook_tools.notebooks.rendering import render
        from wavebook_tools.notebooks.simulator import require_simulator

        notebook = render(self.project, spec)
        if cluster_for(self.project.settings()) is None:  # its nodes have environments of their own
            require_simulator(notebook, spec.template)
        return str(nbformat.writes(notebook)) + "\n"

    def _add(self, plan: WavePlan, specs: list[RunSpec]) -> None:
        self.store.add((spec, self.project.relative(self.project.run_folder(plan, spec))) for spec in specs)

    def _refuse_known(self, plan: WavePlan) -> None:
        waves = self.project.waves()
        for wave in waves:
            if wave.id == plan.id:
                raise UsageError(
                    f"wave {plan.id} was submitted before; follow it with `wavebook status {plan.id}`, "
                    f"run what failed again with `wavebook retry {plan.id}`"
                )
        for experiment in plan.experiments:
            if any(path for wave in waves for path in wave.path.glob(f"{experiment.id}-*/s*/spec.json")):
                raise UsageError(
                    f"the experiment {experiment.id} is there already; experiments count through the project"
                )

    def _free_repeat(self, plan: WavePlan, experiment: ExperimentSpec, seed: int) -> int:
        repeat = 1
        while self.project.run_folder(plan, RunSpec.from_plan(plan, experiment, seed, repeat=repeat)).exists():
            repeat += 1
        return repeat


def recover(project: Project) -> bool:
    """Make the queue go on after a restart of the machine or the loss of its dispatcher; whether there was need.

    Whoever follows runs calls this now and then (``RECOVERY_INTERVAL``); a look at a queue that moves costs
    microseconds and opens no database.

    Raises:
        WavebookError: The database cannot be read, or no process can be started.
        sqlite3.DatabaseError: The database is damaged.
    """
    if wakeup.listens(project) or not project.database_path.exists():
        return False
    with contextlib.closing(QueueStore(project)) as store:
        if not store.unfinished():
            return False
    wakeup.ensure_dispatcher(project)
    return True


def _no_longer_queued(row: QueuedRun, advice: str = "") -> UsageError:
    if row.waits_on_cluster:
        return UsageError(f"the run {row.id!r} waits in the line of {row.engine}, which alone decides when and where")
    # Between its start and its end the database says «starting» of a run; the rest stands in the run's events.
    state = row.state if row.state.final else "it has started"
    return UsageError(f"the run {row.id!r} does not wait any more ({state})" + (f"; {advice}" if advice else ""))


def _version() -> str:
    try:
        return version("wavebook")
    except PackageNotFoundError:
        return ""
