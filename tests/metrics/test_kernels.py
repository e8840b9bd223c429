"""The discrepancies against double loops and torchmetrics."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.image.kid import poly_mmd

from inkgan.metrics import distance_blocks
from inkgan.metrics import validation as arrays
from inkgan.metrics.kernels import gaussian_mmd, median_bandwidth, polynomial_mmd
from inkgan.metrics.prdc import prdc
from inkgan.types import Float64


def points(seed: int, n: int, d: int = 5, shift: float = 0.0) -> Float64:
    return np.random.default_rng([seed, n]).normal(shift, 1, (n, d))


def looped(x: Float64, y: Float64, kernel: Callable[[Float64, Float64], float]) -> float:
    """Average over all pairs of different points, one by one."""
    within_x = [kernel(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j]
    within_y = [kernel(a, b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j]
    between = [kernel(a, b) for a in x for b in y]
    return float(np.mean(within_x) + np.mean(within_y) - 2 * np.mean(between))


@pytest.mark.parametrize(("n", "m"), [(12, 12), (2, 17), (20, 9)])
def test_equal_double_loops(n: int, m: int) -> None:
    x, y = points(0, n), points(1, m, shift=0.5)
    cubic = looped(x, y, lambda a, b: float((a @ b / 5 + 1) ** 3))
    assert polynomial_mmd(x, y) == pytest.approx(cubic, rel=1e-10)
    width = 1.7
    gauss = looped(x, y, lambda a, b: float(np.exp(-((a - b) ** 2).sum() / (2 * width**2))))
    assert gaussian_mmd(x, y, width) == pytest.approx(gauss, rel=1e-10)


def test_polynomial_equals_torchmetrics() -> None:
    x, y = points(0, 300, 32), points(1, 300, 32, shift=0.1)
    expected = poly_mmd(torch.from_numpy(x), torch.from_numpy(y))
    assert polynomial_mmd(x, y) == pytest.approx(float(expected), rel=1e-9)


def test_blocks_do_not_change_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = points(0, 70), points(1, 50)
    whole = polynomial_mmd(x, y), gaussian_mmd(x, y, 2)
    cut = list(arrays.blocks(70, 50, 300))
    assert cut[0] == slice(0, 6)
    assert cut[-1] == slice(66, 70)
    monkeypatch.setattr(arrays.blocks, "__defaults__", (300,))
    assert (polynomial_mmd(x, y), gaussian_mmd(x, y, 2)) == pytest.approx(whole, rel=1e-10)


def test_unbiased_for_equal_distributions() -> None:
    pairs = [(points(2 * i, 60), points(2 * i + 1, 40)) for i in range(200)]
    for values in (
        [polynomial_mmd(x, y) for x, y in pairs],
        [gaussian_mmd(x, y, 3) for x, y in pairs],
    ):
        assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(len(values))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(-10, 10), st.floats(0.1, 10))
def test_symmetry_order_translation_and_scale(seed: int, move: float, scale: float) -> None:
    x, y = points(seed, 14), points(seed + 1, 11, shift=1)
    assert polynomial_mmd(x, y) == pytest.approx(polynomial_mmd(y, x), rel=1e-9)
    assert polynomial_mmd(x[::-1], y) == pytest.approx(polynomial_mmd(x, y), rel=1e-9)
    width = median_bandwidth(y)
    assert median_bandwidth(scale * y + move) == pytest.approx(scale * width, rel=1e-9)
    moved = gaussian_mmd(scale * x + move, scale * y + move, scale * width)
    assert moved == pytest.approx(gaussian_mmd(x, y, width), rel=1e-6)


def test_duplicates_and_far_offsets_keep_their_digits() -> None:
    x = np.repeat(points(0, 6), 2, axis=0)
    far = gaussian_mmd(x + 1e6, x[::-1] + 1e6, 1)
    assert far == pytest.approx(gaussian_mmd(x, x, 1), abs=1e-8)


def test_median_bandwidth_draws_when_there_are_many() -> None:
    many = points(3, 4000)
    # |a - b|^2 / 2 of five dimensions is chi-squared, of median 4.3515
    assert median_bandwidth(many) == pytest.approx(np.sqrt(2 * 4.3515), rel=0.03)
    assert median_bandwidth(many) == median_bandwidth(many)
    assert median_bandwidth(many) != median_bandwidth(many, seed=1)
    assert median_bandwidth([[0.0], [3.0]]) == 3


def test_bad_input_is_refused() -> None:
    x = points(0, 5)
    with pytest.raises(ValueError, match="needs at least 2 points, got 1"):
        polynomial_mmd(x, x[:1])
    with pytest.raises(ValueError, match="5 dimensions with points of 4"):
        polynomial_mmd(x, x[:, :4])
    with pytest.raises(ValueError, match="25 of 25 values are NaN"):
        gaussian_mmd(x, x * np.nan, 1)
    for bandwidth in (0, -1, np.nan, np.inf):
        with pytest.raises(ValueError, match=f"positive and finite, got {bandwidth}"):
            gaussian_mmd(x, x, bandwidth)
    with pytest.raises(ValueError, match="of 3 points is 0"):
        median_bandwidth(np.ones((3, 2)))


@pytest.mark.parametrize("least_rounded", [0, distance_blocks.LEAST_ROUNDED])
@pytest.mark.parametrize("spread", [0.0, 1e-9, 1e-4, 1.0])
def test_work_does_not_grow_where_points_coincide(
    spread: float, least_rounded: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of noise or a collapsed generator, features all but coincide."""
    measured = 0

    def counted(one: Float64, other: Float64, rows: np.ndarray, columns: np.ndarray) -> Float64:
        nonlocal measured
        measured += len(rows)
        return exact(one, other, rows, columns)

    exact = arrays.gaps_at
    for module in (arrays, distance_blocks):
        monkeypatch.setattr(module, "gaps_at", counted)
    monkeypatch.setattr(distance_blocks, "LEAST_ROUNDED", least_rounded)
    random = np.random.default_rng(0)
    real = random.normal(size=(300, 16))
    fake = real[0] + spread * random.normal(size=(400, 16))
    gaussian_mmd(fake, real, 5.0)
    polynomial_mmd(fake, real)
    prdc(real, fake)
    # Of 120,000 pairs, and 160,000 within a set; five neighbors lie on the edge of a ball.
    assert measured <= 5 * (len(real) + len(fake))
