"""Spacing by ink, not by boxes: the gap between neighbors is measured row by row."""

from dataclasses import dataclass

import numpy as np

from inkgan.handwriting.outline import Outline
from inkgan.types import Float64

ROWS = 4  # in a unit of length
# All lengths below are in heights of a digit.
GAP = 0.22  # mean over the rows, between neighboring ink
FARTHEST = 0.44  # gap that still counts in the mean: where ink recedes further, paper is paper
CLOSEST = 0.13  # between any two points of ink
SPACE = 0.50  # that a space adds
REACH = 0.45  # how far above and below punctuation keeps its neighbors away
ABOVE, BELOW = 2.5, 1.5  # of the baseline, in rows that are looked at


@dataclass(frozen=True)
class Profile:
    """The leftmost and rightmost ink in each row; +inf and -inf in a row without any."""

    left: Float64
    right: Float64

    def widened(self, rows: int) -> "Profile":
        """Make a box of it, by so many rows taller on both sides."""
        inked = np.flatnonzero(np.isfinite(self.left))
        among = slice(max(0, inked[0] - rows), inked[-1] + rows + 1)
        left, right = np.full_like(self.left, np.inf), np.full_like(self.right, -np.inf)
        left[among], right[among] = self.left.min(), self.right.max()
        return Profile(left, right)


class Spacer:
    """Finds the place of one character after another."""

    def __init__(self, height: float) -> None:
        self.height = height
        self.above = round(ABOVE * height * ROWS)
        rows = self.above + round(BELOW * height * ROWS)
        self.behind = np.full(rows, -np.inf)  # the rightmost ink so far
        self.last: Profile | None = None  # of the neighbor

    def place(
        self,
        outline: Outline,
        *,
        is_punctuation: bool = False,
        air: float = 0.0,
        space: float = 0.0,
    ) -> float:
        """Return how far right to move an outline, and add it there.

        Args:
            outline: with the baseline at y = 0.
            is_punctuation: small signs keep their neighbors away above and below, too.
            air: more or less than GAP, in heights of a digit; CLOSEST is kept all the same.
            space: more room to the left, in heights of a digit.
        """
        own = self.profile(outline)
        profile = own.widened(round(REACH * self.height * ROWS)) if is_punctuation else own
        shift = -float(own.left.min())
        if self.last is not None:
            even = self.even_shift(self.last, profile) + air * self.height
            shift = max(even, self.least_shift(own)) + space * self.height
        self.behind = np.maximum(self.behind, own.right + shift)
        self.last = Profile(profile.left + shift, profile.right + shift)
        return shift

    def profile(self, outline: Outline) -> Profile:
        """Measure an outline row by row."""
        points = np.concatenate(outline.polygons)
        rows = np.floor(points[:, 1] * ROWS).astype(int) + self.above
        rows = rows.clip(0, len(self.behind) - 1)
        left, right = np.full(len(self.behind), np.inf), np.full(len(self.behind), -np.inf)
        np.minimum.at(left, rows, points[:, 0])
        np.maximum.at(right, rows, points[:, 0])
        return Profile(left, right)

    def even_shift(self, before: Profile, after: Profile) -> float:
        """Return the shift that makes the mean gap GAP, over the rows where both have ink.

        A row counts with at most FARTHEST. Where they share no row, boxes stand GAP apart.
        """
        gaps = after.left - before.right
        gaps = gaps[np.isfinite(gaps)]
        if not len(gaps):
            return GAP * self.height + float(before.right.max() - after.left.min())
        low, high = -gaps.max() - self.height, FARTHEST * self.height - gaps.min()
        for _ in range(40):  # the capped mean grows with the shift: halve the interval
            middle = (low + high) / 2
            if np.minimum(gaps + middle, FARTHEST * self.height).mean() < GAP * self.height:
                low = middle
            else:
                high = middle
        return float(high)

    def least_shift(self, own: Profile) -> float:
        """Return the least shift that keeps CLOSEST from all ink so far."""
        return -float((own.left - self.grown(CLOSEST * self.height)).min())

    def grown(self, radius: float) -> Float64:
        """Return the right edge of all ink so far, after every point has become a disc."""
        grown = np.full_like(self.behind, -np.inf)
        reach = int(radius * ROWS)
        for row in range(-reach, reach + 1):
            moved = np.roll(self.behind, row)  # both ends are far from ink
            np.maximum(grown, moved + np.sqrt(radius**2 - (row / ROWS) ** 2), out=grown)
        return grown
