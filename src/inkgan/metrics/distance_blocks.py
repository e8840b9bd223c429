"""Which points lie within a limit of others, and which are nearest.

Squared distances are matrix products in float32, whose rounding has a bound. What the bound leaves
open is measured again in float64, so every answer is the one of float64.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from inkgan.metrics.validation import blocks, gaps, gaps_at
from inkgan.types import Bool, Float64

BLOCK_ELEMENTS = 2**20  # of a block of distances: 4 MB in float32
LEAST_ROUNDED = 2**20  # distances; float32 is quicker from here
OPEN_SHARE = 0.01  # of a block; where float32 leaves more of it open, float64 is quicker
SPARE = 3  # points beyond the k nearest, which show that no other can be among these

Indices = npt.NDArray[np.intp]


class Block(NamedTuple):
    """Squared distances of some points to all others, in units of `DistanceBlocks.scale` squared.

    Attributes:
        rows: which points.
        squares: (rows, m), float32 or float64.
        error: how far from the exact one each may be.
    """

    rows: slice | Indices
    squares: torch.Tensor
    error: float


class Neighbors(NamedTuple):
    """The nearest other points of each point, the nearest one first.

    Attributes:
        distances: float64 (n, k).
        indices: which points these are (n, k).
    """

    distances: Float64
    indices: Indices


class DistanceBlocks:
    """The distances of points to others, in blocks of rows.

    Args:
        one: finite points (n, d).
        other: finite points (m, d).
    """

    def __init__(self, one: Float64, other: Float64) -> None:
        centre = other.mean(axis=0)
        left, right = one - centre, other - centre
        # so that no square leaves the range of float32
        self.scale = max(float(np.abs(points).max()) for points in (left, right)) or 1.0
        left /= self.scale
        right /= self.scale
        norms, others = (np.einsum("nd,nd->n", points, points)[:, None] for points in (left, right))
        self.one, self.other = one, other
        self._norms, self._longest = norms, float(others.max())
        # two more dimensions add the norms inside the product: |x|^2 + |y|^2 - 2 x.y
        lifted = (
            np.hstack([-2 * left, norms, np.ones_like(norms)]),
            np.hstack([right, np.ones_like(others), others]),
        )
        first, second = (torch.from_numpy(points) for points in lifted)
        self._exact = first, second.T
        self._rounded = self._exact
        # a caller may allow torch fewer bits for float32
        highest = torch.get_float32_matmul_precision() == "highest"
        if highest and len(one) * len(other) >= LEAST_ROUNDED:
            self._rounded = first.float(), second.float().T

    @property
    def is_rounded(self) -> bool:
        """Whether distances are computed in float32, if nothing else is asked for."""
        return self._rounded is not self._exact

    def blocks(self) -> Iterator[Block]:
        """Yield the distances of all points, a block of rows after the other."""
        for rows in blocks(len(self.one), len(self.other), BLOCK_ELEMENTS):
            yield self.at(rows)

    def at(self, rows: slice | Indices, *, rounded: bool = True) -> Block:
        """Return the distances of some points.

        A product of d terms errs by at most d eps / 2 times the sum of their sizes (Higham 2002,
        equation 3.5), here below 2 (|x|^2 + |y|^2); a few eps more for the rounded points.

        Args:
            rows: which points.
            rounded: False computes in float64 in any case.
        """
        first, second = self._rounded if rounded else self._exact
        with torch.autocast("cpu", enabled=False):
            squares = first[rows] @ second
        largest = float(self._norms[rows].max()) + self._longest
        error = (len(second) + 6) * torch.finfo(squares.dtype).eps * largest
        return Block(rows, squares, error)

    def below(self, block: Block, limits: Float64) -> Bool:
        """Tell which distances of a block are below their limits, shape (rows, m).

        Args:
            block: of these points.
            limits: of the distances, of a shape that broadcasts to theirs.
        """
        squares, kind = block.squares, torch.finfo(block.squares.dtype)
        edges = (limits / self.scale) ** 2
        margins = block.error + kind.eps * edges
        low, high = (
            torch.from_numpy(edge).to(squares) for edge in (edges - margins, edges + margins)
        )
        inside = squares < low
        open_rows, columns = (
            found.numpy() for found in ((squares <= high) ^ inside).nonzero(as_tuple=True)
        )
        if squares.dtype == torch.float32 and len(open_rows) > OPEN_SHARE * squares.numel():
            return self.below(self.at(block.rows, rounded=False), limits)
        result: Bool = inside.numpy()
        limits_there = np.broadcast_to(limits, result.shape)[open_rows, columns]
        measured = gaps_at(self.one[block.rows], self.other, open_rows, columns)
        result[open_rows, columns] = measured < limits_there
        return result


def nearest_others(points: Float64, k: int) -> Neighbors:
    """Find the k nearest other points of each point; a duplicate is another point.

    Args:
        points: finite (n, d), n > k.
        k: 1 or more.
    """
    distances = DistanceBlocks(points, points)
    found = Neighbors(np.empty((len(points), k)), np.empty((len(points), k), np.intp))
    for part in blocks(len(points), len(points), BLOCK_ELEMENTS):
        rows = np.arange(part.start, part.stop)
        nearest, proven = _nearest(distances, rows, k, rounded=distances.is_rounded)
        found.distances[rows], found.indices[rows] = nearest
        if not proven.all():
            missing = rows[~proven]
            nearest, _ = _nearest(distances, missing, k, rounded=False)
            found.distances[missing], found.indices[missing] = nearest
    return found


def _nearest(
    distances: DistanceBlocks, rows: Indices, k: int, *, rounded: bool
) -> tuple[Neighbors, Bool]:
    """Return the k nearest other points of some, and for which of them this is certain.

    In float64 it is as certain as its rounding lets it be.
    """
    block, others = distances.at(rows, rounded=rounded), len(distances.other) - 1
    block.squares[np.arange(len(rows)), rows] = np.inf
    candidates = min(k + SPARE, others) if rounded else k
    values, columns = block.squares.topk(candidates, largest=False, sorted=False)
    indices: Indices = columns.numpy()
    points = distances.one[rows]
    measured = np.stack([gaps(points, distances.other[i]) for i in indices.T], axis=1)
    order = np.argsort(measured, axis=1, kind="stable")[:, :k]
    nearest = Neighbors(
        np.take_along_axis(measured, order, 1), np.take_along_axis(indices, order, 1)
    )
    if not rounded or candidates == others:
        return nearest, np.ones(len(rows), np.bool_)
    beyond = values.amax(dim=1).double().numpy() - block.error  # where all other points lie
    proven: Bool = (nearest.distances[:, -1] / distances.scale) ** 2 <= beyond
    return nearest, proven
