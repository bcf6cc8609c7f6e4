"""Waves kept as a small record, and the table of all runs."""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path

import pytest

from tests.projects import Drawn, draw_wave
from wavebook.cli.keep import best_run
from wavebook_tools.comparison.experiments_table import HEAD, MARK, append, rows
from wavebook_tools.errors import UsageError, WavebookError
from wavebook_tools.records.keeping import keep
from wavebook_tools.records.project import Project
from wavebook_tools.replay.notebook import REPLAY_MIME


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    project = draw_wave(
        tmp_path / "project",
        [
            Drawn("as-it-is", {0: 0.21, 1: 0.19}, baseline=True),
            Drawn("heavier", {0: "failed"}, overrides={"env.rewards.track_lin_vel_xy_exp.weight": 8.0}),
        ],
        iterations=1000,
    )
    run = project.run("exp001/s0")
    monkeypatch.setenv("SOME_API_KEY", "hush-hush-hush")
    library = next(path for path in sys.path if path.endswith("site-packages"))
    text = f"training in {project.root}/waves with {library}/rsl_rl and hush-hush-hush\n"
    run.log_path.write_text(text, encoding="utf-8")
    run.stacks_path.write_text(f"stuck in {library}/warp/context.py\n", encoding="utf-8")
    project.ledger.append("human", "ada", "cancel", why=f"no space in {project.root}", runs=["exp002/s0"])
    broken = run.checkpoints_path / "broken" / "broken-000.npz"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"arrays")
    for number in (9, 100):
        (run.checkpoints_path / f"model_{number}.pt").write_bytes(b"actor, critic, optimiser")
        (run.checkpoints_path / f"state_{number}.pt").write_bytes(b"x" * 100_000)
    return project


def copy_actor(model: Path, target: Path) -> None:
    target.write_bytes(model.read_bytes()[:5])


def test_policies_are_kept_of_chosen_runs_only(project: Project, tmp_path: Path) -> None:
    assert best_run(project.waves()) == "exp001/s1"
    keep(project, project.waves(), tmp_path / "kept", slim=copy_actor, policies={"exp001/s1"})
    assert not list(Project.find(tmp_path / "kept").root.rglob("model_*.pt"))
    keep(project, project.waves(), tmp_path / "other", slim=copy_actor, policies={"exp001/s0"})
    assert len(list(Project.find(tmp_path / "other").root.rglob("model_*.pt"))) == 1


def test_a_record_is_a_project_with_what_people_read(project: Project, tmp_path: Path) -> None:
    size = keep(project, project.waves(), tmp_path / "kept", points=50, slim=copy_actor)
    kept = Project.find(tmp_path / "kept")
    assert size == sum(path.stat().st_size for path in kept.root.rglob("*") if path.is_file())
    assert [run.id for run in kept.runs()] == [run.id for run in project.runs()]
    run, original = kept.run("exp001/s0"), project.run("exp001/s0")
    assert run.spec() == original.spec()
    assert run.result() == original.result()
    assert run.log_path.read_text() == "training in PROJECT/waves with SITE/rsl_rl and [redacted SOME_API_KEY]\n"
    assert run.stacks_path.read_text() == "stuck in SITE/warp/context.py\n"
    assert kept.ledger.path.read_text().count("no space in PROJECT") == 1
    assert sorted(path.name for path in run.checkpoints_path.rglob("*.*")) == ["broken-000.npz", "model_100.pt"]
    assert (run.checkpoints_path / "model_100.pt").read_bytes() == b"actor"
    iterations = [event["iteration"] for event in run.events() if event["kind"] == "metric"]
    assert len(iterations) == 50
    assert (iterations[0], iterations[-1]) == (0, 999)
    assert max(after - before for before, after in itertools.pairwise(iterations)) <= 21
    told = {event["iteration"]: event["values"] for event in original.events() if event["kind"] == "metric"}
    for event in run.events():
        if event["kind"] == "metric":
            assert event["values"] == pytest.approx(told[event["iteration"]], rel=1e-5)
            assert event["values"] == {name: float(f"{value:.6g}") for name, value in event["values"].items()}
    states = [event for event in original.events() if event["kind"] == "state"]
    assert [event for event in run.events() if event["kind"] == "state"] == states


def test_what_does_not_fit_leaves_nothing(project: Project, tmp_path: Path) -> None:
    with pytest.raises(WavebookError, match=r"0\.8 MB, more than 0\.0; largest: waves/001-tracking/exp\S+/s./events"):
        keep(project, project.waves(), tmp_path / "kept", limit=1000)
    with pytest.raises(UsageError, match="no wave to keep"):
        keep(project, [], tmp_path / "kept")
    assert [path.name for path in tmp_path.iterdir()] == ["project"]
    with pytest.raises(UsageError, match="is there already"):
        keep(project, project.waves(), project.root)


def test_every_run_gets_a_row_once(project: Project, tmp_path: Path) -> None:
    page = tmp_path / "runs.md"
    page.write_text(f"# Runs\n\n{HEAD}\n|{'---|' * 12}\n{MARK}\n\nThe end.\n", encoding="utf-8")
    lines = rows(project, [1], "tracking")
    append(page, lines)
    append(page, lines)
    text = page.read_text(encoding="utf-8")
    table = [line for line in text.splitlines() if line.startswith("| 20")]
    assert len(table) == 3
    assert {line.count("|") for line in table} == {HEAD.count("|")}
    first, _, failed = table
    assert "tracking exp001/s0" in first
    assert "| 64 x 1000 |" in first
    assert "| 0.210 |" in first
    assert "`track_lin_vel_xy_exp.weight=8`" in failed
    assert "the run was made to be failed" in failed
    assert text.endswith(f"{MARK}\n\nThe end.\n")
    with pytest.raises(UsageError, match="has no table of runs"):
        append(tmp_path / "nowhere.md", lines)


def test_the_projects_own_table_takes_rows() -> None:
    page = Path(__file__).parents[2] / "docs" / "experiments.md"
    text = page.read_text(encoding="utf-8")
    assert HEAD in text
    assert MARK in text
    # Every kept run has a row.
    for result in page.parents[1].glob("examples/*/waves/*/exp*/s*/result.json"):
        document = json.loads((result.parent / "spec.json").read_text(encoding="utf-8"))
        assert f"{result.parents[4].name} {document['id']}" in text


def test_replays_stay_with_the_policies(project: Project, tmp_path: Path) -> None:
    for run in project.runs():
        cell = {"outputs": [{"data": {REPLAY_MIME: {"item": "{}"}, "text/html": "<svg/>"}}]}
        run.notebook_path.write_text(json.dumps({"cells": [cell, {"cell_type": "markdown"}]}))
        (run.path / "replay.json").write_text("{}")
    keep(project, project.waves(), tmp_path / "kept", slim=copy_actor, policies={"exp001/s0"})
    kept = Project.find(tmp_path / "kept")
    shown = {run.id: json.loads(run.notebook_path.read_text())["cells"][0]["outputs"][0]["data"] for run in kept.runs()}
    assert list(shown["exp001/s0"]) == [REPLAY_MIME, "text/html"]
    assert list(shown["exp001/s1"]) == ["text/html"]
    assert [run.id for run in kept.runs() if (run.path / "replay.json").exists()] == ["exp001/s0"]
