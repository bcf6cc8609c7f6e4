"""``wavebook export``: a run's policy as ONNX and TorchScript."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click

from wavebook.cli.output import console, find_project, json_option, print_json, project_option
from wavebook.cli.simulator import configuration_of, require_simulator, saved_policy
from wavebook_tools.errors import WavebookError
from wavebook_tools.records.run import RunSpec


@click.command()
@click.argument("run")
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), help="Folder; in the run if absent.")
@project_option
@json_option
def export(run: str, folder: Path | None, project_path: Path | None, as_json: bool) -> None:
    """Write the policy of RUN (exp001/s0) as ONNX and TorchScript, checked to act alike."""
    project = find_project(project_path)
    record = project.run(run)
    checkpoint = saved_policy(record)
    require_simulator("`wavebook export`")
    target = (folder or record.path / "policy").resolve()
    done = write_policy(record.spec(), checkpoint, target)
    if as_json:
        print_json(done)
        return
    for kind in ("onnx", "torchscript"):
        console.print(f"{done[kind]}  differs by at most {done[f'{kind}_difference']:.1g}")
    console.print(f"Compared on {done['observations']} observations of {done['observation_size']} values.")


def write_policy(spec: RunSpec, checkpoint: Path, folder: Path) -> dict[str, object]:
    """Export in a process of its own, which has the simulator.

    Raises:
        WavebookError: It failed; the end of what it printed is told.
    """
    command = [sys.executable, "-m", "wavebook_locomotion.export", str(checkpoint), str(folder)]
    done = subprocess.run(command, input=configuration_of(spec), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise WavebookError(f"the export of {spec.id} failed: {done.stderr.strip()[-2000:]}")
    exported: dict[str, object] = json.loads(done.stdout)
    return exported
