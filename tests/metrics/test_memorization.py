"""Nearest neighbours against scipy; planted copies must raise the alarm, fresh draws must not."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import betabinom, mannwhitneyu

from inkgan.metrics import memorization as memorisation
from inkgan.metrics.memorization import (
    authenticity,
    copy_ratio,
    copy_test,
    ct_score,
    nearest,
    nearest_other,
)
from inkgan.types import Float64


def pixels(seed: int, n: int, d: int = 30) -> Float64:
    return np.random.default_rng([seed, n]).random((n, d))


def ratios(queries: Float64, train: Float64) -> Float64:
    found = nearest(queries, train)
    return copy_ratio(found.distances, nearest_other(train, found.indices))


@pytest.mark.parametrize("offset", [0, 1000])
@pytest.mark.parametrize("scale", [1e-20, 1, 1e20])
def test_nearest_equals_scipy(offset: float, scale: float) -> None:
    queries, points = (scale * (offset + pixels(seed, n)) for seed, n in ((0, 60), (1, 200)))
    found, expected = nearest(queries, points), cdist(queries, points)
    np.testing.assert_array_equal(found.indices, expected.argmin(axis=1))
    np.testing.assert_allclose(found.distances, expected.min(axis=1), rtol=1e-12)


def test_near_ties_are_told_apart_beyond_float32() -> None:
    base = pixels(0, 1, 784)
    points = base + np.array([[3e-9], [1e-9], [2e-9], [1e-9]])
    found = nearest(base, points)
    assert found.indices[0] == 1
    assert found.distances[0] == pytest.approx(28e-9, rel=1e-6)


def test_blocks_and_precision_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    queries, points = pixels(0, 50).astype(np.float32), pixels(1, 90).astype(np.float32)
    whole, own = nearest(queries, points), nearest_other(points, np.arange(90))
    monkeypatch.setattr(memorisation, "SEARCH_ELEMENTS", 400)
    cut = nearest(queries.astype(np.float64), points)
    np.testing.assert_array_equal(cut.distances, whole.distances)
    np.testing.assert_array_equal(cut.indices, whole.indices)
    np.testing.assert_array_equal(nearest_other(points, np.arange(90)), own)


def test_bytes_are_points_too() -> None:
    images = np.random.default_rng(0).integers(0, 256, (40, 64), dtype=np.uint8)
    found = nearest(images[::-1], images)
    np.testing.assert_array_equal(found.indices, np.arange(40)[::-1])
    assert (found.distances == 0).all()
    expected = np.sort(cdist(images, images), axis=1)[:, 1]
    np.testing.assert_allclose(nearest_other(images, np.arange(40)), expected)


def test_nearest_other_leaves_out_only_itself() -> None:
    points = np.concatenate([pixels(0, 20), pixels(0, 20)[:3]])
    rows = np.array([5, 0, 22, 5, 1])
    expected = np.sort(cdist(points, points), axis=1)[:, 1]
    np.testing.assert_allclose(nearest_other(points, rows), expected[rows], atol=1e-12)
    assert (nearest_other(points, [0, 1, 2, 20, 21, 22]) == 0).all()
    assert (nearest_other(np.ones((4, 2)), [0, 3]) == 0).all()


def test_ratio_of_copies_duplicates_and_others() -> None:
    found = copy_ratio([0, 1, 3, 0, 2], [2, 2, 2, 0, 0])
    assert list(found) == [0, 0.5, 1.5, 0, math.inf]
    assert authenticity(found) == pytest.approx(2 / 5)
    assert authenticity([1.0]) == 0


def test_ct_equals_scipy_and_its_sign_is_that_of_the_paper() -> None:
    test, fake = (np.random.default_rng(seed).normal(size=n) for seed, n in ((0, 300), (1, 200)))
    u = mannwhitneyu(fake, test, use_continuity=False, method="asymptotic")
    z = (u.statistic - 30_000) / math.sqrt(300 * 200 * 501 / 12)
    assert ct_score(test, fake) == pytest.approx(z)
    assert u.pvalue == pytest.approx(math.erfc(abs(z) / math.sqrt(2)))
    assert ct_score(test, fake) == pytest.approx(-ct_score(fake, test))
    assert ct_score(test, fake - 1) < -8
    assert ct_score(test, fake + 1) > 8
    assert ct_score(test, test) == 0


TRAIN = pixels(100, 1500, 12)
TEST_RATIOS = ratios(pixels(101, 1500, 12), TRAIN)


@pytest.mark.parametrize("seed", range(8))
def test_fresh_draws_raise_no_alarm(seed: int) -> None:
    found = copy_test(ratios(pixels(seed, 1500, 12), TRAIN), TEST_RATIOS)
    assert not found.alarm
    assert found.p_value >= 0.001 or found.share < 2 * found.expected
    assert 0 < found.detectable < 0.02


@pytest.mark.parametrize("share", [0.01, 0.1, 1])
@pytest.mark.parametrize("seed", range(3))
def test_planted_copies_raise_the_alarm(share: float, seed: int) -> None:
    planted = round(share * 1500)
    fakes = np.concatenate([TRAIN[seed : seed + planted], pixels(seed, 1500, 12)[planted:]])
    found = copy_test(ratios(fakes, TRAIN), TEST_RATIOS)
    assert found.alarm
    assert found.p_value < 0.001
    assert found.share >= share - 1 / 1500
    assert found.detectable == 0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 400), st.integers(5, 400), st.floats(0.05, 20))
def test_detectable_is_the_first_share_that_alarms(
    seed: int, number: int, tests: int, percentile: float
) -> None:
    generator = np.random.default_rng(seed)
    fakes, test = generator.random(number), generator.random(tests)
    found = copy_test(fakes, test, percentile=percentile)
    added = round(found.detectable * number / (1 - found.detectable))
    with_copies = copy_test(np.append(np.zeros(added), fakes), test, percentile=percentile)
    assert with_copies.alarm
    assert found.alarm == (added == 0)
    if added:
        one_less = np.append(np.zeros(added - 1), fakes)
        assert not copy_test(one_less, test, percentile=percentile).alarm


def test_threshold_and_p_value_are_as_documented() -> None:
    test = np.arange(1, 2001.0)
    found = copy_test([0, 1, 2, 2.5, 500], test, percentile=0.1)
    # The lower of the two neighbouring test ratios is 2, which two of 2000 reach.
    assert found.expected == pytest.approx(2 / 2001)
    assert found.share == pytest.approx(3 / 5)
    assert found.p_value == pytest.approx(betabinom.sf(2, 5, 2, 1999))
    assert found.alarm


def test_the_expected_share_is_that_of_fresh_images() -> None:
    """Of m fresh ratios k / (n + 1) lie at or below the k-th of n, whatever the distribution."""
    seed = 0
    random = np.random.default_rng(seed)
    shares = []
    for _ in range(4000):
        tests, fresh = random.exponential(size=(2, 100))
        found = copy_test(fresh, tests, percentile=2)  # the second of 100
        shares.append(found.share)
        assert found.expected == pytest.approx(2 / 101)
    error = np.std(shares) / np.sqrt(len(shares))
    assert abs(np.mean(shares) - 2 / 101) < 4 * error, f"seed {seed}"
    assert abs(np.mean(shares) - 3 / 101) > 4 * error, f"seed {seed}"


def test_tests_that_are_all_alike_can_raise_no_alarm() -> None:
    found = copy_test(np.zeros(100), np.zeros(50))
    assert (found.alarm, found.expected) == (False, 50 / 51)
    assert found.detectable == math.inf


def test_bad_input_is_refused() -> None:
    table = pixels(0, 5)
    with pytest.raises(ValueError, match="needs at least 1 points, got 0"):
        nearest(table[:0], table)
    with pytest.raises(ValueError, match="30 dimensions with points of 3"):
        nearest(table, table[:, :3])
    with pytest.raises(ValueError, match="150 of 150 values are NaN"):
        nearest(table, table * np.nan)
    with pytest.raises(ValueError, match="needs at least 2 points, got 1"):
        nearest_other(table[:1], [0])
    with pytest.raises(ValueError, match=r"rows 0\.\.5 are not within 0\.\.4"):
        nearest_other(table, [0, 5])
    with pytest.raises(ValueError, match="rows must be integers"):
        nearest_other(table, [0.5])
    with pytest.raises(ValueError, match="2 distances and 1 own"):
        copy_ratio([1, 2], [1])
    with pytest.raises(ValueError, match="distances start at 0, got -1"):
        copy_ratio([-1.0], [1])
    with pytest.raises(ValueError, match=r"at least 1 ratio \(n,\), got shape \(0,\)"):
        authenticity([])
    with pytest.raises(ValueError, match="1 of 2 ratios are negative or NaN"):
        copy_test([1, np.nan], [1])
    with pytest.raises(ValueError, match="1 of 3 values are NaN"):
        ct_score([1, 2, np.inf], [1])
    with pytest.raises(ValueError, match=r"level 0 is not in \(0, 1\)"):
        copy_test([1], [1], level=0)
    with pytest.raises(ValueError, match="percentile 100"):
        copy_test([1], [1], percentile=100)
