"""The devices of this machine: its GPUs and their MIG instances by NVML, or one CPU slot where there is none."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from wavebook_tools.errors import UsageError, WavebookError, did_you_mean
from wavebook_tools.jobs import leases
from wavebook_tools.jobs.processes import belongs_to_a_run

if TYPE_CHECKING:  # pydantic takes most of a dispatcher's start
    from wavebook_tools.records.plan import WavePlan

CPU = "cpu"


@dataclass(frozen=True)
class Device:
    """One device that a run can be placed on. What the driver does not tell is None."""

    id: str
    """``cpu``, the GPU's UUID or the MIG instance's."""
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
    parent: str | None = None
    """UUID of the GPU that this MIG instance is a part of."""
    slice_index: int | None = None
    """The MIG instance's number on its GPU."""
    holders: list[str] = field(default_factory=list)
    """Runs that hold a lease on it, of any project and user."""
    foreign: list[int] = field(default_factory=list)
    """Processes on it that belong to no run of ours."""

    @property
    def label(self) -> str:
        """Its short name: ``cpu``, ``0``, or ``0:1`` for the MIG instance 1 of GPU 0."""
        if self.index is None:
            return self.id
        return str(self.index) if self.slice_index is None else f"{self.index}:{self.slice_index}"

    @property
    def title(self) -> str:
        """What people call it: ``GPU 0``, ``GPU 0:1`` for a MIG instance, or ``CPU``."""
        return f"GPU {self.label}" if self.kind == "gpu" else "CPU"

    def as_dict(self) -> dict[str, Any]:
        """The device as plain JSON data."""
        return {**asdict(self), "label": self.label}


def list_devices() -> list[Device]:
    """The GPUs that CUDA_VISIBLE_DEVICES allows, in the order of the PCI bus, or the CPU slot on a machine without.

    A GPU in MIG mode stands as its instances.

    Raises:
        WavebookError: A driver is there but does not answer; that is never taken for a machine without GPUs.
    """
    try:
        with _driver() as nvml:
            found = [device for index in range(nvml.nvmlDeviceGetCount()) for device in _describe_gpu(nvml, index)]
    except _NoDriverError:
        return [_occupied(cpu_slot())]
    allowed = _visible(found)
    return [_occupied(device) for device in allowed or [cpu_slot()]]


def processes_on(device_ids: Iterable[str]) -> dict[str, list[int]]:
    """Process ids on these devices now, by device; a device that is no GPU, or does not tell, has none.

    Raises:
        WavebookError: A driver is there but does not answer.
    """
    wanted = list(device_ids)
    if all(device == CPU for device in wanted):
        return {}
    try:
        with _driver() as nvml:
            gpus = [device for device in wanted if device != CPU]
            return {device: _processes(nvml, nvml.nvmlDeviceGetHandleByUUID(device)) for device in gpus}
    except _NoDriverError:
        return {}


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
            chosen.append(next((d for d in devices if d.id == CPU), None) or _occupied(cpu_slot()))
            continue
        fitting = [d for d in devices if d.kind == "gpu" and (d.label == name or d.id.startswith(name))]
        if len(fitting) != 1:
            names = ["auto", CPU, *(d.label for d in devices), *(d.id for d in devices)]
            reason = "fits several devices" if fitting else "fits no device of this machine"
            known = ", ".join(dict.fromkeys(names))
            raise UsageError(f"device {name!r} {reason}.{did_you_mean(name, names)} Devices: {known}")
        if fitting[0] not in chosen:
            chosen.append(fitting[0])
    return chosen


def devices_for(who: str, requested: list[str], gpus: int, devices: list[Device]) -> list[Device]:
    """The devices that a request allows, where they are enough.

    Args:
        who: Whose request it is, for the message.
        requested: As ``select_devices`` takes it.
        gpus: How many devices one run trains on.
        devices: What this machine has.

    Raises:
        UsageError: A name fits no device, or more than one, or the run trains on more devices than it may take.
    """
    allowed = select_devices(requested, devices)
    if gpus > len(allowed):
        choice = f"plan for gpus = {len(allowed)}"
        if gpus <= len(devices):
            choice += f", or let it take {gpus} of {', '.join(device.label for device in devices)}"
        labels = ", ".join(device.label for device in allowed)
        raise UsageError(f"{who} wants {gpus} devices and may take {len(allowed)} ({labels}); {choice}")
    return allowed


def check_devices_of(plan: WavePlan, devices: list[Device]) -> None:
    """Refuse a plan with an experiment whose runs these devices cannot hold.

    Raises:
        UsageError: A name fits no device, or more than one, or a run trains on more devices than it may take.
    """
    for experiment in plan.experiments:
        gpus = experiment.gpus or plan.gpus
        devices_for(f"each run of {experiment.id}", experiment.devices or plan.devices, gpus, devices)


class _NoDriverError(Exception):
    """The machine has no NVIDIA driver."""


@contextmanager
def _driver() -> Iterator[Any]:
    """The driver's bindings, initialised."""
    try:
        ctypes.CDLL("libnvidia-ml.so.1")
    except OSError as error:
        raise _NoDriverError from error  # most of a small machine's start would go into importing the bindings
    import pynvml

    try:
        pynvml.nvmlInit()
    except (pynvml.NVMLError_LibraryNotFound, pynvml.NVMLError_DriverNotLoaded) as error:
        raise _NoDriverError from error
    except pynvml.NVMLError as error:
        raise WavebookError(f"the NVIDIA driver does not answer: {error}; see `nvidia-smi`") from error
    try:
        yield pynvml
    except pynvml.NVMLError as error:
        raise WavebookError(f"the NVIDIA driver does not list its devices: {error}; see `nvidia-smi`") from error
    finally:
        pynvml.nvmlShutdown()


def _describe_gpu(nvml: Any, index: int) -> list[Device]:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    gpu = _describe(nvml, handle, index)
    mode = _guarded(lambda: nvml.nvmlDeviceGetMigMode(handle)[0])
    if mode != nvml.NVML_DEVICE_MIG_ENABLE:
        return [gpu]
    instances = []
    for number in range(_guarded(lambda: nvml.nvmlDeviceGetMaxMigDeviceCount(handle)) or 0):
        instance = _guarded(partial(nvml.nvmlDeviceGetMigDeviceHandleByIndex, handle, number))
        if instance is not None:  # a number that is not in use
            described = _describe(nvml, instance, index)
            instances.append(
                replace(described, name=f"{gpu.name}, {described.name}", parent=gpu.id, slice_index=number)
            )
    return instances


def _describe(nvml: Any, handle: Any, index: int) -> Device:
    memory = _guarded(lambda: nvml.nvmlDeviceGetMemoryInfo(handle))
    return Device(
        id=_guarded(lambda: _text(nvml.nvmlDeviceGetUUID(handle))) or f"gpu-{index}",
        kind="gpu",
        name=_guarded(lambda: _text(nvml.nvmlDeviceGetName(handle))) or "NVIDIA GPU",
        index=index,
        memory_total=memory.total if memory else None,
        memory_used=memory.used if memory else None,
        utilisation=_guarded(lambda: nvml.nvmlDeviceGetUtilizationRates(handle).gpu),
        processes=_processes(nvml, handle),
    )


def _processes(nvml: Any, handle: Any) -> list[int]:
    return _guarded(lambda: [p.pid for p in nvml.nvmlDeviceGetComputeRunningProcesses(handle)]) or []


def _occupied(device: Device) -> Device:
    """The device with who is on it."""
    held = leases.holders(device.id)
    foreign = []
    for pid in device.processes:
        ours = belongs_to_a_run(pid)
        # Another user's process, or one outside this container, cannot be asked: a lease tells whether it is a run.
        if ours is False or (ours is None and not held):
            foreign.append(pid)
    return replace(device, holders=[str(holder) for holder in held], foreign=foreign)


def _guarded[T](read: Callable[[], T]) -> T | None:
    # Inside containers and with MIG any single field may be refused while the device works.
    import pynvml

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
    return [d for name in names for d in devices if d.label == name or d.id.startswith(name)]
