"""The statistics behind a verdict, against numbers worked out by hand."""

import math

import pytest

from wavebook_tools.comparison.statistics import coverage_factor, difference, pooled


@pytest.mark.parametrize(
    ("degrees", "factor"),
    [(1, 13.97), (2, 4.53), (4, 2.87), (4.9, 2.87), (20, 2.13), (22, 2.13), (25, 2.11), (1000, 2.025), (math.inf, 2.0)],
)
def test_few_degrees_of_freedom_ask_for_more_than_two_standard_errors(degrees, factor):
    assert coverage_factor(degrees) == factor


def test_the_table_is_students_t_at_the_level_of_two_standard_deviations():
    stats = pytest.importorskip("scipy.stats")
    level = stats.norm.cdf(2)
    for degrees in [*range(1, 21), 25, 30, 35, 40, 45, 50, 100]:
        assert coverage_factor(degrees) == pytest.approx(stats.t.ppf(level, degrees), abs=0.006)


def test_no_degree_of_freedom_is_no_knowledge():
    with pytest.raises(ValueError, match="unknown"):
        coverage_factor(0)


def test_noise_is_pooled_over_experiments_with_several_seeds():
    # Variances 2 (two seeds, 1 degree) and 1 (three seeds, 2 degrees): (1*2 + 2*1) / 3 = 4/3.
    noise = pooled([[1.0, 3.0], [4.0, 5.0, 6.0], [9.0]], "three experiments")
    assert noise.deviation == pytest.approx(math.sqrt(4 / 3))
    assert noise.degrees == 3
    assert noise.factor == 3.31


def test_one_seed_each_leaves_the_noise_unknown():
    assert pooled([[1.0], [2.0]], "") is None
    assert difference([1.0], [2.0], None) is None


def test_seeds_that_agree_to_the_last_digit_are_copies_not_evidence():
    assert pooled([[0.25, 0.25], [0.3, 0.3]], "") is None


def test_one_seed_against_two():
    # s = sqrt(0.0002 / 1) from 0.30 and 0.32; standard error s sqrt(1/1 + 1/2).
    noise = pooled([[0.30, 0.32]], "one pair")
    found = difference([0.20], [0.30, 0.32], noise)
    assert found.value == pytest.approx(-0.11)
    assert found.standard_error == pytest.approx(math.sqrt(0.0002 * 1.5))
    # 6.35 standard errors: far above two, and yet one pair of seeds (1 degree of freedom) cannot tell.
    assert abs(found.value) > 2 * found.standard_error
    assert found.threshold == pytest.approx(13.97 * found.standard_error)
    assert not found.real


def test_many_seeds_are_judged_by_their_own_spread():
    # Welch: variances 0.025 and 2.5 of five seeds; s_d² = 0.505; degrees 0.505² / (0.005² / 4 + 0.5² / 4).
    experiment, baseline = [1.0, 1.1, 1.2, 1.3, 1.4], [1.0, 2.0, 3.0, 4.0, 5.0]
    noise = pooled([experiment, baseline], "both")
    found = difference(experiment, baseline, noise)
    assert found.standard_error == pytest.approx(math.sqrt(0.505))
    assert found.degrees == pytest.approx(0.505**2 / (0.005**2 / 4 + 0.5**2 / 4))
    assert "Welch" in found.noise.source
    assert found.value == pytest.approx(-1.8)
    assert not found.real  # 2.53 standard errors, where 4 degrees of freedom ask for 2.87


def test_a_difference_of_exactly_the_threshold_is_none():
    noise = pooled([[-1.0, 1.0]] * 100, "a hundred pairs")
    assert noise.degrees == 100
    edge = difference([0.0], [0.0], noise).threshold
    assert not difference([edge], [0.0], noise).real
    assert difference([edge * 1.001], [0.0], noise).real
