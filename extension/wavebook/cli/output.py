"""How commands speak: tables for people, one JSON document for programs, errors on standard error."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from wavebook_tools.jobs.devices import Device
from wavebook_tools.records.project import Project

console = Console(highlight=False)
"""Standard output for people."""

STATE_STYLE = {
    "queued": "dim",
    "starting": "cyan",
    "running": "cyan",
    "evaluating": "cyan",
    "done": "green",
    "failed": "red",
    "hung": "red",
    "cancelled": "yellow",
}


SHORT = 12
"""Characters of a GPU's UUID, which tell it from others and are enough to choose it."""

SAME = 80
"""Characters by which two texts that begin alike are taken for the same."""


def print_json(document: Any) -> None:
    """Print one JSON document and nothing else."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))


def json_option[F: Callable[..., Any]](command: F) -> F:
    """The option ``--json`` that every command has."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")(command)


def project_option[F: Callable[..., Any]](command: F) -> F:
    """The option ``--project`` of commands that need a project."""
    return click.option(
        "--project",
        "project_path",
        type=click.Path(path_type=Path, file_okay=False),
        help="The project's folder; the one this folder lies in where absent.",
    )(command)


def find_project(path: Path | None) -> Project:
    """The project named by ``--project``, or the one that the working directory lies in."""
    return Project.find(path or Path.cwd())


def ago(seconds: float | None, now: float | None) -> str:
    """A duration for people: «42 s», «3 min», «2.1 h»."""
    if seconds is None or now is None:
        return ""
    length = max(0.0, now - seconds)
    if length < 90:
        return f"{length:.0f} s"
    return f"{length / 60:.0f} min" if length < 5400 else f"{length / 3600:.1f} h"


def plan_table(plan: dict[str, Any]) -> Table:
    """A plan's experiments, one a row."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("experiment", "hypothesis", "overrides", "seeds"):
        table.add_column(column, overflow="fold")
    for experiment in plan["experiments"]:
        overrides = "\n".join(f"{name} = {value}" for name, value in experiment["overrides"].items()) or "none"
        if experiment.get("code"):
            names = ", ".join(code["name"] for code in experiment["code"])
            overrides = f"code: {names}" + ("" if overrides == "none" else f"\n{overrides}")
        name = f"{experiment['id']} {experiment['slug']}" + (" (baseline)" if experiment["baseline"] else "")
        cells = (name, experiment["hypothesis"], overrides, " ".join(map(str, experiment["seeds"])))
        table.add_row(*(escape(cell) for cell in cells))
    return table


def run_table(
    waves: list[dict[str, Any]],
    now: float,
    *,
    findings: Mapping[str, str] | None = None,
    devices: Sequence[Device] = (),
) -> Group:
    """The runs of waves, one a row; below each wave's, what is told of some: in a column, 80 would leave it no room."""
    titles = {device.id: device.title for device in devices if device.kind == "gpu"}
    parts: list[RenderableType | None] = []
    for wave in waves:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in ("run", "state", "iteration", "device", "time", "left", r"error_vel_xy \[m/s]"):
            table.add_column(column, overflow="fold", no_wrap=column == "run")
        notes = Table.grid(padding=(0, 2))
        for run in wave["runs"]:
            table.add_row(
                run["id"],
                _styled(run["state"]),
                f"{run['iteration']}/{run['iterations']}",
                escape(_device(run, titles)),
                ago(run["started"], run["ended"] or now) if run["started"] else _in(run["estimated_start"], now),
                "" if run["ended"] else ago(now, run["estimated_end"]),
                velocity_error(run["metrics"]),
            )
            if note := _note(run, (findings or {}).get(run["id"])):
                notes.add_row(run["id"], escape(note))
        title = Text.from_markup(f"[bold]wave {wave['id']}[/] {escape(wave['slug'])}  {_styled(wave['state'])}")
        parts += ["" if parts else None, title, Padding(table, (0, 0, 0, 2))]
        parts.append(Padding(notes, (0, 0, 0, 2)) if notes.row_count else None)
    return Group(*(part for part in parts if part is not None))


def _device(run: dict[str, Any], titles: Mapping[str, str]) -> str:
    """A run's device as it is called on this machine, else as its result calls it, else by the start of its id."""
    ids = [name for name in (run["device"] or "").split(",") if name]
    name = run.get("device_name")
    if name and "cpu" not in ids and not titles.keys() & set(ids):
        return f"{len(ids)} × {name}" if len(ids) > 1 else str(name)
    return ", ".join(titles.get(id, id[:SHORT]) for id in ids)


def _note(run: dict[str, Any], finding: str | None) -> str:
    """A run's message, and what the watchdog found, which says the same, perhaps cut off, where it ended the run."""
    message = run["message"] or ""
    if finding is None:
        return message
    said = message and message[:SAME] in finding
    return finding if said else "\n".join(filter(None, (message, finding)))


def velocity_error(metrics: dict[str, float], unit: str = "") -> str:
    """The evaluation's mean error of the planar velocity [m/s], else the newest iteration's, which is told as such."""
    if "error_vel_xy" in metrics:
        return f"{metrics['error_vel_xy']:.3f}{unit}"
    training = metrics.get("Metrics/error_vel_xy")
    return "" if training is None else f"{training:.3f}{unit} in training"


def _in(start: float | None, now: float) -> str:
    """When a run that waits is expected to start; nothing where only what it waits for can tell."""
    return "" if start is None or start < now + 1.0 else f"in {ago(now, start)}"


def _styled(state: str) -> str:
    style = STATE_STYLE.get(state, "")
    return f"[{style}]{state}[/]" if style else state
