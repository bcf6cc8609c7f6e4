"""The research manners, each held by code: a plan that breaks one is refused, and a ranking keeps to them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.agent.scenarios.campaign import inject
from tests.projects import TASK, Drawn, draw_wave
from wavebook.agent.evidence import rank, read_evidence
from wavebook.agent.manners import check_manners
from wavebook.agent.offline import OfflinePlanner
from wavebook.agent.repeating import other_device
from wavebook_tools.comparison.__main__ import note_findings
from wavebook_tools.errors import UsageError
from wavebook_tools.jobs.devices import Device
from wavebook_tools.records.plan import ExperimentSpec, Prediction, WavePlan
from wavebook_tools.records.project import Project

WEIGHT, ENTROPY = "env.rewards.track_lin_vel_xy_exp.weight", "agent.algorithm.entropy_coef"
LOWER = Prediction(metric="error_vel_xy", direction="down")


def wave(*experiments: ExperimentSpec, **fields) -> WavePlan:
    settings = {"id": 2, "slug": "next", "goal": "Go on", "task": TASK, "num_envs": 64, "iterations": 60}
    return WavePlan(**settings | {"planner": "claude", "experiments": experiments, "devices": ["cpu"]} | fields)


def baseline(*seeds: int, **fields) -> ExperimentSpec:
    return ExperimentSpec(id="exp010", slug="base", hypothesis="As it is.", baseline=True, seeds=list(seeds), **fields)


def variation(**fields) -> ExperimentSpec:
    return ExperimentSpec(
        **{"id": "exp011", "slug": "more", "hypothesis": "It helps.", "overrides": {ENTROPY: 0.02}, "prediction": LOWER}
        | fields
    )


def records(root: Path, *more: Drawn) -> Project:
    heavy = Drawn("heavy", {0: 0.2, 1: 0.21}, {WEIGHT: 4.0})
    return draw_wave(root, [Drawn("baseline", {0: 0.30, 1: 0.31}, baseline=True), heavy, *more])


def test_the_first_wave_measures_the_noise(tmp_path):
    with pytest.raises(UsageError, match="the noise is unknown"):
        check_manners(Project.create(tmp_path), wave(baseline(0), variation()))
    check_manners(Project.create(tmp_path), wave(baseline(0, 1), variation()))


@pytest.mark.parametrize("prediction", [None, Prediction(metric="Train/mean_reward", direction="up")])
def test_each_experiment_predicts_a_number_of_the_evaluation_and_no_reward(prediction, tmp_path):
    with pytest.raises(UsageError, match="predicts"):
        check_manners(records(tmp_path), wave(baseline(2, 3), variation(prediction=prediction)))


def test_a_wave_builds_on_a_win_only_where_it_repeats_it(tmp_path):
    project = records(tmp_path)
    with pytest.raises(UsageError, match=r"builds on exp002, which was not repeated yet: .* other than 0, 1"):
        check_manners(project, wave(baseline(0, 1), variation(), overrides={WEIGHT: 4.0}))
    check_manners(project, wave(baseline(2, 3), variation(), overrides={WEIGHT: 4.0}))


def test_a_simpler_configuration_wins_a_tie_among_winners(tmp_path):
    both = Drawn("both", {0: 0.199, 1: 0.209}, {WEIGHT: 4.0, ENTROPY: 0.02})
    ranking = rank(read_evidence(records(tmp_path, both), TASK), "error_vel_xy", "down")
    assert ranking.others[0].tried.name == "exp003"  # its mean is the lowest
    assert ranking.best.tried.name == "exp002"  # by less than the noise, and it changes more


def test_a_win_counts_once_it_was_repeated_on_other_seeds(tmp_path):
    project = records(tmp_path)
    assert not rank(read_evidence(project, TASK), "error_vel_xy", "down").best.tried.repeated
    draw_wave(project.root, [Drawn("again", {2: 0.2, 3: 0.21}, {WEIGHT: 4.0})], wave=2, slug="again")
    assert rank(read_evidence(project, TASK), "error_vel_xy", "down").best.tried.repeated


def test_a_win_is_repeated_on_another_device_where_there_is_one(tmp_path, monkeypatch):
    project = records(tmp_path)
    plan = OfflinePlanner(project).propose("reproduce the best with 2 seeds")
    assert plan.devices == ["auto"]
    cards = [Device(id="GPU-a", kind="gpu", name="NVIDIA H100", index=0, memory_total=1)]
    monkeypatch.setattr("wavebook.agent.repeating.list_devices", lambda: cards)
    subject = read_evidence(project, TASK).find("exp002")
    assert other_device(project, subject).id == "GPU-a"  # the records were made on a CPU


def test_what_was_predicted_is_checked_in_the_ledger_once(tmp_path):
    project = draw_wave(
        tmp_path,
        [
            Drawn("baseline", {0: 0.30, 1: 0.31}, baseline=True),
            Drawn("heavy", {0: 0.4, 1: 0.41}, {WEIGHT: 4.0}, fields={"prediction": LOWER}),
        ],
    )
    note_findings(project, 1)
    note_findings(project, 1)
    (checked,) = [d for d in project.ledger.read() if d.what == "prediction"]
    assert checked.refs["held"] is False
    assert "did not hold: 0.305 became 0.405" in checked.why


def test_a_prediction_that_chance_fulfils_did_not_hold_and_says_why(tmp_path):
    project = draw_wave(
        tmp_path,
        [
            Drawn("baseline", {0: 0.30, 1: 0.34}, baseline=True),
            Drawn("heavy", {0: 0.29}, {WEIGHT: 4.0}, fields={"prediction": LOWER}),
        ],
    )
    note_findings(project, 1)
    (checked,) = [d for d in project.ledger.read() if d.what == "prediction"]
    assert checked.refs["held"] is False
    assert checked.why.endswith("did not hold: 0.32 became 0.29 m/s (-9%), which chance explains as well.")


@pytest.mark.parametrize(
    ("measured", "held"),
    [
        ({0: 0.300, 1: 0.302, 2: 0.301}, False),  # down beyond the noise, and by far less than was said
        ({0: 0.222, 1: 0.224, 2: 0.223}, True),  # short of it by less than the noise
        ({0: 0.150, 1: 0.152, 2: 0.151}, True),  # more than was said
    ],
)
def test_a_prediction_with_a_number_is_judged_by_that_number(measured, held, tmp_path):
    project = draw_wave(
        tmp_path,
        [
            Drawn("baseline", {0: 0.304, 1: 0.306, 2: 0.305}, baseline=True),
            Drawn("heavy", measured, {WEIGHT: 4.0}, fields={"prediction": LOWER.model_copy(update={"by": 0.27})}),
        ],
    )
    note_findings(project, 1)
    (checked,) = [d for d in project.ledger.read() if d.what == "prediction"]
    assert checked.refs["held"] is held
    assert held or checked.why.endswith("(-1%), less than predicted by more than chance explains.")


def test_a_prediction_of_another_number_is_judged_against_its_noise_too(tmp_path):
    tighter = {"prediction": Prediction(metric="error_vel_yaw", direction="down")}
    project = draw_wave(
        tmp_path,
        [
            Drawn("baseline", {0: 0.30, 1: 0.34}, baseline=True),
            Drawn("heavy", {0: 0.31}, {WEIGHT: 4.0}, fields=tighter),
        ],
    )
    for run, measured in (("exp001/s0", 0.40), ("exp001/s1", 0.60), ("exp002/s0", 0.49)):
        path = project.run(run).result_path
        path.write_text(json.dumps({**json.loads(path.read_text()), "error_vel_yaw": measured}))
    note_findings(project, 1)
    (checked,) = [d for d in project.ledger.read() if d.what == "prediction"]
    assert checked.refs["held"] is False
    assert "which chance explains as well" in checked.why


def test_a_diagnosis_is_neither_a_way_round_the_manners_nor_ranked(tmp_path):
    project = records(tmp_path, Drawn("broken", {0: "failed"}, {ENTROPY: 0.05}))
    inject(project, "exp003/s0", "hang", {})
    with pytest.raises(UsageError, match="needs a control"):
        check_manners(project, wave(baseline(0), variation(), purpose="diagnosis"))
    fine = baseline(0, evidence=["exp003/s0"], prediction=Prediction(metric="finished", direction="same"))
    larger = variation(num_envs=128, prediction=Prediction(metric="finished", direction="up"))
    with pytest.raises(UsageError, match="exp011 is larger or longer than exp003/s0"):
        check_manners(project, wave(fine, larger, purpose="diagnosis"))
    with pytest.raises(UsageError, match="predicts 'finished'"):
        check_manners(project, wave(baseline(2, 3), larger))
    lucky = [Drawn("control", {0: "failed"}, baseline=True), Drawn("fewer", {0: 0.01})]
    draw_wave(project.root, lucky, wave=2, slug="isolate", purpose="diagnosis")
    assert rank(read_evidence(project, TASK), "error_vel_xy", "down").best.tried.name == "exp002"
