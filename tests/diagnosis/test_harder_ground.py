"""Ground that gets harder, and robots that break on it: what is the terrain's must not be blamed on the policy."""

from __future__ import annotations

import numpy as np
import pytest

from .conftest import WatchedRun
from .test_not_a_number import write_broken


def track_worse(iteration: int) -> float:
    """A velocity error that falls for 200 iterations and then rises by a third within 400 [m/s]."""
    learning = max(0.15, 0.75 - 0.003 * iteration)
    return learning + 0.05 * min(1.0, max(0.0, (iteration - 200) / 400))


def earn_more(iteration: int) -> float:
    return 0.2 * iteration


def climb(iteration: int) -> float:
    """A terrain level that rises by one in a hundred iterations, as in good runs, up to 6."""
    return min(6.0, 0.01 * iteration)


def test_a_policy_that_climbs_to_harder_ground_earns_its_reward(run: WatchedRun) -> None:
    found = run.train(
        600,
        Metrics__error_vel_xy=track_worse,
        Train__mean_reward=earn_more,
        Curriculum__terrain_levels=climb,
        Episode_Termination__time_out=0.95,
    )
    assert found == []


@pytest.mark.parametrize("level", [0.5, 6.0])
def test_on_the_same_ground_it_does_not(run: WatchedRun, level: float) -> None:
    found = run.train(
        600, Metrics__error_vel_xy=track_worse, Train__mean_reward=earn_more, Curriculum__terrain_levels=level
    )
    assert [finding.kind for finding in found] == ["reward inflation"]


def test_one_broken_robot_asks_for_nothing_and_twenty_name_their_terrain(run: WatchedRun) -> None:
    write_broken(run.folder, 1, terrain=np.array("boxes"))
    (first,) = run.train(Guard__resets=1.0)
    assert "1 robot broke" in first.message
    assert first.suggestion is None
    write_broken(run.folder, 20, terrain=np.array("boxes"))
    later = run.train(40, Guard__resets=lambda iteration: 1.0 + iteration)
    assert [finding.evidence["broken"] for finding in later] == [20]
    assert later[0].suggestion is not None
    assert later[0].suggestion.names == ("boxes",)
    assert all(not finding.ends_run for finding in [first, *later])
