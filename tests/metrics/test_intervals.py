"""Intervals against scipy and closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from inkgan.metrics.stats.intervals import (
    differs,
    normal_interval,
    paired_interval,
    t_interval,
    wilson_interval,
)

VALUES = np.random.default_rng(0).gamma(2, size=40)


@pytest.mark.parametrize("level", [0.5, 0.95, 0.99])
def test_t_interval_equals_scipy(level: float) -> None:
    expected = stats.ttest_1samp(VALUES, 0).confidence_interval(level)
    assert t_interval(VALUES, level) == pytest.approx((VALUES.mean(), *expected))


def test_t_interval_of_five_seeds() -> None:
    # 2.776 is the table's quantile for four degrees of freedom.
    found = t_interval([1, 2, 3, 4, 5])
    assert found.high - 3 == pytest.approx(2.776 * np.sqrt(2.5 / 5), rel=1e-3)
    assert found.value - found.low == pytest.approx(found.high - found.value)


def test_normal_interval_is_two_errors_wide() -> None:
    assert normal_interval(3, 0.5) == pytest.approx((3, 3 - 0.97998, 3 + 0.97998), rel=1e-5)
    assert normal_interval(3, 0) == (3, 3, 3)


@given(st.integers(1, 300), st.floats(0, 1), st.floats(0.5, 0.999))
def test_wilson_equals_scipy(n: int, share: float, level: float) -> None:
    successes = round(share * n)
    expected = stats.binomtest(successes, n).proportion_ci(level, method="wilson")
    found = wilson_interval(successes, n, level)
    assert found == pytest.approx((successes / n, *expected), abs=1e-9)
    assert 0 <= found.low <= found.value <= found.high <= 1


@pytest.mark.parametrize("shift", [0, 0.2, 2])
def test_paired_interval_equals_the_paired_test(shift: float) -> None:
    other = VALUES + np.random.default_rng(2).normal(shift, 0.5, 40)
    test = stats.ttest_rel(other, VALUES)
    found = paired_interval(other, VALUES)
    assert found[1:] == pytest.approx(tuple(test.confidence_interval(0.95)))
    assert differs(found) == (test.pvalue < 0.05)
    assert differs(found) == differs(paired_interval(VALUES, other))


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match=r"at least 2 values \(n,\), got shape \(1,\)"):
        t_interval([1.0])
    with pytest.raises(ValueError, match=r"got shape \(2, 2\)"):
        t_interval(np.eye(2))
    with pytest.raises(ValueError, match="1 of 2 values are NaN"):
        t_interval([1, np.nan])
    with pytest.raises(ValueError, match="standard error -1 give no interval"):
        normal_interval(0, -1)
    with pytest.raises(ValueError, match="4 successes of 3 trials"):
        wilson_interval(4, 3)
    with pytest.raises(ValueError, match="0 successes of 0 trials"):
        wilson_interval(0, 0)
    with pytest.raises(ValueError, match="cannot pair 2 values with 3"):
        paired_interval([1, 2], [1, 2, 3])
    for level in (0, 1, 95):
        with pytest.raises(ValueError, match=f"between 0 and 1, got {level}"):
            t_interval([1, 2], level)
