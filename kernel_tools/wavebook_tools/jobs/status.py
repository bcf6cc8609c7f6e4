"""Where waves and runs stand: the document that ``wavebook status --json`` prints and the sidebar shows."""

from __future__ import annotations

import sqlite3
from typing import Any

from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs.processes import ProcessIdentity
from wavebook_tools.jobs.recovery import newest, tail_events
from wavebook_tools.jobs.store import QueuedRun, QueueStore
from wavebook_tools.records.project import Project, RunRecord, WaveRecord
from wavebook_tools.records.run import RunId, RunState, latest_repeats


def project_status(project: Project, *, wave: int | None = None) -> dict[str, Any]:
    """All waves with their runs, or the one named, as docs/server-api.md describes them.

    Raises:
        NotFoundError: There is no such wave.
    """
    records = [project.wave(wave)] if wave is not None else project.waves()
    store = QueueStore(project)
    try:
        rows = store.all() if wave is None else store.of_wave(wave)
    except sqlite3.DatabaseError as error:
        raise WavebookError(f"cannot read {project.database_path}: {error}; try `wavebook reindex`") from error
    finally:
        store.close()
    by_wave: dict[int, list[QueuedRun]] = {}
    for row in rows:
        by_wave.setdefault(row.wave, []).append(row)
    return {"waves": [wave_status(project, record, by_wave.get(record.id, [])) for record in records]}


def wave_status(project: Project, record: WaveRecord, rows: list[QueuedRun]) -> dict[str, Any]:
    """One wave and its runs."""
    plan = record.plan()
    runs = [run_status(project, row) for row in rows]
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
                "overrides": experiment.overrides,
                "seeds": experiment.seeds,
                "verdict": None,
            }
            for experiment in plan.experiments
        ],
        "runs": runs,
    }


def run_status(project: Project, row: QueuedRun) -> dict[str, Any]:
    """One run; what a live one does now is read from the end of its events."""
    record = RunRecord(project.root / row.folder)
    state, iteration, metrics, phase = row.state, row.iteration, row.metrics, None
    if not state.final and state is not RunState.QUEUED:
        events = tail_events(record)
        last = newest(events, "state")
        if last is not None and not RunState(last["state"]).final:
            state, phase = RunState(last["state"]), last.get("phase")
        metric = newest(events, "metric")
        if metric is not None:
            iteration = metric["iteration"] + 1
            metrics = {name: value for name, value in metric["values"].items() if value is not None}
    run_id = RunId(row.id)
    identity = ProcessIdentity.parse(row.supervisor) if row.supervisor else None
    return {
        "id": row.id,
        "wave": row.wave,
        "experiment": run_id.experiment,
        "seed": run_id.seed,
        "state": state.value,
        "phase": phase,
        "device": row.device,
        "pid": identity.pid if identity and not row.state.final else None,
        "iteration": iteration or 0,
        "iterations": row.iterations,
        "submitted": row.submitted,
        "started": row.started,
        "ended": row.ended,
        "message": row.message,
        "notebook": _path(project, record.notebook_path),
        "log": _path(project, record.log_path),
        "metrics": metrics,
    }


def wave_state(runs: list[dict[str, Any]]) -> str:
    """The state of a wave from those of its runs; a repeat stands for the run it repeats."""
    latest = set(latest_repeats(run["id"] for run in runs))
    states = {run["state"] for run in runs if run["id"] in latest}
    if not states:
        return "unknown"  # the database was lost; `wavebook reindex` reads the runs back from their files
    if any(not RunState(state).final for state in states):
        return "queued" if states == {"queued"} else "running"
    if states <= {"done"}:
        return "done"
    return "cancelled" if states <= {"done", "cancelled"} else "failed"


def _path(project: Project, path: Any) -> str | None:
    return project.relative(path) if path.exists() else None
