"""Processes that can be trusted to be who they were, and whole trees of them that can be ended."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wavebook_tools.records.states import RUN_FOLDER_VARIABLE

NICENESS = 10
"""Priority of processes that tell how runs went, below that of runs and of whoever looks at them."""

DISPATCHER = "wavebook_tools.jobs.dispatcher"
SUPERVISOR = "wavebook_tools.jobs.supervisor"

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def start_child(command: Sequence[str], *, niceness: int = 0, **options: Any) -> int:
    """Start a process that the caller reaps by its id.

    Args:
        command: Its words.
        niceness: How far its priority lies below that of others.
        options: As of ``subprocess.Popen``; nothing is read from the terminal where they name no input.

    Returns:
        Its id.

    Raises:
        OSError: It cannot be started.
    """
    process = subprocess.Popen(list(command), **{"stdin": subprocess.DEVNULL, **options})
    process.returncode = 0  # the caller reaps it; Popen must neither wait for it nor complain
    if niceness:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, niceness)
    return process.pid


@dataclass(frozen=True)
class ProcessIdentity:
    """A process for good: a pid alone may belong to another process tomorrow.

    The start time is the kernel's own count of ticks since boot, which a clock change does not move.
    """

    pid: int
    start_ticks: int
    boot_id: str

    @classmethod
    def of(cls, pid: int) -> ProcessIdentity | None:
        """The identity of a live or zombie process, or None where the pid is free."""
        ticks = _start_ticks(pid)
        return None if ticks is None else cls(pid, ticks, boot_id())

    @classmethod
    def parse(cls, text: str) -> ProcessIdentity:
        """Read back what ``str()`` gave."""
        pid, ticks, boot = text.split(":", 2)
        return cls(int(pid), int(ticks), boot)

    def __str__(self) -> str:
        return f"{self.pid}:{self.start_ticks}:{self.boot_id}"

    def alive(self) -> bool:
        """Whether this very process still runs; a zombie has ended."""
        if self.boot_id != boot_id() or _start_ticks(self.pid) != self.start_ticks:
            return False
        return _state(self.pid) not in {"Z", "X", None}

    def signal(self, number: signal.Signals) -> bool:
        """Send a signal to this very process; False where it is gone."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return False
        try:
            # The descriptor pins the process, so the identity cannot change between the check and the signal.
            if not self.alive():
                return False
            signal.pidfd_send_signal(descriptor, number)
            return True
        except ProcessLookupError:
            return False
        finally:
            os.close(descriptor)


def boot_id() -> str:
    """The machine's identity since it was last started."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def become_subreaper() -> None:
    """Inherit orphaned descendants, also daemons in sessions of their own, instead of losing them to init."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def signal_on_parent_death(number: signal.Signals) -> None:
    """Receive ``number`` when the parent process dies."""
    _prctl(PR_SET_PDEATHSIG, number)


def end_descendants(*, spare: Iterable[int] = (), patience: float = 5.0) -> list[int]:
    """Kill all descendants of this process until none is left; it must be a subreaper.

    Args:
        spare: Process ids to leave alive; their descendants are killed all the same.
        patience: Time to wait for killed processes to vanish [s].

    Returns:
        Ids of processes that would not die, an empty list when the tree is gone.
    """
    import psutil  # slow to import, and needed only at the end of a run

    spared = set(spare)
    deadline = time.monotonic() + patience
    while True:
        left = [child for child in psutil.Process().children(recursive=True) if child.pid not in spared]
        reap(spared)
        left = [child for child in left if _state(child.pid) not in {"Z", "X", None}]
        if not left or time.monotonic() > deadline:
            return [child.pid for child in left]
        for child in left:
            # A process may fork between two looks; killing in rounds until a look finds none outruns that.
            kill(child.pid)
        time.sleep(0.01)


def reap(spare: Iterable[int] = ()) -> None:
    """Collect ended children, so that no zombie is left, except those in ``spare`` whose exit code is wanted."""
    import psutil  # slow to import, and needed only at the end of a run

    spared = set(spare)
    for child in psutil.Process().children():
        if child.pid not in spared and _state(child.pid) == "Z":
            try:
                os.waitpid(child.pid, os.WNOHANG)
            except ChildProcessError:
                continue


def kill(pid: int) -> None:
    """End a process at once; one that is gone already is fine."""
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def belongs_to_a_run(pid: int) -> bool | None:
    """Whether a process carries the marker of any run; None where it cannot be asked (another user's, or not here)."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return None
    return f"\0{RUN_FOLDER_VARIABLE}=".encode() in b"\0" + environment


def find(module: str, argument: Path) -> list[ProcessIdentity]:
    """The live processes that execute a module for a project or a run, found by their command lines."""
    import psutil  # slow to import, and needed only at the end of a run

    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if module in command and str(argument) in command:
            identity = ProcessIdentity.of(process.pid)
            if identity is not None and identity.alive():
                found.append(identity)
    return found


def find_supervisor(run_folder: Path) -> ProcessIdentity | None:
    """The live supervisor of a run."""
    return next(iter(find(SUPERVISOR, run_folder)), None)


def marked_processes(run_folder: Path) -> list[int]:
    """Ids of all live processes of this user that carry the run's marker, whatever their parent."""
    wanted = f"{RUN_FOLDER_VARIABLE}={run_folder}".encode()
    found = []
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environment = Path(entry.path, "environ").read_bytes().split(b"\0")
        except OSError:
            continue  # gone, or another user's
        if wanted in environment and _state(int(entry.name)) not in {"Z", "X", None}:
            found.append(int(entry.name))
    return found


def end_marked(run_folder: Path, *, patience: float = 5.0) -> list[int]:
    """Kill everything that carries the run's marker; returns ids of what would not die."""
    deadline = time.monotonic() + patience
    while left := marked_processes(run_folder):
        if time.monotonic() > deadline:
            return left
        for pid in left:
            kill(pid)
        time.sleep(0.02)
    return []


def _stat_fields(pid: int) -> list[str] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The second field, the command in brackets, may itself hold spaces and brackets.
    return text.rpartition(")")[2].split()


def _state(pid: int) -> str | None:
    fields = _stat_fields(pid)
    return fields[0] if fields else None


def _start_ticks(pid: int) -> int | None:
    fields = _stat_fields(pid)
    return int(fields[19]) if fields else None


def _prctl(option: int, argument: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(option, argument, 0, 0, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), "prctl")
