"""Policies that die, terrain that collapses, rewards that deceive, and real runs that show none of it."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from wavebook_tools.diagnosis.watchdog import Watchdog
from wavebook_tools.records.events import EventWriter

from .conftest import MakeRun, WatchedRun

EXAMPLES = Path(__file__).parents[2] / "examples"
RECORDS = sorted(EXAMPLES.glob("rough-ground-on-two-gpus/waves/*/exp*/s*/events.jsonl"))


def test_there_are_real_records() -> None:
    assert RECORDS


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: "-".join(path.parts[-4:-1]))
def test_nothing_is_found_in_real_good_runs(path: Path, tmp_path: Path) -> None:
    """Line by line, as it was written."""
    done = path.parent / "result.json"
    if not done.exists():
        pytest.skip("this run did not end well")
    now = 0.0
    watchdog = Watchdog(tmp_path, now=lambda: now)
    begin = None
    with open(tmp_path / "events.jsonl", "ab", buffering=0) as stream:
        for line in path.read_bytes().splitlines(keepends=True):
            t = json.loads(line)["t"]
            begin = t if begin is None else begin
            while now + 1 < t - begin:
                now += 1
                assert watchdog.look() == []
            now = t - begin
            stream.write(line)
            assert watchdog.look() == []
    assert watchdog.last_iteration == 280


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: "-".join(path.parts[-4:-1]))
@pytest.mark.parametrize("stretched", [3, 7])
def test_nothing_is_found_in_real_good_runs_that_learn_slower(path: Path, stretched: int, tmp_path: Path) -> None:
    """Each iteration several times: the rules must not hang on how many iterations these runs took."""
    events = EventWriter(tmp_path / "events.jsonl")
    events.write("state", state="running", phase="training")
    rows = [event["values"] for event in map(json.loads, path.read_text().splitlines()) if event["kind"] == "metric"]
    learned = [values for values in rows if values["Metrics/error_vel_xy"] < 0.5]
    assert len(learned) > 100
    watchdog = Watchdog(tmp_path, now=lambda: 0.0)
    found = []
    for iteration in range(stretched * len(rows)):
        events.metric(iteration, rows[iteration // stretched])
        found += watchdog.look()
    assert found == []


def test_a_policy_that_explores_nothing(run: WatchedRun) -> None:
    (finding,) = run.train(200, Policy__mean_std=lambda i: max(0.01, 1.0 - i / 100))
    assert finding.kind == "dead policy"
    assert finding.evidence["rule"] == "collapsed"
    assert not finding.ends_run


def test_robots_that_fall_at_once(run: WatchedRun) -> None:
    noise = random.Random(0)
    (finding,) = run.train(
        500, Episode_Termination__time_out=0.0, Train__mean_episode_length=lambda i: 20 + noise.random()
    )
    assert finding.evidence["rule"] == "fallen"
    assert finding.suggestion is not None
    assert finding.suggestion.action == "stop_branch"


def test_robots_that_fall_later_and_later_are_learning(run: WatchedRun) -> None:
    lengths = lambda i: min(95.0, 10 + i / 5)  # noqa: E731
    assert run.train(400, Episode_Termination__time_out=0.0, Train__mean_episode_length=lengths) == []


def test_robots_that_stand_still(run: WatchedRun) -> None:
    noise = random.Random(0)
    (finding,) = run.train(
        500, Metrics__error_vel_xy=lambda i: 0.8 + 0.05 * noise.random(), Episode_Termination__time_out=0.97
    )
    assert finding.evidence["rule"] == "standing"
    assert finding.evidence["iteration"] == 299


def test_a_policy_that_was_good_from_its_first_iteration_does_not_stand(run: WatchedRun) -> None:
    assert run.train(500, Metrics__error_vel_xy=0.12, Episode_Termination__time_out=0.97) == []


def test_a_run_that_goes_on_from_a_trained_policy_does_not_stand(run: WatchedRun) -> None:
    assert run.train(500, start=1000, Metrics__error_vel_xy=0.12, Episode_Termination__time_out=0.97) == []


def test_terrain_that_stays_at_the_lowest_level(run: WatchedRun) -> None:
    (finding,) = run.train(600, Curriculum__terrain_levels=lambda i: max(0.0, 2.5 - i / 40))
    assert finding.kind == "terrain collapse"
    assert finding.evidence["time_out"] == 0.9


def test_terrain_that_rises_late_is_well(run: WatchedRun) -> None:
    assert run.train(600, Curriculum__terrain_levels=lambda i: max(0.0, (i - 280) / 100)) == []


def test_a_ground_of_one_level_cannot_collapse(make_run: MakeRun) -> None:
    run = make_run({"overrides": {"env.scene.terrain.terrain_generator.num_rows": 1}})
    assert run.train(600, Curriculum__terrain_levels=0.0) == []


def test_a_reward_that_rises_while_tracking_gets_worse(run: WatchedRun) -> None:
    (finding,) = run.train(
        400,
        Train__mean_reward=lambda i: 10 + i / 10,
        Metrics__error_vel_xy=lambda i: max(0.3, 0.8 - i / 200) if i < 200 else min(0.6, 0.3 + (i - 200) / 300),
        Episode_Reward__feet_air_time=lambda i: i / 100,
        Episode_Reward__track_lin_vel_xy_exp=1.0,
    )
    assert finding.kind == "reward inflation"
    assert finding.suggestion is not None
    assert finding.suggestion.names[0] == "feet_air_time"


def test_a_reward_that_falls_while_tracking_gets_worse_deceives_nobody(run: WatchedRun) -> None:
    found = run.train(
        400,
        Train__mean_reward=lambda i: 50 - i / 10,
        Metrics__error_vel_xy=lambda i: max(0.3, 0.8 - i / 200) + max(0, i - 150) / 1000,
    )
    assert found == []
