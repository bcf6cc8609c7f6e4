"""What people want to know of a device beside its leases: how busy it is, and who the strangers on it are."""

from __future__ import annotations

import time
from dataclasses import replace
from threading import Lock

import psutil

from wavebook_tools.jobs.devices import Device

SHORTEST_LOOK = 0.5
"""Two looks that lie closer together than this tell the same load [s]."""

FIRST_LOOK = 0.1
"""How long the first look of a process takes [s]."""


class ProcessorLoad:
    """How busy the machine's processors were since the last look, whoever looked.

    psutil keeps the last look of each thread apart, and a thread's first one is 0 %; a server's requests come in any.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._last: tuple[float, float, float] | None = None
        self._load = 0.0

    def __call__(self) -> float:
        """The load [%]. The first look takes 0.1 s."""
        with self._lock:
            if self._last is None:
                self._last = self._look()
                time.sleep(FIRST_LOOK)
            elif time.monotonic() - self._last[0] < SHORTEST_LOOK:
                return self._load
            now = self._look()
            idle, total = now[1] - self._last[1], now[2] - self._last[2]
            self._load = min(max(100 * (1 - idle / total), 0.0), 100.0) if total > 0 else self._load
            self._last = now
            return self._load

    @staticmethod
    def _look() -> tuple[float, float, float]:
        times = psutil.cpu_times()._asdict()
        total = sum(seconds for name, seconds in times.items() if not name.startswith("guest"))  # user holds guests
        return time.monotonic(), times["idle"] + times.get("iowait", 0.0), total


_processor_load = ProcessorLoad()


def with_load(device: Device) -> Device:
    """The CPU slot with the load and memory of the machine, which no driver tells; any other device as it is."""
    if device.kind != "cpu":
        return device
    memory = psutil.virtual_memory()
    return replace(
        device,
        utilisation=round(_processor_load()),
        memory_used=memory.total - memory.available,
        memory_total=memory.total,
    )


def process_name(pid: int) -> str:
    """A process in words: its name, whose it is and its number."""
    try:
        process = psutil.Process(pid)
        return f"{process.name()} of {process.username()} ({pid})"
    except psutil.Error:  # gone, or outside this container
        return f"process {pid}"
