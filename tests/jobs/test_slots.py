"""Where runs go, on simulated GPUs that the real driver bindings see, with real runs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.jobs.conftest import EVALUATION, small_plan, write_template
from tests.jobs.engines.holding import HOLD, release, row
from tests.jobs.gpus import Machine
from wavebook_tools.errors import UsageError
from wavebook_tools.jobs import leases
from wavebook_tools.jobs.devices import list_devices
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.jobs.status import project_status
from wavebook_tools.records.plan import Budget, ExperimentSpec, WavePlan
from wavebook_tools.records.run import RunState


def wait_until(holds: Callable[[], object], timeout: float = 60) -> None:
    deadline = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < deadline, holds
        time.sleep(0.05)


def holding(queue: Queue, plan: WavePlan) -> list[str]:
    """Submit a wave whose runs hold their devices until ``release``."""
    write_template(queue.project, "hold", HOLD, EVALUATION)
    return list(queue.submit_wave(plan))


def training(queue: Queue, run_id: str) -> bool:
    log = queue.project.run(run_id).log_path
    return log.exists() and "devices" in log.read_text()


def plan(wave: int = 1, seeds: int = 1, **changes: Any) -> WavePlan:
    return small_plan(wave, template="hold", seeds=seeds).model_copy(update={"devices": ["auto"], **changes})


def test_runs_spread_over_the_devices_and_see_their_own(queue: Queue, machine: Machine) -> None:
    ids = holding(queue, plan(seeds=3))
    wait_until(lambda: training(queue, ids[0]) and training(queue, ids[1]))
    assert {row(queue, run).device for run in ids[:2]} == {"GPU-aaaa", "GPU-bbbb"}
    third = row(queue, ids[2])
    assert third.state is RunState.QUEUED
    assert third.message
    assert "0: exp001/s" in third.message
    release(queue)
    assert queue.wait(ids, timeout=60)
    for run in ids:
        assert f"devices {row(queue, run).device}\n" in queue.project.run(run).log_path.read_text()
    assert {row(queue, run).state for run in ids} == {RunState.DONE}


def test_a_run_on_two_devices_is_not_passed_by_runs_that_want_one(queue: Queue, machine: Machine) -> None:
    first = holding(queue, plan(1, devices=["0"]))
    both = holding(queue, plan(2, gpus=2))
    last = holding(queue, plan(3))
    wait_until(lambda: training(queue, first[0]))
    wait_until(lambda: row(queue, both[0]).message)
    assert row(queue, last[0]).state is RunState.QUEUED
    release(queue)
    assert queue.wait([*first, *both, *last], timeout=90)
    assert row(queue, both[0]).device == "GPU-aaaa,GPU-bbbb"
    assert "devices GPU-aaaa,GPU-bbbb\n" in queue.project.run(both[0]).log_path.read_text()
    assert (row(queue, last[0]).started or 0) >= (row(queue, both[0]).ended or 0)


def test_more_devices_than_there_are_is_refused(queue: Queue, machine: Machine) -> None:
    with pytest.raises(UsageError, match="each run of exp001 wants 3 devices and may take 2"):
        holding(queue, plan(gpus=3))
    assert queue.store.all() == []


def test_small_runs_share_a_device_up_to_the_limit(queue: Queue, machine: Machine) -> None:
    machine.set(["GPU-aaaa"])
    queue.project.settings_path.write_text("[devices]\nruns_per_gpu = 2\n")
    ids = holding(queue, plan(seeds=3, share=True))
    wait_until(lambda: training(queue, ids[0]) and training(queue, ids[1]))
    assert row(queue, ids[2]).state is RunState.QUEUED
    assert len(list_devices()[0].holders) == 2
    release(queue)
    assert queue.wait(ids, timeout=90)
    assert {row(queue, run).device for run in ids} == {"GPU-aaaa"}


def test_a_foreign_process_is_avoided_told_and_can_block(queue: Queue, machine: Machine) -> None:
    machine.set(["GPU-aaaa", "GPU-bbbb"], {"GPU-aaaa": [os.getpid()]})
    ids = holding(queue, plan(seeds=2))
    wait_until(lambda: training(queue, ids[0]) and training(queue, ids[1]))
    assert row(queue, ids[0]).device == "GPU-bbbb", "the free one first"
    alerts = [e for e in queue.project.run(ids[1]).events() if e["kind"] == "alert"]
    assert [(a["finding"], a["evidence"]["processes"]) for a in alerts] == [("foreign process", [os.getpid()])]
    queue.project.settings_path.write_text('[devices]\nforeign = "block"\n')
    blocked = holding(queue, plan(2, devices=["0"]))
    release(queue)
    assert queue.wait(ids, timeout=60)
    wait_until(lambda: "foreign processes" in (row(queue, blocked[0]).message or ""))
    machine.set(["GPU-aaaa", "GPU-bbbb"])
    assert queue.wait(blocked, timeout=60)
    assert row(queue, blocked[0]).state is RunState.DONE


def test_a_device_that_another_project_holds_is_waited_for(queue: Queue, machine: Machine) -> None:
    machine.set(["GPU-aaaa"])
    lease = leases.acquire("GPU-aaaa", run="exp009/s0", project="/elsewhere")
    assert lease
    ids = holding(queue, plan())
    wait_until(lambda: "exp009/s0 in /elsewhere" in (row(queue, ids[0]).message or ""))
    lease.release()
    release(queue)
    assert queue.wait(ids, timeout=60)
    assert row(queue, ids[0]).state is RunState.DONE


def test_a_run_is_cancelled_only_when_the_driver_shows_none_of_its_processes(queue: Queue, machine: Machine) -> None:
    ids = holding(queue, plan(devices=["0"]))
    wait_until(lambda: training(queue, ids[0]))
    gone = 2**22 + 7  # a process id that no process of this machine can have: the kernel, as the driver still sees it
    machine.set(["GPU-aaaa", "GPU-bbbb"], {"GPU-aaaa": [gone]})
    queue.cancel(ids[0], "ana")
    time.sleep(3)
    assert not row(queue, ids[0]).state.final
    assert leases.holders("GPU-aaaa"), "the device stays taken while the driver has not freed it"
    machine.set(["GPU-aaaa", "GPU-bbbb"])
    assert queue.wait(ids, timeout=30)
    assert row(queue, ids[0]).state is RunState.CANCELLED
    assert leases.holders("GPU-aaaa") == []


def test_priority_moves_a_run_ahead_and_only_the_waiting(queue: Queue, machine: Machine) -> None:
    machine.set(["GPU-aaaa"])
    ids = holding(queue, plan(seeds=3))
    wait_until(lambda: training(queue, ids[0]))
    queue.set_priority(ids[2], 5, "ana")
    with pytest.raises(UsageError, match=r"does not wait any more \(it has started\)$"):
        queue.set_priority(ids[0], 5, "ana")
    with pytest.raises(UsageError, match="cancel it, retry it, and send the repeat elsewhere"):
        queue.set_devices(ids[0], ["0"], "ana")
    release(queue)
    assert queue.wait(ids, timeout=90)
    assert (row(queue, ids[2]).started or 0) < (row(queue, ids[1]).started or 0)
    assert [d.refs["runs"] for d in queue.project.ledger.read() if d.what == "priority"] == [[ids[2]]]


def test_what_waits_for_a_mig_instance_names_its_holder_alone(queue: Queue, machine: Machine) -> None:
    machine.set(["GPU-aaaa", "MIG-a0", "MIG-a1"])
    ids = holding(queue, plan(seeds=3))
    wait_until(lambda: training(queue, ids[0]) and training(queue, ids[1]))
    wait_until(lambda: "waits" in (row(queue, ids[2]).message or ""))
    assert row(queue, ids[2]).message == f"waits for a device (GPU 0:0: {ids[0]}; GPU 0:1: {ids[1]})"


def test_no_more_runs_than_the_settings_allow(queue: Queue, machine: Machine) -> None:
    queue.project.settings_path.write_text("[queue]\nmax_running = 1\n")
    ids = holding(queue, plan(seeds=2))
    wait_until(lambda: training(queue, ids[0]))
    wait_until(lambda: "queue.max_running" in (row(queue, ids[1]).message or ""))
    release(queue)
    assert queue.wait(ids, timeout=60)


def test_a_wave_that_has_spent_its_gpu_hours_is_ended(queue: Queue, machine: Machine) -> None:
    ids = holding(queue, plan(seeds=3, budget=Budget(gpu_hours=0.002)))  # 7.2 s
    assert queue.wait(ids, timeout=60)
    for run in ids:
        assert row(queue, run).state is RunState.CANCELLED
        assert "budget of 0.002 GPU hours" in (row(queue, run).message or "")
    assert {d.actor for d in queue.project.ledger.read() if d.what == "cancel"} == {"watchdog"}


def test_a_run_that_takes_too_long_is_ended(queue: Queue, machine: Machine) -> None:
    queue.project.settings_path.write_text("[limits]\nrun_hours = 0.001\n")  # 3.6 s
    ids = holding(queue, plan())
    assert queue.wait(ids, timeout=60)
    assert row(queue, ids[0]).state is RunState.FAILED
    assert "limit of 0.001 h" in (row(queue, ids[0]).message or "")
    alerts = [e for e in queue.project.run(ids[0]).events() if e["kind"] == "alert"]
    assert [(a["finding"], a["ends_run"]) for a in alerts] == [("time limit", True)]


def test_no_run_starts_while_the_disk_is_too_full(queue: Queue) -> None:
    queue.project.settings_path.write_text("[limits]\nfree_disk_gb = 1000000\n")
    ids = queue.submit_wave(small_plan())
    wait_until(lambda: "disk space" in (row(queue, ids[0]).message or ""))
    assert row(queue, ids[0]).state is RunState.QUEUED
    queue.cancel(ids[0], "ana")
    assert queue.wait(ids, timeout=30)


def test_start_and_end_are_estimated_from_earlier_runs(queue: Queue, machine: Machine) -> None:
    machine.set(["GPU-aaaa"])
    earlier = queue.submit_wave(small_plan(9, iterations=20).model_copy(update={"devices": ["auto"]}))
    assert queue.wait(earlier, timeout=60)
    ids = holding(queue, plan(seeds=3, iterations=20))
    wait_until(lambda: training(queue, ids[0]))
    waves = {wave["id"]: wave for wave in project_status(queue.project)["waves"]}
    runs = waves[1]["runs"]
    took = (row(queue, earlier[0]).ended or 0) - (row(queue, earlier[0]).started or 0)
    assert runs[0]["estimated_end"] == pytest.approx(runs[0]["started"] + took, abs=0.5 * took + 2)
    assert runs[1]["estimated_start"] == runs[0]["estimated_end"]
    assert runs[2]["estimated_start"] == pytest.approx(runs[1]["estimated_start"] + took, abs=0.5 * took + 2)
    assert runs[2]["estimated_end"] > runs[2]["estimated_start"]


def test_a_process_that_came_while_the_run_was_on_is_not_taken_for_what_is_left_of_it(
    queue: Queue, machine: Machine
) -> None:
    ids = holding(queue, plan(devices=["0"]))
    wait_until(lambda: training(queue, ids[0]))
    machine.set(["GPU-aaaa", "GPU-bbbb"], {"GPU-aaaa": [os.getpid()]})
    queue.cancel(ids[0], "ana")
    assert queue.wait(ids, timeout=15)
    assert row(queue, ids[0]).state is RunState.CANCELLED


def test_a_driver_error_on_a_device_that_others_fill_is_told_as_memory(queue: Queue, machine: Machine) -> None:
    error = "Warp copy error: Warp CUDA error 700: an illegal memory access was encountered"  # as on a real H100
    write_template(queue.project, "full", HOLD, f"raise RuntimeError({error!r})")
    ids = queue.submit_wave(plan(devices=["0"]).model_copy(update={"experiments": [_with_template("full")]}))
    wait_until(lambda: training(queue, ids[0]))
    machine.path.write_text(f"gpu GPU-aaaa {78 << 30} 0 {os.getpid()}\ngpu GPU-bbbb 0 0\n")
    release(queue)
    assert queue.wait(ids, timeout=60)
    alerts = [e for e in queue.project.run(ids[0]).events() if e["kind"] == "alert"]
    assert [(a["finding"], a["suggestion"]["action"]) for a in alerts] == [("out of memory", "free_device")]
    assert str(os.getpid()) in alerts[0]["message"]


def _with_template(name: str) -> ExperimentSpec:
    return small_plan().experiments[0].model_copy(update={"template": name})
