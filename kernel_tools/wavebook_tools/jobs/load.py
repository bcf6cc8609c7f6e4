"""What people want to know of a device beside its leases: how busy it is, and who the strangers on it are."""

from __future__ import annotations

from dataclasses import replace

import psutil

from wavebook_tools.jobs.devices import Device


def with_load(device: Device) -> Device:
    """The CPU slot with the load and memory of the machine, which no driver tells; any other device as it is."""
    if device.kind != "cpu":
        return device
    memory = psutil.virtual_memory()
    return replace(
        device,
        utilisation=round(psutil.cpu_percent()),  # since the last call
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
