"""Maximum mean discrepancies: unbiased differences of two distributions."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import pdist

from inkgan.metrics.validation import blocks, checked, checked_pair, squared_distances
from inkgan.types import Float64

MAX_BANDWIDTH_POINTS = 2000

Kernel = Callable[[Float64, Float64], Float64]


def polynomial_mmd(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Estimate the squared maximum mean discrepancy under (x.y / d + 1)^3, without bias.

    KID (Binkowski et al. 2018): the U-statistic of Gretton et al. 2012, equation 3.

    Args:
        x: features (n, d).
        y: features (m, d).

    Returns:
        A number that is 0 on average for equal distributions, and then may fall below 0.

    Raises:
        ValueError: fewer than two points in a set, NaN or infinity, or dimensions that differ.
    """
    return _discrepancy(*checked_pair(x, y), _cubic)


def gaussian_mmd(x: npt.ArrayLike, y: npt.ArrayLike, bandwidth: float) -> float:
    """Estimate the squared maximum mean discrepancy under exp(-|x - y|^2 / 2b^2), without bias.

    The U-statistic of Gretton et al. 2012, equation 3.

    Args:
        x: features (n, d).
        y: features (m, d).
        bandwidth: b, positive, in the unit of the features; see `median_bandwidth`.

    Returns:
        A number up to 2 that is 0 on average for equal distributions.

    Raises:
        ValueError: a bandwidth that is not positive, fewer than two points in a set, NaN or
            infinity, or dimensions that differ.
    """
    if not (np.isfinite(bandwidth) and bandwidth > 0):
        raise ValueError(f"a bandwidth is positive and finite, got {bandwidth}")

    def kernel(one: Float64, other: Float64) -> Float64:
        squares = squared_distances(one, other, exact=False)  # exp(-1e-15) is 1
        squares /= -2 * bandwidth**2
        return np.exp(squares, out=squares)

    return _discrepancy(*checked_pair(x, y), kernel)


def median_bandwidth(y: npt.ArrayLike, seed: int = 0) -> float:
    """Return the median distance between points, the usual bandwidth (Gretton et al. 2012).

    Args:
        y: points (n, d), n >= 2; of more than 2000 as many are drawn.
        seed: chooses them.

    Returns:
        A positive number in the unit of the points.

    Raises:
        ValueError: fewer than two points, NaN or infinity, or a median distance of 0.
    """
    points = checked(y)
    if len(points) > MAX_BANDWIDTH_POINTS:
        generator = np.random.default_rng(seed)
        points = points[generator.choice(len(points), MAX_BANDWIDTH_POINTS, replace=False)]
    median = float(np.median(pdist(points)))
    if median == 0:
        raise ValueError(f"the median distance of {len(points)} points is 0: they are duplicates")
    return median


def _cubic(one: Float64, other: Float64) -> Float64:
    inner = one @ other.T
    inner /= one.shape[1]
    inner += 1
    # Twice a product in place: numpy's general power is ten times slower.
    cube = inner * inner
    cube *= inner
    return cube


def _discrepancy(x: Float64, y: Float64, kernel: Kernel) -> float:
    """Evaluate the U-statistic of Gretton et al. 2012, equation 3, for sets of any size."""
    n, m = len(x), len(y)
    within_x = _total(x, x, kernel, diagonal=False) / (n * (n - 1))
    within_y = _total(y, y, kernel, diagonal=False) / (m * (m - 1))
    return within_x + within_y - 2 * _total(x, y, kernel, diagonal=True) / (n * m)


def _total(one: Float64, other: Float64, kernel: Kernel, *, diagonal: bool) -> float:
    total = 0.0
    for rows in blocks(len(one), len(other)):
        block = kernel(one[rows], other)
        if not diagonal:
            block[np.arange(len(block)), np.arange(rows.start, rows.stop)] = 0
        total += float(block.sum())
    return total
