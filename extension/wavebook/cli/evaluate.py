"""``wavebook evaluate``: a run's policy judged once more, beside what its record says."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from wavebook.cli.output import console, find_project, json_option, print_json, project_option
from wavebook.cli.simulator import configuration_of, require_simulator, saved_policy
from wavebook_tools.errors import UsageError, WavebookError
from wavebook_tools.metrics.quantities import format_number, quantity
from wavebook_tools.records.run import RunResult, RunSpec

ROBOTS = 50
"""Robots where none are named: some twenty minutes on two cores, where the protocol's 500 take hours."""

COMPARED = ("error_vel_xy", "error_vel_yaw")
"""Measures whose standard error is known."""

SHOWN = (*COMPARED, "time_out", "terrain_level", "cost_of_transport")

CHANCE = 1.96
"""Standard errors of a difference that chance alone passes once in twenty."""


@click.command()
@click.argument("run")
@click.option("--robots", type=click.IntRange(min=1), default=ROBOTS, show_default=True, help="How many are judged.")
@project_option
@json_option
def evaluate(run: str, robots: int, project_path: Path | None, as_json: bool) -> None:
    """Judge the policy of RUN (exp001/s0) again on the processor, beside its recorded result."""
    project = find_project(project_path)
    record = project.run(run)
    spec = record.spec()
    recorded = record.result()
    if recorded is None:
        raise UsageError(f"the run {run!r} has no result to compare with")
    checkpoint = saved_policy(record)
    require_simulator("`wavebook evaluate`")
    again = judge(spec, recorded, checkpoint, robots)
    before = recorded.model_dump(mode="json")
    document = {"run": str(spec.id), "recorded": before, "again": again, "differences": differences(before, again)}
    if as_json:
        print_json(document)
        return
    _show(document)


def judge(spec: RunSpec, recorded: RunResult, checkpoint: Path, robots: int) -> dict[str, Any]:
    """The protocol's result, measured in a process of its own, which has the simulator.

    Raises:
        WavebookError: It failed; the end of what it printed is told.
    """
    command = [sys.executable, "-m", "wavebook_locomotion.evaluation", str(checkpoint), "--num-envs", str(robots)]
    command += ["--seconds", str(spec.evaluation.seconds)]
    if ground := (recorded.protocol.model_extra or {}).get("terrain_set"):
        command += ["--terrain-set", str(ground)]
    result: dict[str, Any] | None = None
    with (
        tempfile.TemporaryFile("w+") as errors,
        Progress(console=Console(stderr=True), transient=True) as progress,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        bar = progress.add_task(f"{spec.id}: {robots} robots", total=1.0)
        with process.stdin as stream:
            stream.write(configuration_of(spec))
        for line in process.stdout:
            told = json.loads(line)
            progress.update(bar, completed=told.get("progress", 1.0))
            result = told.get("result", result)
        process.wait()
        if process.returncode != 0 or result is None:
            errors.seek(0)
            raise WavebookError(f"the evaluation of {spec.id} failed: {errors.read().strip()[-2000:]}")
    return result


def differences(recorded: dict[str, Any], again: dict[str, Any]) -> dict[str, dict[str, float | None]]:
    """How far the measures lie apart, and how many standard errors of that difference this is; None where unknown."""
    found = {}
    for name in COMPARED:
        apart = again[name] - recorded[name]
        errors = [result.get(f"{name}_standard_error") for result in (recorded, again)]
        known = [error for error in errors if error is not None]
        both = math.hypot(*known) if len(known) == len(errors) else 0.0
        found[name] = {"difference": apart, "standard_errors": apart / both if both else None}
    return found


def _show(document: Mapping[str, Any]) -> None:
    recorded, again = document["recorded"], document["again"]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("", *(f"{one['device']}, {one['num_envs']} robots" for one in (recorded, again)), "apart"):
        table.add_column(column)
    for name in SHOWN:
        values = [one.get(name) for one in (recorded, again)]
        if None in values:
            continue
        cells = [format_number(value, 3) for value in values]
        for index, one in enumerate((recorded, again)):
            if (error := one.get(f"{name}_standard_error")) is not None:
                cells[index] += f" ± {format_number(error, 2)}"
        errors = document["differences"].get(name, {}).get("standard_errors")
        about = quantity(name)
        apart = "" if errors is None else f"{errors:+.1f} standard errors"
        table.add_row(f"{about.label} [{about.unit}]", *cells, apart)
    console.print(table)
    console.print(judgement(document["differences"]))


def judgement(apart: Mapping[str, Mapping[str, float | None]]) -> str:
    """Whether chance explains the differences, as far as that can be told."""
    errors = {name: one["standard_errors"] for name, one in apart.items()}
    if None in errors.values():
        return "So few robots do not tell how uncertain their mean is; with 20 or more each command has several."
    far = [name for name, number in errors.items() if number is not None and abs(number) > CHANCE]
    if far:
        return f"{' and '.join(far)}: further apart than chance explains nineteen times of twenty."
    return "Chance explains the differences."
