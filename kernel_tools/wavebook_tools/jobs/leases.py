"""Who holds a device: one lock file per device, in one folder per host, shared by all its users and servers.

A lease is a lock on an open file description (``F_OFD_SETLK``). It dies with the last process that holds the
descriptor, however that process ends, so a lease can never outlive its holder and needs no clean-up. Who holds what
is asked of the kernel without taking the lock, so asking never disturbs a server that is just taking it.

One file describes one device. Byte ``k`` of it is its slot ``k``: a run that shares the device locks one byte, a run
that wants it alone locks the whole range. Locked bytes need not exist; what the file does hold, one line a slot, is
who took the slot, for people.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wavebook_tools.errors import WavebookError

FOLDER_VARIABLE = "WAVEBOOK_LEASES"

HOST_FOLDER = Path("/tmp/wavebook-leases")
"""Where the leases of a host are. Not in TMPDIR: users and services have their own, and two folders would give one
device to two runs."""

SLICE_SLOTS = 1 << 20
"""Where the slots of a GPU's MIG instances begin: each instance in use keeps the whole GPU from being taken."""

SLOTS_OF_SLICE = 1 << 10
"""How many slots each instance has there, so that runs that share it hold one each; more than may share a device."""

LINE = 512
"""Length of a slot's line in the file [bytes]."""

_FLOCK = "hhqqi"  # struct flock on 64-bit Linux: l_type, l_whence, l_start, l_len, l_pid


@dataclass(frozen=True)
class Holder:
    """Who holds a slot of a device."""

    run: str
    """The run's name, as ``exp001/s0``."""
    project: str
    pid: int | None
    """The process that took the lease."""
    shared: bool
    """Whether it leaves the device's other slots to others."""

    def __str__(self) -> str:
        return f"{self.run} in {self.project}"


@dataclass(frozen=True)
class Lease:
    """A device that has been taken, for as long as one process has a descriptor open, or until it is released."""

    device: str
    descriptors: tuple[int, ...]

    def release(self) -> None:
        """Free the device at once, also where other processes still have the descriptors."""
        for descriptor in self.descriptors:
            with contextlib.suppress(OSError):
                _set_lock(descriptor, fcntl.F_UNLCK, 0, 0)
        self.close()

    def close(self) -> None:
        """Close our descriptors; the device stays taken while another process has them."""
        for descriptor in self.descriptors:
            with contextlib.suppress(OSError):
                os.close(descriptor)


def lease_folder() -> Path:
    """The host's folder of lock files, writable for all its users; ``WAVEBOOK_LEASES`` names another."""
    folder = Path(os.environ.get(FOLDER_VARIABLE) or HOST_FOLDER)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WavebookError(f"cannot make the folder of device leases {folder}: {error.strerror}") from error
    with contextlib.suppress(PermissionError):  # another user made it and set this already
        folder.chmod(0o1777)
    return folder


def acquire(
    device_id: str, *, run: str, project: str, slots: int | None = None, parent: str | None = None, slice_index: int = 0
) -> Lease | None:
    """Take a device, or a slot of it.

    Args:
        device_id: ``cpu``, a GPU's UUID or a MIG instance's.
        run: Who takes it, and in which ``project``: for people.
        slots: How many runs may share the device; None takes it alone.
        parent: The GPU that a MIG instance is a part of, which is then kept from being taken as a whole.
        slice_index: The instance's number on that GPU.

    Returns:
        The lease, to hand on to the runner; None where somebody else holds the device.
    """
    while True:
        lease = _acquire(device_id, run, project, slots, parent, slice_index)
        # A file that was removed between opening and locking is not the one that everybody else looks at.
        if lease is None or all(os.fstat(descriptor).st_nlink for descriptor in lease.descriptors):
            return lease
        lease.close()


def _acquire(
    device_id: str, run: str, project: str, slots: int | None, parent: str | None, slice_index: int
) -> Lease | None:
    descriptors: list[int] = []
    try:
        descriptors.append(_open(device_id))
        ranges = [(0, 0)] if slots is None else [(slot, 1) for slot in range(slots)]
        taken = next((start for start, length in ranges if _try_lock(descriptors[-1], start, length)), None)
        if taken is None:
            return None
        if parent is not None:
            descriptors.append(_open(parent))
            start = SLICE_SLOTS + slice_index * SLOTS_OF_SLICE + taken
            if not _try_lock(descriptors[-1], start, SLOTS_OF_SLICE if slots is None else 1):
                return None
        note = {"run": run, "project": project, "pid": os.getpid(), "shared": slots is not None}
        with contextlib.suppress(OSError):  # a full disk: the lock holds all the same
            _write_line(descriptors[0], taken, note)
        lease = Lease(device_id, tuple(descriptors))
        descriptors = []
        return lease
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def keep(descriptors: Iterable[int]) -> None:
    """Show that leases are in use: what cleans up old temporary files would give a held device to a second run."""
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            os.utime(descriptor)


def holders(device_id: str, *, slices: bool = True) -> list[Holder]:
    """Who holds a device now, an empty list where it is free.

    Args:
        slices: Whether the MIG instances of it that are in use are told too.
    """
    try:
        descriptor = os.open(lease_folder() / f"{device_id}.lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise WavebookError(f"cannot read the device lease of {device_id}: {error.strerror}") from error
    try:
        return [_read_line(descriptor, start) for start in _locked(descriptor) if slices or start < SLICE_SLOTS]
    finally:
        os.close(descriptor)


def _open(device_id: str) -> int:
    path = lease_folder() / f"{device_id}.lock"
    try:
        try:
            # Not with O_CREAT: in a sticky folder the kernel refuses that for a file of another user. Not through a
            # link: anybody may put one there, and what it leads to would be written to.
            return os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            with contextlib.suppress(FileExistsError):
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
                os.fchmod(descriptor, 0o666)
                return descriptor
            return os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise WavebookError(f"cannot open the device lease {path}: {error.strerror}") from error


def _set_lock(descriptor: int, kind: int, start: int, length: int) -> None:
    fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, struct.pack(_FLOCK, kind, os.SEEK_SET, start, length, 0))


def _try_lock(descriptor: int, start: int, length: int) -> bool:
    try:
        _set_lock(descriptor, fcntl.F_WRLCK, start, length)
        return True
    except OSError as error:
        if error.errno in {errno.EAGAIN, errno.EACCES}:
            return False
        raise WavebookError(f"the folder of device leases cannot lock files: {error.strerror}") from error


def _locked(descriptor: int) -> Iterator[int]:
    """Starts of the slots that are locked, in order."""
    start = 0
    while True:
        # Asked for reading, since the descriptor is open for reading only; what is locked is locked for writing.
        query = struct.pack(_FLOCK, fcntl.F_RDLCK, os.SEEK_SET, start, 0, 0)
        kind, _, found, length, _ = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, query))
        if kind == fcntl.F_UNLCK:
            return
        yield found
        if length == 0:
            return
        start = found + length


def _write_line(descriptor: int, slot: int, note: dict[str, Any]) -> None:
    line = json.dumps(note).encode()
    if len(line) >= LINE:  # a very long path: its end tells more than its beginning
        note["project"] = "…" + note["project"][-200:]
        line = json.dumps(note).encode()[: LINE - 1]
    os.pwrite(descriptor, line.ljust(LINE - 1) + b"\n", slot * LINE)


def _read_line(descriptor: int, slot: int) -> Holder:
    if slot >= SLICE_SLOTS:
        return Holder("a MIG instance of it", "use", None, shared=True)
    try:
        note = json.loads(os.pread(descriptor, LINE, slot * LINE))
        return Holder(str(note["run"]), str(note["project"]), note.get("pid"), bool(note.get("shared")))
    except (ValueError, KeyError, TypeError):
        return Holder("another run", "an unknown project", None, shared=False)
