"""How fast a comparison is built, opens and pans, beside TensorBoard with the same numbers."""

from __future__ import annotations

import gc
import json
import socket
import subprocess
import tempfile
import threading
import time
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wavebook.bench.browser import chromium, open_page, pan
from wavebook.bench.machine import describe
from wavebook.bench.progress import steps
from wavebook_tools.errors import WavebookError
from wavebook_tools.records.files import write_json
from wavebook_tools.records.plan import Budget, ExperimentSpec, WavePlan
from wavebook_tools.records.project import Project, RunRecord
from wavebook_tools.records.run import RunSpec

TASK = "Wavebook-Velocity-Flat-DHAV1"
SEEDS = 3
WAVE_RUNS = 100
PATIENCE = 1800

NAMES = (
    "Metrics/error_vel_xy",
    "Metrics/error_vel_yaw",
    "Train/mean_reward",
    "Train/mean_episode_length",
    "Episode_Termination/time_out",
    "Curriculum/terrain_levels",
    "Policy/mean_std",
    "Loss/value",
    "Loss/surrogate",
    "Perf/total_fps",
)

_MODELS = "[...Bokeh.documents[0].all_models]"
_DRAWN = f"Bokeh.documents[0].is_idle && {_MODELS}.find(m => m.name == 'mean').data_source.data.xs[0].length > 0"
_VIEW = "[...Bokeh.index.query(v => v.model.type == 'Figure' && v.model.renderers.some(r => r.name == 'mean'))][0]"
_PLACE = f"{_VIEW}.model.x_range.start"
_PLOT = f"""() => {{
  const view = {_VIEW}
  view.el.scrollIntoView({{block: 'center'}})
  const {{left, top, width, height}} = view.el.getBoundingClientRect()
  return [left + width / 3, top + height / 2]
}}"""

_EVENTS = """
import sys
from pathlib import Path
import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter
for path in sorted(Path(sys.argv[1]).glob("*.npz")):
    writer = EventFileWriter(f"{sys.argv[2]}/{path.stem}", max_queue_size=100_000)
    with np.load(path) as table:
        columns = {name: table[name] for name in table}
    for step in range(len(next(iter(columns.values())))):
        values = [Summary.Value(tag=name, simple_value=float(column[step])) for name, column in columns.items()]
        writer.add_event(Event(step=step, wall_time=1.7e9 + step, summary=Summary(value=values)))
    writer.close()
"""
_CHARTS = "document.querySelectorAll('scalar-card').length > 0 && !document.querySelector('scalar-card mat-spinner')"


def measure(
    *, runs: Sequence[int], iterations: int, metrics: int, pan_seconds: float, tensorboard: bool
) -> dict[str, Any]:
    """Measure comparisons of so many runs; the numbers in them are drawn by chance.

    Args:
        runs: Sizes, each measured in a project of its own.
        iterations: Training iterations of each run.
        metrics: Metrics of each iteration.
        pan_seconds: How long one figure is dragged to and fro [s].
        tensorboard: Whether TensorBoard is installed into a folder of its own, for this once, and measured beside.
    """
    sizes = []
    with tempfile.TemporaryDirectory(prefix="wavebook-bench-") as folder:
        python = _install(Path(folder, "tensorboard")) if tensorboard else None
        for count in steps(runs, "comparisons"):
            root = Path(folder, f"{count}")
            project, numbers = _draw(root, count, iterations, metrics)
            one: dict[str, Any] = {"runs": count, "wavebook": _wavebook(project, root, pan_seconds)}
            if python is not None:
                one["tensorboard"] = _tensorboard(python, root, numbers)
            sizes.append(one)
    return {
        "benchmark": "compare",
        "machine": describe(),
        "iterations": iterations,
        "metrics": metrics,
        "sizes": sizes,
    }


def _draw(root: Path, count: int, iterations: int, metrics: int) -> tuple[Project, dict[str, dict[str, Any]]]:
    """A project with so many finished runs in waves of a hundred, and the same numbers as columns."""
    project = Project.create(root / "project")
    chance = np.random.default_rng(count)
    names = [*NAMES, *(f"Episode_Reward/term_{number:02d}" for number in range(metrics))][:metrics]
    columns: dict[str, dict[str, Any]] = {}
    left, number = count, 1
    for wave in range(1, -(-count // WAVE_RUNS) + 1):
        size = min(left, WAVE_RUNS)
        seeds: list[int] = []
        while sum(seeds) < size:
            seeds.append(min(SEEDS, size - sum(seeds)))
        experiments = [
            ExperimentSpec(
                id=f"exp{number + place:03d}",
                slug="bench",
                hypothesis="It opens fast",
                seeds=list(range(several)),
                baseline=place == 0,
                overrides={"env.a": float(chance.uniform()), "env.b": int(chance.integers(5))} if place else {},
            )
            for place, several in enumerate(seeds)
        ]
        number += len(experiments)
        left -= size
        plan = WavePlan(
            id=wave, slug="bench", goal="Measure the comparison", task=TASK, num_envs=64, iterations=iterations,
            experiments=experiments, budget=Budget(max_runs=size), parent=wave - 1 or None,
        )  # fmt: skip
        write_json(project.waves_path / plan.folder / "wave.json", plan)
        for experiment in experiments:
            for seed in experiment.seeds:
                spec = RunSpec.from_plan(plan, experiment, seed)
                run = _columns(names, iterations, chance)
                _write(RunRecord(project.run_folder(plan, spec)), spec, run, chance)
                columns[f"{experiment.id}-s{seed}"] = run
    return project, columns


def _columns(names: Sequence[str], iterations: int, chance: np.random.Generator) -> dict[str, NDArray[np.float64]]:
    learnt = 1 - np.exp(-4 * np.arange(iterations) / iterations)
    return {name: chance.normal(1, 0.3) * learnt + chance.normal(0, 0.05, iterations) for name in names}


def _write(record: RunRecord, spec: RunSpec, run: dict[str, NDArray[np.float64]], chance: np.random.Generator) -> None:
    write_json(record.spec_path, spec)
    table = np.stack(list(run.values()), axis=1).tolist()
    lines = ['{"t":1.0,"kind":"state","state":"running"}']
    for iteration, row in enumerate(table):
        values = dict(zip(run, row, strict=True))
        lines.append(json.dumps({"t": 1.7e9 + iteration, "kind": "metric", "iteration": iteration, "values": values}))
    lines.append('{"t":2.0e9,"kind":"state","state":"done"}')
    record.events_path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    error = float(abs(chance.normal(0.25, 0.03)))
    result = {
        "format": 1,
        "protocol": {"version": 1, "hash": "bench"},
        "error_vel_xy": error,
        "error_vel_yaw": 1.4 * error,
        "time_out": 0.95,
        "num_envs": 64,
        "seed": spec.seed,
        "device": "cpu",
        "env_steps_per_second": 1e5,
        "train_seconds": 100.0,
    }
    write_json(record.result_path, result)


def _wavebook(project: Project, root: Path, pan_seconds: float) -> dict[str, Any]:
    from wavebook.routes.comparison import page as comparison_page

    waves, path = [wave.id for wave in project.waves()], root / "comparison.html"
    found: dict[str, Any] = {}
    for name in ("build_seconds", "rebuild_seconds"):  # the second time the metrics are in memory
        began = time.perf_counter()
        with _Heartbeat() as heartbeat:
            path.write_text(comparison_page(project, waves), encoding="utf-8")
        found[name] = round(time.perf_counter() - began, 3)
        found[f"{name.removesuffix('_seconds')}_longest_hold_ms"] = heartbeat.longest_ms
    found["bytes"] = path.stat().st_size
    with chromium() as browser:
        page, seconds = open_page(browser, path.as_uri(), _DRAWN)
        x, y = page.evaluate(_PLOT)
        page.wait_for_timeout(500)
        return {**found, "seconds": seconds, "pan": pan(page, x, y, _PLACE, seconds=pan_seconds)}


class _Heartbeat:
    """How long a server's event loop would have to wait at most while another thread works: the interpreter's lock.

    As in a server, what was imported before is left out of garbage collections.
    """

    longest_ms = 0.0

    def __enter__(self) -> _Heartbeat:
        gc.freeze()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        pause = 0.005
        while not self._stop.is_set():
            began = time.perf_counter()
            time.sleep(pause)
            late = (time.perf_counter() - began - pause) * 1000
            self.longest_ms = round(max(self.longest_ms, late), 1)


def _install(folder: Path) -> Path:
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    # Its command line needs pkg_resources, which newer setuptools left out.
    _run([python, "-m", "pip", "install", "--quiet", "tensorboard>=2.18", "setuptools<81", "numpy"])
    return python


def _tensorboard(python: Path, root: Path, numbers: dict[str, dict[str, Any]]) -> dict[str, Any]:
    tables, logs = root / "tables", root / "logs"
    tables.mkdir()
    for name, columns in numbers.items():
        np.savez(tables / f"{name}.npz", **columns)
    began = time.perf_counter()
    _run([python, "-c", _EVENTS, tables, logs])
    written = time.perf_counter() - began
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(python), "-m", "tensorboard.main", "--logdir", str(logs), "--port", str(port)]
    began = time.perf_counter()
    server = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--load_fast=false"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _await_runs(port, len(numbers))
        loaded = time.perf_counter() - began
        with chromium() as browser:
            _, seconds = open_page(browser, f"http://127.0.0.1:{port}/#timeseries", _CHARTS)
    finally:
        server.terminate()
        server.wait(30)
    size = sum(path.stat().st_size for path in logs.rglob("*") if path.is_file())
    return {"write_seconds": round(written, 3), "load_seconds": round(loaded, 3), "bytes": size, "seconds": seconds}


def _await_runs(port: int, count: int) -> None:
    from urllib.request import urlopen

    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            with urlopen(f"http://127.0.0.1:{port}/data/runs", timeout=30) as answer:
                if len(json.load(answer)) >= count:
                    return
        except OSError:
            pass
        time.sleep(0.2)
    raise WavebookError(f"TensorBoard did not load {count} runs within {PATIENCE} s")


def _run(command: Sequence[str | Path]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise WavebookError(f"{' '.join(map(str, command[:4]))} failed: {done.stderr[-2000:]}")
