"""The wave of six runs, on simulated GPUs and with a template that trains nothing: what is done to it and checked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.jobs.conftest import EVALUATION, TRAINING, driver, machine, write_template
from tests.jobs.gpus import Machine
from wavebook.bench import six_runs
from wavebook_tools.errors import UsageError
from wavebook_tools.jobs.index import rebuild
from wavebook_tools.jobs.status import project_status
from wavebook_tools.records.plan import WavePlan
from wavebook_tools.records.project import Project

__all__ = ["driver", "machine"]

TOO_LARGE = """\
import numpy
if "agent.actor.hidden_dims" in overrides:
    numpy.zeros((1 << 40, 1 << 10))
"""


def plan() -> WavePlan:
    """The wave as it is shipped, with six iterations where sixty are planned."""
    document = json.loads(six_runs.PLAN.read_bytes())
    return WavePlan.model_validate({**document, "iterations": 6})


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WAVEBOOK_LEASES", str(tmp_path / "leases"))
    project = Project.create(tmp_path / "project")
    write_template(project, "train", TOO_LARGE, TRAINING, EVALUATION)
    return project.root


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_each_of_the_six_runs_ends_as_it_should_and_the_record_can_be_read(
    root: Path, machine: Machine, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    document = six_runs.measure(root, plan=plan(), patience=3.0, limit=400.0, keep=kept)
    assert document["ok"], [check for check in document["checks"] if not check["holds"]]
    assert [(run["id"], run["state"]) for run in document["runs"]] == [
        ("exp001/s0", "done"),
        ("exp002/s1", "done"),
        ("exp003/s0", "failed"),
        ("exp004/s0", "cancelled"),
        ("exp005/s0", "hung"),
        ("exp006/s2", "done"),
    ]
    # What is kept names no folder of this machine, and is a project of its own.
    assert not [path for path in kept.rglob("*") if path.is_file() and str(tmp_path).encode() in path.read_bytes()]
    assert json.loads((kept / "checks.json").read_text())["ok"]
    project = Project(kept)
    assert rebuild(project) == 6
    states = {run["id"]: run["state"] for run in project_status(project)["waves"][0]["runs"]}
    assert states == {run["id"]: run["state"] for run in document["runs"]}


def test_one_gpu_is_too_few_and_nothing_is_written(tmp_path: Path, machine: Machine) -> None:
    machine.set(["GPU-aaaa"])
    with pytest.raises(UsageError, match="takes two GPUs, and the machine has 1"):
        six_runs.measure(tmp_path / "project")
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda runs: runs["automatic"].update(device="GPU-a"), "no GPU was given to two runs at once"),
        (lambda runs: runs["pinned-second"].update(device="GPU-a"), "pinned runs went where they were sent"),
        (lambda runs: runs["automatic"].update(device="GPU-a"), "the queue used both GPUs for the others"),
    ],
)
def test_a_wrong_placement_is_noticed(spoil: Callable[[dict[str, dict[str, object]]], None], what: str) -> None:
    from wavebook.bench.six_checks import Checks, _check_places

    def run(device: str, asked: str, started: float) -> dict[str, object]:
        return {
            "id": f"{device} {asked}",
            "device": device,
            "devices": [asked],
            "started": started,
            "ended": started + 1,
        }

    runs = {
        "pinned-first": run("GPU-a", "0", 0.0),
        "pinned-second": run("GPU-b", "1", 0.0),
        "too-large": run("GPU-a", "auto", 2.0),
        "automatic": run("GPU-b", "auto", 2.0),
    }
    checks = Checks()
    _check_places(checks, runs, ["GPU-a", "GPU-b"])
    assert checks.hold, checks.found
    spoil(runs)
    checks = Checks()
    _check_places(checks, runs, ["GPU-a", "GPU-b"])
    assert what in [name for name, holds, _ in checks.found if not holds]
