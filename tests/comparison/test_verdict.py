"""Verdicts on the experiments of a wave, from its records."""

import json
import math
import subprocess
import sys

import pytest
from projects import PROTOCOL, Drawn, draw_run, draw_wave

from wavebook_tools.comparison import verdicts
from wavebook_tools.comparison.data import collect, last_state
from wavebook_tools.comparison.overview import ranked
from wavebook_tools.comparison.parameters import differing, short_names
from wavebook_tools.errors import NotFoundError, UsageError


def judged(root, *experiments, **fields):
    return verdicts(draw_wave(root, experiments, **fields), 1)


BASE = Drawn("base", {0: 0.30, 1: 0.31, 2: 0.305}, baseline=True)


def test_better_worse_and_no_different(tmp_path):
    found = judged(
        tmp_path,
        BASE,
        Drawn("heavier", {0: 0.20, 1: 0.21, 2: 0.205}, {"env.x": 1}),
        Drawn("lighter", {0: 0.40, 1: 0.41, 2: 0.405}, {"env.x": 2}),
        Drawn("alike", {0: 0.304, 1: 0.312, 2: 0.302}, {"env.x": 3}),
    )
    assert [v.verdict for v in found.values()] == ["baseline", "better", "worse", "no different"]
    better = found["exp002"]
    assert better.metric == "error_vel_xy"
    assert better.mean == pytest.approx(0.205)
    assert better.baseline == pytest.approx(0.305)
    assert better.difference == pytest.approx(-0.1)
    # Sample variances 25e-6 three times and 28e-6; eight degrees of freedom ask for 2.37 standard errors.
    assert better.noise == pytest.approx(math.sqrt((3 * 25e-6 + 28e-6) / 4))
    assert better.standard_error == pytest.approx(better.noise * math.sqrt(2 / 3))
    assert better.threshold == pytest.approx(2.37 * better.standard_error)
    assert "4 experiments of wave 1 with several seeds" in better.text
    assert "0.205 m/s against 0.305 m/s of exp001" in better.text


def test_a_single_seed_is_judged_by_the_noise_of_the_others(tmp_path):
    found = judged(tmp_path, BASE, Drawn("one-seed", {0: 0.15}, {"env.x": 1}))
    assert found["exp002"].verdict == "better"
    assert found["exp002"].seeds == 1
    assert found["exp002"].standard_error == pytest.approx(0.005 * math.sqrt(1 + 1 / 3))


def test_single_seeds_everywhere_are_never_better(tmp_path):
    found = judged(tmp_path, Drawn("base", {0: 0.9}, baseline=True), Drawn("half", {0: 0.1}, {"env.x": 1}))
    assert found["exp002"].verdict == "no different"
    assert found["exp002"].standard_error is None
    assert "add a seed" in found["exp002"].text


def test_too_few_seeds_borrow_the_noise_of_earlier_waves_of_the_same_size(tmp_path):
    draw_wave(tmp_path, [Drawn("base", {s: 0.3 + 0.004 * s for s in range(6)}, baseline=True)], wave=1)
    draw_wave(tmp_path, [Drawn("base", {0: 0.5, 1: 0.9}, baseline=True)], wave=2, slug="longer", iterations=90)
    new = [Drawn("base", {0: 0.30, 1: 0.31}, baseline=True), Drawn("new", {0: 0.20}, {"env.x": 1})]
    project = draw_wave(tmp_path, new, wave=3, slug="next")
    found = verdicts(project, 3)["exp004"]
    # Wave 1 has variance 56e-6 with 5 degrees; wave 2 trained longer and does not count.
    assert found.noise == pytest.approx(math.sqrt((5 * 56e-6 + 50e-6) / 6))
    assert "waves up to 3" in found.noise_source
    assert found.verdict == "better"
    assert verdicts(project, 1)["exp001"].noise == pytest.approx(math.sqrt(56e-6)), "later waves change no old verdict"


def test_a_failed_run_makes_the_experiment_failed_until_it_is_repeated(tmp_path):
    project = draw_wave(tmp_path, [BASE, Drawn("fragile", {0: 0.2, 1: "failed"}, {"env.x": 1})])
    found = verdicts(project, 1)["exp002"]
    assert found.verdict == "failed"
    assert "1 of 2 runs failed (exp002/s1: the run was made to be failed)" in found.text
    plan = project.wave(1).plan()
    draw_run(project, plan, plan.experiment("exp002"), 1, 0.21, repeat=1)
    assert verdicts(project, 1)["exp002"].verdict == "better"


@pytest.mark.parametrize(
    ("state", "verdict"), [("hung", "failed"), ("cancelled", "failed"), ("queued", "pending"), ("running", "pending")]
)
def test_runs_without_a_result(tmp_path, state, verdict):
    found = judged(tmp_path, BASE, Drawn("other", {0: state}, {"env.x": 1}))["exp002"]
    assert found.verdict == verdict
    assert found.mean is None


def test_nothing_is_judged_before_the_baseline_has_finished(tmp_path):
    base = Drawn("base", {0: 0.3, 1: "running"}, baseline=True)
    found = judged(tmp_path, base, Drawn("other", {0: 0.1, 1: 0.11}, {"env.x": 1}))
    assert found["exp001"].verdict == found["exp002"].verdict == "pending"
    assert "exp001 has not finished" in found["exp002"].text
    assert found["exp002"].mean == pytest.approx(0.105)


def test_another_protocol_is_not_compared(tmp_path):
    other = Drawn("other", {0: 0.1, 1: 0.11}, {"env.x": 1}, protocol={**PROTOCOL, "hash": "sha256:beef"})
    found = judged(tmp_path, BASE, other)["exp002"]
    assert found.verdict == "pending"
    assert found.difference is None
    assert "sha256:beef" in found.text


def test_the_reward_never_ranks(tmp_path):
    project = draw_wave(tmp_path, [BASE, Drawn("inflated", {0: 0.5, 1: 0.51}, {"env.x": 1})])
    for run in project.runs():
        if run.id.experiment == "exp002":
            text = run.events_path.read_text().replace('"Train/mean_reward":', '"Train/mean_reward":9999,"x":')
            run.events_path.write_text(text)
    found = verdicts(project, 1)
    assert found["exp002"].verdict == "worse"
    comparison = collect(project, [1])
    assert [e.id for e in ranked(comparison.experiments, found)] == ["exp001", "exp002"]


def test_a_repeat_of_a_seed_is_no_new_evidence(tmp_path):
    project = draw_wave(tmp_path, [Drawn("base", {0: 0.3}, baseline=True), Drawn("other", {0: 0.2}, {"env.x": 1})])
    plan = project.wave(1).plan()
    draw_run(project, plan, plan.experiment("exp001"), 0, 0.32, repeat=1)
    found = verdicts(project, 1)
    assert found["exp001"].seeds == 1
    assert found["exp001"].mean == pytest.approx(0.31)
    assert found["exp002"].standard_error is None


def test_a_damaged_result_is_a_failed_run_and_a_named_problem(tmp_path):
    project = draw_wave(tmp_path, [BASE, Drawn("other", {0: 0.2}, {"env.x": 1})])
    path = project.run("exp002/s0").result_path
    path.write_text(path.read_text()[:40])
    assert verdicts(project, 1)["exp002"].verdict == "failed"
    assert str(path) in collect(project, [1]).problems[0]


def test_an_error_that_is_not_finite_is_a_failed_run(tmp_path):
    project = draw_wave(tmp_path, [BASE, Drawn("other", {0: 0.2}, {"env.x": 1})])
    path = project.run("exp002/s0").result_path
    path.write_text(json.dumps(json.loads(path.read_text()) | {"error_vel_xy": math.nan}))
    assert verdicts(project, 1)["exp002"].verdict == "failed"


def test_a_wave_without_a_baseline_takes_its_parents(tmp_path):
    draw_wave(tmp_path, [BASE], wave=1)
    new = [Drawn("a", {0: 0.2, 1: 0.205}, {"env.x": 1}), Drawn("b", {0: 0.3}, {"env.x": 2})]
    project = draw_wave(tmp_path, new, wave=2, slug="child", parent=1)
    found = verdicts(project, 2)
    assert found["exp002"].verdict == "better"
    assert "of exp001" in found["exp002"].text


def test_a_state_is_found_behind_a_long_log(tmp_path):
    project = draw_wave(tmp_path, [BASE])
    record = project.run("exp001/s0")
    with open(record.events_path, "a") as stream:
        for number in range(3000):
            stream.write(json.dumps({"t": 1, "kind": "log", "text": f'{number} says "state" ' + "x" * 100}) + "\n")
    assert last_state(record)["state"] == "done"


def test_only_differing_parameters_with_the_tasks_defaults(tmp_path):
    name = "agent.algorithm.entropy_coef"
    shared = {"env.rewards.lin_vel_z_l2.weight": -2.0}
    experiments = [
        Drawn("base", {0: 0.3}, shared, baseline=True),
        Drawn("a", {0: 0.3}, {**shared, name: 0.002}),
        Drawn("b", {0: 0.3}, {**shared, "env.unheard.of": [1, 2]}, fields={"iterations": 99}),
    ]
    values = differing(collect(draw_wave(tmp_path, experiments), [1]).experiments)
    assert values["iterations"] == [60, 60, 99]
    assert values["env.unheard.of"] == ["default", "default", [1, 2]]
    assert values[name][1] == 0.002
    assert values[name][0] == values[name][2] != 0.002
    assert set(values) == {"iterations", "env.unheard.of", name}


def test_names_are_shortened_as_far_as_they_differ():
    names = ["env.rewards.a.weight", "env.penalties.a.weight", "agent.algorithm.gamma", "iterations"]
    assert list(short_names(names).values()) == [
        "rewards.a.weight",
        "penalties.a.weight",
        "algorithm.gamma",
        "iterations",
    ]


def test_wrong_calls_are_told(tmp_path):
    project = draw_wave(tmp_path, [BASE])
    with pytest.raises(NotFoundError, match="no wave 7"):
        verdicts(project, 7)
    with pytest.raises(UsageError, match="at least one wave"):
        collect(project, [])


def test_judging_loads_no_drawing_library(tmp_path):
    code = "import sys, wavebook_tools.comparison; sys.exit('bokeh' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
