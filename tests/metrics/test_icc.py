"""Intraclass correlations against a published table, an analysis of variance and simulation."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from inkgan.metrics.icc import icc_consistency, icc_one_way
from inkgan.metrics.stats.intervals import Interval

Estimate = Callable[[np.ndarray], Interval]

# Table 2 of Shrout and Fleiss 1979: six subjects, four judges.
PUBLISHED = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
)


def test_the_published_example() -> None:
    assert icc_one_way(PUBLISHED) == pytest.approx((0.1657, -0.1329, 0.7226), abs=1e-4)
    assert icc_consistency(PUBLISHED) == pytest.approx((0.7148, 0.3425, 0.9459), abs=1e-4)


@settings(max_examples=30, deadline=None)
@given(st.integers(3, 20), st.integers(2, 6), st.floats(0, 2), st.integers(0, 1000))
def test_absolute_agreement_is_that_of_scipys_analysis_of_variance(
    n: int, k: int, shared: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    table = shared * random.normal(size=(n, 1)) + random.normal(size=(n, k))
    f = stats.f_oneway(*table).statistic
    assert icc_one_way(table).value == pytest.approx((f - 1) / (f + k - 1))


@settings(max_examples=30, deadline=None)
@given(st.integers(3, 30), st.floats(0, 2), st.integers(0, 1000))
def test_consistency_of_two_raters_is_their_covariance_over_their_mean_variance(
    n: int, shared: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    table = shared * random.normal(size=(n, 1)) + random.normal(size=(n, 2))
    covariance = np.cov(table.T)
    expected = covariance[0, 1] / np.trace(covariance) * 2
    assert icc_consistency(table).value == pytest.approx(expected)


@settings(max_examples=20, deadline=None)
@given(st.floats(-50, 50), st.floats(0.1, 10))
def test_consistency_does_not_see_a_raters_habits(habit: float, scale: float) -> None:
    random = np.random.default_rng(0)
    table = random.normal(size=(20, 1)) + random.normal(size=(20, 4))
    habits = np.array([0, habit, -habit, 2 * habit])
    assert icc_consistency(scale * (table + habits)) == pytest.approx(icc_consistency(table))
    assert icc_one_way(scale * table) == pytest.approx(icc_one_way(table))
    if abs(habit) > 5:
        assert icc_one_way(table + habits).value < icc_one_way(table).value - 0.1


@pytest.mark.parametrize("estimate", [icc_one_way, icc_consistency])
@pytest.mark.parametrize("truth", [0.0, 0.5, 0.9])
def test_the_interval_holds_the_truth_as_often_as_it_says(estimate: Estimate, truth: float) -> None:
    random = np.random.default_rng(1)
    held, draws = 0, 400
    for _ in range(draws):
        subjects = np.sqrt(truth) * random.normal(size=(30, 1))
        table = subjects + np.sqrt(1 - truth) * random.normal(size=(30, 5))
        found = estimate(table)
        held += found.low <= truth <= found.high
    assert stats.binomtest(held, draws, 0.95).pvalue > 0.001


def test_full_agreement_and_nothing_to_agree_on() -> None:
    subjects = np.arange(5.0)[:, None]
    assert icc_one_way(np.repeat(subjects, 3, axis=1)) == (1, 1, 1)
    alike = np.repeat([[1.0, 2.0, 3.0]], 5, axis=0)
    assert np.isnan(icc_consistency(alike)).all()
    assert np.isnan(icc_one_way(alike)).all()


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two raters"):
        icc_consistency(np.zeros((4, 1)))
    with pytest.raises(ValueError, match="at least 2 points, got 1"):
        icc_consistency(np.zeros((1, 4)))
    with pytest.raises(ValueError, match="1 of 6 values are NaN"):
        icc_one_way(np.array([[1, 2], [3, np.nan], [5, 6]]))
    with pytest.raises(ValueError, match="between 0 and 1, got 95"):
        icc_consistency(PUBLISHED, level=95)
