"""The command line as a person calls it: what it prints, and how it ends."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.jobs.conftest import EVALUATION, TRAINING, small_plan, write_template
from wavebook.cli.control import _harmless, cancel, status
from wavebook.cli.evaluate import differences, judgement
from wavebook.cli.plan import read_plan
from wavebook_tools.errors import UsageError
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.jobs.store import QueueStore
from wavebook_tools.records.files import write_json
from wavebook_tools.records.plan import Budget
from wavebook_tools.records.project import Project
from wavebook_tools.records.run import RunSpec, RunState

DIRECTIVE = "track the commanded velocity better on flat ground, 2 experiments"


def wavebook(*arguments: str, project: Path, timeout: float = 180) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "WAVEBOOK_LEASES": str(project.parent / "leases"), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-m", "wavebook", *arguments],
        cwd=project if project.is_dir() else project.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project.create(tmp_path / "project")
    write_template(project, "quick", TRAINING, EVALUATION)
    return project


def quick_plan(project: Project, **changes: object) -> Path:
    """A plan written by hand, in a file."""
    path = project.root / "plan.json"
    document = small_plan(seeds=2).model_dump(mode="json")
    path.write_text(json.dumps({**document, **changes}))
    return path


def test_a_directive_becomes_a_plan_as_json(project: Project) -> None:
    done = wavebook("plan", DIRECTIVE, "--json", project=project.root)
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert plan["task"] == "Wavebook-Velocity-Flat-DHAV1"
    assert len(plan["experiments"]) == 2
    assert not list(project.waves_path.iterdir()), "nothing runs before it is approved"
    assert [d.what for d in project.ledger.read()] == ["directive", "plan"]


def test_the_code_of_a_plan_is_shown_whole(project: Project) -> None:
    line = "    return env.scene['robot'].data.root_ang_vel_b.torch[:, 1]" + " * 1.0" * 40 + "  # its end"
    code = [{"kind": "reward", "name": "wide", "source": f"def wide(env):\n{line}\n", "weight": 1.0}]
    experiment = small_plan(template="train").experiments[0].model_dump(mode="json") | {"code": code}
    done = wavebook("plan", "--from", str(quick_plan(project, experiments=[experiment])), project=project.root)
    assert done.returncode == 0, done.stderr
    assert f"+{line}" in done.stdout.splitlines(), "longer than a terminal's line"


def test_a_plan_by_hand_runs_to_its_comparison(project: Project) -> None:
    path = quick_plan(project)
    assert wavebook("plan", "--from", str(path), project=project.root).returncode == 0
    done = wavebook("run", "1", "--wait", "--json", project=project.root)
    assert done.returncode == 0, done.stderr
    wave = json.loads(done.stdout)["waves"][0]
    assert wave["state"] == "done"
    assert [run["id"] for run in wave["runs"]] == ["exp001/s0", "exp001/s1"]

    status = json.loads(wavebook("status", "--json", project=project.root).stdout)
    run = status["waves"][0]["runs"][0]
    assert {"id", "state", "device", "pid", "iteration", "iterations", "started", "ended"} <= run.keys()
    logs = wavebook("logs", "exp001/s0", project=project.root)
    assert "iteration 3/3" in logs.stdout
    compared = json.loads(wavebook("compare", "1", "--json", project=project.root).stdout)
    assert Path(compared["path"]).read_text().startswith("<!DOCTYPE html>")
    assert "exp001" in compared["verdicts"]["1"]

    again = wavebook("run", "1", project=project.root)
    assert again.returncode == 2
    assert "wave 1 was started before" in again.stderr
    assert "wavebook retry 1" in again.stderr


def test_a_failed_wave_ends_with_exit_code_1(project: Project) -> None:
    write_template(project, "quick", TRAINING, "1 / 0")
    wavebook("plan", "--from", str(quick_plan(project)), project=project.root)
    done = wavebook("run", "1", "--wait", project=project.root)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stdout


def test_a_rejected_plan_runs_nothing_and_frees_its_number(project: Project) -> None:
    path = quick_plan(project)
    wavebook("plan", "--from", str(path), project=project.root)
    done = wavebook("reject", "1", "--why", "too long", project=project.root)
    assert done.returncode == 0, done.stderr
    assert [(d.what, d.why) for d in project.ledger.read()][-1] == ("reject", "too long")
    refused = wavebook("run", "1", project=project.root)
    assert refused.returncode == 2
    assert "the plan of wave 1 was rejected" in refused.stderr
    assert wavebook("plan", "--from", str(path), project=project.root).returncode == 0
    assert wavebook("reject", "7", project=project.root).returncode == 2


def test_status_tells_what_the_watchdog_found_and_suggests(project: Project) -> None:
    write_template(project, "quick", "import a_module_that_nobody_has", EVALUATION)
    wavebook("plan", "--from", str(quick_plan(project)), project=project.root)
    assert wavebook("run", "1", "--wait", project=project.root).returncode == 1
    status = wavebook("status", project=project.root).stdout
    assert "try: install" in " ".join(status.split())


def test_an_error_in_training_is_not_shown_as_a_judged_one(project: Project) -> None:
    told = 'session.iteration(iterations - 1, {"Metrics/error_vel_xy": 0.25})'
    write_template(project, "quick", TRAINING + told, "1 / 0")
    wavebook("plan", "--from", str(quick_plan(project)), project=project.root)
    waited = wavebook("run", "1", "--wait", project=project.root)
    assert "velocity error 0.250 m/s in training" in waited.stdout
    assert "0.250 in training" in wavebook("status", project=project.root).stdout

    write_template(project, "quick", TRAINING + told, EVALUATION)
    wavebook("retry", "1", "--wait", project=project.root)
    again = next(line for line in wavebook("status", project=project.root).stdout.splitlines() if "s0-r1" in line)
    assert "0.100" in again
    assert "in training" not in again


def test_cancel_waits_until_the_processes_are_gone(project: Project) -> None:
    wavebook("plan", "--from", str(quick_plan(project, iterations=10_000)), project=project.root)
    wavebook("run", "1", project=project.root)
    done = wavebook("cancel", "1", "--why", "enough", "--json", project=project.root)
    assert done.returncode == 0, done.stderr
    assert sorted(json.loads(done.stdout)["cancelled"]) == ["exp001/s0", "exp001/s1"]
    again = wavebook("cancel", "1", project=project.root)
    assert again.returncode == 2
    assert "has no run that could be cancelled" in again.stderr


def test_a_spent_budget_is_told_once(project: Project) -> None:
    plan, why = small_plan(), "the budget of 2 GPU hours is spent"
    write_json(project.waves_path / plan.folder / "wave.json", plan)
    with contextlib.closing(QueueStore(project)) as store:
        store.add([(RunSpec.from_plan(plan, plan.experiments[0], 0), "waves/001-small/exp001-first/s0")])
        store.start("exp001/s0", "cpu")
        store.finish("exp001/s0", RunState.CANCELLED, message=f"cancelled by the watchdog: {why}")
    project.ledger.append("watchdog", "budget", "cancel", why=why, wave=1, runs=["exp001/s0"])
    shown = CliRunner().invoke(status, ["--project", str(project.root)], env={"COLUMNS": "200"}).stdout
    assert "".join(shown.split()).count("budgetof2GPUhours") == 1, shown


def test_cancelling_what_is_being_cancelled_waits_for_its_end_too(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = small_plan()
    with contextlib.closing(QueueStore(project)) as store:
        store.add([(RunSpec.from_plan(plan, plan.experiments[0], 0), "waves/001-small/exp001-first/s0")])
        store.start("exp001/s0", "cpu")
        assert store.request_cancel("exp001/s0", "ana", "enough")

    def end(queue: Queue, runs: Iterable[str], timeout: float) -> bool:
        return all(queue.store.finish(run, RunState.CANCELLED) for run in runs)

    monkeypatch.setattr(Queue, "wait", end)
    once_more = ["exp001/s0", "--project", str(project.root)]
    done = CliRunner().invoke(cancel, once_more)
    assert (done.exit_code, done.stdout) == (0, "exp001/s0: cancelled\n"), done.output
    assert CliRunner().invoke(cancel, once_more).exit_code != 0


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ({"env.rewards.track_lin_vel_xy.weight": 2.0}, "env.rewards.track_lin_vel_xy_exp.weight"),
        ({"agent.algorithm.learning_rate": "fast"}, "agent.algorithm.learning_rate"),
        ({"agent.algorithm.gamma": 1.5}, "agent.algorithm.gamma"),
        ({"env.scene.num_envs": 5}, "num_envs"),
    ],
)
def test_wrong_overrides_are_refused_before_anything_runs(
    project: Project, overrides: dict[str, object], told: str
) -> None:
    document = small_plan().model_dump(mode="json")
    document["experiments"][0]["overrides"] = overrides
    path = project.root / "plan.json"
    path.write_text(json.dumps(document))
    done = wavebook("plan", "--from", str(path), project=project.root)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(project.waves_path.iterdir())


def test_a_log_in_a_terminal_keeps_its_colours_and_sets_nothing_else() -> None:
    shown = _harmless("\x1b[31mred\x1b[0m \x1b]52;c;aGFjaw==\x07 \x1b[2J \x9b5n end\n")
    assert shown.startswith("\x1b[31mred\x1b[0m ")
    assert shown.count("\x1b") == 2
    assert not {"\x07", "\x9b"} & set(shown)


def test_a_plan_by_hand_keeps_to_the_projects_number_of_runs_unless_it_names_its_own(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    document = small_plan().model_dump(mode="json")
    document["experiments"][0]["seeds"] = list(range(15))
    del document["budget"]["max_runs"]
    path.write_text(json.dumps(document))
    runs = sum(len(experiment["seeds"]) for experiment in document["experiments"])
    with pytest.raises(UsageError, match=rf"{runs} runs are planned and the budget allows 4 \(budget.max_runs\)"):
        read_plan(path, Budget(max_runs=4))
    assert read_plan(path, Budget(max_runs=20)).run_count == runs
    path.write_text(json.dumps(document | {"budget": {"max_runs": 30}}))
    assert read_plan(path, Budget(max_runs=4)).budget.max_runs == 30


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["plan"], "say what you want"),
        (["plan", "--from", "missing.json"], "cannot read the plan"),
        (["plan", "qwertz"], "made nothing of «qwertz»"),
        (["run", "7"], "there is no plan for wave 7"),
        (["status", "7"], "there is no wave 7"),
        (["logs", "exp1"], "runs are named like 'exp001/s0'"),
        (["cancel", "exp001/s0"], "there is no run 'exp001/s0'"),
        (["export", "exp001/s0"], "there is no run 'exp001/s0'"),
        (["evaluate", "exp001/s0"], "there is no run 'exp001/s0'"),
        (["keep", "--to", "kept"], "there is no wave to keep"),
        (["compare", "3"], "there is no wave 3"),
        (["report", "3"], "there is no wave 3"),
        (["retry", "3"], "there is no wave 3"),
        (["fly"], "No such command"),
    ],
)
def test_a_wrong_call_says_what_is_wrong_and_ends_with_2(project: Project, arguments: list[str], told: str) -> None:
    done = wavebook(*arguments, project=project.root)
    assert done.returncode == 2
    assert told in done.stderr
    assert done.stdout == ""


def test_two_results_lie_as_far_apart_as_their_standard_errors_say() -> None:
    known = {"error_vel_xy": 0.2, "error_vel_xy_standard_error": 0.03, "error_vel_yaw": 0.1}
    again = {"error_vel_xy": 0.1, "error_vel_xy_standard_error": 0.04, "error_vel_yaw": 0.1}
    found = differences(known, again)
    assert found["error_vel_xy"] == pytest.approx({"difference": -0.1, "standard_errors": -2.0})
    assert found["error_vel_yaw"] == {"difference": 0.0, "standard_errors": None}
    assert judgement(found).startswith("So few robots")
    assert judgement({"error_vel_xy": found["error_vel_xy"]}).startswith("error_vel_xy: further apart than chance")
    assert (
        judgement({"error_vel_xy": {"difference": 0.1, "standard_errors": 1.0}}) == "Chance explains the differences."
    )


def test_a_folder_that_cannot_be_written_ends_with_1(tmp_path: Path) -> None:
    done = wavebook("plan", DIRECTIVE, "--project", "/proc/nothing", project=tmp_path)
    assert done.returncode == 1
    assert "cannot be written" in done.stderr


def test_outside_a_project_status_says_how_to_start_one(tmp_path: Path) -> None:
    done = wavebook("status", project=tmp_path)
    assert done.returncode == 2
    assert "wavebook plan" in done.stderr


def test_gpus_and_doctor_answer_in_json(project: Project) -> None:
    devices = json.loads(wavebook("gpus", "--json", project=project.root).stdout)["devices"]
    assert devices[0]["holders"] == []
    checks = json.loads(wavebook("doctor", "--json", project=project.root).stdout)["checks"]
    assert {"Python", "tasks", "templates", "devices"} <= {check["name"] for check in checks if check["ok"]}


def test_the_command_line_starts_without_the_simulator() -> None:
    heavy = ("torch", "isaaclab", "warp", "bokeh", "papermill")
    code = f"import sys; import wavebook.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
