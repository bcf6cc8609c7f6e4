"""The arithmetic of the evaluation, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wavebook_locomotion.evaluation.protocol import PROTOCOL, Command, mean_and_error, spread


def test_every_command_counts_the_same() -> None:
    # Group 0 has mean 2, group 1 has mean 6: their mean is 4, although group 0 has more robots.
    mean, error = mean_and_error(np.array([1.0, 2.0, 3.0, 6.0]), np.array([0, 0, 0, 1]))
    assert mean == pytest.approx(4.0)
    # s^2 = (1 + 0 + 1 + 0) / (4 - 2) = 1; error = sqrt(1/3 + 1/1) / 2
    assert error == pytest.approx((4 / 3) ** 0.5 / 2)


def test_one_robot_for_each_command_tells_no_error() -> None:
    mean, error = mean_and_error(np.array([1.0, 3.0]), np.array([0, 1]))
    assert mean == 2.0
    assert error is None


def test_robots_are_spread_evenly_and_always_alike() -> None:
    chosen = spread(32, 10, seed=5)
    assert set(np.bincount(chosen, minlength=10)) == {3, 4}
    assert (chosen == spread(32, 10, seed=5)).all()
    assert (chosen != spread(32, 10, seed=6)).any()


def test_a_level_is_cleared_by_four_metres_or_half_the_way() -> None:
    assert PROTOCOL.way_to_clear(20.0, 0.5) == 4.0
    assert PROTOCOL.way_to_clear(4.0, 0.5) == pytest.approx(1.0)


def test_another_definition_has_another_hash() -> None:
    assert PROTOCOL.version == 1
    assert len(PROTOCOL.hash) == 12
    assert replace(PROTOCOL, settle_seconds=2.0).hash != PROTOCOL.hash
    assert replace(PROTOCOL, commands=(Command("standing", 0.0, 0.0, 0.0),)).hash != PROTOCOL.hash
    assert PROTOCOL.describe() == {
        "name": "wavebook",
        "version": 1,
        "terrain_set": "full",
        "hash": "e1e70d3716b7",  # of all records since the first
    }
    assert PROTOCOL.on("full").hash == PROTOCOL.hash
    assert PROTOCOL.on("gentle").hash != PROTOCOL.hash
