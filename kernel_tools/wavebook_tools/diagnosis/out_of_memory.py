"""Out of memory: of the device or of the machine."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wavebook_tools.diagnosis.finding import Action, Finding, Suggestion
from wavebook_tools.diagnosis.signature import Failure, RunView, Signature, line_with

ERRORS = re.compile(
    r"OutOfMemoryError"  # torch.OutOfMemoryError, formerly torch.cuda.OutOfMemoryError
    r"|CUDA out of memory"
    r"|CUDA error: out of memory|CUDA error 2: out of memory|cudaErrorMemoryAllocation|CUDA_ERROR_OUT_OF_MEMORY"
    r"|Failed to allocate \d+ bytes (?:on device|with )"  # warp/_src/context.py
    r"|Failed to allocate memory during graph capture"
    r"|CUBLAS_STATUS_ALLOC_FAILED"
    r"|DefaultCPUAllocator: (?:can't|not enough)"
    r"|\bMemoryError\b|std::bad_alloc|numpy\S* Unable to allocate|Cannot allocate memory"
)

NEARLY_FULL = 0.1
"""Share of a device's memory below which a driver's error is put down to it: even small trainings take some GB."""

KILLED = re.compile(r"(?:Memory cgroup o|O)ut of memory: Killed process (\d+) \(([^)]*)\)")
"""What the machine's kernel writes when it kills a process for memory."""


class OutOfMemory(Signature):
    """A run failed with one of the messages of torch, Warp, CUDA, numpy or libc about memory; or a process of it was
    killed while the count of memory kills rose (of the run's control group, or in the machine's kernel log). A SIGKILL
    alone is no sign: people send it too."""

    kind = "out of memory"

    def explain(self, failure: Failure, run: RunView) -> Finding | None:
        why = "the memory that a run takes grows with its environments"
        match = failure.find(ERRORS)
        if match is not None:
            line = line_with(match.string, match.start())
            evidence: dict[str, Any] = {"line": line, "num_envs": run.num_envs, "last_iteration": run.last_iteration}
            return Finding(self.kind, f"out of memory: {line}", evidence, ends_run=True, suggestion=run.fewer_envs(why))
        if not failure.out_of_memory_kills or failure.raised_here:
            return None  # none, or of another run in the same control group: this one lived to raise an exception
        message = f"the machine ran out of memory and killed a process: {'; '.join(failure.out_of_memory_kills)}"
        evidence = {"kills": list(failure.out_of_memory_kills), "num_envs": run.num_envs}
        return Finding(self.kind, message[:600], evidence, ends_run=True, suggestion=run.fewer_envs(why))


def full_device(error: str, device: str, free: int, total: int, others: Sequence[int]) -> Finding | None:
    """A run that failed with a CUDA error on a device that is all but full without it.

    Warp does not check each allocation: seen on an H100 with 0.9 GB left, a training that needs 3.7 GB ended with «CUDA
    error 700: an illegal memory access», and nothing said that memory was short.

    Args:
        error: What the run failed with.
        device: The device's name, for people.
        free: Memory that is free now that the run has ended [bytes].
        total: The device's memory [bytes].
        others: Processes on it that are no runs.
    """
    if free > NEARLY_FULL * total:
        return None
    held = f"processes {list(others)} hold" if others else "other processes hold"
    message = f"device {device} is full: {free / 1e9:.1f} of {total / 1e9:.0f} GB are free, {held} the rest ({error})"
    evidence = {"line": error, "free_bytes": free, "total_bytes": total, "processes": list(others)}
    suggestion = Suggestion(Action.FREE_DEVICE, "the run's memory was taken by processes that are no runs")
    return Finding(OutOfMemory.kind, message[:600], evidence, ends_run=True, suggestion=suggestion)


class MemoryKills:
    """Counts the processes that the machine has killed for memory since this was made."""

    def __init__(self) -> None:
        self._counters = _counters()
        self._before = {path: _count(path) for path in self._counters}

    def since(self) -> tuple[str, ...]:
        """One line for each sign of a kill; empty where there was none, or none can be seen."""
        found = []
        for path in self._counters:
            killed = _count(path) - self._before[path]
            if killed > 0:
                found.append(f"{killed} killed for memory in the control group {path.parent}")
        return tuple(found)


def kernel_log_kills(since: float) -> tuple[str, ...]:
    """Processes killed for memory, as the machine's kernel log tells; empty where it may not be read.

    Args:
        since: Only what is newer than this time of the monotonic clock [s].
    """
    found: list[str] = []
    with contextlib.suppress(OSError):
        descriptor = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            while len(found) < 8:
                # One record a read: «priority,number,microseconds since the start,flags;text».
                head, _, text = os.read(descriptor, 8192).decode(errors="replace").partition(";")
                fields = head.split(",")
                match = KILLED.search(text)
                if match and len(fields) > 2 and fields[2].isdigit() and int(fields[2]) / 1e6 > since:
                    found.append(f"process {match[1]} ({match[2]})")
        except OSError:
            pass  # the end, EAGAIN; or records were overwritten while being read, EPIPE
        finally:
            os.close(descriptor)
    return tuple(found)


def _counters() -> list[Path]:
    """The files that count memory kills in the control groups of this process, of version 2 and 1."""
    found = []
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, group = line.split(":", 2)
            if not controllers:
                base, name = Path("/sys/fs/cgroup"), "memory.events"
            elif "memory" in controllers.split(","):
                base, name = Path("/sys/fs/cgroup/memory"), "memory.oom_control"
            else:
                continue
            # In a container the group is named as the host sees it, while its files lie at the top.
            for path in (base / group.lstrip("/") / name, base / name):
                if path.exists():
                    found.append(path)
                    break
    return found


def _count(path: Path) -> int:
    with contextlib.suppress(OSError, ValueError):
        for line in path.read_text().splitlines():
            name, _, count = line.partition(" ")
            if name == "oom_kill":
                return int(count)
    return 0
