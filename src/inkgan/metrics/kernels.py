"""Maximum mean discrepancies: unbiased differences of two distributions."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import pdist

from inkgan.metrics.stats.expansion import Expansion, Interaction, Strata, centered_within
from inkgan.metrics.validation import blocks, checked, checked_pair, squared_distances
from inkgan.types import Float64

MAX_BANDWIDTH_POINTS = 2000
SAMPLED = 2000  # points of each set for the second order of an interval

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


def polynomial_expansion(
    generated: npt.ArrayLike, real: npt.ArrayLike, strata: Strata | None = None
) -> Expansion:
    """Expand `polynomial_mmd` in both sets, for its interval (see `expansion_interval`).

    Args:
        generated: features (n, d).
        real: features (m, d).
        strata: the class of each image, where their numbers are fixed; None where they are not.

    Returns:
        The terms of first and second order of each image.
    """
    return _expanded(*checked_pair(generated, real, least=4), _cubic, strata)


def gaussian_expansion(
    generated: npt.ArrayLike,
    real: npt.ArrayLike,
    bandwidth: float,
    strata: Strata | None = None,
) -> Expansion:
    """Expand `gaussian_mmd` in both sets, for its interval (see `expansion_interval`).

    Args:
        generated: features (n, d).
        real: features (m, d).
        bandwidth: b of the kernel.
        strata: the class of each image, where their numbers are fixed; None where they are not.

    Returns:
        The terms of first and second order of each image.
    """
    return _expanded(*checked_pair(generated, real, least=4), _gaussian(bandwidth), strata)


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


def _gaussian(bandwidth: float) -> Kernel:
    if not (np.isfinite(bandwidth) and bandwidth > 0):
        raise ValueError(f"a bandwidth is positive and finite, got {bandwidth}")

    def kernel(one: Float64, other: Float64) -> Float64:
        squares = squared_distances(one, other)
        squares /= -2 * bandwidth**2
        return np.exp(squares, out=squares)

    return kernel


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
    within_x = _sums(x, x, kernel, diagonal=False)[0].mean() / (n - 1)
    within_y = _sums(y, y, kernel, diagonal=False)[0].mean() / (m - 1)
    return float(within_x + within_y - 2 * _sums(x, y, kernel, diagonal=True)[0].mean() / m)


def _expanded(x: Float64, y: Float64, kernel: Kernel, strata: Strata | None) -> Expansion:
    n, m = len(x), len(y)
    classes = strata or Strata(np.zeros(n, np.intp), np.zeros(m, np.intp))
    within_x = _sums(x, x, kernel, diagonal=False)[0] / (n - 1)
    within_y = _sums(y, y, kernel, diagonal=False)[0] / (m - 1)
    rows, columns = _sums(x, y, kernel, diagonal=True)
    sides = _some(x, classes.generated), _some(y, classes.real)
    squares, (traces, real_traces) = _squares(*sides, kernel), (_traces(*s, kernel) for s in sides)
    return Expansion(
        value=float(within_x.mean() + within_y.mean() - 2 * rows.mean() / m),
        # A U-statistic leaves out each point with itself, as if all points were independent.
        null=(traces[0] - traces[1]) / n + (real_traces[0] - real_traces[1]) / m,
        generated=centered_within(2 * (within_x - rows / m), classes.generated),
        real=centered_within(2 * (within_y - columns / n), classes.real),
        interaction=Interaction(squares, (traces[0], real_traces[0])),
    )


Labeled = tuple[Float64, npt.NDArray[np.integer]]


def _some(points: Float64, classes: npt.NDArray[np.integer]) -> Labeled:
    step = max(1, len(points) // SAMPLED)
    return points[::step][:SAMPLED], classes[::step][:SAMPLED]


def _sums(
    one: Float64, other: Float64, kernel: Kernel, *, diagonal: bool
) -> tuple[Float64, Float64]:
    """Sum the kernel over the columns and over the rows: (n,) and (m,)."""
    by_row, by_column = np.empty(len(one)), np.zeros(len(other))
    for rows in blocks(len(one), len(other)):
        block = kernel(one[rows], other)
        if not diagonal:
            block[np.arange(len(block)), np.arange(rows.start, rows.stop)] = 0
        by_row[rows] = block.sum(axis=1)
        by_column += block.sum(axis=0)
    return by_row, by_column


def _squares(x: Labeled, y: Labeled, kernel: Kernel) -> tuple[float, float, float]:
    """Measure the centered kernel's mean square between halves of points: independent pairs."""
    (a, b), (c, d) = (
        [(points[start::2], classes[start::2]) for start in (0, 1)] for points, classes in (x, y)
    )

    def square(one: Labeled, other: Labeled) -> float:
        block = centered_within(kernel(one[0], other[0]), one[1])
        return float((centered_within(block.T, other[1]) ** 2).mean())

    return square(a, b), square(c, d), square(a, d)


def _traces(
    points: Float64, classes: npt.NDArray[np.integer], kernel: Kernel
) -> tuple[float, float]:
    """Return the mean of k(x, x) less that of other points, of its class and of any class."""
    block = kernel(points, points)
    own = float(np.trace(block)) / len(points)
    apart = []
    for same in (classes[:, None] == classes, np.ones_like(block, dtype=np.bool_)):
        np.fill_diagonal(same, False)
        sums, counts = (block * same).sum(axis=1), same.sum(axis=1)
        apart.append(
            float(np.divide(sums, counts, out=np.diag(block).copy(), where=counts > 0).mean())
        )
    return own - apart[0], own - apart[1]
