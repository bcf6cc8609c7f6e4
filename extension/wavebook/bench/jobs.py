"""What the queue costs: from submission to start, from cancel to a free device, moves a second, idle load."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import psutil

from wavebook.bench.machine import describe
from wavebook.bench.progress import steps
from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs import leases
from wavebook_tools.jobs.dispatcher import Dispatcher
from wavebook_tools.jobs.engines.base import Placement
from wavebook_tools.jobs.engines.local import LocalEngine
from wavebook_tools.jobs.processes import DISPATCHER, ProcessIdentity, find, marked_processes
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.jobs.recovery import Finish
from wavebook_tools.jobs.status import project_status
from wavebook_tools.jobs.store import QueuedRun
from wavebook_tools.records.plan import ExperimentSpec, WavePlan
from wavebook_tools.records.project import Project
from wavebook_tools.records.run import RunSpec

PARAMETERS = """\
run = "exp000/s0"
task = ""
seed = 0
num_envs = 1
iterations = 1
device = "cpu"
overrides = {}
evaluation = {}
checkpoint = None
"""

FIRST_CELL = """\
import time
from pathlib import Path
Path("first-cell").write_text(repr(time.time()))
"""

RESULT = """\
from wavebook_tools.notebooks.session import RunSession
RunSession.open(run).finish({"protocol": {"version": 1, "hash": "bench"}, "error_vel_xy": 0.0, "error_vel_yaw": 0.0,
    "time_out": 1.0, "num_envs": 1}, device="cpu", train_seconds=1.0, env_steps_per_second=1.0)
"""

HOLD = "import time\nwhile True:\n    time.sleep(3600)\n"

STUBBORN = """\
import signal, subprocess, sys, time
rank = "import signal, time; [signal.signal(s, signal.SIG_IGN) for s in (2, 15)]; time.sleep(3600)"
ranks = [subprocess.Popen([sys.executable, "-c", rank], start_new_session=True) for _ in range(3)]
signal.signal(signal.SIGINT, signal.SIG_IGN)
time.sleep(1)
print("stubborn", flush=True)
while True:
    time.sleep(3600)
"""

QUEUE_LENGTH = 1000
IDLE_SECONDS = 20.0
PATIENCE = 120.0


def measure(*, repeats: int) -> dict[str, Any]:
    """All measurements, each on a project and with leases of its own."""
    with _project() as project:
        started = _starts(project, repeats)
    with _project() as project:
        cancelled = _cancels(project, repeats)
    return {
        "benchmark": "jobs",
        "machine": describe(),
        "repeats": repeats,
        **started,
        "cancel_to_free_seconds": _quantiles(cancelled),
        "queue": {str(length): _queue(length) for length in steps((1, QUEUE_LENGTH), "queues")},
    }


def _starts(project: Project, repeats: int) -> dict[str, Any]:
    """From submission to the run's start and to its first cell, beside a bare papermill call, in turns."""
    _template(project, "quick", FIRST_CELL, RESULT)
    to_start: dict[str, list[float]] = {"cold": [], "warm": []}
    to_cell: dict[str, list[float]] = {"cold": [], "warm": []}
    bare = []
    with Queue(project) as queue:
        for number in steps(range(1, 2 * repeats + 1), "submissions"):
            if number % 2:  # no dispatcher lives
                _wait(lambda: not find(DISPATCHER, project.root))
                bare.append(_bare_papermill(project))
                kind = "cold"
            else:  # one lives: it is just ending the wave before
                kind = "warm"
            began = time.time()
            run = queue.submit_wave(_plan(number, "quick"))[0]
            record = project.run(run)
            if not queue.wait([run], PATIENCE) or record.result() is None:
                raise WavebookError(
                    f"the benchmark's run failed: {record.log_path.read_text(errors='replace')[-2000:]}"
                )
            to_start[kind].append(next(record.events())["t"] - began)
            to_cell[kind].append(float((record.path / "first-cell").read_text()) - began)
    cold = statistics.median(to_cell["cold"])
    return {
        "submit_to_start_seconds": {kind: _quantiles(values) for kind, values in to_start.items()},
        "submit_to_first_cell_seconds": {kind: _quantiles(values) for kind, values in to_cell.items()},
        "papermill_to_first_cell_seconds": _quantiles(bare),
        "first_cell_after_papermill_seconds": round(cold - statistics.median(bare), 3),
        "first_cell_ratio": round(cold / statistics.median(bare), 3),
    }


def _bare_papermill(project: Project) -> float:
    with tempfile.TemporaryDirectory(dir=project.root) as folder:
        began = time.time()
        subprocess.run(
            [
                sys.executable,
                "-m",
                "papermill",
                project.root / "templates/quick.ipynb",
                "out.ipynb",
                "--no-progress-bar",
            ],
            cwd=folder,
            capture_output=True,
            check=False,  # its last cell wants a run's folder
        )
        return float(Path(folder, "first-cell").read_text()) - began


def _cancels(project: Project, repeats: int) -> list[float]:
    """From the request to the end of a kernel and three ranks that ignore signals, lease free and nothing left."""
    _template(project, "stubborn", STUBBORN)
    times = []
    with Queue(project) as queue:
        for number in steps(range(1, repeats + 1), "cancellations"):
            run = queue.submit_wave(_plan(number, "stubborn"))[0]
            record = project.run(run)
            _wait(partial(_printed, record.log_path, "stubborn"))
            began = time.monotonic()
            queue.cancel(run, "bench")
            if not queue.wait([run], PATIENCE):
                raise WavebookError(f"{run} was not cancelled within {PATIENCE:g} s")
            times.append(time.monotonic() - began)
            left, held = marked_processes(record.path), leases.holders("cpu")
            if left or held:
                raise WavebookError(f"{run} is said to be cancelled, and left processes {left} and leases {held}")
    return times


def _printed(log: Path, text: str) -> bool:
    return log.exists() and text in log.read_text(errors="replace")


def _queue(length: int) -> dict[str, Any]:
    """A queue of that many runs: how fast it moves, how fast it answers, what it takes while nothing happens."""
    with _project() as project:
        _template(project, "hold", HOLD)
        with Queue(project) as queue:
            running = queue.submit_wave(_plan(1, "hold"))[0]
            log = project.run(running).notebook_path
            _fill(project, queue, length - 1)
            _wait(lambda: (row := queue.store.get(running)) is not None and row.native is not None and log.exists())
            time.sleep(5)
            answers = []
            for _ in range(10):
                began = time.perf_counter()
                project_status(project)
                answers.append(time.perf_counter() - began)
            idle = _idle(project, running)
            queue.cancel(running, "bench")
            queue.wait([running], PATIENCE)
            queue.cancel_wave(2, "bench") if length > 1 else None
            _wait(lambda: not find(DISPATCHER, project.root))
    return {"moves_per_second": _moves(length), "status_seconds": _quantiles(answers), "idle": idle}


def _fill(project: Project, queue: Queue, count: int) -> None:
    if count:
        plan = _plan(2, "hold")
        (project.waves_path / plan.folder).mkdir()
        (project.waves_path / plan.folder / "wave.json").write_text(plan.model_dump_json())
        queue.store.add((_spec(plan, seed), f"waves/{plan.folder}/exp002-bench/s{seed}") for seed in range(count))


def _idle(project: Project, run: str) -> dict[str, dict[str, float]]:
    """Share of a core and memory of our processes over some seconds in which nothing happens."""
    with Queue(project) as queue:
        row = queue.store.get(run)
    assert row is not None
    assert row.native is not None
    supervisor = psutil.Process(ProcessIdentity.parse(row.native).pid)
    processes = {
        "dispatcher": psutil.Process(find(DISPATCHER, project.root)[0].pid),
        "supervisor": supervisor,
        "worker": supervisor.children()[0],
    }
    before = {name: _cpu(process) for name, process in processes.items()}
    time.sleep(IDLE_SECONDS)
    return {
        name: {
            "core_percent": round((_cpu(process) - before[name]) / IDLE_SECONDS * 100, 3),
            "memory_mb": round(process.memory_info().rss / 1e6, 1),
        }
        for name, process in processes.items()
    }


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


class _Trivial(LocalEngine):
    """Runs that do nothing, so that the queue alone is measured."""

    def submit(self, placement: Placement, descriptors: Sequence[int] = ()) -> str:
        process = subprocess.Popen(["true"])
        process.returncode = 0
        return str(ProcessIdentity.of(process.pid))


class _BareDispatcher(Dispatcher):
    """The queue without the comparison of its wave, and without notes on runs that leave no record."""

    def conclude(self, wave_id: int) -> None:
        return

    def _note_lost(self, run: QueuedRun, finish: Finish) -> None:
        return


def _moves(length: int) -> dict[str, float]:
    """Runs that a dispatcher starts and ends a second, beside starting and awaiting the same processes bare."""
    length = max(length, 50)
    began = time.perf_counter()
    for _ in range(length):
        subprocess.run(["true"], check=True)
    bare = length / (time.perf_counter() - began)
    with _project() as project, Queue(project) as queue:
        _fill(project, queue, length)
        project.wave(2).comparison_path.touch()  # or the queue would make up for it at its end
        dispatcher = _BareDispatcher(project)
        dispatcher.local = _Trivial()
        began = time.perf_counter()
        dispatcher.run()
        moved = length / (time.perf_counter() - began)
        dispatcher.close()
    return {"queue": round(moved, 1), "bare_processes": round(bare, 1), "ratio": round(moved / bare, 3)}


@contextlib.contextmanager
def _project() -> Iterator[Project]:
    before = os.environ.get(leases.FOLDER_VARIABLE)
    with tempfile.TemporaryDirectory(prefix="wavebook-bench-", ignore_cleanup_errors=True) as folder:
        os.environ[leases.FOLDER_VARIABLE] = str(Path(folder, "leases"))
        try:
            yield Project.create(Path(folder, "project"))
        finally:
            os.environ.pop(leases.FOLDER_VARIABLE)
            if before is not None:
                os.environ[leases.FOLDER_VARIABLE] = before


def _template(project: Project, name: str, *cells: str) -> None:
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.cells = [
        nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
        *(nbformat.v4.new_code_cell(cell) for cell in cells),
    ]
    (project.root / "templates").mkdir(exist_ok=True)
    nbformat.write(notebook, project.root / "templates" / f"{name}.ipynb")


def _plan(number: int, template: str) -> WavePlan:
    experiment = ExperimentSpec(id=f"exp{number:03d}", slug="bench", hypothesis="It is fast", template=template)
    return WavePlan(
        id=number,
        slug="bench",
        goal="Measure the queue",
        task="Wavebook-Velocity-Flat-DHAV1",
        num_envs=1,
        iterations=1,
        devices=["cpu"],
        experiments=[experiment],
    )


def _spec(plan: WavePlan, seed: int) -> RunSpec:
    return RunSpec.from_plan(plan, plan.experiments[0], seed)


def _wait(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise WavebookError("the benchmark's queue does not get on")
        time.sleep(0.02)


def _quantiles(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {"p50": round(statistics.median(ordered), 4), "p95": round(ordered[int(0.95 * (len(ordered) - 1))], 4)}
