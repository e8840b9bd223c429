"""Place digits side by side on one canvas, with a box around the ink of each."""

from dataclasses import dataclass

import numpy as np

from inkgan.images import Shape
from inkgan.synthesis.bounding_box import BoundingBox
from inkgan.synthesis.glyph_pool import INK
from inkgan.synthesis.request import DigitSequences
from inkgan.synthesis.shards import random_numbers
from inkgan.types import UInt8

MARGIN = 6  # pixels around the digits' own squares
MAX_OFFSET = 2  # pixels that a digit stands above or below the line of its sequence


@dataclass(frozen=True)
class Canvas:
    """A sequence of digits.

    Attributes:
        size: height and width in pixels; the same for all sequences of a data set.
        boxes: of the digits, tight around their ink, from left to right.
        tiles: each digit's ink, uint8 (box height, box width).
    """

    size: tuple[int, int]
    boxes: tuple[BoundingBox, ...]
    tiles: tuple[UInt8, ...]

    def picture(self) -> UInt8:
        """Paint the sequence, uint8 (H, W); where boxes overlap, the brighter pixel counts."""
        picture = np.zeros(self.size, dtype=np.uint8)
        for box, tile in zip(self.boxes, self.tiles, strict=True):
            region = picture[box.y : box.y + box.height, box.x : box.x + box.width]
            np.maximum(region, tile, out=region)
        return picture


def canvas_size(sequences: DigitSequences, shape: Shape) -> tuple[int, int]:
    """Return height and width of a canvas that has room for the widest possible sequence."""
    longest = sequences.length[1]
    widest = longest * shape.width + (longest - 1) * sequences.spacing[1]
    return shape.height + 2 * MARGIN, widest + 2 * MARGIN


def ink_box(pixels: UInt8) -> BoundingBox:
    """Return the tightest box around all ink of an image (H, W) that is not blank."""
    rows = np.flatnonzero((pixels >= INK).any(axis=1))
    columns = np.flatnonzero((pixels >= INK).any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    return BoundingBox(left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1)


def arrange(digits: UInt8, index: int, sequences: DigitSequences, seed: int) -> Canvas:
    """Place the digits of one sequence side by side; the same arguments give the same places.

    The gaps between ink are uniform in `sequences.spacing`, the baseline and the start of the
    sequence are uniform in the room that is left, and each digit stands a little above or below
    the baseline.

    Args:
        digits: uint8 (k, H, W), none of them blank.
        index: of the sequence within the data set.
        sequences: the request.
        seed: of the data set.
    """
    count, height, width = digits.shape
    size = canvas_size(sequences, Shape(1, height, width))
    random = random_numbers(seed, "canvas", index)
    inks = [ink_box(digit) for digit in digits]
    smallest, largest = sequences.spacing
    gaps = [0, *random.integers(smallest, largest + 1, size=(count,)).tolist()[1:]]
    inked = sum(gaps) + sum(ink.width for ink in inks)
    left = int(random.integers(MARGIN, size[1] - MARGIN - inked + 1))
    baseline = int(random.integers(MAX_OFFSET, 2 * MARGIN - MAX_OFFSET + 1))
    offsets = random.integers(-MAX_OFFSET, MAX_OFFSET + 1, size=(count,)).tolist()
    boxes = []
    for ink, gap, offset in zip(inks, gaps, offsets, strict=True):
        boxes.append(BoundingBox(left + gap, ink.y + baseline + offset, ink.width, ink.height))
        left += gap + ink.width
    tiles = (
        digit[ink.y : ink.y + ink.height, ink.x : ink.x + ink.width]
        for digit, ink in zip(digits, inks, strict=True)
    )
    return Canvas(size, tuple(boxes), tuple(tiles))
