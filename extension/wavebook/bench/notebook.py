"""What a notebook costs: the training time inside a run against the same training as a bare script, interleaved."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from wavebook.bench.machine import describe
from wavebook.bench.progress import steps
from wavebook_tools.errors import WavebookError
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.records.plan import EvaluationSpec, ExperimentSpec, WavePlan
from wavebook_tools.records.project import Project

TASK = "Wavebook-Velocity-Flat-DHAV1"

SCRIPT = """
import json, sys
from pathlib import Path
from wavebook_locomotion import configuration, training
arguments = json.loads(sys.argv[1])
config = configuration.load(arguments["task"], num_envs=arguments["num_envs"], seed=0, device="cpu")
outcome = training.train(
    config, iterations=arguments["iterations"], log_dir=Path(arguments["log_dir"]), on_iteration=lambda i, values: None
)
print("\\n" + json.dumps({"train_seconds": outcome.train_seconds}))
"""


def measure(*, repeats: int, num_envs: int, iterations: int) -> dict[str, Any]:
    """Train by notebook and by script in turns and compare the medians of ``train_seconds``.

    Each pair runs back to back, so that a machine that grows slower or faster touches both alike.
    """
    pairs = []
    with tempfile.TemporaryDirectory(prefix="wavebook-bench-") as folder:
        project = Project.create(Path(folder))
        for number in steps(range(1, repeats + 1), "pairs of trainings"):
            pairs.append(
                {
                    "script": _by_script(Path(folder, f"script{number}"), num_envs, iterations),
                    "notebook": _by_notebook(project, number, num_envs, iterations),
                }
            )
    ratios = [pair["notebook"] / pair["script"] for pair in pairs]
    return {
        "benchmark": "notebook",
        "machine": describe(),
        "task": TASK,
        "num_envs": num_envs,
        "iterations": iterations,
        "train_seconds": pairs,
        "ratio": round(statistics.median(ratios), 4),
        "ratio_range": [round(min(ratios), 4), round(max(ratios), 4)],
    }


def _by_script(log_dir: Path, num_envs: int, iterations: int) -> float:
    log_dir.mkdir()
    arguments = {"task": TASK, "num_envs": num_envs, "iterations": iterations, "log_dir": str(log_dir)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(arguments)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise WavebookError(f"the bare training script failed: {done.stderr[-2000:]}")
    return float(json.loads(done.stdout.strip().splitlines()[-1])["train_seconds"])


def _by_notebook(project: Project, number: int, num_envs: int, iterations: int) -> float:
    plan = WavePlan(
        id=number,
        slug="bench",
        goal="Measure what the notebook costs",
        task=TASK,
        num_envs=num_envs,
        iterations=iterations,
        devices=["cpu"],
        evaluation=EvaluationSpec(num_envs=8, seconds=1.5),
        experiments=[ExperimentSpec(id=f"exp{number:03d}", slug="bench", hypothesis="A notebook costs under 3 %")],
    )
    with Queue(project) as queue:
        ids = queue.submit_wave(plan)
        queue.wait(ids, timeout=3600)
    record = project.run(ids[0])
    result = record.result()
    if result is None:
        raise WavebookError(f"the benchmark's run failed: {record.log_path.read_text(errors='replace')[-2000:]}")
    return result.train_seconds
