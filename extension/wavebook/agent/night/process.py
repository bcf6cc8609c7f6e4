"""The process of a night: detached, one per project, begun anew where it was lost.

python -m wavebook.agent.night PROJECT LOCK
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

from wavebook.agent.night import lock
from wavebook.agent.night.grant import NightRecord, Nights
from wavebook.agent.night.terms import Terms
from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs import wakeup
from wavebook_tools.jobs.environment import of_queue
from wavebook_tools.records.project import Project

MODULE = "wavebook.agent.night"

ENDING = 5.0
"""How long a new night waits for the process of the last one, which may be just ending [s]. One that goes on looks for
a new grant itself."""


def start(project: Project, terms: Terms, by: str) -> NightRecord:
    """Grant a night and begin it in a process of its own.

    Raises:
        WavebookError: One is under way, or no process can be started; then nothing is granted.
    """
    night = Nights(project).grant(terms, by)
    try:
        _spawn(project, patience=ENDING)
    except WavebookError as error:
        Nights(project).end(night.id, "failed", f"{error}")
        raise
    return night


def resume(project: Project, *, paused: bool = False) -> bool:
    """Go on with a night whose process was lost; whether there was need.

    Args:
        project: The project.
        paused: Also one that was told to end, as by the shutdown of the machine.

    Raises:
        WavebookError: The database cannot be read, or no process can be started.
    """
    if not (project.state_path / "night.lock").exists() or alive(project):
        return False  # cheap where there never was a night
    night = Nights(project).current()
    if night is None or (night.state == "paused" and not paused):
        return False
    return _spawn(project)


def stop(project: Project, by: str, why: str = "", *, keep_runs: bool = False) -> NightRecord:
    """Stop the night in force. Its process ends its runs, unless they may go on, and writes the report.

    Raises:
        NotFoundError: None is in force.
    """
    night = Nights(project).request_stop(by, why, keep_runs=keep_runs)
    if not wakeup.wake(project, wakeup.NIGHT):
        _spawn(project)  # to end what a lost process had begun; one that is just starting reads the wish itself
    return night


def alive(project: Project) -> bool:
    """Whether the night's process lives, or is just being started."""
    return lock.held(project)


def _spawn(project: Project, *, patience: float = 0.0) -> bool:
    """Start the process, unless one lives; whether it did."""
    deadline = time.monotonic() + patience
    while (descriptor := lock.take(project)) is None:
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.05)
    try:
        with open(project.state_path / "night.log", "ab") as stream:
            subprocess.Popen(
                [sys.executable, "-m", MODULE, str(project.root), str(descriptor)],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
                pass_fds=[descriptor],
                cwd=project.root,
                env=of_queue(os.environ),
            )
    except OSError as error:
        raise WavebookError(f"cannot start the night's process: {error.strerror or error}") from error
    finally:
        os.close(descriptor)  # the process keeps its own
    return True
