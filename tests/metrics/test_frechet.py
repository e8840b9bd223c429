"""The Frechet distance against closed forms, torchmetrics and simulation."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.image.fid import _compute_fid

from inkgan.metrics.frechet import (
    Moments,
    frechet_bias,
    frechet_distance,
    frechet_infinity,
    line_weights,
    moments,
)
from inkgan.metrics.frechet_expansion import frechet_expansion, frechet_trace
from inkgan.metrics.stats.expansion import Strata
from inkgan.types import Float64


def normal(seed: int, n: int, d: int, scale: float = 1.0, shift: float = 0.0) -> Float64:
    """Draw points with eigenvalues that fall by half every three dimensions, turned."""
    generator = np.random.default_rng([seed, n, d])
    turn = np.linalg.qr(np.random.default_rng(d).normal(size=(d, d)))[0]
    spectrum = 2.0 ** (-np.arange(d) / 6)
    return np.asarray(shift + scale * (generator.normal(size=(n, d)) * spectrum) @ turn)


def test_moments_are_those_of_numpy() -> None:
    points = normal(0, 30, 5)
    fitted = moments(points.astype(np.float32))
    assert fitted.mean.dtype == np.float64
    assert fitted.count == 30
    np.testing.assert_allclose(fitted.mean, points.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(fitted.covariance, np.cov(points, rowvar=False), atol=1e-6)


@pytest.mark.parametrize(("n", "d"), [(500, 64), (20, 64), (2, 16)])
def test_identical_sets_are_at_zero(n: int, d: int) -> None:
    fitted = moments(normal(1, n, d, scale=30))
    assert 0 <= frechet_distance(fitted, fitted) < 1e-6
    again = moments(normal(1, n, d, scale=30)[::-1])
    assert 0 <= frechet_distance(fitted, again) < 1e-6


def test_constant_sets_are_their_means_apart() -> None:
    zeros = Moments(np.zeros(3), np.zeros((3, 3)), 5)
    threes = Moments(np.full(3, 3.0), np.zeros((3, 3)), 5)
    assert frechet_distance(zeros, threes) == pytest.approx(27)


def test_equal_covariances_give_the_squared_mean_gap() -> None:
    points, move = normal(2, 100, 12), np.linspace(-1, 2, 12)
    distance = frechet_distance(moments(points), moments(points + move))
    assert distance == pytest.approx(float(move @ move), rel=1e-9)


@given(
    st.floats(-5, 5), st.floats(-5, 5), st.floats(0.01, 5), st.floats(0.01, 5), st.integers(1, 9)
)
def test_one_dimension_has_a_closed_form(a: float, b: float, s: float, t: float, n: int) -> None:
    one = Moments(np.array([a]), np.array([[s**2]]), n)
    other = Moments(np.array([b]), np.array([[t**2]]), n)
    assert frechet_distance(one, other) == pytest.approx((a - b) ** 2 + (s - t) ** 2, abs=1e-9)


@pytest.mark.parametrize(("n", "m", "d"), [(300, 400, 20), (15, 300, 20), (10, 12, 20)])
def test_equals_torchmetrics_and_is_symmetric(n: int, m: int, d: int) -> None:
    one, other = moments(normal(3, n, d)), moments(normal(4, m, d, scale=1.4, shift=0.3))
    arguments = [torch.from_numpy(a) for a in (*one[:2], *other[:2])]
    distance = frechet_distance(one, other)
    # Its eigenvalues of a product of singular matrices are good to the root of rounding only.
    assert distance == pytest.approx(float(_compute_fid(*arguments)), rel=1e-5)
    assert distance == pytest.approx(frechet_distance(other, one), rel=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(0.1, 10), st.floats(-10, 10))
def test_moves_and_scales_like_a_squared_distance(seed: int, scale: float, move: float) -> None:
    one, other = normal(seed, 40, 6), normal(seed + 1, 30, 6, shift=0.5)
    plain = frechet_distance(moments(one), moments(other))
    moved = frechet_distance(moments(scale * one + move), moments(scale * other + move))
    assert moved == pytest.approx(scale**2 * plain, rel=1e-6)
    shuffled = moments(np.random.default_rng(seed).permutation(one))
    assert frechet_distance(shuffled, moments(other)) == pytest.approx(plain, rel=1e-9)


@pytest.mark.parametrize(("n", "m", "d"), [(800, 500, 16), (1500, 1500, 32)])
def test_bias_is_what_equal_gaussians_show(n: int, m: int, d: int) -> None:
    draws = [
        frechet_distance(moments(normal(2 * i, n, d)), moments(normal(2 * i + 1, m, d)))
        for i in range(120)
    ]
    expected = frechet_bias(np.diag(2.0 ** (-np.arange(d) / 3)), n, m)
    assert np.mean(draws) == pytest.approx(expected, rel=0.05)


def test_bias_in_one_dimension_and_of_a_singular_covariance() -> None:
    """A mean errs by s^2 / n and a standard deviation by s^2 / 2n."""
    assert frechet_bias(np.array([[4.0]]), 100, 50) == pytest.approx(1.5 * 4 * 0.03)
    assert frechet_bias(np.diag([4.0, 0, 0]), 100, 50) == pytest.approx(1.5 * 4 * 0.03)
    assert frechet_bias(np.zeros((2, 2)), 2, 2) == 0


def test_influences_are_derivatives_of_the_distance() -> None:
    points, real = normal(0, 60, 4, scale=1.3, shift=0.2), normal(1, 50, 4)
    expansion = frechet_expansion(points, real)
    for side, samples in (("generated", (points, real)), ("real", (real, points))):
        own, other = samples
        fitted = moments(own)
        for row in (0, 7):
            # Weight eps more for one point: mean and covariance (over n) to first order.
            eps, gap = 1e-6, own[row] - fitted.mean
            mean = fitted.mean + eps * gap
            change = np.outer(gap, gap) - np.cov(own, rowvar=False, bias=True)
            moved = fitted._replace(mean=mean, covariance=fitted.covariance + eps * change)
            slope = (frechet_distance(moved, moments(other)) - expansion.value) / eps
            assert getattr(expansion, side)[row] == pytest.approx(slope, rel=0.02, abs=0.02)


def test_the_expected_distance_of_equal_gaussians_is_that_of_the_closed_form() -> None:
    points, real = normal(0, 4000, 6), normal(1, 2000, 6)
    expected = frechet_bias(np.cov(real, rowvar=False), 4000, 2000)
    assert frechet_expansion(points, real).null == pytest.approx(expected, rel=0.05)
    trace = frechet_trace(real) * (1 / 4000 + 1 / 2000)
    assert trace == pytest.approx(expected, rel=0.05)


def test_the_expected_distance_of_skewed_points_is_larger() -> None:
    random = np.random.default_rng(0)  # always the same draws
    draws = [
        frechet_distance(*(moments(random.exponential(size=(1000, 5))) for _ in range(2)))
        for _ in range(200)
    ]
    points = random.exponential(size=(20_000, 5))
    error = np.std(draws) / np.sqrt(len(draws))
    assert abs(np.mean(draws) - frechet_trace(points) * 2 / 1000) < 4 * error
    assert np.mean(draws) - frechet_bias(np.eye(5), 1000, 1000) > 4 * error


def test_an_expansion_has_no_class_effects_left() -> None:
    points, real = normal(0, 80, 3), normal(1, 60, 3)
    strata = Strata(np.arange(80) % 4, np.arange(60) % 4)
    expansion = frechet_expansion(points, real, strata)
    for place in range(4):
        assert expansion.generated[place::4].mean() == pytest.approx(0, abs=1e-12)
        assert expansion.real[place::4].mean() == pytest.approx(0, abs=1e-12)


def test_infinity_is_nearer_to_the_population_than_any_sample() -> None:
    d = 16
    population = np.cov(normal(0, 200_000, d), rowvar=False)
    reference = Moments(np.zeros(d), population, 200_000)
    true = d * 0.1**2 + 0.04 * np.trace(population)
    misses = []
    for seed in range(5):
        fakes = normal(seed + 1, 4000, d, scale=1.2, shift=0.1)
        line = frechet_infinity(fakes, reference, [200, 400, 1000, 4000], seed)
        assert line.counts == (200, 400, 1000, 4000)
        assert list(line.distances) == sorted(line.distances, reverse=True)
        assert line.distances[-1] == pytest.approx(frechet_distance(moments(fakes), reference))
        misses.append((line.intercept - true, line.distances[-1] - true, line.distances[0] - true))
    extrapolated, full, small = np.mean(misses, axis=0)
    assert abs(extrapolated) < abs(full) < abs(small)


def test_infinity_is_a_line_and_repeats() -> None:
    fakes, reference = normal(1, 300, 4), moments(normal(2, 300, 4))
    line = frechet_infinity(fakes, reference, (50, 100, 300), 5)
    inverse = [1 / n for n in line.counts]
    weights = np.sqrt(line.counts)  # polyfit takes those of residuals, not of squares
    expected = np.polyfit(inverse, line.distances, 1, w=weights)
    assert (line.slope, line.intercept) == pytest.approx(tuple(expected))
    assert line_weights(line.counts) @ line.distances == pytest.approx(line.intercept)
    assert line == frechet_infinity(fakes, reference, (50, 100, 300), 5)
    assert line != frechet_infinity(fakes, reference, (50, 100, 300), 6)


def test_bad_input_is_refused() -> None:
    good = moments(normal(0, 9, 3))
    with pytest.raises(ValueError, match="needs at least 2 points, got 1"):
        moments(np.zeros((1, 3)))
    with pytest.raises(ValueError, match=r"points must be numbers \(n, d\), got float64 \(4,\)"):
        moments(np.zeros(4))
    with pytest.raises(ValueError, match="2 of 6 values are NaN or infinite"):
        moments([[0.0, 1.0], [math.nan, 1.0], [math.inf, 2.0]])
    with pytest.raises(ValueError, match="3 dimensions with points of 2"):
        frechet_distance(good, moments(np.eye(2)))
    with pytest.raises(ValueError, match="a moment of 9 points is NaN"):
        frechet_distance(good, good._replace(mean=np.full(3, np.nan)))
    with pytest.raises(ValueError, match="at least 2 points a sample, got 1 and 5"):
        frechet_bias(np.eye(2), 1, 5)
    with pytest.raises(ValueError, match=r"is square, got \(2, 3\)"):
        frechet_bias(np.zeros((2, 3)), 5, 5)
    with pytest.raises(ValueError, match="has NaN"):
        frechet_bias(np.full((2, 2), np.nan), 5, 5)
    with pytest.raises(ValueError, match="2 dimensions with points of 3"):
        frechet_expansion(np.eye(2), np.eye(3))
    for counts in ([5], [5, 5], [1, 5], [5, 10]):
        with pytest.raises(ValueError, match=r"counts within 2\.\.9"):
            frechet_infinity(normal(0, 9, 3), good, counts, 0)
