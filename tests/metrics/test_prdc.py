"""The nearest-neighbour views against prdc, scikit-learn and plain loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prdc import compute_prdc
from scipy.spatial.distance import cdist
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from inkgan.metrics import distance_blocks
from inkgan.metrics import validation as arrays
from inkgan.metrics.prdc import Prdc, one_nearest_neighbor, prdc, radii, realism, recall
from inkgan.types import Float64


@pytest.fixture(autouse=True, params=[0, distance_blocks.LEAST_ROUNDED], ids=["float32", "float64"])
def searched_in(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small sets, too, are searched in float32 once, as large ones are."""
    monkeypatch.setattr(distance_blocks, "LEAST_ROUNDED", request.param)


def points(seed: int, n: int, d: int = 6, shift: float = 0.0, scale: float = 1.0) -> Float64:
    return np.random.default_rng([seed, n]).normal(shift, scale, (n, d))


def test_radii_are_the_kth_smallest_distances_to_others() -> None:
    table = points(0, 80)
    expected = np.sort(cdist(table, table), axis=1)
    for k in (1, 5, 79):
        np.testing.assert_allclose(radii(table, k), expected[:, k], rtol=1e-12)


def test_a_duplicate_is_another_point() -> None:
    table = np.repeat(points(0, 5), 3, axis=0) + 1000
    assert (radii(table, 2) == 0).all()
    assert (radii(table, 3) > 0).all()


@pytest.mark.parametrize(
    ("n", "m", "k"), [(200, 200, 5), (150, 90, 3), (60, 210, 1), (8, 300, 5), (300, 8, 5)]
)
def test_equals_prdc(n: int, m: int, k: int) -> None:
    real, fake = points(1, n), points(2, m, shift=0.4, scale=0.8)
    expected = Prdc(**compute_prdc(real, fake, nearest_k=k))
    assert prdc(real, fake, k) == pytest.approx(expected, abs=1e-12)
    assert prdc(real, fake, k, radii(real, k)) == prdc(real, fake, k)
    assert recall(real, fake, k) == prdc(real, fake, k).recall


def test_blocks_do_not_change_the_values(monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = points(1, 70), points(2, 50, shift=0.4)
    whole, scores = prdc(real, fake), realism(real, fake)
    monkeypatch.setattr(arrays.blocks, "__defaults__", (300,))
    monkeypatch.setattr(distance_blocks, "BLOCK_ELEMENTS", 300)
    assert prdc(real, fake) == whole
    np.testing.assert_allclose(realism(real, fake), scores, rtol=1e-12)


def test_identical_sets_are_perfect_wherever_they_lie() -> None:
    """A boundary point is exactly on its ball: k of k + 1 balls hold each point."""
    for offset in (0, 1e4):
        table = points(3, 120) + offset
        found = prdc(table, np.random.default_rng(0).permutation(table))
        assert found == pytest.approx((1, 1, 1, 1), abs=1e-12)


def test_collapsed_and_distant_fakes() -> None:
    real = points(4, 100)
    collapsed = prdc(real, np.repeat(real[:1], 50, axis=0))
    assert collapsed.precision == 1
    assert collapsed.recall == 0
    assert collapsed.coverage < 0.3
    assert prdc(real, points(5, 100) + 100) == (0, 0, 0, 0)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.floats(-5, 5), st.floats(0.5, 2))
def test_order_translation_scale_and_swap(seed: int, move: float, scale: float) -> None:
    real, fake = points(seed, 30), points(seed + 1, 25, shift=0.3)
    plain = prdc(real, fake, 3)
    assert prdc(scale * real[::-1] + move, scale * fake + move, 3) == pytest.approx(plain)
    swapped = prdc(fake, real, 3)
    assert (swapped.precision, swapped.recall) == (plain.recall, plain.precision)


def test_realism_equals_a_plain_loop() -> None:
    real, fake = points(6, 90), points(7, 40, shift=0.5)
    limits = radii(real, 5)
    kept = limits <= np.median(limits)
    expected = (limits[kept] / cdist(fake, real[kept])).max(axis=1)
    np.testing.assert_allclose(realism(real, fake), expected, rtol=1e-9)


def test_a_real_is_infinitely_real() -> None:
    real = points(8, 30)
    deepest = int(radii(real).argmin())
    assert realism(real, real[deepest : deepest + 1])[0] == np.inf
    assert realism(real, real[:1] + 1000)[0] < 0.01


@pytest.mark.parametrize("shift", [0, 0.5, 20])
def test_one_nearest_neighbour_equals_leave_one_out(shift: float) -> None:
    real, fake = points(9, 60), points(10, 60, shift=shift)
    labels = np.repeat([1, 0], 60)
    read = cross_val_predict(
        KNeighborsClassifier(1), np.concatenate([real, fake]), labels, cv=LeaveOneOut()
    )
    found = one_nearest_neighbor(real, fake)
    assert found.accuracy == pytest.approx((read == labels).mean())
    assert found.real_accuracy == pytest.approx((read == labels)[:60].mean())
    assert found.fake_accuracy == pytest.approx((read == labels)[60:].mean())


def test_copies_are_at_zero_and_equal_distributions_at_a_half() -> None:
    real = points(11, 1500)
    assert one_nearest_neighbor(real, real[::-1] + 0.0) == (0, 0, 0)
    assert one_nearest_neighbor(real, points(12, 1500)).accuracy == pytest.approx(0.5, abs=0.04)


def test_bad_input_is_refused() -> None:
    table = points(0, 6)
    with pytest.raises(ValueError, match="counts neighbors from 1, got 0"):
        radii(table, 0)
    with pytest.raises(ValueError, match="needs at least 7 points, got 6"):
        radii(table, 6)
    with pytest.raises(ValueError, match="needs at least 6 points, got 5"):
        prdc(table, table[:5])
    with pytest.raises(ValueError, match="6 dimensions with points of 2"):
        prdc(table, table[:, :2])
    with pytest.raises(ValueError, match="5 radii for 6 reals"):
        prdc(table, table, real_radii=np.ones(5))
    with pytest.raises(ValueError, match="1 of 6 values are NaN"):
        prdc(table, table, real_radii=np.array([1, 1, 1, 1, 1, np.nan]))
    with pytest.raises(ValueError, match="36 of 36 values are NaN"):
        prdc(table * np.nan, table)
    with pytest.raises(ValueError, match="needs at least 1 points, got 0"):
        realism(table, table[:0])
    with pytest.raises(ValueError, match="got 6 reals and 5 fakes"):
        one_nearest_neighbor(table, table[:5])
