"""``wavebook lab``: JupyterLab with the sidebar on the project."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from wavebook.cli.output import console, json_option, print_json, project_option
from wavebook.cli.plan import open_or_create

NO_BUILD = {"page_config_data": {"buildCheck": False, "buildAvailable": False}}
"""Packages that the simulator brings ship source extensions of an older JupyterLab. JupyterLab would meet the person
with an offer to rebuild itself, which takes minutes and fails without a network."""

CONFIG = Path(__file__).parents[1] / "lab_config"
"""Keeps JupyterLab's notes from the input of the first directive, over which they lie: it does not ask whether to fetch
news and fetches none, nor does it look for a newer version of itself, which Wavebook's lock names. Its settings can be
changed as ever. ``binder/start`` takes it, too."""


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--port", type=int, default=8888, show_default=True, help="First port to try.")
@click.option("--no-browser", is_flag=True, help="Don't open a browser; print the address.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@project_option
@json_option
def lab(port: int, no_browser: bool, arguments: tuple[str, ...], project_path: Path | None, as_json: bool) -> None:
    """Open JupyterLab on the project. ARGUMENTS go to `jupyter lab` as they are."""
    project = open_or_create(project_path)
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--ip=127.0.0.1",
        f"--port={port}",
        f"--ServerApp.root_dir={project.root}",
        f"--ServerApp.tornado_settings={NO_BUILD}",
        *(["--no-browser"] if no_browser else []),
        *arguments,
    ]
    # What the person has of their own comes first.
    paths = [*filter(None, [os.environ.get("JUPYTER_CONFIG_PATH")]), str(CONFIG)]
    environment = {"JUPYTER_CONFIG_PATH": os.pathsep.join(paths)}
    if as_json:
        print_json({"command": command, "environment": environment, "project": str(project.root)})
        return
    console.print(f"JupyterLab on {project.root}; Ctrl-C ends it, the runs go on.")
    sys.stdout.flush()
    os.chdir(project.root)
    os.execve(sys.executable, command, {**os.environ, **environment})
