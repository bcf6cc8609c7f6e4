"""The devices of this machine: its GPUs by NVML, or one CPU slot where there is none."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import pynvml

from wavebook_tools.errors import UsageError, WavebookError, did_you_mean

CPU = "cpu"


@dataclass(frozen=True)
class Device:
    """One device that a run can be placed on. What the driver does not tell is None."""

    id: str
    """``cpu``, or the GPU's UUID."""
    kind: Literal["cpu", "gpu"]
    name: str
    index: int | None = None
    """NVML's index, which follows the PCI bus; it is not stable across reboots."""
    memory_total: int | None = None
    """[bytes]"""
    memory_used: int | None = None
    """[bytes]"""
    utilisation: int | None = None
    """Share of the last sample period in which a kernel ran [%]."""
    processes: list[int] = field(default_factory=list)
    """Process ids on the device as the host counts them."""

    def as_dict(self) -> dict[str, Any]:
        """The device as plain JSON data."""
        return asdict(self)


def list_devices() -> list[Device]:
    """The GPUs that CUDA_VISIBLE_DEVICES allows, in the order of the PCI bus, or the CPU slot on a machine without.

    Raises:
        WavebookError: A driver is there but does not answer; that is never taken for a machine without GPUs.
    """
    try:
        pynvml.nvmlInit()
    except (pynvml.NVMLError_LibraryNotFound, pynvml.NVMLError_DriverNotLoaded):
        return [cpu_slot()]
    except pynvml.NVMLError as error:
        raise WavebookError(f"the NVIDIA driver does not answer: {error}; see `nvidia-smi`") from error
    try:
        found = [_describe(index) for index in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError as error:
        raise WavebookError(f"the NVIDIA driver does not list its devices: {error}; see `nvidia-smi`") from error
    finally:
        pynvml.nvmlShutdown()
    allowed = _visible(found)
    return allowed or [cpu_slot()]


def cpu_slot() -> Device:
    """The one slot of a machine without GPUs."""
    return Device(id=CPU, kind="cpu", name=f"CPU, {os.cpu_count()} threads")


def select_devices(requested: list[str], devices: list[Device]) -> list[Device]:
    """The devices that a request allows: ``['auto']``, ``['cpu']``, or indices and UUIDs (or their beginnings).

    Raises:
        UsageError: A name fits no device, or more than one.
    """
    if requested == ["auto"]:
        return devices
    chosen = []
    for name in requested:
        if name == CPU:
            chosen.append(cpu_slot())
            continue
        fitting = [d for d in devices if d.kind == "gpu" and (str(d.index) == name or d.id.startswith(name))]
        if len(fitting) != 1:
            names = ["auto", CPU, *(str(d.index) for d in devices if d.index is not None), *(d.id for d in devices)]
            reason = "fits several devices" if fitting else "fits no device of this machine"
            known = ", ".join(dict.fromkeys(names))
            raise UsageError(f"device {name!r} {reason}.{did_you_mean(name, names)} Devices: {known}")
        chosen.append(fitting[0])
    return chosen


def _describe(index: int) -> Device:
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    memory = _guarded(lambda: pynvml.nvmlDeviceGetMemoryInfo(handle))
    return Device(
        id=_guarded(lambda: _text(pynvml.nvmlDeviceGetUUID(handle))) or f"gpu-{index}",
        kind="gpu",
        name=_guarded(lambda: _text(pynvml.nvmlDeviceGetName(handle))) or "NVIDIA GPU",
        index=index,
        memory_total=memory.total if memory else None,
        memory_used=memory.used if memory else None,
        utilisation=_guarded(lambda: pynvml.nvmlDeviceGetUtilizationRates(handle).gpu),
        processes=_guarded(lambda: [p.pid for p in pynvml.nvmlDeviceGetComputeRunningProcesses(handle)]) or [],
    )


def _guarded[T](read: Callable[[], T]) -> T | None:
    # Inside containers and with MIG any single field may be refused while the device works.
    try:
        return read()
    except pynvml.NVMLError:
        return None


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _visible(devices: list[Device]) -> list[Device]:
    inherited = os.environ.get("CUDA_VISIBLE_DEVICES")
    if inherited is None:
        return devices
    names = [name.strip() for name in inherited.split(",") if name.strip()]
    return [d for name in names for d in devices if str(d.index) == name or d.id.startswith(name)]
