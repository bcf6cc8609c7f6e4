"""The sampler over the search space, and the median rule over curves."""

from __future__ import annotations

import random
from itertools import islice
from statistics import median

import numpy as np
import pytest

from tests.projects import TASK, Drawn, draw_wave
from wavebook.agent import search
from wavebook.agent.effects import Effects
from wavebook.agent.evidence import Evidence, Tried
from wavebook.agent.offline import OfflinePlanner
from wavebook.agent.pruning import FINISHED, hopeless_runs
from wavebook.agent.search import FREE, STARTUP, suggestions
from wavebook.agent.steps import place
from wavebook.agent.surrogate import Measurements, fitted
from wavebook.bench.planner import anywhere, measure
from wavebook.bench.point_mass import PointMass
from wavebook_tools.comparison.data import Experiment, Run
from wavebook_tools.records.plan import ExperimentSpec, Overrides, WavePlan
from wavebook_tools.records.project import Project
from wavebook_tools.records.run import Protocol, RunResult
from wavebook_tools.records.states import RunState
from wavebook_tools.tasks import TaskSchema, check_overrides, task_named

WEIGHT = "env.rewards.track_lin_vel_xy_exp.weight"
ENTROPY = "agent.algorithm.entropy_coef"


@pytest.fixture(scope="module")
def schema() -> TaskSchema:
    return task_named(TASK)


def tried(number: int, overrides: Overrides, error: float | None) -> Tried:
    """A configuration that ran on one seed with this velocity error [m/s]; one that runs still where it is None."""
    spec = ExperimentSpec(id=f"exp{number:03d}", slug="one", hypothesis="It is better.", overrides=overrides)
    plan = WavePlan(
        **{"id": number, "slug": "one", "goal": "Track better", "task": TASK, "num_envs": 64, "iterations": 60},
        experiments=[spec],
    )
    numbers = {"error_vel_yaw": 0.1, "time_out": 1.0, "num_envs": 64, "seed": 0, "device": "cpu"}
    measured = {"error_vel_xy": error or 0.0, "env_steps_per_second": 1.0, "train_seconds": 1.0}
    result = RunResult(protocol=Protocol(version=1, hash="sha256:feed"), **numbers, **measured)
    run = Run(f"exp{number:03d}/s0", 0, RunState.RUNNING if error is None else RunState.DONE, results=())
    if error is not None:
        run = Run(run.id, 0, run.state, results=(result,))
    experiment = Experiment(plan, spec, (run,))
    return Tried(overrides, experiment.size, [experiment])


def landscape(schema: TaskSchema, overrides: Overrides) -> float:
    """A velocity error [m/s] that depends on five parameters of the search space, more on some than on others."""
    error = 0.15
    for strength, best, entry in zip(
        (0.3, 0.2, 0.1, 0.05, 0.05), (0.8, 0.2, 0.6, 0.3, 0.9), schema.search, strict=False
    ):
        value = overrides.get(entry.name, schema.parameters[entry.name].default)
        error += strength * (place(entry, value) - best) ** 2
    return error


def by_sampler(schema: TaskSchema, first: list[Tried], budget: int) -> float:
    records = list(first)
    while len(records) < budget:
        best = min(records, key=lambda one: one.values("error_vel_xy", None)[0])
        found = suggestions(schema, Evidence(tuple(records)), best.overrides, "error_vel_xy", "down")
        # Wide and narrow proposals in turns, as the planner takes them.
        overrides = {**best.overrides, **next(islice(found, len(records) % 2, None)).overrides}
        records.append(tried(len(records) + 1, overrides, landscape(schema, overrides)))
    return min(one.values("error_vel_xy", None)[0] for one in records)


def test_the_sampler_beats_random_search_at_equal_budget(schema):
    budget, sampled, drawn = 24, [], []
    for seed in range(3):
        chance = random.Random(seed)
        points = [{}] + [anywhere(schema, chance) for _ in range(budget - 1)]
        first = [tried(n + 1, point, landscape(schema, point)) for n, point in enumerate(points[:STARTUP])]
        sampled.append(by_sampler(schema, first, budget))
        drawn.append(min(landscape(schema, point) for point in points))
    assert median(sampled) < median(drawn)


def test_the_bench_gives_every_method_the_same_budget_and_draws_it(tmp_path):
    found = measure(budget=8, wave=4, repeats=2, plot=tmp_path / "plot.svg")
    assert {len(course["mean"]) for course in found["methods"].values()} == {8}
    starts = {course["mean"][0] for course in found["methods"].values()}
    assert len(starts) == 1  # all begin with the task as it is
    assert (tmp_path / "plot.svg").read_text().startswith("<?xml")


def test_suggestions_are_valid_wide_and_narrow_in_turns_alike_each_time_and_rest_on_records(schema):
    chance = random.Random(1)
    records = [tried(n, o := anywhere(schema, chance), landscape(schema, o)) for n in range(1, 11)]
    records.append(tried(11, {WEIGHT: 4.0}, None))
    evidence = Evidence(tuple(records))
    best = min(records[:-1], key=lambda one: one.values("error_vel_xy", None)[0])
    arguments = (schema, evidence, best.overrides, "error_vel_xy", "down")
    found = list(islice(suggestions(*arguments), 12))
    assert len(found) == 12
    assert len({str(suggestion.overrides) for suggestion in found}) == len(found)
    # In turns one looks far around and one varies a few parameters of the base.
    assert all(1 <= len(suggestion.overrides) <= FREE for suggestion in found[1::2])
    assert all(len(suggestion.overrides) > FREE for suggestion in found[::2])
    for suggestion in found:
        check_overrides(schema, {**best.overrides, **suggestion.overrides})
        assert suggestion.evidence == [best.name]
        assert best.name in suggestion.why
    assert found == list(islice(suggestions(*arguments), 12))
    assert not any(WEIGHT in s.overrides for s in islice(suggestions(*arguments, without=[WEIGHT]), 12))
    assert list(suggestions(schema, Evidence(tuple(records[:3])), {}, "error_vel_xy", "down")) == []


def test_what_mattered_is_told_from_what_did_not_and_what_was_never_varied_is_uncertain():
    chance = np.random.default_rng(0)
    points = chance.random((16, 6))
    points[:, 5] = 0.5  # never varied
    values = 0.2 + 0.4 * (points[:, 0] - 0.3) ** 2 + 0.2 * points[:, 1]
    known = fitted(Measurements(points, values + chance.normal(0, 0.005, 16), np.full(16, 0.005**2)))
    grid = np.full((3, 6), 0.5)
    grid[:, 0] = 0.3, 0.0, 1.0
    mean, _ = known.expected(grid)
    assert mean[0] < mean[1] < mean[2]
    moved = np.full((3, 6), 0.5)
    moved[1, 3], moved[2, 5] = 0.0, 0.0
    mean, deviation = known.expected(moved)
    assert abs(mean[1] - mean[0]) < 0.02  # it was varied, and nothing came of it
    assert deviation[2] > deviation[1]
    lowest = np.array([[0.3, 0.0, 0.5, 0.5, 0.5, 0.5]])
    hoped = known.log_improvement(np.vstack([points, lowest]))
    assert hoped.argmax() == 16  # more is expected there than anywhere measured
    assert known.seeing(lowest[0], 0.005**2).log_improvement(lowest)[0] < hoped[16]  # the next proposal goes elsewhere


def test_while_few_were_measured_a_wide_proposal_varies_what_never_was(schema):
    moves = [{}, {WEIGHT: 6.0}, {ENTROPY: 0.005}, {WEIGHT: 1.5}, {ENTROPY: 0.02}]
    records = [tried(n, move, landscape(schema, move)) for n, move in enumerate(moves, start=1)]
    effects = Effects(schema, Evidence(tuple(records)), schema.search, {}, "error_vel_xy", "down")
    wide, close = effects.proposals(iter([len(schema.search), FREE]))
    never = {entry.name for entry in schema.search} - {WEIGHT, ENTROPY}
    assert never <= set(wide.overrides)
    assert len(close.overrides) <= FREE


def test_many_configurations_are_left_to_tpe(schema, monkeypatch):
    chance = random.Random(2)
    records = [tried(n, o := anywhere(schema, chance), landscape(schema, o)) for n in range(1, 11)]
    monkeypatch.setattr(search, "MANY", 10)
    (first, *_) = suggestions(schema, Evidence(tuple(records)), {}, "error_vel_xy", "down")
    assert "as the TPE sampler sees it" in first.why
    check_overrides(schema, first.overrides)


def test_terms_in_source_and_settings_without_a_range_keep_configurations_apart(schema):
    chance = random.Random(3)
    wide = {"agent.actor.hidden_dims": [512, 256, 128]}
    points = [anywhere(schema, chance) for _ in range(6)]
    records = [tried(n + 1, point, 0.3) for n, point in enumerate(points)]
    records += [tried(n + 11, {**point, **wide}, 0.2) for n, point in enumerate(points)]
    ranges = [entry for entry in schema.search if entry.name != WEIGHT]
    effects = Effects(schema, Evidence(tuple(records)), ranges, wide, "error_vel_xy", "down")
    assert set(effects.others) == {WEIGHT, "agent.actor.hidden_dims"}
    assert next(effects.proposals(iter([1]))).before < 0.25  # as with the wide network


def test_point_masses_learn_and_depend_on_their_seed_and_their_learner(schema):
    kind = PointMass.drawn(schema, random.Random(1))
    known = kind.error({})
    assert 0 < known < 0.3  # a mass at rest would be off by half a metre a second
    assert kind.trained({}, 1) == kind.trained({}, 1) != kind.trained({}, 2)
    assert kind.error({"agent.algorithm.learning_rate": 0.0002}) > 2 * known


def test_a_later_wave_holds_what_the_sampler_learnt_and_leaves_closed_branches_alone(tmp_path, schema):
    project = Project.create(tmp_path)
    weights = (1.0, 1.5, 2.0, 4.0, 5.0, 6.0, 7.0)
    draw_wave(
        project.root,
        [
            Drawn("baseline", {0: 0.30, 1: 0.31}, baseline=True),
            *(Drawn(f"weight-{n}", {0: 0.30 + abs(w - 5) / 50}, {WEIGHT: w}) for n, w in enumerate(weights)),
        ],
    )
    planner = OfflinePlanner(project)
    plan = planner.propose("track velocity better on flat ground, 9 experiments")
    ours = [experiment for experiment in plan.experiments if "a Gaussian process expects" in experiment.hypothesis]
    assert ours
    assert all(experiment.evidence and experiment.prediction for experiment in ours)
    plan = planner.propose("track velocity better on flat ground, 9 experiments, keep the rewards as they are")
    ours = [experiment for experiment in plan.experiments if "a Gaussian process expects" in experiment.hypothesis]
    assert ours
    assert not any(name.startswith("env.rewards.") for experiment in ours for name in experiment.overrides)
    project.ledger.append("human", "ada", "close branch", why="enough of it", branch="algorithm")
    plan = planner.propose("track velocity better on flat ground, 9 experiments")
    assert not any(name.startswith("agent.algorithm.") for e in plan.experiments for name in e.overrides)
    assert "The branch algorithm is closed (enough of it)" in plan.rationale


def test_a_run_below_the_median_is_suggested_for_ending(tmp_path):
    good = {seed: 0.2 + seed / 100 for seed in range(FINISHED)}
    project = draw_wave(
        tmp_path, [Drawn("baseline", good, baseline=True), Drawn("slow", {0: "running"}, {ENTROPY: 0.02})]
    )
    (hopeless,) = hopeless_runs(project)
    assert hopeless.run == "exp002/s0"
    assert hopeless.value > hopeless.median
    assert hopeless.finished == FINISHED
    repeated = draw_wave(
        tmp_path / "repeated",
        [Drawn("baseline", good, baseline=True), Drawn("again", {0: 0.2, 1: "running"}, {ENTROPY: 0.02})],
    )
    assert hopeless_runs(repeated) == []  # its first seed was measured: all its seeds count
    few = draw_wave(tmp_path / "few", [Drawn("baseline", {0: 0.2}, baseline=True), Drawn("slow", {0: "running"})])
    assert hopeless_runs(few) == []
