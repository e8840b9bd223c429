"""The Fréchet distance of two Gaussians fitted to features, with its bias and its error."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from inkgan.metrics.validation import checked, refuse_other_dimension
from inkgan.types import Float64


class Moments(NamedTuple):
    """Mean (d,), unbiased covariance (d, d) and number of the points they come from."""

    mean: Float64
    covariance: Float64
    # Hides tuple.count, which nobody asks of moments.
    count: int  # type: ignore[assignment]


class Extrapolation(NamedTuple):
    """A line through distances at several sample sizes: intercept + slope / N."""

    intercept: float
    slope: float
    counts: tuple[int, ...]
    distances: tuple[float, ...]


def moments(features: npt.ArrayLike) -> Moments:
    """Fit a Gaussian to features.

    Args:
        features: (n, d) with n >= 2; n may be smaller than d.

    Returns:
        Mean (d,), unbiased covariance (d, d) and n.

    Raises:
        ValueError: fewer than two points, NaN or infinity.
    """
    points = checked(features)
    mean = points.mean(axis=0)
    centered = points - mean
    return Moments(mean, centered.T @ centered / (len(points) - 1), len(points))


def frechet_distance(one: Moments, other: Moments) -> float:
    """Measure the squared Fréchet distance of two Gaussians.

    |m1 - m2|^2 + tr(S1 + S2 - 2 (S1^1/2 S2 S1^1/2)^1/2): Heusel et al. 2017, equation 6, after
    Dowson and Landau 1982. Covariances may be singular.

    Args:
        one: moments in d dimensions, as from `moments`.
        other: moments in as many dimensions.

    Returns:
        A number from 0, in the squared unit of the features; lower is better.

    Raises:
        ValueError: the dimensions differ, or a moment is NaN or infinite.

    Examples:
        >>> import numpy as np
        >>> points = np.random.default_rng(0).normal(size=(100, 3))
        >>> round(frechet_distance(moments(points), moments(points + 2)), 9)  # 3 * 2^2
        12.0
    """
    _refuse(one, other)
    return _distance(one, factor(one.covariance), other, factor(other.covariance))


def _refuse(one: Moments, other: Moments) -> None:
    refuse_other_dimension(len(one.mean), len(other.mean))
    for fitted in (one, other):
        if not (np.isfinite(fitted.mean).all() and np.isfinite(fitted.covariance).all()):
            raise ValueError(f"a moment of {fitted.count} points is NaN or infinite")


def factor(covariance: Float64) -> Float64:
    """Return a factor L of a covariance, L L^T = S.

    Args:
        covariance: S, symmetric (d, d); eigenvalues at rounding level or below 0 count as 0.

    Returns:
        L, (d, d).
    """
    values, vectors = np.linalg.eigh(covariance.astype(np.float64))
    rounding = len(values) * np.finfo(np.float64).eps * max(values[-1], 0.0)
    return np.asarray(vectors * np.sqrt(np.where(values > rounding, values, 0.0)))


def _distance(one: Moments, left: Float64, other: Moments, right: Float64) -> float:
    # tr (S1^1/2 S2 S1^1/2)^1/2 is the sum of the singular values of L1^T L2, and this way no
    # rounding error of size eps is ever inflated by a square root.
    overlap = np.linalg.svd(left.T @ right, compute_uv=False).sum()
    traces = np.trace(one.covariance) + np.trace(other.covariance)
    gap = one.mean - other.mean
    return max(0.0, float(gap @ gap + traces - 2 * overlap))


def frechet_bias(covariance: Float64, n: int, m: int) -> float:
    """Return the expected distance of two samples of one Gaussian, to first order.

    (1/n + 1/m) [sum_i l_i + 1/2 sum_ij l_i l_j (1 + 1_ij) / (l_i + l_j)], l the eigenvalues: the
    error of the means plus the second-order expansion of the trace term in the two Wishart
    errors. It holds where n and m are well above d.

    Args:
        covariance: of the Gaussian, (d, d).
        n: number of points of one sample, `m` of the other; 2 or more.

    Returns:
        What `frechet_distance` is on average between such samples, 0 or more.

    Raises:
        ValueError: n or m below 2, or a covariance that is not square and finite.
    """
    if min(n, m) < 2:
        raise ValueError(f"needs at least 2 points a sample, got {n} and {m}")
    if covariance.ndim != 2 or covariance.shape[0] != covariance.shape[1]:
        raise ValueError(f"a covariance is square, got {covariance.shape}")
    if not np.isfinite(covariance).all():
        raise ValueError(f"the covariance {covariance.shape} has NaN or infinite values")
    values = np.linalg.eigvalsh(covariance.astype(np.float64)).clip(min=0)
    sums = values[:, None] + values
    products = np.outer(values, values) * (1 + np.eye(len(values)))
    terms = np.divide(products, sums, out=np.zeros_like(sums), where=sums > 0)
    return float((1 / n + 1 / m) * (values.sum() + terms.sum() / 2))


def frechet_infinity(
    features: npt.ArrayLike, reference: Moments, counts: Sequence[int], seed: int
) -> Extrapolation:
    """Extrapolate the distance of features to a reference to infinitely many features.

    At each of `counts` N the distance of n // N disjoint random subsets is averaged, and weighted
    least squares fit it by a line in 1/N, whose intercept is the extrapolated distance (Chong and
    Forsyth 2020, who draw overlapping subsets of one size each). Disjoint subsets contain all
    features at every N. It may come out below 0. The bias of the reference remains.

    Args:
        features: (n, d).
        reference: moments in d dimensions.
        counts: two or more sample sizes N within 2..n.
        seed: chooses the subsets.

    Returns:
        Intercept and slope of the line, with the points that it was fitted to.

    Raises:
        ValueError: fewer than two different counts, a count outside 2..n, NaN or infinity, or
            another dimension.
    """
    points = checked(features)
    if len(set(counts)) < 2 or min(counts) < 2 or max(counts) > len(points):
        raise ValueError(
            f"needs two or more different counts within 2..{len(points)}, got {tuple(counts)}"
        )
    refuse_other_dimension(points.shape[1], len(reference.mean))
    root = factor(reference.covariance)
    distances = []
    for place, count in enumerate(counts):
        order = np.random.default_rng([seed, place]).permutation(len(points))
        values = []
        for start in range(0, len(points) - count + 1, count):
            part = moments(points[order[start : start + count]])
            values.append(_distance(part, factor(part.covariance), reference, root))
        distances.append(float(np.mean(values)))
    intercept, slope = _line(counts) @ np.array(distances)
    return Extrapolation(float(intercept), float(slope), tuple(counts), tuple(distances))


def line_weights(counts: Sequence[int]) -> Float64:
    """Return the weights of distances in the intercept of the line of FD-infinity.

    Args:
        counts: numbers of images of the k sets.

    Returns:
        float64 (k,).
    """
    return np.asarray(_line(counts)[0])


def _line(counts: Sequence[int]) -> Float64:
    """Return the matrix (2, k) that fits intercept and slope to distances by least squares.

    The mean over n / N disjoint subsets of N has a variance of 1 / (N n), hence the weights N.
    """
    inverse = np.stack([np.ones(len(counts)), 1 / np.array(counts)], axis=1)
    weighted = inverse.T * np.array(counts, np.float64)
    return np.asarray(np.linalg.solve(weighted @ inverse, weighted))
