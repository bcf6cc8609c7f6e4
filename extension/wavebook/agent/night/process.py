"""The process of a night: detached, one per project, begun anew where it was lost.

python -m wavebook.agent.night PROJECT
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from wavebook.agent.choice import ChosenPlanner
from wavebook.agent.night.grant import NightRecord, Nights
from wavebook.agent.night.loop import Night
from wavebook.agent.night.terms import Terms
from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs import wakeup
from wavebook_tools.jobs.environment import of_queue
from wavebook_tools.records.project import Project

MODULE = "wavebook.agent.night"

ELECTION_PATIENCE = 5.0
"""How long a new process waits for one that is just ending [s]."""


def start(project: Project, terms: Terms, by: str) -> NightRecord:
    """Grant a night and begin it in a process of its own.

    Raises:
        WavebookError: One is under way, or no process can be started; then nothing is granted.
    """
    night = Nights(project).grant(terms, by)
    try:
        _spawn(project)
    except WavebookError as error:
        Nights(project).end(night.id, "failed", f"{error}")
        raise
    return night


def resume(project: Project, *, paused: bool = False) -> bool:
    """Go on with a night whose process was lost; whether there was need.

    Args:
        project: The project.
        paused: Also one that was told to end, as by the shutdown of the machine.
    """
    if alive(project) or not (project.state_path / wakeup.NIGHT).exists():  # cheap where there never was a night
        return False
    night = Nights(project).current()
    if night is None or (night.state == "paused" and not paused):
        return False
    _spawn(project)
    return True


def stop(project: Project, by: str, why: str = "", *, keep_runs: bool = False) -> NightRecord:
    """Stop the night in force. Its process ends its runs, unless they may go on, and writes the report.

    Raises:
        NotFoundError: None is in force.
    """
    night = Nights(project).request_stop(by, why, keep_runs=keep_runs)
    if not wakeup.wake(project, wakeup.NIGHT):
        _spawn(project)  # to end what its lost process had begun
    return night


def alive(project: Project) -> bool:
    """Whether the night's process lives."""
    return wakeup.listens(project, wakeup.NIGHT)


def _spawn(project: Project) -> None:
    try:
        with open(project.state_path / "night.log", "ab") as stream:
            subprocess.Popen(
                [sys.executable, "-m", MODULE, str(project.root)],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
                cwd=project.root,
                env=of_queue(os.environ),
            )
    except OSError as error:
        raise WavebookError(f"cannot start the night's process: {error.strerror or error}") from error


def elect(project: Project) -> int | None:
    """Take the project's lock for nights; None where another process goes on with it."""
    descriptor = os.open(project.state_path / "night.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + ELECTION_PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if wakeup.wake(project, wakeup.NIGHT) or time.monotonic() > deadline:
                os.close(descriptor)
                return None
            time.sleep(0.02)


async def serve(project: Project) -> None:
    """Follow the night in force to its end."""
    night = Night(project, ChosenPlanner(project))
    pipe = wakeup.listen(project, wakeup.NIGHT)
    loop = asyncio.get_running_loop()

    def woken() -> None:
        wakeup.drain(pipe)
        night.woken.set()

    def interrupted() -> None:
        night.interrupted = True
        night.woken.set()

    loop.add_reader(pipe, woken)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, interrupted)
    try:
        await night.run()
    finally:
        loop.remove_reader(pipe)
        os.close(pipe)


def main() -> None:
    """Serve the project named on the command line."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    project = Project(Path(sys.argv[1]))
    lock = elect(project)
    if lock is None:
        return
    with contextlib.closing(os.fdopen(lock)):
        asyncio.run(serve(project))
