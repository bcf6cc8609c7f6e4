"""Six small runs over two GPUs, driven through the command line: one is cancelled, one hangs, one does not fit.

What was seen is told as a list of checks, and the project can be kept as a record.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from wavebook.bench.machine import describe
from wavebook.bench.six_checks import Checks, check_runs
from wavebook_tools.errors import UsageError, WavebookError
from wavebook_tools.jobs import wakeup
from wavebook_tools.jobs.status import project_status
from wavebook_tools.records.files import write_atomic, write_json
from wavebook_tools.records.keeping import keep as keep_record
from wavebook_tools.records.plan import WavePlan
from wavebook_tools.records.project import Project

PLAN = Path(__file__).with_name("six_runs.json")

SETTINGS = """\
# The wave of `wavebook bench six-runs`; see docs/job-control.md
[watchdog]
training = {patience:g}
"""

CHECKS = "checks.json"
"""What was seen, in the record."""

ENOUGH = 3
"""Iterations after which a run is cancelled or stopped: it certainly trains by then."""

LOOK_INTERVAL = 0.5
CONCLUSION_PATIENCE = 60.0
"""How long the comparison and the report are waited for [s]."""


@dataclass
class Seen:
    """What was done to the wave and what came of it, beside what its records tell."""

    left: list[int] = field(default_factory=list)
    """Processes of the cancelled run that lived when `wavebook cancel` returned."""
    tree: int = 0
    """Processes of the cancelled run when it was cancelled."""
    stopped: float | None = None
    """When the kernel was stopped, Unix seconds."""
    kernel_gone: bool = False
    out_of_time: bool = False


def measure(
    root: Path,
    *,
    plan: WavePlan | None = None,
    patience: float = 20.0,
    limit: float = 420.0,
    keep: Path | None = None,
) -> dict[str, Any]:
    """Run the wave and check what it leaves.

    Args:
        root: Folder of the new project.
        plan: Six experiments with the slugs of ``six_runs.json``; that one where absent.
        patience: How long a training may be silent before it counts as hung [s].
        limit: After so long the wave is cancelled, so that a machine is not held for nothing [s].
        keep: Folder to keep the record in, without checkpoints and with short paths; nothing is kept where absent.

    Returns:
        The machine, the runs, and each check with what was seen.

    Raises:
        UsageError: The machine has fewer than two GPUs, or ``keep`` is there already.
        WavebookError: A command failed.
    """
    if keep is not None and keep.exists():
        raise UsageError(f"{keep} is there already; name a folder that is not")
    gpus = [device for device in _wavebook("gpus")["devices"] if device["kind"] == "gpu"][:2]
    if len(gpus) < 2:
        raise UsageError(f"this takes two GPUs, and the machine has {len(gpus)}; see `wavebook gpus`")
    plan = _placed(plan or WavePlan.model_validate_json(PLAN.read_bytes()), [gpu["label"] for gpu in gpus])
    project = Project.create(root)
    write_atomic(project.settings_path, SETTINGS.format(patience=patience))
    source = project.state_path / "plan.json"
    write_json(source, plan)
    began = time.time()
    here = partial(_wavebook, root=project.root)
    here("plan", "--from", str(source))
    here("run", str(plan.id))
    seen = Seen()
    _drive(here, project, plan, seen, began=began, limit=limit)
    ended = time.time()
    _await_conclusion(project)
    runs = _by_slug(plan, here("status", str(plan.id)))
    checks = Checks()
    check_runs(checks, project, plan, runs, gpus=[gpu["id"] for gpu in gpus], patience=patience, seen=seen)
    document = {
        "benchmark": "six-runs",
        "machine": describe(),
        "seconds": round(ended - began, 1),
        "runs": [_told(run, began) for run in runs.values()],
        "ok": checks.hold,
        "checks": checks.as_list(),
    }
    if keep is not None:
        write_json(project.root / CHECKS, document)
        keep_record(project, project.waves(), keep, beside=(CHECKS,))
    return document


def _placed(plan: WavePlan, labels: list[str]) -> WavePlan:
    """The plan with its pins on the first two GPUs that this process may use."""
    for experiment, label in zip(
        (spec for spec in plan.experiments if spec.slug.startswith("pinned-")), labels, strict=True
    ):
        experiment.devices = [label]
    return plan.model_copy(update={"created": time.time()})


def _by_slug(plan: WavePlan, status: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The wave's runs by the slug of their experiment."""
    slugs = {experiment.id: experiment.slug for experiment in plan.experiments}
    (wave,) = status["waves"]
    return {slugs[run["experiment"]]: run for run in wave["runs"]}


def _drive(
    here: Callable[..., Any], project: Project, plan: WavePlan, seen: Seen, *, began: float, limit: float
) -> None:
    """Follow the wave to its end, cancel one run while it trains, and stop the kernel of another."""
    cancelled = False
    kernel: psutil.Process | None = None
    told: dict[str, str] = {}
    while True:
        # As `wavebook status --json` prints it, without the start of a Python each time.
        runs = _by_slug(plan, project_status(project, wave=plan.id))
        for slug, run in runs.items():
            now = f"{run['state']} {run['phase'] or ''} on {run['device']}"
            if told.get(slug) != now:
                told[slug] = now
                print(f"{time.time() - began:5.0f} s  {run['id']} {slug}: {now}", file=sys.stderr, flush=True)
        if all(run["ended"] for run in runs.values()):
            seen.kernel_gone = kernel is not None and not kernel.is_running()
            return
        if time.time() > began + limit and not seen.out_of_time:
            seen.out_of_time = True
            here("cancel", str(plan.id), "--why", "the benchmark's time is over")
        if not cancelled and _trains(runs["cancelled"]):
            cancelled = True
            _cancel(here, runs["cancelled"], seen)
        if kernel is None and _trains(runs["hung"]):
            kernel = _kernel(runs["hung"]["pid"])
            seen.stopped = time.time()
            kernel.suspend()
        time.sleep(LOOK_INTERVAL)


def _trains(run: Mapping[str, Any]) -> bool:
    return run["state"] == "running" and run["phase"] == "training" and run["iteration"] >= ENOUGH


def _cancel(here: Callable[..., Any], run: Mapping[str, Any], seen: Seen) -> None:
    supervisor = psutil.Process(run["pid"])
    tree = [supervisor, *supervisor.children(recursive=True)]
    here("cancel", run["id"], "--why", "to see its GPU become free")
    seen.tree = len(tree)
    seen.left = [process.pid for process in tree[1:] if process.is_running()]


def _kernel(supervisor: int) -> psutil.Process:
    below = psutil.Process(supervisor).children(recursive=True)
    return next(process for process in below if "ipykernel_launcher" in " ".join(process.cmdline()))


def _await_conclusion(project: Project) -> None:
    """The queue ends once it has written the comparison and the report."""
    deadline = time.monotonic() + CONCLUSION_PATIENCE
    while wakeup.listens(project) and time.monotonic() < deadline:
        time.sleep(0.2)


def _told(run: Mapping[str, Any], began: float) -> dict[str, Any]:
    """A run in a line: times count from the wave's submission [s]."""
    times = {name: round(run[name] - began, 1) if run[name] else None for name in ("started", "ended")}
    return {**{name: run[name] for name in ("id", "devices", "device", "state", "message", "iteration")}, **times}


def _wavebook(*words: str, root: Path | None = None) -> Any:
    """What a command prints as JSON.

    Raises:
        WavebookError: It failed.
    """
    command = [sys.executable, "-m", "wavebook", *words, "--json"]
    if root is not None:
        command += ["--project", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
    if done.returncode != 0:
        raise WavebookError(f"`wavebook {' '.join(words)}` failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout)
