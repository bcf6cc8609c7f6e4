"""Runs that stand still, and clocks that don't."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.faults.invariants import check_devices, check_runs
from tests.faults.test_disks import wait_until
from tests.jobs.conftest import EVALUATION, TRAINING, small_plan, write_template
from wavebook_tools.jobs.processes import ProcessIdentity
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.records.run import RunState

CLOCK = Path(__file__).with_name("clock") / "clock.c"

JUMP = 5 * 3600.0
"""How far the clock is moved [s]: beyond every patience."""


def kernel_of(native: str) -> psutil.Process:
    below = psutil.Process(ProcessIdentity.parse(native).pid).children(recursive=True)
    return next(process for process in below if "ipykernel_launcher" in " ".join(process.cmdline()))


def test_the_queue_goes_on_after_a_run_that_was_stopped(queue: Queue) -> None:
    queue.project.settings_path.write_text("[watchdog]\ntraining = 3\n")
    write_template(queue.project, "long", TRAINING, EVALUATION)
    (stopped,) = queue.submit_wave(small_plan(1, template="long", iterations=10_000))
    (behind,) = queue.submit_wave(small_plan(2))
    record = queue.project.run(stopped)
    wait_until(lambda: sum(event["kind"] == "metric" for event in record.events()) > 3)
    row = queue.store.get(stopped)
    assert row is not None
    assert row.native is not None
    kernel = kernel_of(row.native)
    kernel.suspend()
    assert queue.wait([stopped, behind], timeout=90)
    assert not kernel.is_running()
    assert "(stopped)" in record.stacks_path.read_text()
    row = queue.store.get(stopped)
    assert row is not None
    assert row.state is RunState.HUNG
    assert check_runs(queue) == {"hung": 1, "done": 1}
    check_devices(queue.project)


@pytest.mark.parametrize("jump", [JUMP, -JUMP], ids=["forward", "back"])
def test_a_clock_that_jumps(queue: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: float) -> None:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler, which a clock that can be moved needs")
    library, clock = tmp_path / "clock.so", tmp_path / "clock"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, CLOCK], check=True)
    monkeypatch.setenv("LD_PRELOAD", str(library))  # for the processes that are started from here on
    monkeypatch.setenv("WAVEBOOK_TEST_CLOCK", str(clock))
    # Shorter than the jump by far, longer than any silence of this run.
    queue.project.settings_path.write_text("[watchdog]\nstarting = 60\ntraining = 20\n")
    plan = small_plan(1, iterations=100, seeds=2)
    ids = queue.submit_wave(plan)
    record = queue.project.run(ids[0])
    wait_until(lambda: sum(event["kind"] == "metric" for event in record.events()) > 10)
    began = time.time()
    clock.with_suffix(".new").write_text(f"{jump:.0f}\n")
    os.replace(clock.with_suffix(".new"), clock)
    assert queue.wait(ids, timeout=90)
    times = [event["t"] for event in record.events()]
    steps = [after - before for before, after in itertools.pairwise(times)]
    seen = [step for step in steps if abs(step) > JUMP / 2]
    assert len(seen) == 1, "the run saw the clock jump once"
    assert abs(seen[0] - jump) < 60
    assert abs(times[-1] - jump - began) < 90
    states = [event["state"] for event in record.events() if event["kind"] == "state"]
    order = [state for state, before in zip(states, [None, *states], strict=False) if state != before]
    assert order == ["starting", "running", "evaluating", "done"]
    assert [event["iteration"] for event in record.events() if event["kind"] == "metric"] == list(range(100))
    assert check_runs(queue) == {"done": 2}
    check_devices(queue.project)
