"""What this machine has for runs, as the real driver bindings tell it of simulated GPUs."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from tests.jobs.gpus import Machine
from wavebook_tools.errors import UsageError, WavebookError
from wavebook_tools.jobs.devices import list_devices, select_devices
from wavebook_tools.jobs.load import ProcessorLoad


def test_devices_are_told_with_their_instances_and_processes(machine: Machine) -> None:
    machine.set(["GPU-aaaa", "GPU-bbbb", "MIG-b0", "MIG-b1"], {"GPU-aaaa": [os.getpid()], "MIG-b1": [2**22 + 5]})
    devices = list_devices()
    assert [(d.label, d.id, d.parent) for d in devices] == [
        ("0", "GPU-aaaa", None),
        ("1:0", "MIG-b0", "GPU-bbbb"),
        ("1:1", "MIG-b1", "GPU-bbbb"),
    ]
    assert devices[0].foreign == [os.getpid()], "this test is no run"
    assert devices[0].memory_used == 1 << 30
    assert devices[1].utilisation is None, "the driver does not tell the load of an instance"
    assert [d.id for d in select_devices(["1:1", "GPU-a"], devices)] == ["MIG-b1", "GPU-aaaa"]
    with pytest.raises(UsageError, match="device '1' fits no device"):
        select_devices(["1"], devices)


def test_a_driver_that_fails_is_never_taken_for_a_machine_without_gpus(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NVML_FAILURE", "999")
    with pytest.raises(WavebookError, match="driver does not answer"):
        list_devices()


def test_the_processors_load_is_that_since_any_threads_last_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times = [(0.0, 0.0), (3.0, 1.0), (3.0, 5.0)]  # seconds at work, and idle

    def cpu_times() -> SimpleNamespace:
        user, idle = times.pop(0)
        return SimpleNamespace(_asdict=lambda: {"user": user, "idle": idle, "guest": user})

    monkeypatch.setattr("psutil.cpu_times", cpu_times)
    monkeypatch.setattr("wavebook_tools.jobs.load.FIRST_LOOK", 0.0)
    load = ProcessorLoad()

    def in_a_thread() -> float:
        with ThreadPoolExecutor(1) as threads:
            return threads.submit(load).result()

    monkeypatch.setattr("wavebook_tools.jobs.load.SHORTEST_LOOK", 1000.0)
    assert in_a_thread() == 75
    assert in_a_thread() == 75, "too soon to tell another one"
    monkeypatch.setattr("wavebook_tools.jobs.load.SHORTEST_LOOK", 0.0)
    assert in_a_thread() == 0
    assert times == []
