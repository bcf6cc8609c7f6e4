"""``wavebook night``: wave after wave without a person, within limits that a person grants."""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path
from typing import Any

import click

from wavebook.agent.night import process
from wavebook.agent.night.grant import Nights, Outcome
from wavebook.agent.night.status import night_status
from wavebook.agent.night.summary import summary
from wavebook.agent.night.terms import OPTIONS, make_terms
from wavebook.cli.output import console, find_project, json_option, print_json, project_option
from wavebook.cli.plan import open_or_create, user_name
from wavebook_tools.errors import NotFoundError
from wavebook_tools.records.project import Project

INTERVAL = 1.0
"""How often `--wait` and `stop` look whether the night is over [s]."""

STOP_PATIENCE = 120.0
"""How long `stop` waits until the runs are gone and the report is written [s]."""


STUCK = 3
EXIT_CODES: dict[Outcome, int] = {"goal": 0, "budget": 0, "stopped": 1, "failed": 1, "stuck": STUCK}
"""Of `--wait`, so that a script knows a night that reached its goal or its limits from one that came to a dead end."""


@click.command(params=list(OPTIONS))  # click adds the argument to the list it is given
@click.argument("directive", metavar="DIRECTIVE|status|stop|resume")
@click.option("--wait", is_flag=True, help="Follow it to its end; Ctrl-C stops it. Exit code 3 where it is stuck.")
@click.option("--why", default="", help="The reason of a stop, for the ledger.")
@click.option("--keep-runs", is_flag=True, help="A stop lets the runs under way go on.")
@project_option
@json_option
def night(
    directive: str, wait: bool, why: str, keep_runs: bool, project_path: Path | None, as_json: bool, **given: Any
) -> None:
    """Let the agent work on DIRECTIVE wave after wave, without asking, within these limits.

    What is not given comes from wavebook.toml, section night. `wavebook night status` tells how it stands, `stop` ends
    it with its runs, `resume` goes on with one whose process was ended.
    """
    if directive == "status":
        _tell(find_project(project_path), as_json)
        return
    if directive == "stop":
        project = find_project(project_path)
        process.stop(project, user_name(), why, keep_runs=keep_runs)
        ended = _wait_for_end(project, STOP_PATIENCE, quiet=True)
        _tell(project, as_json)
        sys.exit(0 if ended else 1)
    if directive == "resume":
        project = find_project(project_path)
        if Nights(project).current() is None:
            raise NotFoundError("no night is under way")
        process.resume(project, paused=True)
    else:
        project = open_or_create(project_path)
        terms = make_terms(directive, project.settings().night, given)
        granted = process.start(project, terms, user_name())
        if not as_json:
            console.print(f"Night {granted.id} is granted: {terms.text}.", soft_wrap=True, markup=False)
    if not wait:
        if as_json:
            _tell(project, as_json)
        else:
            console.print("It goes on without this terminal: wavebook night status, wavebook night stop")
        return
    try:
        _wait_for_end(project, None, quiet=as_json)
    except KeyboardInterrupt:
        console.print("\nStopping the night and its runs.")
        process.stop(project, user_name(), "Ctrl-C")
        _wait_for_end(project, STOP_PATIENCE, quiet=True)
    _tell(project, as_json)
    over = Nights(project).newest()
    code = EXIT_CODES[over.outcome] if over is not None and over.outcome is not None else 1
    if code == STUCK and not as_json:
        console.print(f"It ended before its goal and its budget, for the reason above: exit code {STUCK}.")
    sys.exit(code)


def _wait_for_end(project: Project, patience: float | None, *, quiet: bool) -> bool:
    """Wait until the night is over; starts its process again where that was lost. False where it takes too long."""
    told, began = "", time.monotonic()
    while Nights(project).current() is not None:
        doing = str(night_status(project)["night"]["doing"])
        if doing != told and not quiet:
            console.print(f"{time.monotonic() - began:6.0f} s  {doing}", markup=False)
        told = doing
        if patience is not None and time.monotonic() - began > patience:
            return False
        time.sleep(INTERVAL)
        with contextlib.suppress(OSError):
            process.resume(project)
    return True


def _tell(project: Project, as_json: bool) -> None:
    if as_json:
        print_json(night_status(project))
        return
    newest = Nights(project).newest()
    if newest is None:
        console.print('There was no night yet. Grant one: wavebook night "track velocity better" --waves 3 --hours 8')
        return
    console.print(summary(project, newest), soft_wrap=True, markup=False)
    if doing := night_status(project)["night"]["doing"]:
        console.print(doing, markup=False)
