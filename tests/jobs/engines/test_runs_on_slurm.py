"""Whole runs, notebook and record, through the queue and its dispatcher on a real Slurm with four GPUs."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import psutil
import pytest

from tests.jobs.conftest import small_plan
from tests.jobs.engines.holding import devices, ended, plan, queue_of, release, row, training
from tests.jobs.engines.slurm_cluster import SlurmCluster, wait_until
from wavebook_tools.jobs.budgets import gpu_seconds
from wavebook_tools.jobs.processes import DISPATCHER, find
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.records.project import Project
from wavebook_tools.records.states import RunState

SETTINGS = """\
[engine]
name = "slurm"
[engine.slurm]
cpus = 1
[engine.slurm.devices]
first = "slot0"
last = "slot3"
"""


@pytest.fixture
def cluster_queue(slurm: SlurmCluster, project: Project) -> Iterator[Queue]:
    with queue_of(project, SETTINGS) as queue:
        yield queue


def test_runs_fill_four_devices_wait_for_them_and_leave_the_same_record_as_here(cluster_queue: Queue) -> None:
    runs = list(cluster_queue.submit_wave(plan(seeds=5)))
    training(cluster_queue, *runs[:4])
    assert {devices(cluster_queue, run) for run in runs[:4]} == {"0", "1", "2", "3"}
    assert devices(cluster_queue, runs[4]) is None
    release(cluster_queue)
    for run in runs:
        assert ended(cluster_queue, run).state is RunState.DONE
        assert row(cluster_queue, run).engine == "slurm"
    cluster_queue.project.settings_path.write_text("")
    here = next(iter(cluster_queue.submit_wave(small_plan(2))))
    there = cluster_queue.project.run(runs[0])
    assert ended(cluster_queue, here).state is RunState.DONE

    def kinds(run: str) -> set[str]:
        return {event["kind"] for event in cluster_queue.project.run(run).events()}

    def files(run: str) -> set[str]:
        return {path.name for path in cluster_queue.project.run(run).path.iterdir()}

    assert files(runs[0]) == files(here)
    assert kinds(runs[0]) == kinds(here) - {"metric"}
    result = there.result()
    assert result is not None
    assert result.error_vel_xy == pytest.approx(0.1)


def test_a_cancelled_run_saves_its_notebook_and_a_waiting_one_never_starts(cluster_queue: Queue) -> None:
    runs = list(cluster_queue.submit_wave(plan(seeds=5)))
    training(cluster_queue, *runs[:4])
    cluster_queue.cancel(runs[4], "ada", "not needed")
    waiting = ended(cluster_queue, runs[4])
    assert waiting.state is RunState.CANCELLED
    assert waiting.message == "cancelled by ada: not needed"
    assert devices(cluster_queue, runs[4]) is None
    cluster_queue.cancel(runs[0], "ada", "diverges")
    running = ended(cluster_queue, runs[0])
    assert (running.state, running.message) == (RunState.CANCELLED, "cancelled by ada: diverges")
    notebook = cluster_queue.project.run(runs[0]).notebook_path.read_text()
    assert "devices" in notebook
    assert "diverges" in notebook


def test_a_run_that_waits_in_slurm_spends_no_gpu_hours(cluster_queue: Queue) -> None:
    runs = list(cluster_queue.submit_wave(plan(seeds=5)))
    training(cluster_queue, *runs[:4])
    wait_until(lambda: all(row(cluster_queue, run).started for run in runs[:4]), 10)
    waiting = row(cluster_queue, runs[4])
    assert (waiting.state, waiting.started) == (RunState.STARTING, None)
    assert gpu_seconds([waiting], time.time() + 3600) == 0
    release(cluster_queue)
    done = ended(cluster_queue, runs[4])
    first = row(cluster_queue, runs[0])
    assert done.started is not None
    assert first.started is not None
    assert done.started > first.started
    assert 0 < gpu_seconds([done], time.time() + 3600) < time.time() - first.started


def test_a_run_that_somebody_else_cancels_in_slurm_fails_and_says_so(cluster_queue: Queue, slurm: SlurmCluster) -> None:
    (run,) = cluster_queue.submit_wave(plan())
    training(cluster_queue, run)
    slurm.command("scancel", str(row(cluster_queue, run).native))
    found = ended(cluster_queue, run)
    assert found.state is RunState.FAILED
    assert "ended from outside" in str(found.message)
    assert "devices" in cluster_queue.project.run(run).notebook_path.read_text()


def test_a_run_taken_out_of_slurms_queue_fails_with_slurms_reason(cluster_queue: Queue, slurm: SlurmCluster) -> None:
    runs = list(cluster_queue.submit_wave(plan(seeds=5)))
    training(cluster_queue, *runs[:4])
    slurm.command("scancel", str(row(cluster_queue, runs[4]).native))
    found = ended(cluster_queue, runs[4])
    assert found.state is RunState.FAILED
    assert "CANCELLED" in str(found.message)


def test_runs_outlive_a_restart_of_slurms_controller(cluster_queue: Queue, slurm: SlurmCluster) -> None:
    (run,) = cluster_queue.submit_wave(plan())
    training(cluster_queue, run)
    slurm.restart_controller()
    assert not row(cluster_queue, run).state.final
    release(cluster_queue)
    assert ended(cluster_queue, run).state is RunState.DONE


def test_a_killed_dispatcher_finds_its_runs_again(cluster_queue: Queue) -> None:
    (run,) = cluster_queue.submit_wave(plan())
    training(cluster_queue, run)
    (dispatcher,) = (psutil.Process(identity.pid) for identity in find(DISPATCHER, cluster_queue.project.root))
    dispatcher.kill()
    psutil.wait_procs([dispatcher], 10)
    native = row(cluster_queue, run).native
    release(cluster_queue)
    cluster_queue.ensure_dispatcher()
    found = ended(cluster_queue, run)
    assert (found.state, found.native) == (RunState.DONE, native)


@pytest.mark.slow
def test_a_node_that_dies_takes_its_run_with_it_and_slurm_says_why(cluster_queue: Queue, slurm: SlurmCluster) -> None:
    (run,) = cluster_queue.submit_wave(plan())
    training(cluster_queue, run)
    supervisor = next(e["pid"] for e in cluster_queue.project.run(run).events() if e["kind"] == "state" and "pid" in e)
    slurm.end("slurmd", signal.SIGKILL)
    slurm.kill_tree(supervisor)
    try:
        found = ended(cluster_queue, run, 120)
        assert found.state is RunState.FAILED
        assert "NODE_FAIL" in str(found.message)
    finally:
        slurm.start_node()
        wait_until(slurm.idle, 60, slurm.logs)


def test_a_run_gets_the_device_that_it_asks_for(cluster_queue: Queue) -> None:
    (chosen,) = cluster_queue.submit_wave(plan(devices=("last",)))
    training(cluster_queue, chosen)
    assert devices(cluster_queue, chosen) == "3"
    (wrong,) = cluster_queue.submit_wave(plan(2, devices=("lost",)))
    found = ended(cluster_queue, wrong)
    assert found.state is RunState.FAILED
    assert "Did you mean 'last'" in str(found.message)
