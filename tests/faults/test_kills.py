"""kill -9 of anything at any moment: no run in a false state, none lost, none run twice, nothing left behind."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from tests.faults.invariants import check_devices, check_runs
from tests.jobs.conftest import EVALUATION, TRAINING, small_plan, write_template
from tests.jobs.gpus import Machine
from wavebook_tools.jobs.processes import DISPATCHER, ProcessIdentity, find
from wavebook_tools.jobs.queue import Queue, recover
from wavebook_tools.records.plan import WavePlan
from wavebook_tools.records.states import RunState

ROUNDS = int(os.environ.get("WAVEBOOK_FAULT_ROUNDS", "40"))
"""Kills; `make test-faults` asks for 200."""

SERVER_EVERY = 30
"""Every so many rounds it is the server that is killed: starting one takes as long as several runs."""


class Server:
    """A Jupyter server on the project, with the extension."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "jupyter", "server", f"--ServerApp.root_dir={self.root}"]
        command += ["--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", "--no-browser", "--allow-root"]
        with open(self.root.parent / "server.log", "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def dispatchers(root: Path) -> list[psutil.Process]:
    found = []
    for identity in find(DISPATCHER, root):
        with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
            found.append(psutil.Process(identity.pid))
    return found


def victim(queue: Queue, kind: str) -> psutil.Process | None:
    """A live process of that kind, if there is one now."""
    if kind == "dispatcher":
        return next(iter(dispatchers(queue.project.root)), None)
    active = queue.store.in_states(RunState.STARTING, RunState.RUNNING, RunState.EVALUATING)
    random.shuffle(active)
    for row in active:
        if row.native is None:
            continue
        identity = ProcessIdentity.parse(row.native)
        if not identity.alive():
            continue
        with contextlib.suppress(psutil.NoSuchProcess, IndexError):
            supervisor = psutil.Process(identity.pid)
            if kind == "supervisor":
                return supervisor
            worker = supervisor.children()[0]
            return worker if kind == "worker" else worker.children()[0]
    return None


def wave(number: int) -> WavePlan:
    return small_plan(number, template="short", iterations=random.randint(1, 12)).model_copy(
        update={"devices": ["auto"]}
    )


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_kills_at_random_moments(queue: Queue, machine: Machine) -> None:
    seed = int(os.environ.get("WAVEBOOK_FAULT_SEED", str(random.randrange(10**6))))
    print(f"seed {seed}")
    random.seed(seed)
    machine.set(["GPU-a", "GPU-b", "GPU-c"])
    write_template(queue.project, "short", TRAINING, EVALUATION)
    server = Server(queue.project.root)
    server.start()
    killed: Counter[str] = Counter()
    waves = 0
    try:
        while killed.total() < ROUNDS:
            while len(queue.store.unfinished_runs()) < 4:
                waves += 1
                queue.submit_wave(wave(waves))
            time.sleep(random.uniform(0.0, 0.6))
            if killed.total() % SERVER_EVERY == SERVER_EVERY - 1:
                server.kill()
                killed["server"] += 1
                server.start()
                continue
            kind = random.choice(["kernel", "worker", "supervisor", "dispatcher"])
            process = victim(queue, kind)
            # Kernels come last and live shortest: without waiting for one they would hardly ever be met.
            came_by = time.monotonic() + 15
            while kind == "kernel" and process is None and time.monotonic() < came_by:
                time.sleep(0.05)
                process = victim(queue, kind)
            if process is None:
                continue
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
                killed[kind] += 1
    finally:
        server.kill()
    # Nobody calls from here on but those who wait: what was killed last must be made good by what is left.
    recover(queue.project)
    assert queue.wait([row.id for row in queue.store.all()], timeout=120), [
        (row.id, row.state) for row in queue.store.all() if not row.state.final
    ]
    counts = check_runs(queue)
    assert sum(counts.values()) == waves
    check_devices(queue.project)
    print(f"{waves} runs, killed {dict(killed)}, ended {counts}")
    assert set(killed) == {"kernel", "worker", "supervisor", "dispatcher", "server"} or ROUNDS < SERVER_EVERY


def test_the_queue_moves_on_without_anybody_calling_after_its_dispatcher_is_killed(
    queue: Queue, machine: Machine
) -> None:
    machine.set(["GPU-a"])
    write_template(queue.project, "short", TRAINING, EVALUATION)
    plan = small_plan(1, template="short", iterations=30, seeds=2).model_copy(update={"devices": ["auto"]})
    ids = queue.submit_wave(plan)
    deadline = time.monotonic() + 60
    while (row := queue.store.get(ids[0])) is None or row.native is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    for process in dispatchers(queue.project.root):
        process.kill()
    while any((row := queue.store.get(run)) is None or not row.state.final for run in ids):
        assert time.monotonic() < deadline, "the second run never started"
        time.sleep(0.2)
    assert check_runs(queue) == {"done": 2}


def test_a_restart_of_the_machine_leaves_true_states_and_a_queue_that_goes_on(queue: Queue) -> None:
    write_template(queue.project, "first-stays", TRAINING, "import time\ntime.sleep(600 * (seed == 0))", EVALUATION)
    (done,) = queue.submit_wave(small_plan(1))
    live, waiting = queue.submit_wave(small_plan(2, template="first-stays", seeds=2))
    assert queue.wait([done], timeout=60)
    log, deadline = queue.project.run(live).log_path, time.monotonic() + 60
    while not log.exists() or "iteration 3/" not in log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    row = queue.store.get(live)
    assert row is not None
    assert row.native is not None
    supervisor = psutil.Process(ProcessIdentity.parse(row.native).pid)
    processes = [*dispatchers(queue.project.root), supervisor, *supervisor.children(recursive=True)]
    for process in processes:
        process.suspend()  # so that none of them sees another die
    for process in processes:
        process.kill()
    psutil.wait_procs(processes, timeout=10)
    # After the restart another process has the number of the supervisor, and was even started at the same tick.
    mine = ProcessIdentity.of(os.getpid())
    assert mine is not None
    queue.store.set_native(live, f"{mine.pid}:{mine.start_ticks}:the-boot-before")

    assert recover(queue.project), "whoever looks first sets the queue in motion"
    assert queue.wait([live, waiting], timeout=60)
    rows = {row.id: row for row in queue.store.all()}
    assert {run: row.state for run, row in rows.items()} == {
        done: RunState.DONE,
        live: RunState.FAILED,
        waiting: RunState.DONE,
    }
    assert "the machine was restarted" in (rows[live].message or "")
    assert check_runs(queue) == {"done": 2, "failed": 1}
    check_devices(queue.project)
