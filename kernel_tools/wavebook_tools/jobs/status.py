"""Where waves and runs stand: the document that ``wavebook status --json`` prints and the sidebar shows."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs.devices import list_devices
from wavebook_tools.jobs.processes import ProcessIdentity
from wavebook_tools.jobs.recovery import event_time, newest_metric, newest_state, tail_events
from wavebook_tools.jobs.resume import newest_checkpoint
from wavebook_tools.jobs.schedule import Expectation, expect
from wavebook_tools.jobs.store import LOCAL, QueuedRun, QueueStore
from wavebook_tools.jobs.timing import RunTiming, Timings
from wavebook_tools.records.project import Project, RunRecord, WaveRecord
from wavebook_tools.records.states import FINAL_STATES, RunId, RunState, latest_repeats

TAKE_OVER_PATIENCE = 15.0
"""Time after a run's end by which the queue has taken it over, unless it cannot [s]."""

NOT_NOTED = "the queue could not note it yet: is the disk full?"


def project_status(project: Project, *, wave: int | None = None) -> dict[str, Any]:
    """All waves with their runs, or the one named, as docs/server-api.md describes them.

    Raises:
        NotFoundError: There is no such wave.
    """
    records = [project.wave(wave)] if wave is not None else project.waves()
    store = QueueStore(project)
    try:
        rows = store.all() if wave is None else store.of_wave(wave)
        runs = store.unfinished_runs() if wave is not None else _served(rows)
    except sqlite3.DatabaseError as error:
        raise WavebookError(f"cannot read {project.database_path}: {error}; try `wavebook reindex`") from error
    finally:
        store.close()
    expected = expectations(project, runs)
    by_wave: dict[int, list[QueuedRun]] = {}
    for row in rows:
        by_wave.setdefault(row.wave, []).append(row)
    return {"waves": [wave_status(project, record, by_wave.get(record.id, []), expected) for record in records]}


def _served(rows: list[QueuedRun]) -> list[QueuedRun]:
    """Those of all runs that have not ended, in the order in which the queue serves them; they come in that of their
    submission."""
    return sorted((row for row in rows if not row.state.final), key=lambda row: -row.priority)


def expectations(project: Project, runs: list[QueuedRun]) -> dict[str, Expectation]:
    """When the runs that have not ended are expected to start and end; all of them, in the order of service."""
    if not runs:
        return {}
    try:
        devices, settings = list_devices(), project.settings()
    except WavebookError:
        return {}  # told by whoever places runs
    now = time.time()
    names = {device.id: device.name for device in devices}
    timings = Timings(project)
    known: dict[tuple[Any, ...], list[RunTiming]] = {}

    def like(run: QueuedRun) -> list[RunTiming]:
        kind = names.get((run.device or "").split(",")[0]) or (run.engine if run.engine != LOCAL else devices[0].name)
        key = (run.task, kind, run.num_envs)
        if key not in known:
            known[key] = timings.like(*key)
        return known[key]

    try:
        return expect(
            runs,
            devices,
            now=now,
            timings=like,
            iterations={run.id: _iteration(project, run) for run in runs if run.state is not RunState.QUEUED},
            runs_per_gpu=settings.devices.runs_per_gpu,
            max_running=settings.queue.max_running,
        )
    finally:
        timings.close()


def _iteration(project: Project, run: QueuedRun) -> int:
    metric = newest_metric(tail_events(RunRecord(project.root / run.folder)))
    return metric[0] if metric else 0


def wave_status(
    project: Project, record: WaveRecord, rows: list[QueuedRun], expected: Mapping[str, Expectation] | None = None
) -> dict[str, Any]:
    """One wave and its runs."""
    plan = record.plan()
    runs = [run_status(project, row, (expected or {}).get(row.id, Expectation())) for row in rows]
    return {
        "id": plan.id,
        "slug": plan.slug,
        "goal": plan.goal,
        "directive": plan.directive,
        "parent": plan.parent,
        "state": wave_state(runs),
        "created": plan.created,
        "planner": plan.planner,
        "comparison": _path(project, record.comparison_path),
        "notebook": _path(project, record.report_path),
        "experiments": [
            {
                "id": experiment.id,
                "slug": experiment.slug,
                "hypothesis": experiment.hypothesis,
                "baseline": experiment.baseline,
                "overrides": experiment.changes,
                "seeds": experiment.seeds,
                "verdict": None,
            }
            for experiment in plan.experiments
        ],
        "runs": runs,
    }


def run_status(project: Project, row: QueuedRun, expected: Expectation | None = None) -> dict[str, Any]:
    """One run; what a live one does now is read from the end of its events."""
    record = RunRecord(project.root / row.folder)
    state, iteration, metrics, phase, message = row.state, row.iteration, row.metrics, None, row.message
    if not state.final and state is not RunState.QUEUED:
        events = tail_events(record)
        # The final state counts once the queue has taken it over: until then it is what it was before.
        last = _before_its_end(reversed(events)) or _before_its_end(record.events_backwards("state"))
        if last is not None:
            state, phase = RunState(last["state"]), last.get("phase")
            message = message or _not_taken_over(row, events)
        elif row.waits_on_cluster:
            state = RunState.QUEUED
        metric = newest_metric(events)
        if metric is not None:
            iteration, metrics = metric
    run_id = RunId(row.id)
    identity = ProcessIdentity.parse(row.native) if row.native and row.engine == LOCAL else None
    expected = expected or Expectation()
    # Looked for only where somebody may want to go on from it.
    checkpoint = newest_checkpoint(record) if row.state.final and row.state is not RunState.DONE else None
    return {
        "id": row.id,
        "wave": row.wave,
        "experiment": run_id.experiment,
        "seed": run_id.seed,
        "state": state.value,
        "phase": phase,
        "device": row.device,
        "device_name": row.device_name,
        "devices": row.devices,
        "gpus": row.gpus,
        "pid": identity.pid if identity and not row.state.final else None,
        "iteration": iteration or 0,
        "iterations": row.iterations,
        "submitted": row.submitted,
        "started": row.started,
        "ended": row.ended,
        "estimated_start": expected.start if row.started is None else row.started,
        "estimated_end": expected.end if row.ended is None else row.ended,
        "priority": row.priority,
        "engine": row.engine,
        "message": message,
        "notebook": _file(project, row, "notebook.ipynb"),
        "log": _file(project, row, "log.txt"),
        "folder": row.folder,
        "replay": _file(project, row, "replay.json"),
        "checkpoint": checkpoint.iteration if checkpoint else None,
        "metrics": metrics,
    }


def _before_its_end(newest_first: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    states = (event for event in newest_first if newest_state([event]) is not None)
    return next((event for event in states if event["state"] not in FINAL_STATES), None)


def _not_taken_over(row: QueuedRun, events: list[dict[str, Any]]) -> str | None:
    """What to tell of a run that has ended and stays as it was, because the queue cannot write."""
    newest = next((t for event in reversed(events) if (t := event_time(event)) is not None), None)
    if newest is None or time.time() - newest < TAKE_OVER_PATIENCE:
        return None
    last = newest_state(events)
    if last is not None and RunState(last["state"]).final:
        why = f": {last['message']}" if last.get("message") else ""
        return f"ended as {last['state']}{why}; {NOT_NOTED}"
    if row.engine == LOCAL and row.native and not ProcessIdentity.parse(row.native).alive():
        return f"its processes are gone; {NOT_NOTED}"
    return None


def wave_state(runs: list[dict[str, Any]]) -> str:
    """The state of a wave from those of its runs; a repeat stands for the run it repeats."""
    latest = set(latest_repeats(run["id"] for run in runs))
    states = {run["state"] for run in runs if run["id"] in latest}
    if not states:
        return "unknown"  # the database was lost; `wavebook reindex` reads the runs back from their files
    if any(not RunState(state).final for state in states):
        return "queued" if states - {"cancelled"} == {"queued"} else "running"
    if states <= {"done"}:
        return "done"
    return "cancelled" if states <= {"done", "cancelled"} else "failed"


def _path(project: Project, path: Path) -> str | None:
    # Below the project by construction: resolving each of thousands of paths would take most of the time.
    return path.relative_to(project.root).as_posix() if path.exists() else None


def _file(project: Project, row: QueuedRun, name: str) -> str | None:
    # As text: with objects for paths, a list of thousands of runs takes three times as long.
    return f"{row.folder}/{name}" if os.path.exists(f"{project.root}/{row.folder}/{name}") else None
