"""Outlines: closed smooth curves that bound ink, the one form in which everything is written.

Lengths are in pixels of the generator's images, x to the right and y downwards, as in a picture.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from inkgan.types import Float64

STEP = 0.1  # between the points of a flattened curve


class Bounds(NamedTuple):
    """The smallest upright rectangle round ink."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Return right - left."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Return bottom - top."""
        return self.bottom - self.top

    @classmethod
    def of(cls, points: Float64) -> "Bounds":
        """Return the box round points (n, 2)."""
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        return cls(float(left), float(top), float(right), float(bottom))

    def union(self, other: "Bounds") -> "Bounds":
        """Return the box round both."""
        return Bounds(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )


@dataclass(frozen=True)
class Outline:
    """Ink within closed curves; a hole's curve runs the other way round.

    Attributes:
        curves: each (segments, 4, 2), the control points (x, y) of cubic Bézier segments, where
            each segment begins at the end of the one before and the first at the end of the last.
    """

    curves: tuple[Float64, ...]

    def mapped(self, matrix: npt.ArrayLike, offset: npt.ArrayLike = (0.0, 0.0)) -> "Outline":
        """Apply the affine map p -> matrix p + offset, exact for Bézier curves."""
        transposed, shift = np.asarray(matrix, np.float64).T, np.asarray(offset, np.float64)
        return Outline(tuple(curve @ transposed + shift for curve in self.curves))

    def moved(self, right: float, down: float) -> "Outline":
        """Return the outline elsewhere."""
        return self.mapped(np.eye(2), (right, down))

    @cached_property
    def polygons(self) -> tuple[Float64, ...]:
        """Each curve as a polygon (n, 2) whose points lie at most STEP apart."""
        return tuple(map(_flatten, self.curves))

    @cached_property
    def bounds(self) -> Bounds:
        """The box round the ink."""
        return Bounds.of(np.concatenate(self.polygons))

    @property
    def area(self) -> float:
        """The area of the ink, holes left out."""
        return abs(sum(map(signed_area, self.polygons)))


def signed_area(polygon: Float64) -> float:
    """Return the area of a polygon (n, 2) by Green's theorem; the sign tells which way it runs."""
    x, y = polygon.T
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2


def _flatten(curve: Float64) -> Float64:
    longest = np.linalg.norm(np.diff(curve, axis=1), axis=2).sum(axis=1).max()
    pieces = max(2, int(np.ceil(longest / STEP)))
    t = np.arange(pieces)[:, None] / pieces
    # the Bernstein polynomials of degree 3
    basis = np.hstack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])
    flattened: Float64 = np.einsum("tk,skc->stc", basis, curve).reshape(-1, 2)
    return flattened
