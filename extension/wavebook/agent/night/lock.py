"""The lock that lets one process at a time follow a project's night.

It belongs to an open file (``F_OFD_SETLK``): who starts the process takes it and hands the descriptor on, so there is
no moment in which a second one could be started, and it dies with the process. Asking who holds it does not take it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct

from wavebook_tools.errors import WavebookError
from wavebook_tools.records.project import Project

_FLOCK = "hhqqi"  # struct flock on 64-bit Linux: l_type, l_whence, l_start, l_len, l_pid


def take(project: Project) -> int | None:
    """A descriptor that holds the lock; None where another process has it.

    Raises:
        WavebookError: The project cannot be written.
    """
    path = project.state_path / "night.lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise WavebookError(f"cannot open {path}: {error.strerror or error}") from error
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
        return descriptor
    except OSError as error:
        os.close(descriptor)
        if error.errno in {errno.EAGAIN, errno.EACCES}:
            return None
        raise WavebookError(f"cannot lock {path}: {error.strerror or error}") from error


def held(project: Project) -> bool:
    """Whether a process has the lock."""
    try:
        descriptor = os.open(project.state_path / "night.lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        query = struct.pack(_FLOCK, fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0)
        kind, *_ = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, query))
        return bool(kind != fcntl.F_UNLCK)
    finally:
        os.close(descriptor)
