"""``wavebook keep``: waves as a small record that can be shared."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import click

from wavebook.cli.output import console, find_project, json_option, print_json, project_option
from wavebook_tools.errors import WavebookError
from wavebook_tools.records.keeping import LIMIT, POINTS, keep
from wavebook_tools.records.project import WaveRecord


@click.command("keep")
@click.argument("waves", type=int, nargs=-1, metavar="[WAVE]...")
@click.option("--to", "target", type=click.Path(path_type=Path), required=True, help="Folder that is made.")
@click.option(
    "--policies",
    type=click.Choice(["all", "best", "none"]),
    default="all",
    show_default=True,
    help="Whose policies and replays are kept; the best run has the lowest error_vel_xy.",
)
@click.option("--points", default=POINTS, show_default=True, type=click.IntRange(1), help="Iterations of each curve.")
@click.option("--limit-mb", default=LIMIT / 1e6, show_default=True, type=click.FloatRange(0, min_open=True))
@click.option(
    "--table", type=click.Path(path_type=Path, dir_okay=False), help="Page of all runs to which theirs are appended."
)
@project_option
@json_option
def keep_waves(
    waves: tuple[int, ...],
    target: Path,
    policies: str,
    points: int,
    limit_mb: float,
    table: Path | None,
    project_path: Path | None,
    as_json: bool,
) -> None:
    """Copy WAVES (all where none is named) into a small folder: plans, results, some metrics, notebooks, policies."""
    from wavebook_tools.comparison.experiments_table import append, rows  # slow to import; other commands need none

    project = find_project(project_path)
    records = [project.wave(wave) for wave in waves] if waves else project.waves()
    lines = rows(project, [record.id for record in records], target.name) if table is not None and records else []
    slim = policy_alone if find_spec("torch") is not None and policies != "none" else None
    whose = {best_run(records)} if policies == "best" else None if policies == "all" else set()
    size = keep(project, records, target, limit=round(limit_mb * 1e6), points=points, slim=slim, policies=whose)
    if table is not None:
        append(table, lines)
    if as_json:
        print_json({"path": str(target), "bytes": size, "policies": slim is not None, "rows": len(lines)})
        return
    missing = "" if slim or policies == "none" else ", without policies: torch is not installed"
    console.print(f"{target}  {size / 1e6:.1f} MB{missing}")


def best_run(records: Sequence[WaveRecord]) -> str:
    """The finished run whose velocity error is lowest; empty where none was judged."""
    judged = [
        (result.error_vel_xy, run.id)
        for record in records
        for run in record.runs()
        if (result := run.result()) is not None
    ]
    return min(judged)[1] if judged else ""


def policy_alone(model: Path, target: Path) -> None:
    """Write a checkpoint's policy, in a process that has torch.

    Raises:
        WavebookError: It failed; the end of what it printed is told.
    """
    command = [sys.executable, "-m", "wavebook_locomotion.slim", str(model), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise WavebookError(f"the policy of {model} could not be kept: {done.stderr.strip()[-1000:]}")
