"""Nearest-neighbour views of two sets of features: which half of a distance went wrong."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.neighbors import NearestNeighbors

from inkgan.metrics.validation import (
    blocks,
    checked,
    checked_pair,
    checked_values,
    gaps,
    gaps_at,
    squared_distances,
)
from inkgan.types import Bool, Float64

# Squared distances this near to a ball's boundary, relatively, are measured again exactly.
BOUNDARY = 1e-6


class Prdc(NamedTuple):
    """Shares in 0..1, but density, which may exceed 1; higher is better."""

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
    """Measure the distance of each point of (n, d) to its k-th nearest other point, shape (n,).

    Raises:
        ValueError: k below 1, k points or fewer, NaN or infinity.
    """
    table = checked(points, _least(k))
    neighbours = _neighbours(table, k)
    farthest = [gaps(table, table[column]) for column in neighbours.T]
    return np.asarray(np.max(farthest, axis=0))


def _least(k: int) -> int:
    if k < 1:
        raise ValueError(f"k counts neighbours from 1, got {k}")
    return k + 1


def _neighbours(points: Float64, k: int) -> npt.NDArray[np.intp]:
    """List the k nearest other points of each, shape (n, k); a duplicate is another point."""
    # About the centre the expanded squares inside the search lose the fewest digits.
    search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(points - points.mean(axis=0))
    return np.asarray(search.kneighbors(return_distance=False))


def prdc(
    real: npt.ArrayLike, fake: npt.ArrayLike, k: int = 5, real_radii: Float64 | None = None
) -> Prdc:
    """Compare reals (n, d) and fakes (m, d) by balls that reach to the k-th nearest neighbour.

    Precision is the share of fakes inside some real's ball, recall that of reals inside some fake's
    (Kynkaanniemi et al. 2019, equations 2 and 3). Density is the mean number of real balls round a
    fake, over k, coverage the share of real balls that hold a fake (Naeem et al. 2020, equations 4
    and 6). Balls are open, as in their code. `real_radii` (n,) are `radii(real, k)` where known.

    Raises:
        ValueError: k below 1, k points or fewer in a set, NaN or infinity, dimensions that differ,
            or a number of radii that is not n.
    """
    reals, fakes = checked_pair(real, fake, _least(k))
    limits = radii(reals, k) if real_radii is None else checked_values(real_radii)
    if len(limits) != len(reals):
        raise ValueError(f"{len(limits)} radii for {len(reals)} reals")
    fake_limits = radii(fakes, k)
    around = np.zeros(len(fakes), dtype=np.int64)
    held = np.zeros(len(reals), dtype=np.bool_)
    recalled = np.zeros(len(reals), dtype=np.bool_)
    for rows in blocks(len(reals), len(fakes)):
        squares = squared_distances(reals[rows], fakes)
        inside = _inside(squares, limits[rows, None], reals[rows], fakes)
        around += inside.sum(axis=0)
        held[rows] = inside.any(axis=1)
        recalled[rows] = _inside(squares, fake_limits[None], reals[rows], fakes).any(axis=1)
    return Prdc(
        precision=float((around > 0).mean()),
        recall=float(recalled.mean()),
        density=float(around.mean() / k),
        coverage=float(held.mean()),
    )


def _inside(squares: Float64, limits: Float64, one: Float64, other: Float64) -> Bool:
    """Tell which distances are below their limit, which broadcasts to the squares' shape."""
    inside = np.asarray(squares < limits**2)
    low, high = (1 - BOUNDARY) * limits**2, (1 + BOUNDARY) * limits**2
    rows, columns = np.nonzero((squares >= low) & (squares <= high))
    edges = np.broadcast_to(limits, squares.shape)[rows, columns]
    inside[rows, columns] = gaps_at(one, other, rows, columns) < edges
    return inside


def realism(real: npt.ArrayLike, fake: npt.ArrayLike, k: int = 5) -> Float64:
    """Score each fake of (m, d) by how deep it lies in the reals (n, d), shape (m,).

    The largest radius / distance over those reals whose radius is at most the median one
    (Kynkaanniemi et al. 2019, equation 5): 1 or more inside some ball, infinite at a real.

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
    """Classify each point of two sets (n, d) by its nearest other point, leaving itself out.

    0.5 where both sets are of one distribution, 1 where they are apart, near 0 where the fakes are
    copies of the reals (Lopez-Paz and Oquab 2017).

    Raises:
        ValueError: sets of different size or dimension, fewer than two points, NaN or infinity.
    """
    reals, fakes = checked_pair(real, fake)
    if len(reals) != len(fakes):
        raise ValueError(f"needs sets of one size, got {len(reals)} reals and {len(fakes)} fakes")
    nearest = _neighbours(np.concatenate([reals, fakes]), 1)[:, 0]
    is_real = nearest < len(reals)
    real_accuracy = float(is_real[: len(reals)].mean())
    fake_accuracy = float(1 - is_real[len(reals) :].mean())
    return OneNearestNeighbor((real_accuracy + fake_accuracy) / 2, real_accuracy, fake_accuracy)
