"""From ink to single digits, in the order in which they are read."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage.measure import label, regionprops

from inkgan.errors import DataError
from inkgan.inversion.ink import Ink
from inkgan.types import Bool

MOST_MARKS = 100
LEAST_HEIGHT = 0.04  # of a mark's longer side, in the picture's shorter one: less is dirt
LOWEST = 0.4  # height of a digit beside taller ones; less is a comma or a dash
BROADEST = 2.0  # width of a digit, in its heights; the 1 has no lower limit
FATTEST = 0.5  # thickest place of a stroke, in a digit's longer sides: more is a blot
NEAR = 0.25  # of a digit's height, between its parts
SHARED = 0.5  # of the narrower part's columns are also the other's


@dataclass(frozen=True)
class Mark:
    """A digit on the picture.

    Attributes:
        box: top, left, bottom, right in pixels.
        mask: bool (H, W) of the whole picture, where its ink is.
    """

    box: tuple[int, int, int, int]
    mask: Bool

    @property
    def height(self) -> int:
        """Return bottom - top."""
        return self.box[2] - self.box[0]

    @property
    def width(self) -> int:
        """Return right - left."""
        return self.box[3] - self.box[1]


def find_marks(ink: Ink, name: str = "the picture") -> list[Mark]:
    """Find digits, row by row and from left to right.

    Ink that hangs together is one mark; parts that stand above each other and nearly touch, such as
    a 5 and its bar, are joined. Dirt, lines, blots and what runs off the picture are left out.

    Raises:
        DataError: nothing looks like a digit, or there are more than MOST_MARKS marks.
    """
    parts = label(ink.mask, connectivity=2)
    regions = regionprops(parts)
    least = LEAST_HEIGHT * min(ink.mask.shape)
    marks = [
        Mark(region.bbox, parts == region.label)
        for region in regions
        if max(_sides(region.bbox)) >= least
    ]
    inside = [mark for mark in marks if not _at_border(mark)]
    marks = _joined(inside or marks)
    marks = [mark for mark in marks if _is_digit_like(mark)]
    highest = max((mark.height for mark in marks), default=0)
    marks = [mark for mark in marks if mark.height >= LOWEST * highest]
    if not marks:
        raise DataError(
            f"{name} shows no mark that looks like a digit; leave paper round each digit, and no "
            "lines"
        )
    if len(marks) > MOST_MARKS:
        raise DataError(f"{name} shows {len(marks)} marks; at most {MOST_MARKS} can be read")
    return _in_reading_order(marks)


def _sides(box: tuple[int, int, int, int]) -> tuple[int, int]:
    top, left, bottom, right = box
    return bottom - top, right - left


def _at_border(mark: Mark) -> bool:
    top, left, bottom, right = mark.box
    height, width = mark.mask.shape
    return top == 0 or left == 0 or bottom == height or right == width


def _is_digit_like(mark: Mark) -> bool:
    top, left, bottom, right = mark.box
    depth = ndimage.distance_transform_edt(np.pad(mark.mask[top:bottom, left:right], 1))
    return mark.width <= BROADEST * mark.height and (
        2 * float(depth.max()) <= FATTEST * max(mark.height, mark.width)
    )


def _joined(marks: list[Mark]) -> list[Mark]:
    """Join the parts of digits, the smallest first."""
    waiting = sorted(marks, key=lambda mark: mark.height)
    done: list[Mark] = []
    while waiting:
        part = waiting.pop(0)
        wholes = [mark for mark in waiting if _belong_together(part, mark)]
        if not wholes:
            done.append(part)
            continue
        whole = min(wholes, key=lambda mark: _gap(part, mark))
        tops, lefts, bottoms, rights = zip(part.box, whole.box, strict=True)
        box = (min(tops), min(lefts), max(bottoms), max(rights))
        waiting[waiting.index(whole)] = Mark(box, part.mask | whole.mask)
    return done


def _belong_together(part: Mark, whole: Mark) -> bool:
    shared = min(part.box[3], whole.box[3]) - max(part.box[1], whole.box[1])
    near = _gap(part, whole) <= NEAR * whole.height
    return near and shared >= SHARED * min(part.width, whole.width)


def _gap(one: Mark, other: Mark) -> int:
    """Return the rows between two marks; below 0 where they share rows."""
    return max(one.box[0], other.box[0]) - min(one.box[2], other.box[2])


def _in_reading_order(marks: list[Mark]) -> list[Mark]:
    """Sort marks into rows, and each row from left to right.

    A mark belongs to the row whose mean top and bottom enclose its middle.
    """
    rows: list[list[Mark]] = []
    for mark in sorted(marks, key=lambda mark: mark.box[0] + mark.box[2]):
        middle = (mark.box[0] + mark.box[2]) / 2
        if rows and middle < np.mean([other.box[2] for other in rows[-1]]):
            rows[-1].append(mark)
        else:
            rows.append([mark])
    return [mark for row in rows for mark in sorted(row, key=lambda mark: mark.box[1])]
