"""The sampler over the search space, and the median rule over curves."""

from __future__ import annotations

import random
from itertools import islice
from statistics import median

import pytest

from tests.projects import TASK, Drawn, draw_wave
from wavebook.agent.evidence import Evidence, Tried
from wavebook.agent.offline import OfflinePlanner
from wavebook.agent.pruning import FINISHED, hopeless_runs
from wavebook.agent.search import FREE, STARTUP, suggestions
from wavebook.bench.planner import anywhere, measure, place
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
    found = list(suggestions(*arguments))
    assert len(found) > 10
    assert len({str(suggestion.overrides) for suggestion in found}) == len(found)
    # In turns one looks far around and one varies a few parameters of the base.
    assert all(1 <= len(suggestion.overrides) <= FREE for suggestion in found[1::2])
    assert all(len(suggestion.overrides) > FREE for suggestion in found[::2])
    for suggestion in found:
        check_overrides(schema, {**best.overrides, **suggestion.overrides})
        assert suggestion.evidence == [best.name]
        assert best.name in suggestion.why
    assert found == list(suggestions(*arguments))
    assert not any(WEIGHT in s.overrides for s in suggestions(*arguments, without=[WEIGHT]))
    assert list(suggestions(schema, Evidence(tuple(records[:3])), {}, "error_vel_xy", "down")) == []


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
    ours = [experiment for experiment in plan.experiments if "TPE sampler" in experiment.hypothesis]
    assert ours
    assert all(experiment.evidence and experiment.prediction for experiment in ours)
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
