"""The influence of each point on a Frechet distance, and the second order: what intervals need."""

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
    interaction = _interaction(x, fitted, y, other, classes)
    trace, real_trace = interaction.traces
    return Expansion(
        value=frechet_distance(fitted, other),
        null=trace / len(x) + real_trace / len(y),
        generated=centered_within(influences(x, fitted, other), classes.generated),
        real=centered_within(influences(y, other, fitted), classes.real),
        interaction=interaction,
    )


def frechet_trace(features: npt.ArrayLike) -> float:
    """Return t such that samples of n and m of such points have a distance of t (1/n + 1/m).

    As `frechet_bias`, which is that of Gaussian points, with the fourth moments of these.

    Args:
        features: (n, d), n well above d.
    """
    points = checked(features)
    fitted = moments(points)
    alone = np.zeros(len(points), np.intp)
    return _interaction(points, fitted, points, fitted, Strata(alone, alone)).traces[1]


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
    classes: npt.NDArray[np.integer]
    means: Float64
    weighted: Float64


def _side(points: Float64, classes: npt.NDArray[np.integer], count: int, weights: Float64) -> _Side:
    dimension = points.shape[1]
    means, weighted = np.zeros((count, dimension)), np.zeros((count, dimension, dimension))
    for place in np.unique(classes):
        inside = points[classes == place]
        means[place] = inside.mean(axis=0)
        weighted[place] = weights * (inside.T @ inside / len(inside))
    return _Side(points, classes, means, weighted)


def _interaction(
    x: Float64, fitted: Moments, y: Float64, other: Moments, strata: Strata
) -> Interaction:
    values, vectors = np.linalg.eigh((fitted.covariance + other.covariance) / 2)
    kept = values > LEAST_VARIANCE * max(values[-1], 0.0)
    basis = vectors[:, kept]
    weights = 1 / (values[kept][:, None] + values[kept])
    generated, real = (
        _side((points - of.mean) @ basis, classes, strata.number, weights)
        for points, of, classes in ((x, fitted, strata.generated), (y, other, strata.real))
    )
    random = np.random.default_rng(seed_for(0, "pairs of points", len(x), len(y)))
    pairs = min(PAIRS, 4 * max(len(x), len(y)), PAIR_ELEMENTS // weights.size)

    def products(one: _Side, two: _Side, same: bool = False) -> Float64:
        """Multiply f of points of one side with f of other points of the second, or of the same."""
        rows = random.integers(len(one.points), size=pairs)
        step = 0 if same else random.integers(1, len(two.points), size=pairs)
        return _products(one, rows, two, (rows + step) % len(two.points), weights)

    squares = [
        float((products(*sides) ** 2).mean())
        for sides in ((generated, generated), (real, real), (generated, real))
    ]
    traces = [float(products(side, side, same=True).mean()) for side in (generated, real)]
    return Interaction((squares[0], squares[1], squares[2]), (traces[0], traces[1]))


def _products(
    one: _Side,
    rows: npt.NDArray[np.intp],
    two: _Side,
    other_rows: npt.NDArray[np.intp],
    weights: Float64,
) -> Float64:
    """Return f(x).f(y) for pairs of points, each f centered within its class, (pairs,)."""
    a, b = one.points[rows], two.points[other_rows]
    classes, others = one.classes[rows], two.classes[other_rows]
    both = a * b
    second = _row_products(both @ weights, both)
    for points, their, inner in ((a, others, two.weighted), (b, classes, one.weighted)):
        for place in np.unique(their):
            inside = np.flatnonzero(their == place)
            chosen = points[inside]
            second[inside] -= _row_products(chosen @ inner[place], chosen)
    constants = np.einsum("cij,kij->ck", one.weighted, two.weighted / weights, optimize=True)
    second += constants[classes, others]
    first = _row_products(a - one.means[classes], b - two.means[others])
    return np.asarray(first + second / 2)


def _row_products(one: Float64, other: Float64) -> Float64:
    """Multiply each row of `one` (n, d) with that of `other`, (n,)."""
    products: Float64 = np.einsum("nd,nd->n", one, other)
    return products
