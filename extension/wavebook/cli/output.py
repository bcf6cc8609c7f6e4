"""How commands speak: tables for people, one JSON document for programs, errors on standard error."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

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


def run_table(waves: list[dict[str, Any]], now: float) -> Table:
    """The runs of waves, one a row."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("run", "state", "iteration", "device", "time", "left", r"error_vel_xy \[m/s]", "note"):
        table.add_column(column, overflow="fold")
    for wave in waves:
        table.add_row(f"[bold]wave {wave['id']}[/] {wave['slug']}", _styled(wave["state"]), "", "", "", "", "", "")
        for run in wave["runs"]:
            error = run["metrics"].get("error_vel_xy", run["metrics"].get("Metrics/error_vel_xy"))
            table.add_row(
                f"  {run['id']}",
                _styled(run["state"]),
                f"{run['iteration']}/{run['iterations']}",
                run["device"] or "",
                ago(run["started"], run["ended"] or now) if run["started"] else _in(run["estimated_start"], now),
                "" if run["ended"] else ago(now, run["estimated_end"]),
                "" if error is None else f"{error:.3f}",
                escape(run["message"] or ""),
            )
    return table


def _in(start: float | None, now: float) -> str:
    """When a run that waits is expected to start."""
    return "" if start is None else f"in {ago(now, start)}"


def _styled(state: str) -> str:
    style = STATE_STYLE.get(state, "")
    return f"[{style}]{state}[/]" if style else state
