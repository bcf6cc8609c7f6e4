"""Progress of a wave on the terminal: bars where there is one, lines where the output goes to a file."""

from __future__ import annotations

import sys
import time
from typing import Any

from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from wavebook.cli.output import console, velocity_error
from wavebook_tools.jobs.queue import RECOVERY_INTERVAL, recover
from wavebook_tools.jobs.status import project_status
from wavebook_tools.records.project import Project

INTERVAL = 0.5
"""How often a wave is looked at [s]."""

CONCLUSION_PATIENCE = 120.0
"""How long the verdicts, comparison and report of a finished wave are waited for [s]."""

LINE_INTERVAL = 15.0
"""How often a running wave prints a line where the output is no terminal [s]."""


def follow(project: Project, wave_id: int, *, quiet: bool = False) -> bool:
    """Show a wave's progress until all its runs have ended and its comparison is written; True where all are done."""
    if quiet:
        show: _Bars | _Lines | None = None
    else:
        show = _Bars() if console.is_terminal else _Lines()
    look_after = time.monotonic() + RECOVERY_INTERVAL
    try:
        while True:
            if time.monotonic() > look_after:
                look_after += RECOVERY_INTERVAL
                recover(project)
            wave = project_status(project, wave=wave_id)["waves"][0]
            if show is not None:
                show.update(wave)
            if wave["state"] not in {"queued", "running"}:
                _wait_for_conclusion(project, wave)
                return bool(wave["state"] == "done")
            time.sleep(INTERVAL)
    except KeyboardInterrupt:
        console.print(f"\nThe wave goes on without this terminal. Follow it: wavebook status {wave_id} --wait")
        sys.exit(130)
    finally:
        if isinstance(show, _Bars):
            show.close()


def _wait_for_conclusion(project: Project, wave: dict[str, Any]) -> None:
    """Wait until the queue has written the verdicts, the comparison and, last of all, the report."""
    ended = max((run["ended"] or 0.0 for run in wave["runs"]), default=0.0)
    report = project.wave(wave["id"]).report_path
    deadline = time.monotonic() + CONCLUSION_PATIENCE
    while time.monotonic() < deadline:
        if report.exists() and report.stat().st_mtime >= ended:
            return
        time.sleep(INTERVAL)


class _Bars:
    def __init__(self) -> None:
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=console,
        )
        self.tasks: dict[str, TaskID] = {}
        self.progress.start()

    def update(self, wave: dict[str, Any]) -> None:
        for run in wave["runs"]:
            task = self.tasks.get(run["id"])
            if task is None:
                task = self.progress.add_task(run["id"], total=run["iterations"], note="", start=False)
                self.tasks[run["id"]] = task
            if run["started"]:
                self.progress.start_task(task)
            self.progress.update(task, completed=run["iteration"], note=escape(_note(run)))
            if run["ended"]:
                self.progress.stop_task(task)

    def close(self) -> None:
        self.progress.stop()


class _Lines:
    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self.last = 0.0
        self.started = time.monotonic()

    def update(self, wave: dict[str, Any]) -> None:
        now = time.monotonic()
        regular = now - self.last > LINE_INTERVAL
        for run in wave["runs"]:
            moved = self.states.get(run["id"]) != run["state"]
            if moved or (regular and run["state"] in {"starting", "running", "evaluating"}):
                self.states[run["id"]] = run["state"]
                self.last = now
                done = f"{run['iteration']}/{run['iterations']}"
                line = f"{now - self.started:5.0f} s  {run['id']}  {done}  {_note(run)}"
                console.print(line, soft_wrap=True, markup=False)


def _note(run: dict[str, Any]) -> str:
    doing = run["phase"] if run["state"] == "running" and run.get("phase") else run["state"]
    parts = [doing]
    if error := velocity_error(run["metrics"], " m/s"):
        parts.append(f"velocity error {error}")
    if run["message"]:
        parts.append(run["message"])
    return "  ".join(parts)
