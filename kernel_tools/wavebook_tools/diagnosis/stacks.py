"""Where the processes of a run stand: the Python and native stack of each, taken before they are killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from wavebook_tools.records.states import RUN_FOLDER_VARIABLE

MOST_PROCESSES = 24
MOST_THREADS = 64
MOST_CHARACTERS = 64 * 1024
"""Characters of one process."""

TOTAL_CHARACTERS = 512 * 1024
TOTAL_TIME = 30.0
"""How long all of it may take [s]: the run stays on its device until then."""

ATTEMPTS: tuple[tuple[tuple[str, ...], float], ...] = (
    (("--native",), 10.0),
    ((), 5.0),
    (("--nonblocking",), 5.0),
)
"""Options of py-spy and the time of each [s]. Native frames need the process's libraries read, which takes long and
fails for some; without a pause the process need not be stopped, which fails while a driver holds it in the kernel."""

NOT_TO_BE_PAUSED = frozenset("TtD")
"""States of a thread in which its process cannot be paused: stopped, traced, in a call that a driver keeps.
To try all the same takes the time of the ranks that stand behind it: eight hung ranks are all in such a call."""

FAULT_SIGNAL = signal.SIGUSR2
FAULT_FILE = "fault-stacks.txt"
"""Where ptrace is not allowed: a kernel that has called ``faulthandler.register(FAULT_SIGNAL, …)`` writes its Python
stacks to this file of the run's folder when it gets the signal. That works in native code too."""


def stacks(pid_root: int, folder: Path | None = None) -> str:
    """The stacks of every process below ``pid_root``, as text of bounded size. What cannot be had is said there.

    Args:
        pid_root: The root of the run's process tree; it is left out itself.
        folder: The run's folder; where it is not given, as each process's environment names it.
    """
    import psutil  # not needed while a run is well

    try:
        processes = psutil.Process(pid_root).children(recursive=True)
    except psutil.Error as error:
        return f"no processes below {pid_root}: {error}\n"
    deadline = time.monotonic() + TOTAL_TIME
    parts = [_process(process.pid, deadline, folder) for process in processes[:MOST_PROCESSES]]
    if len(processes) > MOST_PROCESSES:
        parts.append(f"… and {len(processes) - MOST_PROCESSES} more processes\n")
    return "\n".join(parts)[:TOTAL_CHARACTERS]


def _process(pid: int, deadline: float, folder: Path | None) -> str:
    parts = [f"==== process {pid}: {_command(pid)}\n", *_proc(pid)]
    if _is_python(pid):
        found, said = _py_spy(pid, deadline)
        parts += ["py-spy " + line + "\n" for line in said] + [found]
        if not found:
            parts.append(_faulthandler(pid, folder))
    return "".join(parts)[:MOST_CHARACTERS]


def _py_spy(pid: int, deadline: float) -> tuple[str, list[str]]:
    """py-spy's dump, or why there is none."""
    program = shutil.which(
        "py-spy", path=os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
    )
    if program is None:
        return "", ["not installed"]
    said = []
    attempts = ATTEMPTS[-1:] if NOT_TO_BE_PAUSED & _thread_states(pid) else ATTEMPTS
    for options, limit in attempts:
        left = min(limit, deadline - time.monotonic())
        if left <= 0:
            said.append("no time left")
            break
        name = " ".join(options) or "without options"
        try:
            done = subprocess.run(
                [program, "dump", "--pid", str(pid), *options],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=left,
                check=False,
            )
        except subprocess.TimeoutExpired:
            said.append(f"{name}: not done after {left:.0f} s")
            continue
        except OSError as error:
            return "", [str(error)]
        text = done.stdout.decode(errors="replace")
        if done.returncode == 0 and "Thread" in text:
            return f"-- py-spy dump {' '.join(options)}\n{text}\n", said
        said.append(f"{name}: {done.stderr.decode(errors='replace').strip()[:300]}")
    return "", said


def _faulthandler(pid: int, folder: Path | None) -> str:
    """The Python stacks as the process itself writes them on a signal; empty where it does not listen for it."""
    folder = folder or _environment(pid, RUN_FOLDER_VARIABLE)
    if folder is None or not _listens(pid) or _state(pid) in ("T", "t", "Z"):
        return ""
    path = folder / FAULT_FILE
    with contextlib.suppress(OSError):
        before = path.stat().st_size if path.exists() else 0
        os.kill(pid, FAULT_SIGNAL)
        for _ in range(20):
            time.sleep(0.05)
            if path.exists() and path.stat().st_size > before:
                time.sleep(0.05)  # all of its threads
                with open(path, "rb") as stream:
                    stream.seek(before)
                    return f"-- faulthandler\n{stream.read(MOST_CHARACTERS).decode(errors='replace')}\n"
    return "faulthandler: no answer\n"


def _proc(pid: int) -> Iterator[str]:
    """What the machine's kernel tells of a process: its state, and of each thread what it waits for."""
    folder = Path("/proc", str(pid))
    for line in _read(folder / "status").splitlines():
        if line.startswith(("State:", "Threads:", "VmRSS:", "SigPnd:", "SigBlk:")):
            yield line + "\n"
    with contextlib.suppress(OSError):
        for task in sorted((folder / "task").iterdir(), key=lambda path: int(path.name))[:MOST_THREADS]:
            state = next((x for x in _read(task / "status").splitlines() if x.startswith("State:")), "State: ?")
            waits, call = _read(task / "wchan").strip(), _read(task / "syscall").partition(" ")[0].strip()
            yield f"thread {task.name} {_read(task / 'comm').strip()}: {state[6:].strip()}, waits in {waits or '-'}, "
            yield f"system call {call or '-'}\n"
            kernel = _read(task / "stack").strip()  # for root alone
            if kernel:
                yield "    " + kernel.replace("\n", "\n    ") + "\n"


def _read(path: Path) -> str:
    try:
        with open(path, "rb") as stream:
            return stream.read(MOST_CHARACTERS).decode(errors="replace")
    except OSError:
        return ""


def _command(pid: int) -> str:
    return _read(Path("/proc", str(pid), "cmdline")).replace("\0", " ").strip()[:400] or "gone"


def _is_python(pid: int) -> bool:
    """Whether a process runs Python: by its program, or by the library where another program embeds it."""
    with contextlib.suppress(OSError):
        if "python" in os.path.basename(os.readlink(f"/proc/{pid}/exe")):
            return True
    return "libpython" in _read(Path("/proc", str(pid), "maps"))


def _state(pid: int) -> str:
    fields = _read(Path("/proc", str(pid), "stat")).rpartition(")")[2].split()
    return fields[0] if fields else "Z"


def _thread_states(pid: int) -> set[str]:
    with contextlib.suppress(OSError):
        threads = Path("/proc", str(pid), "task").iterdir()
        return {_read(thread / "stat").rpartition(")")[2].strip()[:1] for thread in threads}
    return set()


def _listens(pid: int) -> bool:
    """Whether a process has a handler for the signal, without which it would be killed by it."""
    for line in _read(Path("/proc", str(pid), "status")).splitlines():
        if line.startswith("SigCgt:"):
            return bool(int(line.split()[1], 16) >> (FAULT_SIGNAL - 1) & 1)
    return False


def _environment(pid: int, name: str) -> Path | None:
    for entry in _read(Path("/proc", str(pid), "environ")).split("\0"):
        key, _, value = entry.partition("=")
        if key == name:
            return Path(value)
    return None
