"""Strings of digits on one canvas, and the box round the ink of each."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from inkgan.images import Shape
from inkgan.synthesis.request import Request, Strings
from inkgan.synthesis.shards import numbers
from inkgan.types import UInt8

INK = 32  # a pixel from here on is ink: an eighth of the range, above a generator's haze
MARGIN = 6  # pixels round the digits' own squares
WOBBLE = 2  # pixels that a digit stands above or below its string's line, at most


class Box(NamedTuple):
    """A box of whole pixels; x and y are its left and upper edge."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Canvas:
    """A string of digits.

    Attributes:
        size: height and width in pixels; the same for all strings of a data set.
        boxes: of the digits, tight round their ink, from left to right.
        tiles: the digits' own ink, uint8 (height, width) each.
    """

    size: tuple[int, int]
    boxes: tuple[Box, ...]
    tiles: tuple[UInt8, ...]

    def picture(self) -> UInt8:
        """Paint the string, uint8 (H, W); ink that meets ink keeps the brighter pixel."""
        paper = np.zeros(self.size, dtype=np.uint8)
        for box, tile in zip(self.boxes, self.tiles, strict=True):
            here = paper[box.y : box.y + box.height, box.x : box.x + box.width]
            np.maximum(here, tile, out=here)
        return paper


def canvas_size(strings: Strings, shape: Shape) -> tuple[int, int]:
    """Return height and width of a canvas that holds the widest string there can be."""
    most = strings.length[1]
    widest = most * shape.width + (most - 1) * strings.spacing[1]
    return shape.height + 2 * MARGIN, widest + 2 * MARGIN


def ink_box(pixels: UInt8) -> Box:
    """Return the tightest box round all ink of an image (H, W) that has some."""
    rows = np.flatnonzero((pixels >= INK).any(axis=1))
    columns = np.flatnonzero((pixels >= INK).any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    return Box(left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1)


def arrange(digits: UInt8, index: int, request: Request) -> Canvas:
    """Set digits (k, H, W) side by side: string `index` of a data set, always in the same places.

    The gaps between ink are drawn evenly from the spacing asked for, the line and the beginning of
    the string evenly from the room there is, and each digit wobbles about the line.
    """
    strings = request.content
    if not isinstance(strings, Strings):
        raise TypeError("only strings stand on a canvas")
    count, height, width = digits.shape
    size = canvas_size(strings, Shape(1, height, width))
    random = numbers(request.seed, "canvas", index)
    inks = [ink_box(digit) for digit in digits]
    gaps = random.integers(strings.spacing[0], strings.spacing[1] + 1, size=(count,)).tolist()
    gaps[0] = 0
    taken = sum(gaps) + sum(ink.width for ink in inks)
    start = int(random.integers(MARGIN, size[1] - MARGIN - taken + 1))
    line = int(random.integers(WOBBLE, 2 * MARGIN - WOBBLE + 1))
    wobbles = random.integers(-WOBBLE, WOBBLE + 1, size=(count,)).tolist()
    boxes = _side_by_side(inks, start, gaps, [line + wobble for wobble in wobbles])
    tiles = (
        digit[ink.y : ink.y + ink.height, ink.x : ink.x + ink.width]
        for digit, ink in zip(digits, inks, strict=True)
    )
    return Canvas(size, boxes, tuple(tiles))


def _side_by_side(inks: list[Box], start: int, gaps: list[int], tops: list[int]) -> tuple[Box, ...]:
    boxes = []
    for ink, gap, top in zip(inks, gaps, tops, strict=True):
        boxes.append(Box(start + gap, ink.y + top, ink.width, ink.height))
        start += gap + ink.width
    return tuple(boxes)
