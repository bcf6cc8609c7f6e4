"""The queue as callers see it: submit a wave, cancel a run, retry what failed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from wavebook_tools.errors import NotFoundError, UsageError, WavebookError
from wavebook_tools.jobs import wakeup
from wavebook_tools.jobs.devices import list_devices, select_devices
from wavebook_tools.jobs.processes import ProcessIdentity
from wavebook_tools.jobs.store import QueueStore
from wavebook_tools.records.files import write_atomic, write_json
from wavebook_tools.records.plan import ExperimentSpec, WavePlan
from wavebook_tools.records.project import Project, RunRecord
from wavebook_tools.records.run import RunId, RunSpec, RunState, latest_repeats


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
        select_devices(plan.devices, list_devices())
        specs = [
            RunSpec.from_plan(plan, experiment, seed, version=_version())
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

    def retry_wave(self, wave_id: int, by: str) -> list[RunId]:
        """Queue a repeat of every run of a wave that failed, hung or was cancelled and was not repeated yet.

        Raises:
            UsageError: Nothing is left to repeat, or the wave still runs.
        """
        plan = self.project.wave(wave_id).plan()
        rows = {row.id: row for row in self.store.of_wave(wave_id)}
        latest = latest_repeats(rows)
        specs = []
        for run_id in latest:
            row = rows[run_id]
            if row.state in {RunState.FAILED, RunState.HUNG, RunState.CANCELLED}:
                experiment = plan.experiment(run_id.experiment)
                repeat = self._free_repeat(plan, experiment, run_id.seed)
                specs.append(RunSpec.from_plan(plan, experiment, run_id.seed, repeat=repeat, version=_version()))
        if not specs:
            states = ", ".join(sorted({rows[run_id].state for run_id in latest})) or "no runs"
            raise UsageError(f"wave {wave_id} has nothing to retry (its runs: {states})")
        for spec in specs:
            record = RunRecord(self.project.run_folder(plan, spec))
            write_json(record.spec_path, spec)
            write_atomic(record.notebook_path, self._notebook(spec))
        self.project.ledger.append("human", by, "retry", wave=wave_id, runs=[spec.id for spec in specs])
        self._add(plan, specs)
        self.ensure_dispatcher()
        return [spec.run_id for spec in specs]

    def cancel(self, run_id: str, by: str, why: str = "") -> bool:
        """Ask for a run to be ended. A queued run is cancelled at once; a running one when its processes are gone.

        Returns:
            Whether this call cancels it; False where it has ended or is being cancelled already.

        Raises:
            NotFoundError: The queue has no such run.
        """
        row = self.store.get(RunId(run_id))
        if row is None:
            self.project.run(run_id)  # tells the nearest names where it does not exist at all
            raise NotFoundError(f"the run {run_id!r} was never queued here; `wavebook reindex` reads it from its files")
        if not self.store.request_cancel(run_id, by, why):
            return False
        self.project.ledger.append("human", by, "cancel", why=why, wave=row.wave, runs=[run_id])
        row = self.store.get(run_id) or row
        if row.supervisor and row.state is not RunState.QUEUED:
            ProcessIdentity.parse(row.supervisor).signal(signal.SIGTERM)
        self.ensure_dispatcher()
        return True

    def cancel_wave(self, wave_id: int, by: str, why: str = "") -> list[RunId]:
        """Ask for all runs of a wave to be ended; returns those that this call cancels."""
        self.project.wave(wave_id)
        # Queued runs first, so that none of them starts on the device of a run that is just being ended.
        rows = sorted(self.store.of_wave(wave_id), key=lambda row: row.state is not RunState.QUEUED)
        return [RunId(row.id) for row in rows if not row.state.final and self.cancel(row.id, by, why)]

    def wait(self, run_ids: Iterable[str], timeout: float) -> bool:
        """Wait until all of these runs have ended; False where some have not after ``timeout`` [s]."""
        deadline = time.monotonic() + timeout
        left = set(run_ids)
        while left:
            left = {run_id for run_id in left if (row := self.store.get(run_id)) and not row.state.final}
            if left and time.monotonic() > deadline:
                return False
            time.sleep(0.05 if left else 0)
        return True

    def ensure_dispatcher(self) -> None:
        """Wake the dispatcher, or start one where none lives."""
        if wakeup.wake(self.project):
            return
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        log = self.project.state_path / "dispatcher.log"
        with open(log, "ab") as stream:
            subprocess.Popen(
                [sys.executable, "-m", "wavebook_tools.jobs.dispatcher", str(self.project.root)],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
                cwd=self.project.root,
                env=environment,
            )

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

        return str(nbformat.writes(render(self.project, spec))) + "\n"

    def _add(self, plan: WavePlan, specs: list[RunSpec]) -> None:
        self.store.add(
            (
                spec.id,
                plan.id,
                self.project.relative(self.project.run_folder(plan, spec)),
                spec.devices,
                spec.iterations,
            )
            for spec in specs
        )

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


def _version() -> str:
    try:
        return version("wavebook")
    except PackageNotFoundError:
        return ""
