"""Whole runs, with a real supervisor, worker and kernel, that go wrong in each of the ways."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.jobs.conftest import EVALUATION, small_plan, write_template
from wavebook_tools.records.files import write_json
from wavebook_tools.records.project import Project, RunRecord
from wavebook_tools.records.run import RunSpec

BEGIN = """\
import ctypes, os, signal, time
from wavebook_tools.notebooks.session import RunSession
session = RunSession.open(run)
session.phase("training")
library = ctypes.CDLL(None)
"""

STEPS = """\
def step_of_the_training(iteration):
    session.iteration(iteration, {"Train/mean_reward": 1.0, "Loss/value": 0.1})
    time.sleep(0.1)
for iteration in range(3):
    step_of_the_training(iteration)
"""

PATIENCE = {"starting": 60, "compiling": 60, "training": 3, "evaluating": 60}


@dataclass
class SupervisedRun:
    record: RunRecord
    process: subprocess.Popen[bytes]

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.record.events() if event["kind"] == kind]

    def wait_until(self, holds: Callable[[], object]) -> None:
        deadline = time.monotonic() + 60
        while not holds():
            assert time.monotonic() < deadline
            assert self.process.poll() is None
            time.sleep(0.05)

    def kernel(self) -> psutil.Process:
        """The kernel, once it trains."""
        self.wait_until(lambda: len(self.events("metric")) >= 3)
        below = psutil.Process(self.process.pid).children(recursive=True)
        return next(process for process in below if "ipykernel_launcher" in " ".join(process.cmdline()))

    def ending(self) -> tuple[str, dict[str, Any] | None]:
        """The final state and the newest alert of the run."""
        self.process.wait(90)
        alerts = self.events("alert")
        return self.events("state")[-1]["state"], alerts[-1] if alerts else None


StartRun = Callable[..., SupervisedRun]


@pytest.fixture
def start_run(tmp_path: Path) -> Iterator[StartRun]:
    project = Project.create(tmp_path / "project")
    started: list[subprocess.Popen[bytes]] = []

    def start(*cells: str) -> SupervisedRun:
        write_template(project, "faulty", *cells)
        plan = small_plan(template="faulty")
        record = RunRecord(project.waves_path / "001-small" / "exp001-first" / "s0")
        record.path.mkdir(parents=True)
        write_json(record.spec_path, RunSpec.from_plan(plan, plan.experiments[0], 0))
        arguments = [sys.executable, "-m", "wavebook_tools.jobs.supervisor", str(record.path)]
        with open(record.log_path, "ab") as log:
            process = subprocess.Popen(
                [*arguments, "--patience", json.dumps(PATIENCE)],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                # A kernel that knows of pytest leaves its standard error alone, which it does nowhere else.
                env={name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"},
            )
        started.append(process)
        return SupervisedRun(record, process)

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def test_a_stopped_kernel_is_hung(start_run: StartRun) -> None:
    run = start_run(BEGIN + STEPS + "time.sleep(600)")
    run.kernel().suspend()
    state, alert = run.ending()
    assert state == "hung"
    assert alert is not None
    assert alert["finding"] == "hang"
    assert alert["ends_run"]
    assert alert["evidence"]["last_iteration"] == 2
    assert alert["suggestion"]["action"] == "fewer_envs"
    stacks = run.record.stacks_path.read_text()
    assert "(stopped)" in stacks
    assert "ipykernel_launcher" in stacks


def test_a_kernel_that_does_not_come_back_from_native_code_is_hung(start_run: StartRun) -> None:
    native = "def step_of_the_physics():\n    ctypes.PyDLL(None).pause()\n"
    run = start_run(BEGIN + STEPS + native + "while True:\n    step_of_the_physics()")
    kernel = run.kernel()
    state, alert = run.ending()
    assert state == "hung"
    assert alert is not None
    assert "step_of_the_physics" in run.record.stacks_path.read_text()
    assert not kernel.is_running()
    ledger = [json.loads(line) for line in Project.find(run.record.path).ledger.path.read_text().splitlines()]
    assert any("no sign of life" in str(line) for line in ledger)


def test_losses_that_are_not_numbers_end_a_run(start_run: StartRun) -> None:
    broken = "for iteration in range(3, 600):\n"
    broken += "    session.iteration(iteration, {'Loss/value': float('nan')})\n    time.sleep(0.1)"
    state, alert = start_run(BEGIN + STEPS + broken).ending()
    assert state == "failed"
    assert alert is not None
    assert alert["finding"] == "not a number"
    assert alert["evidence"]["last_good_iteration"] == 2


def test_a_module_that_is_missing_is_told(start_run: StartRun) -> None:
    state, alert = start_run("import isaaclab_that_is_not_there").ending()
    assert state == "failed"
    assert alert is not None
    assert alert["finding"] == "crash at start"
    assert alert["suggestion"] == {
        "action": "install",
        "why": "the module isaaclab_that_is_not_there is not in the kernel's environment",
        "names": ["isaaclab_that_is_not_there"],
    }


def test_what_the_physics_prints_past_python_is_seen_and_ends_nothing(start_run: StartRun) -> None:
    overflow = "for _ in range(5):\n    library.printf(b'nefc overflow - please increase njmax to %u\\n', 212)\n"
    state, alert = start_run(BEGIN + STEPS + overflow + "library.fflush(None)\ntime.sleep(2)", EVALUATION).ending()
    assert state == "done"
    assert alert is not None
    assert alert["finding"] == "constraint overflow"
    assert alert["suggestion"]["overrides"] == {"env.sim.physics.solver_cfg.njmax": 265}


def test_memory_that_does_not_suffice_is_told(start_run: StartRun) -> None:
    state, alert = start_run(BEGIN + STEPS + "bytes(1 << 60)", EVALUATION).ending()
    assert state == "failed"
    assert alert is not None
    assert alert["finding"] == "out of memory"
    assert alert["suggestion"]["num_envs"] == 1


def test_a_kernel_that_somebody_killed_is_not_called_out_of_memory(start_run: StartRun) -> None:
    run = start_run(BEGIN + STEPS + "time.sleep(600)", EVALUATION)
    os.kill(run.kernel().pid, signal.SIGKILL)
    state, alert = run.ending()
    assert state == "failed"
    assert alert is not None
    assert alert["finding"] == "kernel died"
    assert alert["suggestion"]["action"] == "retry"
    cell = [event for event in run.record.events() if event["kind"] == "cell"][-1]
    assert (cell["status"], cell["error"]) == ("failed", "DeadKernelError: Kernel died")


def test_a_kernel_that_crashes_in_native_code_is_told_with_the_place(start_run: StartRun) -> None:
    crash = "def step_of_the_physics():\n    ctypes.string_at(0)\nstep_of_the_physics()"
    state, alert = start_run(BEGIN + STEPS + crash, EVALUATION).ending()
    assert state == "failed"
    assert alert is not None
    assert alert["finding"] == "kernel died"
    assert alert["evidence"]["crash"] == "Segmentation fault"
    assert any("step_of_the_physics" in frame for frame in alert["evidence"]["frames"])
    assert alert["suggestion"]["action"] == "retry"  # how many robots there are has nothing to do with it


def test_a_run_that_is_well_is_left_alone(start_run: StartRun) -> None:
    run = start_run(BEGIN + STEPS, EVALUATION)
    assert run.ending() == ("done", None)
