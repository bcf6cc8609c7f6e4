"""Thinning curves and reducing them to a number."""

import numpy as np
import pytest

from wavebook_tools.errors import UsageError
from wavebook_tools.metrics import MetricHistory, quantity, reduce, thin, thin_indices


def test_a_single_spike_survives_thinning():
    y = np.sin(np.arange(10_000) / 300)
    y[7777], y[1234] = 50.0, -50.0
    kept = thin_indices(y, 100)
    assert len(kept) <= 100
    assert {0, 1234, 7777, 9999} <= set(kept.tolist())
    assert (np.diff(kept) > 0).all()


def test_a_short_curve_is_kept_whole():
    assert thin_indices(np.arange(5.0), 10).tolist() == [0, 1, 2, 3, 4]
    assert thin_indices(np.array([]), 10).tolist() == []


@pytest.mark.parametrize("points", [4, 5, 7, 50, 99])
def test_the_number_of_points_is_a_limit(points):
    y = np.random.default_rng(0).normal(size=101)
    kept = thin_indices(y, points)
    assert len(kept) <= points
    assert y[kept].max() == y.max()
    assert y[kept].min() == y.min()


def test_gaps_do_not_hide_what_stands_between_them():
    y = np.full(1000, np.nan)
    y[500] = 1.0
    assert 500 in thin_indices(y, 20)


def test_metrics_share_an_axis_and_keep_their_own_peaks():
    a, b = np.zeros(1000), np.zeros(1000)
    a[300], b[700] = 1.0, -1.0
    history = MetricHistory(np.arange(1000), np.arange(1000.0), {"a": a, "b": b})
    iterations, values = thin(history, ["a", "b"], 40)
    assert len(iterations) <= 40
    assert values["a"].max() == 1.0
    assert values["b"].min() == -1.0
    assert {300, 700} <= set(iterations.tolist())


@pytest.mark.parametrize(
    ("how", "expected"), [("first", 4.0), ("last", 2.0), ("min", 1.0), ("max", 4.0), ("mean", 2.5), ("tail", 1.5)]
)
def test_reducers(how, expected):
    assert reduce(np.array([np.nan, 4.0, 3.0, np.nan, 1.0, 2.0]), how, last=2) == expected


def test_a_reducer_that_does_not_exist_is_named_with_the_nearest():
    with pytest.raises(UsageError, match=r"'maxx'.*Did you mean 'max'"):
        reduce(np.array([1.0]), "maxx")
    with pytest.raises(UsageError, match="at least 1"):
        reduce(np.array([1.0]), "tail", last=0)


def test_nothing_recorded_reduces_to_nothing():
    assert np.isnan(reduce(np.array([np.nan]), "max"))


def test_units_stand_in_titles():
    assert quantity("Metrics/error_vel_xy").title == "Velocity error xy, training [m/s]"
    assert quantity("Episode_Reward/feet_slide").title == "Reward term feet slide [1/s]"
    assert quantity("something_new").title == "Something new [–]"
