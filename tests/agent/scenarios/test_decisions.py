"""The decisions that the paper tells of, from a directive and recorded runs with injected faults, by both planners.

Judged by what was done: plans, requests, branches and lines of the ledger. The hung run that is really killed stands in
tests/diagnosis/test_in_runs.py; a term that really trains and one that fails its preflight in test_code.py.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.agent.conftest import WaitingQueue
from tests.agent.messages_server import KEY
from tests.agent.scenarios.campaign import HIM, ROUGH, decide, inject, ledger, run_wave
from tests.code_terms import PITCH_RATE
from tests.projects import TASK, Drawn, draw_wave
from wavebook.agent.branches import closed_branches
from wavebook.agent.diagnosis.case import KINDS
from wavebook.agent.diagnosis.plan import FAMILIES
from wavebook.agent.offline import OfflinePlanner
from wavebook.agent.tools.registry import TOOLS
from wavebook.agent.tools.requests import Requests
from wavebook_tools.comparison import verdicts
from wavebook_tools.comparison.report import write_report
from wavebook_tools.errors import UsageError
from wavebook_tools.jobs.queue import Queue
from wavebook_tools.records.project import Project

GROUND = "env.scene.terrain.terrain_generator.sub_terrains."
BOTH = pytest.mark.parametrize("planner", ["offline", "claude"])


@pytest.fixture
def claude_key(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.delenv("ANTHROPIC_BASE_URL", raising=False)


pytestmark = pytest.mark.usefixtures("claude_key")


def campaign(tmp_path: Path, task: str, *experiments: Drawn, iterations: int = 60, **fields) -> Project:
    project = Project.create(tmp_path / "p", f'[training]\ntask = "{task}"\n[devices]\nuse = ["cpu"]\n')
    rough = "Rough" in task
    return draw_wave(project.root, experiments, task=task, rough=rough, iterations=iterations, **fields)


def test_every_finding_of_the_watchdog_has_a_family():
    assert set(FAMILIES) == set(KINDS)


@BOTH
def test_terrains_that_hang_are_isolated(planner, tmp_path):
    hung = Drawn("wide", {3: "hung"}, {"env.rewards.action_rate_l2.weight": -0.02})
    project = campaign(tmp_path, ROUGH, Drawn("baseline", {0: 0.3, 1: 0.31}, baseline=True), hung, iterations=200)
    inject(project, "exp002/s3", "hang", {"phase": "training", "last_iteration": 12}, state="hung")
    calls = [{"tool": "isolate_failure", "input": {"run": "exp002/s3"}}]
    approval, _ = decide(planner, project, "why did exp002 hang? find the terrains that hang", calls)
    plan = approval.plan
    assert plan.purpose == "diagnosis"
    control, first, second, *_ = plan.experiments
    assert control.baseline
    assert control.seeds == [3]
    assert control.overrides == {"env.rewards.action_rate_l2.weight": -0.02}
    halves = [{n for n, v in e.overrides.items() if n.startswith(GROUND) and v == 0.0} for e in (first, second)]
    assert halves[0]
    assert halves[1]
    assert not halves[0] & halves[1]
    assert plan.iterations < 200  # as long as it took to hang, with some room
    outcomes = {e.slug: "hung" for e in plan.experiments} | {first.slug: 0.4}
    run_wave(project, approval, outcomes)
    (finding,) = ledger(project, "finding")
    assert f"{first.id} {first.slug} finished" in finding.why
    assert f"{second.id} {second.slug} failed as well" in finding.why
    assert f"{control.id}/s3" in finding.refs["evidence"]
    assert f"{first.id} {first.slug} finished" in write_report(project, plan.id).read_text()


@BOTH
@pytest.mark.parametrize(("ported", "judged"), [([0.20, 0.21], "better"), ([0.30, 0.305], "no different")])
def test_a_ported_term_is_proven_to_help_or_not(planner, ported, judged, tmp_path):
    project = campaign(tmp_path, TASK, Drawn("baseline", {0: 0.30, 1: 0.31}, baseline=True))
    experiment = {
        "slug": "pitch-rate",
        "hypothesis": "A penalty on the pitch rate lowers the velocity error.",
        "code": [PITCH_RATE],
        "seeds": [0, 1],
        "prediction": {"metric": "error_vel_xy", "direction": "down"},
    }
    base = {"slug": "baseline", "hypothesis": "The task as it is, again.", "baseline": True, "seeds": [2, 3]}
    calls = [{"tool": "propose_wave", "input": {"goal": "Port the pitch rate term", "experiments": [base, experiment]}}]
    say = "try feet gait weight 0.5, 2 experiments, 2 seeds"
    approval, _ = decide(planner, project, say, calls)
    baseline, port = approval.plan.experiments
    assert baseline.baseline
    assert port.prediction is not None
    assert len(port.seeds) == 2
    assert port.code or port.overrides == {"env.rewards.feet_gait.weight": 0.5}
    if planner == "claude":
        assert approval.code[0].diff.startswith("--- /dev/null")
        assert ledger(project, "approve")[-1].refs["code"] == {f"{port.id} pitch_rate": port.code[0].digest}
    run_wave(project, approval, {baseline.slug: [0.30, 0.31], port.slug: ported}, rough=False)
    verdicts = {d.refs["experiment"]: d.refs["verdict"] for d in ledger(project, "verdict")}
    assert verdicts[port.id] == judged
    (checked,) = [d for d in ledger(project, "prediction") if d.refs["experiment"] == port.id]
    assert checked.refs["held"] == (judged == "better") or port.prediction.direction == "same"


@BOTH
def test_a_failure_at_the_start_is_isolated_to_what_was_changed_and_mended(planner, tmp_path):
    changed = {"env.rewards.action_rate_l2.weight": -0.02, "agent.algorithm.entropy_coef": 0.02}
    broken = Drawn("both", {0: "failed"}, changed)
    project = campaign(tmp_path, TASK, Drawn("baseline", {0: 0.3, 1: 0.31}, baseline=True), broken)
    inject(project, "exp002/s0", "crash at start", {"cause": "plan"})
    calls = [{"tool": "isolate_failure", "input": {"run": "exp002/s0"}}]
    approval, said = decide(planner, project, "exp002 crashed at its start: isolate the cause", calls)
    plan = approval.plan
    if planner == "offline":
        assert "probe_imports" in said
    assert plan.iterations <= 2
    by_slug = {e.slug: e for e in plan.experiments}
    assert by_slug["task-as-it-is"].overrides == {}
    assert by_slug["task-as-it-is"].num_envs == 2
    assert [*by_slug["without-first-half"].overrides] == ["agent.algorithm.entropy_coef"]
    outcomes = dict.fromkeys(by_slug, 0.5) | {"control": "failed", "without-second-half": "failed"}
    run_wave(project, approval, outcomes, rough=False)
    (finding,) = ledger(project, "finding")
    assert "without-first-half finished: Without env.rewards.action" in finding.why
    # Mended: in full, without what stopped it, beside the baseline.
    base = {"slug": "base", "hypothesis": "The baseline on the same seed.", "baseline": True, "seeds": [0]}
    mended = {
        **{"slug": "mended", "hypothesis": "It starts without the penalty.", "seeds": [0], "evidence": ["exp002"]},
        "overrides": {"agent.algorithm.entropy_coef": 0.02},
        "prediction": {"metric": "error_vel_xy", "direction": "same"},
    }
    calls = [
        {"tool": "propose_wave", "input": {"goal": "Mend exp002", "iterations": 60, "experiments": [base, mended]}}
    ]
    approval, _ = decide(planner, project, "mend exp002", calls)
    baseline, repaired = approval.plan.experiments
    assert baseline.baseline
    assert (approval.plan.purpose, approval.plan.iterations) == ("research", 60)
    assert (repaired.overrides, repaired.seeds) == ({"agent.algorithm.entropy_coef": 0.02}, [0])
    run_wave(project, approval, {baseline.slug: 0.3, repaired.slug: 0.28}, rough=False)
    assert project.run(f"{repaired.id}/s0").result().error_vel_xy == 0.28


@BOTH
def test_a_learner_that_diverges_is_isolated_to_its_changes_though_it_broke_robots(planner, tmp_path):
    """As it was with real robots: a learning rate of 0.1 threw them about, and no robot broke by itself."""
    steps = {"agent.algorithm.learning_rate": 0.1, "agent.algorithm.max_grad_norm": 1000.0}
    rest = {"agent.algorithm.entropy_coef": 0.02, "env.rewards.action_rate_l2.weight": -0.02}
    large = Drawn("large-steps", {0: "failed"}, steps | rest)
    project = campaign(tmp_path, TASK, Drawn("baseline", {0: 0.3, 1: 0.31}, baseline=True), large)
    inject(project, "exp002/s0", "not a number", {"metrics": [], "broken": 2, "reasons": {"joint speed": 2}})
    calls = [{"tool": "isolate_failure", "input": {"run": "exp002/s0"}}]
    approval, _ = decide(planner, project, "why did exp002 fail?", calls)
    by_slug = {e.slug: e for e in approval.plan.experiments}
    assert by_slug["without-first-half"].overrides == rest
    assert by_slug["without-second-half"].overrides == steps
    assert "fewer-robots" in by_slug  # the simulation stays a suspect
    outcomes = dict.fromkeys(by_slug, "failed") | {"without-first-half": 0.4}
    run_wave(project, approval, outcomes, rough=False)
    (finding,) = ledger(project, "finding")
    assert "without-first-half finished: Without agent.algorithm.learning_rate" in finding.why
    mended, _ = decide("offline", project, "mend exp002", [])
    assert mended.plan.experiments[-1].overrides == rest


@pytest.mark.parametrize(
    ("changes", "suspects"),
    [
        ({}, ["calmer-learner"]),
        ({"agent.algorithm.learning_rate": 0.1}, ["without-learning-rate"]),
        (
            {"agent.algorithm.learning_rate": 0.1, "agent.algorithm.entropy_coef": 0.5},
            ["without-learning-rate", "without-entropy-coef"],
        ),
    ],
)
def test_what_a_diverged_run_changes_is_suspected_first_and_else_its_learner(changes, suspects, tmp_path):
    project = campaign(tmp_path, TASK, Drawn("baseline", {0: "failed"}, changes, baseline=True))
    inject(project, "exp001/s0", "not a number", {"metrics": [], "broken": 2})
    approval, _ = decide("offline", project, "why did exp001 fail?", [])
    control, *others = approval.plan.experiments
    assert control.overrides == changes
    assert [e.slug for e in others][: len(suspects)] == suspects
    assert all(e.overrides != changes or e.num_envs for e in others)  # each takes something away


@pytest.mark.parametrize(("evidence", "suspected"), [({"crash": "Segmentation fault"}, True), ({}, False)])
def test_what_was_changed_is_a_suspect_of_a_crash_in_native_code(evidence, suspected, tmp_path):
    wide = Drawn("wide", {0: "failed"}, {"agent.algorithm.entropy_coef": 0.02})
    project = campaign(tmp_path, TASK, Drawn("baseline", {0: 0.3, 1: 0.31}, baseline=True), wide)
    inject(project, "exp002/s0", "kernel died", evidence)
    approval, _ = decide("offline", project, "why did exp002 fail?", [])
    slugs = [e.slug for e in approval.plan.experiments]
    assert {"half-the-robots", "a-quarter-of-the-robots"} <= {*slugs}
    assert ("without-entropy-coef" in slugs) == suspected


@BOTH
def test_code_that_breaks_a_training_is_a_suspect_there_too(planner, tmp_path):
    ported = Drawn("ported", {0: "failed"}, {"agent.algorithm.entropy_coef": 0.02}, fields={"code": [PITCH_RATE]})
    project = campaign(tmp_path, TASK, Drawn("baseline", {0: 0.3, 1: 0.31}, baseline=True), ported)
    inject(project, "exp002/s0", "not a number", {"metrics": ["Loss/value"]})
    calls = [{"tool": "isolate_failure", "input": {"run": "exp002/s0"}}]
    approval, _ = decide(planner, project, "why did exp002 fail?", calls)
    by_slug = {e.slug: e for e in approval.plan.experiments}
    assert [code.name for code in by_slug["control"].code] == ["pitch_rate"]
    assert by_slug["without-code"].code == []
    assert [code.name for code in by_slug["without-entropy-coef"].code] == ["pitch_rate"]


def diagnosed(tmp_path, changes, finishing):
    """A project in which an experiment with code failed at its start, and the diagnosis of it has ended."""
    ported = Drawn("ported", {0: "failed"}, changes, fields={"code": [PITCH_RATE]})
    project = campaign(tmp_path, TASK, Drawn("baseline", {0: 0.3, 1: 0.31}, baseline=True), ported)
    inject(project, "exp002/s0", "crash at start", {})
    approval, _ = decide("offline", project, "why did exp002 fail?", [])
    run_wave(project, approval, dict.fromkeys([e.slug for e in approval.plan.experiments], "failed") | finishing)
    return project, approval.plan


def test_what_finished_in_a_diagnosis_is_told_so_where_the_control_failed(tmp_path):
    project, plan = diagnosed(tmp_path, {"agent.algorithm.entropy_coef": 0.02}, {"without-code": 0.5})
    found = verdicts(project, plan.id)
    by_slug = {e.slug: found[e.id] for e in plan.experiments}
    assert by_slug["without-code"].verdict == "finished"
    assert f"where the control {plan.experiments[0].id} failed" in by_slug["without-code"].text
    assert {by_slug[slug].verdict for slug in ("control", "task-as-it-is")} == {"failed"}
    report = write_report(project, plan.id).read_text()
    assert "finished)" in report
    assert "pending" not in report


def test_an_experiment_that_is_mended_by_leaving_its_code_out_is_expected_to_hold_for_the_rest(tmp_path):
    project, _ = diagnosed(tmp_path, {"agent.algorithm.entropy_coef": 0.02}, {"without-code": 0.5})
    repaired = OfflinePlanner(project).propose("mend exp002").experiments[-1]
    assert repaired.code == []
    assert "exp002 runs without its code" in repaired.hypothesis
    assert "Of exp002 is left agent.algorithm.entropy_coef. Expected of the whole was:" in repaired.hypothesis


def test_an_experiment_of_which_nothing_is_left_is_not_mended(tmp_path):
    project, _ = diagnosed(tmp_path, {}, {"task-as-it-is": 0.5})
    with pytest.raises(UsageError, match="nothing of exp002 is left in it but what exp001 is already"):
        OfflinePlanner(project).propose("mend exp002")


def test_what_was_not_isolated_is_not_mended_by_guessing(tmp_path):
    broken = Drawn("both", {0: "failed"}, {"agent.algorithm.entropy_coef": 0.02})
    project = campaign(tmp_path, TASK, Drawn("baseline", {0: 0.3, 1: 0.31}, baseline=True), broken)
    inject(project, "exp002/s0", "crash at start", {"cause": "plan"})
    with pytest.raises(UsageError, match="was not isolated yet: ask «why did exp002 fail"):
        OfflinePlanner(project).propose("fix the failure")
    approval, _ = decide("offline", project, "why did exp002 fail?", [])
    run_wave(project, approval, dict.fromkeys([e.slug for e in approval.plan.experiments], "failed"), rough=False)
    with pytest.raises(UsageError, match="no change is known to mend exp002"):
        OfflinePlanner(project).propose("mend exp002")


def test_a_missing_library_is_no_matter_of_experiments(tmp_path):
    project = campaign(tmp_path, TASK, Drawn("baseline", {0: "failed"}, baseline=True))
    inject(project, "exp001/s0", "crash at start", {"cause": "missing module"})
    approval, said = decide("offline", project, "why did exp001 fail?", [])
    assert approval is None
    assert "probe_imports" in said


@BOTH
def test_fewer_environments_are_tried_where_memory_ran_out(planner, tmp_path):
    project = campaign(tmp_path, TASK, Drawn("baseline", {0: 0.3, 1: 0.31}, baseline=True), Drawn("big", {0: "failed"}))
    inject(project, "exp002/s0", "out of memory", {"line": "CUDA out of memory", "num_envs": 64})
    calls = [{"tool": "reduce_environments", "input": {"run": "exp002/s0", "num_envs": 32}}]
    approval, _ = decide(planner, project, "diagnose exp002/s0", calls)
    sizes = [e.num_envs for e in approval.plan.experiments]
    assert sizes[0] is None
    assert sizes[1] == 32
    run_wave(project, approval, {e.slug: "failed" if e.baseline else 0.4 for e in approval.plan.experiments})
    (finding,) = ledger(project, "finding")
    fewer = approval.plan.experiments[1]
    assert f"{fewer.id} {fewer.slug} finished: " in finding.why


def test_a_hung_run_is_ended_on_the_agents_request(tmp_path, monkeypatch):
    monkeypatch.setattr(Queue, "ensure_dispatcher", lambda self: None)
    project = Project.create(tmp_path / "p", f'[training]\ntask = "{TASK}"\n[devices]\nuse = ["cpu"]\n')
    approval, _ = decide("offline", project, "track velocity better, 2 experiments", [])
    run = f"{approval.plan.experiments[0].id}/s0"
    why = "no iteration for an hour, its stacks wait in the physics step"
    decide("claude", project, "kill the hung run", [{"tool": "cancel_runs", "input": {"run": run, "why": why}}])
    with WaitingQueue(project) as queue:
        assert queue.store.get(run).cancel_by is None  # asked for, not done
    (request,) = Requests(project).list()
    Requests(project).decide(request.id, approve=True, by="ada")
    assert Requests(project).execute(request.id, TOOLS).state == "done"
    with WaitingQueue(project) as queue:
        assert queue.store.get(run).cancel_by == "ada"
    assert why in ledger(project, "cancel")[0].why


@BOTH
def test_him_is_left_after_three_runs_at_terrain_level_zero(planner, tmp_path):
    project = campaign(tmp_path, HIM, Drawn("him", {0: 0.5, 1: 0.5, 2: 0.5}, baseline=True), iterations=400)
    for seed in range(3):
        path = project.run(f"exp001/s{seed}").result_path
        document = json.loads(path.read_text()) | {"terrain_level": 0.0}
        path.write_text(json.dumps(document))
    base = {"slug": "baseline", "hypothesis": "The plain task on rough ground.", "baseline": True, "seeds": [0, 1]}
    again = {"goal": "HIM once more", "task": HIM, "experiments": [base]}
    plain = {"goal": "Plain PPO instead", "task": ROUGH, "experiments": [base]}
    calls = [{"tool": "propose_wave", "input": wave} for wave in (again, plain)]
    approval, _ = decide(planner, project, "get further on stairs, 1 experiment", calls)
    assert approval.plan.task == ROUGH  # also where Claude tried HIM once more: that was refused
    assert HIM in closed_branches(project)
    (closed,) = ledger(project, "close branch")
    assert closed.refs["evidence"] == ["exp001/s0", "exp001/s1", "exp001/s2"]
    assert "terrain level 0.0" in closed.why


@BOTH
def test_a_winner_is_reproduced_over_five_seeds(planner, tmp_path):
    winner = {"env.rewards.track_lin_vel_xy_exp.weight": 4.0}
    project = campaign(
        tmp_path, TASK, Drawn("baseline", {0: 0.30, 1: 0.31}, baseline=True), Drawn("heavy", {0: 0.2, 1: 0.21}, winner)
    )
    seeds = [2, 3, 4, 5, 6]
    base = {"slug": "base", "hypothesis": "The baseline on five new seeds.", "baseline": True, "seeds": seeds}
    again = {
        **{"slug": "again", "hypothesis": "The lead of exp002 holds on new seeds.", "seeds": seeds},
        **{"overrides": winner, "evidence": ["exp002"]},
        "prediction": {"metric": "error_vel_xy", "direction": "down"},
    }
    calls = [{"tool": "propose_wave", "input": {"goal": "Reproduce exp002", "experiments": [base, again]}}]
    approval, _ = decide(planner, project, "reproduce the best with 5 seeds", calls)
    first, second = approval.plan.experiments
    assert first.baseline
    assert second.overrides == winner
    assert len(second.seeds) == 5
    assert not set(second.seeds) & {0, 1}
    numbers = [0.20, 0.21, 0.205, 0.2, 0.21]
    run_wave(project, approval, {first.slug: [n + 0.1 for n in numbers], second.slug: numbers}, rough=False)
    assert {d.refs["experiment"]: d.refs["verdict"] for d in ledger(project, "verdict")}[second.id] == "better"
