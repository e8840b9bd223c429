"""Where ink begins and ends in each row, and how near two characters can stand."""

from dataclasses import dataclass

import numpy as np

from inkgan.types import Bool, Int64

FAR = 1 << 20  # beyond any picture


@dataclass(frozen=True)
class RowProfile:
    """The first and the last column with ink in each row of a band of rows.

    Attributes:
        top: the first row of the band.
        left: first column, FAR in a row without ink.
        right: last column, -FAR in a row without ink.
    """

    top: int
    left: Int64
    right: Int64

    @classmethod
    def of(cls, mask: Bool, top: int = 0) -> "RowProfile":
        """Measure a mask (H, W) whose first row lies at `top`."""
        inked = mask.any(axis=1)
        left = np.where(inked, mask.argmax(axis=1), FAR)
        right = np.where(inked, mask.shape[1] - 1 - mask[:, ::-1].argmax(axis=1), -FAR)
        return cls(top, left, right)

    def moved(self, x: int) -> "RowProfile":
        """Return the profile further to the right."""
        return RowProfile(self.top, self.left + x, self.right + x)

    def widened(self, rows: int) -> "RowProfile":
        """Return the profile as a box, by so many rows taller above and below."""
        size = len(self.left) + 2 * rows
        left, right = int(self.left.min()), int(self.right.max())
        return RowProfile(self.top - rows, np.full(size, left), np.full(size, right))


def contact_shift(before: RowProfile, after: RowProfile, diagonal: bool) -> int | None:
    """Return how far right to move a profile so that its ink is next to that before it.

    Args:
        before: the profile on the left, in its place.
        after: the profile to move.
        diagonal: pixels that meet at a corner are next to each other, too.

    Returns:
        Pixels; None where the two have no rows in common.
    """
    reach = 1 if diagonal else 0
    top = max(before.top - reach, after.top)
    bottom = min(before.top + len(before.left) + reach, after.top + len(after.left))
    if top >= bottom:
        return None
    right = before.right
    if diagonal:
        padded = np.full(len(right) + 4, -FAR)
        padded[2:-2] = right
        right = np.maximum(np.maximum(padded[:-2], padded[1:-1]), padded[2:])
    first = top - (before.top - reach)
    edge = right[first : first + bottom - top]
    start = after.left[top - after.top : bottom - after.top]
    shift = int((edge - start).max()) + 1
    return shift if shift > -FAR // 2 else None
