"""The shipped template, with a real kernel, a real simulation of two robots, and nothing else."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from wavebook_tools.display import BOKEH_MIME
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.jobs.status import project_status
from wavebook_tools.records.plan import EvaluationSpec, ExperimentSpec, WavePlan
from wavebook_tools.records.project import Project
from wavebook_tools.replay import REPLAY_MIME
from wavebook_tools.replay.document import read_replay

pytestmark = [
    pytest.mark.sim,
    pytest.mark.slow,
    pytest.mark.skipif(
        "not __import__('importlib.util').util.find_spec('isaaclab')", reason="the extra sim is missing"
    ),
]

WEIGHT = "env.rewards.track_lin_vel_xy_exp.weight"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project in which the template has run once, with two robots for two iterations."""
    folder = tmp_path_factory.mktemp("template")
    project = Project.create(folder / "project")
    plan = WavePlan(
        id=1,
        slug="two-robots",
        goal="See the template run",
        task="Wavebook-Velocity-Flat-DHAV1",
        num_envs=2,
        iterations=2,
        devices=["cpu"],
        evaluation=EvaluationSpec(num_envs=5, seconds=1.1),
        experiments=[
            ExperimentSpec(
                id="exp001", slug="heavier", hypothesis="It learns", seeds=[7], overrides={WEIGHT: 4.5}, baseline=True
            )
        ],
    )
    os.environ["WAVEBOOK_LEASES"] = str(folder / "leases")
    try:
        with Queue(project) as queue:
            assert queue.wait(queue.submit_wave(plan), timeout=400)
    finally:
        del os.environ["WAVEBOOK_LEASES"]
    return project


def test_the_run_is_done_with_a_true_result(project: Project) -> None:
    (run,) = project_status(project)["waves"][0]["runs"]
    record = project.run("exp001/s7")
    assert run["state"] == "done", record.log_path.read_text()[-3000:]
    result = record.result()
    assert result is not None
    assert math.isfinite(result.error_vel_xy)
    assert 0 <= result.time_out <= 1
    assert result.protocol.hash
    assert (result.seed, result.num_envs) == (7, 5)
    assert result.env_steps_per_second > 0


def test_every_iteration_is_an_event_with_rsl_rl_names(project: Project) -> None:
    metrics = [event for event in project.run("exp001/s7").events() if event["kind"] == "metric"]
    assert [event["iteration"] for event in metrics] == [0, 1]
    assert {"Loss/value", "Policy/mean_std", "Perf/total_fps", "Metrics/error_vel_xy"} <= metrics[-1]["values"].keys()


def test_the_phases_come_in_order(project: Project) -> None:
    states = [e for e in project.run("exp001/s7").events() if e["kind"] == "state"]
    assert [e["state"] for e in states if "phase" not in e] == ["starting", "done"]
    phases = [e["phase"] for e in states if "phase" in e]
    assert list(dict.fromkeys(phases)) == ["starting", "compiling", "training", "evaluating"]
    assert phases == sorted(phases, key=["starting", "compiling", "training", "evaluating"].index)
    progress = [e["progress"] for e in states if "progress" in e]
    assert progress == sorted(progress)
    assert progress[-1] == 1.0


def test_the_notebook_shows_configuration_curves_and_result(project: Project) -> None:
    notebook = nbformat.read(project.run("exp001/s7").notebook_path, as_version=4)
    outputs = {cell.id: json.dumps(cell.get("outputs", [])) for cell in notebook.cells}
    assert "4.5" in outputs["configuration"], "the override stands in the table of rewards"
    assert BOKEH_MIME in outputs["training"]
    assert REPLAY_MIME in outputs["replay"]
    assert "m/s" in outputs["evaluation"]
    assert "isaaclab" in outputs["environment"]
    assert "exp001" in outputs["verdict"] or "baseline" in outputs["verdict"]
    assert len(json.dumps(notebook)) < 2_000_000


def test_the_run_keeps_a_replay_of_each_command(project: Project) -> None:
    replay = read_replay(project, project.run("exp001/s7"))
    assert replay.title == "exp001/s7"
    assert len({motion.command for motion in replay.robots}) == len(replay.robots) == 8


def test_the_executed_notebook_runs_again_by_hand(project: Project, tmp_path: Path) -> None:
    record = project.run("exp001/s7")
    before = record.result_path.read_bytes()
    again = subprocess.run(
        [sys.executable, "-m", "jupyter", "execute", str(record.notebook_path), "--output", str(tmp_path / "again")],
        cwd=record.path,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert again.returncode == 0, again.stderr[-3000:]
    assert record.result_path.read_bytes() == before
    first, second = record.result(), project.run("exp001/s7-r1").result()
    assert first is not None
    assert second is not None
    assert second.error_vel_xy == pytest.approx(first.error_vel_xy, rel=0.05), "the same seed gives the same policy"
