"""Boxes of whole pixels around ink."""

from typing import NamedTuple

import numpy as np

from inkgan.types import Bool


class BoundingBox(NamedTuple):
    """A box of whole pixels; x and y are its left and upper edge."""

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def around(cls, mask: Bool) -> "BoundingBox | None":
        """Return the tightest box around a mask (H, W), or None for an empty one."""
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if not len(rows):
            return None
        top, left = int(rows[0]), int(columns[0])
        return cls(left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1)

    @property
    def slices(self) -> tuple[slice, slice]:
        """The rows and columns of the box, to index a picture."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)

    def moved(self, x: int, y: int) -> "BoundingBox":
        """Return the box further to the right and further down."""
        return BoundingBox(self.x + x, self.y + y, self.width, self.height)
