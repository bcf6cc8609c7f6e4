"""The group of all commands, and how an error ends one."""

from __future__ import annotations

import sys

import click

from wavebook._version import __version__
from wavebook.cli.bench import bench
from wavebook.cli.comparison import compare, report
from wavebook.cli.control import cancel, logs, priority, reindex, reject, retry, run, status
from wavebook.cli.demo import demo
from wavebook.cli.devices import gpus
from wavebook.cli.doctor import doctor
from wavebook.cli.evaluate import evaluate
from wavebook.cli.export import export
from wavebook.cli.keep import keep_waves
from wavebook.cli.lab import lab
from wavebook.cli.mcp import mcp
from wavebook.cli.night import night
from wavebook.cli.plan import plan
from wavebook.cli.replay import replay
from wavebook.cli.requests import allow, deny, requests
from wavebook.cli.templates import template
from wavebook_tools.errors import WavebookError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="wavebook")
def commands() -> None:
    """Waves of reinforcement-learning experiments on legged robots, as notebooks."""


for command in (
    *(lab, demo, plan, run, reject, night, status, logs, cancel, retry, priority),
    *(requests, allow, deny, mcp, template),
    *(gpus, compare, report, replay, evaluate, export, keep_waves, reindex, doctor, bench),
):
    commands.add_command(command)


def main() -> None:
    """Run the command line; exit code 0 done, 1 the work failed, 2 the call was wrong."""
    try:
        commands(prog_name="wavebook")
    except WavebookError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_code)
