"""How a process learns at once that there is something to do: a named pipe in the project's state folder.

The dispatcher reads one that callers write to. It writes to another itself as runs end, for whoever goes on then.
"""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import sys

from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs.environment import of_queue
from wavebook_tools.jobs.processes import DISPATCHER
from wavebook_tools.records.project import Project

QUEUE = "wake"
"""The dispatcher's pipe."""

NIGHT = "night"
"""The pipe of what goes on when runs have ended: the agent's night mode."""


def ensure_dispatcher(project: Project) -> None:
    """Wake the dispatcher, or start one where none lives. It is a process of its own, which ends when all is done.

    Raises:
        WavebookError: The project cannot be written, or no process can be started.
    """
    if wake(project):
        return
    try:
        with open(project.state_path / "dispatcher.log", "ab") as stream:
            subprocess.Popen(
                [sys.executable, "-m", DISPATCHER, str(project.root)],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
                cwd=project.root,
                env=of_queue(os.environ),
            )
    except OSError as error:
        raise WavebookError(f"cannot start the queue of {project.root}: {error.strerror or error}") from error


def wake(project: Project, pipe: str = QUEUE) -> bool:
    """Wake whoever reads a pipe, the dispatcher where none is named; False where nobody listens."""
    return _write(project, b"\n", pipe)


def listens(project: Project, pipe: str = QUEUE) -> bool:
    """Whether somebody reads a pipe, without waking them."""
    return _write(project, b"", pipe)


def _write(project: Project, call: bytes, pipe: str) -> bool:
    path = project.state_path / pipe
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:  # no pipe, or nobody reads it
        return False
    try:
        if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            return False
        if call:
            with contextlib.suppress(BlockingIOError):  # full: it will wake anyway
                os.write(descriptor, call)
        return True
    except BrokenPipeError:
        return False
    finally:
        os.close(descriptor)


def listen(project: Project, pipe: str = QUEUE) -> int:
    """Open a pipe for reading; returns a descriptor that becomes readable on each wake-up."""
    path = project.state_path / pipe
    with contextlib.suppress(FileExistsError):
        os.mkfifo(path, 0o600)
    # Opened for writing too, so that it never reads as ended when the last writer closes.
    return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)


def drain(descriptor: int) -> None:
    """Read away all wake-ups that have come."""
    with contextlib.suppress(BlockingIOError):
        while os.read(descriptor, 4096):
            pass
