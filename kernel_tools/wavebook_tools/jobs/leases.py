"""Who holds a device: one lock file per device, in one folder per host, shared by all its users and servers.

The lease is an ``flock`` on an open descriptor. It dies with the last process that holds the descriptor, however that
process ends, so a lease can never outlive its holder and needs no clean-up.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile
from pathlib import Path

from wavebook_tools.errors import WavebookError

FOLDER_VARIABLE = "WAVEBOOK_LEASES"


def lease_folder() -> Path:
    """The host's folder of lock files, writable for all its users; ``WAVEBOOK_LEASES`` names another."""
    folder = Path(os.environ.get(FOLDER_VARIABLE) or Path(tempfile.gettempdir(), "wavebook-leases"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WavebookError(f"cannot make the folder of device leases {folder}: {error.strerror}") from error
    with contextlib.suppress(PermissionError):  # another user made it and set this already
        folder.chmod(0o1777)
    return folder


def acquire(device_id: str, holder: str) -> int | None:
    """Take the lease of a device.

    Args:
        device_id: ``cpu`` or a GPU's UUID.
        holder: Who takes it, for people: the run and its project.

    Returns:
        An open descriptor that holds the lease, to hand to the runner; None where somebody else holds it.
    """
    path = lease_folder() / f"{device_id}.lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise WavebookError(f"cannot open the device lease {path}: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    with contextlib.suppress(PermissionError):
        os.fchmod(descriptor, 0o666)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps({"holder": holder, "user": os.getuid()}).encode(), 0)
    return descriptor


def holder(device_id: str) -> str | None:
    """Who holds a device now, or None where it is free."""
    path = lease_folder() / f"{device_id}.lock"
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        try:
            return str(json.loads(os.pread(descriptor, 4096, 0))["holder"])
        except (ValueError, KeyError):
            return "unknown"
    finally:
        os.close(descriptor)
