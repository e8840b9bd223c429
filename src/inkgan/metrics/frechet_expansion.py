"""The influence of each point on a Frechet distance, and the second order: what intervals need."""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from inkgan.metrics.frechet import Moments, factor, frechet_distance, line_weights, moments
from inkgan.metrics.stats.expansion import Expansion, Interaction, Strata, centered_within
from inkgan.metrics.validation import checked, checked_pair
from inkgan.rng import seed_for
from inkgan.types import Float64

PAIRS = 20_000  # of points, for the second order; fewer in many dimensions
PAIR_ELEMENTS = 2**33
LEAST_VARIANCE = 1e-8  # of the largest; directions of less are rounding
Indices = npt.NDArray[np.integer]


def frechet_expansion(
    generated: npt.ArrayLike, real: npt.ArrayLike, strata: Strata | None = None
) -> Expansion:
    """Expand the Frechet distance of two samples in both.

    The influence of x is 2 (mu - nu).(x - mu) + (x - mu)^T (I - T) (x - mu), with the optimal map
    T = S^1/2 (S^1/2 Sigma S^1/2)^-1/2 S^1/2 (pseudo-inverse). The second order is that about equal
    Gaussians: |mu - nu|^2 + 1/2 sum_ij (Sigma - S)_ij^2 / (l_i + l_j), with eigenvalues l of the
    mean covariance, in its eigenbasis.

    Args:
        generated: features (n, d).
        real: features (m, d).
        strata: classes whose shares are fixed; None where all points are independent.

    Raises:
        ValueError: fewer than two points in a set, NaN or infinity, or dimensions that differ.
    """
    x, y = checked_pair(generated, real)
    fitted, other = moments(x), moments(y)
    classes = strata or Strata(np.zeros(len(x), np.intp), np.zeros(len(y), np.intp))
    second = _SecondOrder((x, fitted), (y, other), classes)
    traces = second.trace(GENERATED), second.trace(REAL)
    return Expansion(
        value=frechet_distance(fitted, other),
        null=traces[0] / len(x) + traces[1] / len(y),
        generated=centered_within(influences(x, fitted, other), classes.generated),
        real=centered_within(influences(y, other, fitted), classes.real),
        interaction=Interaction(second.squares, traces),
    )


def frechet_trace(features: npt.ArrayLike) -> float:
    """Return t such that samples of n and m of such points have a distance of t (1/n + 1/m).

    As `frechet_bias`, which is that of Gaussian points, with the fourth moments of these.

    Args:
        features: (n, d), n well above d.
    """
    points = checked(features)
    sample = points, moments(points)
    alone = np.zeros(len(points), np.intp)
    return _SecondOrder(sample, sample, Strata(alone, alone)).trace(REAL)


def infinity_expansion(expansion: Expansion, value: float, counts: Sequence[int]) -> Expansion:
    """Expand the distance extrapolated to infinitely many generated points.

    Args:
        expansion: of the distance at all n points.
        value: the intercept from `frechet_infinity`.
        counts: the sample sizes N of its line. The quadratic term of n / N disjoint subsets is
            N / n times as variable as that of a single one, so with weights w of the line in the
            intercept that of all is sum_N w_N^2 n / N of a sample of n.
    """
    n, m = len(expansion.generated), len(expansion.real)
    weights = line_weights(counts)
    inflation = float((weights**2 * n / np.array(counts)).sum())
    null = expansion.interaction.traces[1] / m
    return expansion._replace(value=value, null=null, inflation=inflation)


def influences(points: Float64, fitted: Moments, other: Moments) -> Float64:
    """Return what each of the points (n, d), fitted by `fitted`, adds to the distance, (n,)."""
    root = factor(other.covariance)
    values, vectors = np.linalg.eigh(root.T @ fitted.covariance @ root)
    kept = values > len(values) * np.finfo(np.float64).eps * max(values[-1], 0.0)
    half = root @ vectors[:, kept] / values[kept] ** 0.25
    centered = points - fitted.mean
    influence = 2 * centered @ (fitted.mean - other.mean)
    influence += (centered**2).sum(axis=1) - ((centered @ half) ** 2).sum(axis=1)
    return np.asarray(influence - influence.mean())


class _Side(NamedTuple):
    """Some points of one sample in the eigenbasis, with what centers their f within a class.

    Attributes:
        points: (n, d) less the mean of the whole sample.
        classes: (n,).
        means: of the points of each class (k, d).
        weighted: the mean of x x^T in each class, times 1 / (l_i + l_j), (k, d, d).
    """

    points: Float64
    classes: Indices
    means: Float64
    weighted: Float64


def _side(points: Float64, classes: Indices, count: int, weights: Float64) -> _Side:
    dimension = points.shape[1]
    means, weighted = np.zeros((count, dimension)), np.zeros((count, dimension, dimension))
    for place in np.unique(classes):
        inside = points[classes == place]
        means[place] = inside.mean(axis=0)
        weighted[place] = weights * (inside.T @ inside / len(inside))
    return _Side(points, classes, means, weighted)


GENERATED, REAL = 0, 1
# Whose points meet whose: different points of these samples, or each point itself.
DIFFERENT = (GENERATED, GENERATED), (REAL, REAL), (GENERATED, REAL)
ITSELF = GENERATED, REAL


class _SecondOrder:
    """f(x).f(y) of random pairs of points, with both samples in the eigenbasis.

    Args:
        generated: points (n, d) and their moments; `real` others (m, d).
        strata: the classes of both.
    """

    def __init__(
        self, generated: tuple[Float64, Moments], real: tuple[Float64, Moments], strata: Strata
    ) -> None:
        covariance = (generated[1].covariance + real[1].covariance) / 2
        values, vectors = np.linalg.eigh(covariance)
        kept = values > LEAST_VARIANCE * max(values[-1], 0.0)
        self._basis, self._strata = vectors[:, kept], strata
        self._weights = 1 / (values[kept][:, None] + values[kept])
        self._samples = generated, real
        counts = len(generated[0]), len(real[0])
        random = np.random.default_rng(seed_for(0, "pairs of points", *counts))
        pairs = min(PAIRS, 4 * max(counts), PAIR_ELEMENTS // self._weights.size)
        self._different = [
            (random.integers(counts[one], size=pairs), random.integers(1, counts[two], size=pairs))
            for one, two in DIFFERENT
        ]
        self._itself = [random.integers(counts[one], size=pairs) for one in ITSELF]
        self._of_points: dict[tuple[int, int], Float64] = {}

    @functools.cached_property
    def _sides(self) -> tuple[_Side, _Side]:
        first, second = (
            _side(
                (points - of.mean) @ self._basis,
                classes,
                self._strata.number,
                self._weights,
            )
            for (points, of), classes in zip(self._samples, self._strata, strict=True)
        )
        return first, second

    @property
    def squares(self) -> tuple[float, float, float]:
        """The mean (f(x).f(y))^2 of different points, in the order of DIFFERENT."""
        found = []
        for (one, two), (rows, steps) in zip(DIFFERENT, self._different, strict=True):
            others = (rows + steps) % len(self._sides[two].points)
            found.append(float((self._products(one, rows, two, others) ** 2).mean()))
        return found[0], found[1], found[2]

    def trace(self, sample: int) -> float:
        """Return the mean |f(x)|^2 of the points of a sample."""
        rows = self._itself[sample]
        return float(self._products(sample, rows, sample, rows).mean())

    def _products(self, one: int, rows: Indices, two: int, others: Indices) -> Float64:
        """Return f(x).f(y) for pairs of points, each f centered within its class, (pairs,)."""
        x, y = self._sides[one], self._sides[two]
        a, b = x.points[rows], y.points[others]
        a_classes, b_classes = x.classes[rows], y.classes[others]
        both = a * b
        second = _row_products(both @ self._weights, both)
        second -= self._by_means(one, rows, two, b_classes)
        second -= self._by_means(two, others, one, a_classes)
        inverse = x.weighted, y.weighted / self._weights
        constants = np.einsum("cij,kij->ck", *inverse, optimize=True)
        second += constants[a_classes, b_classes]
        first = _row_products(a - x.means[a_classes], b - y.means[b_classes])
        return np.asarray(first + second / 2)

    def _by_means(self, sample: int, rows: Indices, other: int, classes: Indices) -> Float64:
        """Multiply f of points of a sample with the mean f of a class of another, (rows,)."""
        points, weighted = self._sides[sample].points, self._sides[other].weighted
        if len(weighted) == 1:  # then points of several pairs are computed once
            if (sample, other) not in self._of_points:
                self._of_points[sample, other] = _row_products(points @ weighted[0], points)
            return self._of_points[sample, other][rows]
        found = np.empty(len(rows))
        for place in np.unique(classes):
            inside = np.flatnonzero(classes == place)
            chosen = points[rows[inside]]
            found[inside] = _row_products(chosen @ weighted[place], chosen)
        return found


def _row_products(one: Float64, other: Float64) -> Float64:
    """Multiply each row of `one` (n, d) with that of `other`, (n,)."""
    products: Float64 = np.einsum("nd,nd->n", one, other)
    return products
