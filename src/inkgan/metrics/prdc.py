"""Nearest-neighbor views of two sets of features: which half of a distance went wrong."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from inkgan.metrics.distance_blocks import DistanceBlocks, nearest_others
from inkgan.metrics.validation import (
    blocks,
    checked,
    checked_pair,
    checked_values,
    squared_distances,
)
from inkgan.types import Float64


class Prdc(NamedTuple):
    """Precision, recall and coverage, shares in 0..1, and density, which may exceed 1."""

    precision: float
    recall: float
    density: float
    coverage: float


class OneNearestNeighbor(NamedTuple):
    """Shares in 0..1 of points whose nearest other point is of their own set."""

    accuracy: float
    real_accuracy: float
    fake_accuracy: float


def radii(points: npt.ArrayLike, k: int = 5) -> Float64:
    """Measure the distance of each point to its k-th nearest other point.

    Args:
        points: (n, d) with n > k.
        k: number of neighbors, 1 or more.

    Returns:
        float64 (n,).

    Raises:
        ValueError: k below 1, k points or fewer, NaN or infinity.
    """
    table = checked(points, _least(k))
    return nearest_others(table, k).distances[:, -1]


def _least(k: int) -> int:
    if k < 1:
        raise ValueError(f"k counts neighbors from 1, got {k}")
    return k + 1


def prdc(
    real: npt.ArrayLike, fake: npt.ArrayLike, k: int = 5, real_radii: Float64 | None = None
) -> Prdc:
    """Compare real and generated features by balls that reach to the k-th nearest neighbor.

    Precision is the share of fakes inside the ball of some real, recall that of reals inside the
    ball of some fake (Kynkäänniemi et al. 2019, equations 2 and 3). Density is the mean number of
    balls of reals around a fake, over k; coverage the share of balls of reals that hold a fake
    (Naeem et al. 2020, equations 4 and 6). Balls are open, as in their code.

    Args:
        real: features (n, d), n > k.
        fake: features of generated images (m, d), m > k.
        k: number of neighbors.
        real_radii: `radii(real, k)`, if known.

    Returns:
        The four values; higher is better for the three shares.

    Raises:
        ValueError: k below 1, k points or fewer in a set, NaN or infinity, dimensions that differ,
            or a number of radii that is not n.

    Examples:
        >>> import numpy as np
        >>> points = np.random.default_rng(0).normal(size=(50, 4))
        >>> prdc(points, points)[:2]  # of equal sets precision and recall are 1
        (1.0, 1.0)
        >>> prdc(points, points + 100).coverage
        0.0
    """
    reals, fakes = checked_pair(real, fake, _least(k))
    limits = radii(reals, k) if real_radii is None else checked_values(real_radii)
    if len(limits) != len(reals):
        raise ValueError(f"{len(limits)} radii for {len(reals)} reals")
    fake_limits = radii(fakes, k)
    around = np.zeros(len(fakes), dtype=np.int64)
    covered = np.zeros(len(reals), dtype=np.bool_)
    recalled = np.zeros(len(reals), dtype=np.bool_)
    distances = DistanceBlocks(reals, fakes)
    for block in distances.blocks():
        inside = distances.below(block, limits[block.rows, None])
        around += inside.sum(axis=0)
        covered[block.rows] = inside.any(axis=1)
        recalled[block.rows] = distances.below(block, fake_limits[None]).any(axis=1)
    return Prdc(
        precision=float((around > 0).mean()),
        recall=float(recalled.mean()),
        density=float(around.mean() / k),
        coverage=float(covered.mean()),
    )


def recall(real: npt.ArrayLike, fake: npt.ArrayLike, k: int = 5) -> float:
    """Return the recall that `prdc` does, without the work for its other three values.

    Args:
        real: features (n, d), n > k.
        fake: features of generated images (m, d), m > k.
        k: number of neighbors.

    Returns:
        The share of reals inside the ball of some fake, 0..1; higher is better.

    Raises:
        ValueError: as `prdc`.
    """
    reals, fakes = checked_pair(real, fake, _least(k))
    limits = radii(fakes, k)
    recalled = np.zeros(len(reals), dtype=np.bool_)
    distances = DistanceBlocks(reals, fakes)
    for block in distances.blocks():
        recalled[block.rows] = distances.below(block, limits[None]).any(axis=1)
    return float(recalled.mean())


def realism(real: npt.ArrayLike, fake: npt.ArrayLike, k: int = 5) -> Float64:
    """Score how deep each generated point lies among the real ones.

    The largest radius / distance over those reals whose radius is at most the median one
    (Kynkäänniemi et al. 2019, equation 5).

    Args:
        real: features (n, d), n > k.
        fake: features of generated images (m, d).
        k: number of neighbors.

    Returns:
        float64 (m,): 1 or more inside some ball, infinite at a real point; higher is better.

    Raises:
        ValueError: k below 1, k reals or fewer, no fakes, NaN or infinity, dimensions that differ.
    """
    reals, fakes = checked_pair(checked(real, _least(k)), fake, least=1)
    limits = radii(reals, k)
    small = limits <= np.median(limits)
    reals, limits = reals[small], limits[small]
    scores = np.empty(len(fakes))
    for rows in blocks(len(fakes), len(reals)):
        squares = squared_distances(fakes[rows], reals)
        ratios = np.full_like(squares, np.inf)
        np.divide(limits**2, squares, out=ratios, where=squares > 0)
        scores[rows] = np.sqrt(ratios.max(axis=1))
    return scores


def one_nearest_neighbor(real: npt.ArrayLike, fake: npt.ArrayLike) -> OneNearestNeighbor:
    """Classify each point of two sets by its nearest other point (Lopez-Paz and Oquab 2017).

    Args:
        real: features (n, d), n >= 2.
        fake: features of as many generated images (n, d).

    Returns:
        Shares in 0..1 of points whose nearest other point is of their own set: 0.5 where both are
        of one distribution, 1 where they are apart, near 0 where fakes are copies of reals.

    Raises:
        ValueError: sets of different size or dimension, fewer than two points, NaN or infinity.
    """
    reals, fakes = checked_pair(real, fake)
    if len(reals) != len(fakes):
        raise ValueError(f"needs sets of one size, got {len(reals)} reals and {len(fakes)} fakes")
    nearest = nearest_others(np.concatenate([reals, fakes]), 1).indices[:, 0]
    is_real = nearest < len(reals)
    real_accuracy = float(is_real[: len(reals)].mean())
    fake_accuracy = float(1 - is_real[len(reals) :].mean())
    return OneNearestNeighbor((real_accuracy + fake_accuracy) / 2, real_accuracy, fake_accuracy)
