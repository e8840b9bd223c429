"""Takes printed lines, squares and the boxes of forms out of the ink."""

from typing import Any, NamedTuple

import numpy as np
from scipy import ndimage
from skimage.measure import label, regionprops

from inkgan.inversion.ink import Ink
from inkgan.types import Bool

LEAST_LENGTH = 0.1  # of a line, in the picture's shorter side
LENGTH = 0.8  # of a line, in the side of the connected ink that it belongs to
SLOPES = np.linspace(-0.09, 0.09, 13)  # of lines that are nearly level: 5 degrees
GAP = 9  # pixels that a line may be broken for
LONG = 1.5  # sides of what holds lines, where it is no box
BOXED = 0.85  # share of its box that a frame covers with what it holds
THICKEST = 0.06  # of a line, in the picture's shorter side


class Erased(NamedTuple):
    """Ink without printed lines.

    Attributes:
        ink: the rest.
        crosses: a line crossed a stroke.
    """

    ink: Ink
    crosses: bool


def without_lines(ink: Ink) -> Erased | None:
    """Take straight lines out, level and upright; None where there are none.

    A line is as long as the connected ink that holds it, which no stroke of a digit is. Where a
    stroke crosses the line, with ink on both of its sides, the stroke stays.
    """
    level = _lines(ink.mask, level=True)
    upright = _lines(ink.mask.T, level=False).T
    if not (level.any() or upright.any()):
        return None
    rest = ink.mask & ~(level | upright)
    crossed = _crossings(level, rest) | _crossings(upright.T, rest.T).T
    lines = ndimage.binary_dilation(level | upright, iterations=2)
    amount = np.where(lines & ~crossed & ~rest, 0.0, ink.amount)
    return Erased(Ink(amount, rest | crossed), bool(crossed.any()))


def _lines(mask: Bool, level: bool) -> Bool:
    """Return where lines run along the rows; `level` where rows are those of the picture."""
    found = np.zeros_like(mask)
    side = min(mask.shape)
    for region in regionprops(label(mask, connectivity=2)):
        top, left, bottom, right = region.bbox
        length = round(LENGTH * (right - left))
        if not _holds_lines(region, mask.shape, level):
            continue
        if length < LEAST_LENGTH * side or length < 3 * GAP:
            continue
        found[top:bottom, left:right] |= _straight(region.image, length, THICKEST * side)
    return found


def _holds_lines(region: Any, shape: tuple[int, ...], level: bool) -> bool:
    """Return whether ink is long, filled by boxes or cut by the border, as no digit's is."""
    top, left, bottom, right = region.bbox
    height, width = bottom - top, right - left
    if top == 0 or left == 0 or bottom == shape[0] or right == shape[1]:
        return True
    if max(height, width) > LONG * min(height, width) and region.euler_number < 0:
        return True
    boxed = region.area_filled >= BOXED * region.area_bbox
    return bool((level and width > LONG * height) or (region.euler_number < 1 and boxed))


def _straight(mask: Bool, length: int, thickest: float) -> Bool:
    """Return the ink of straight runs of at least `length` that are no thicker than a line."""
    height, width = mask.shape
    margin = int(np.ceil(SLOPES.max() * width)) + 2
    padded = np.pad(mask, ((margin, margin), (0, 0)))
    columns = np.arange(width)
    rows = np.arange(len(padded))[:, None]
    found = np.zeros_like(padded)
    for slope in SLOPES:
        shift = np.rint(slope * (columns - width / 2)).astype(int)
        sheared = padded[(rows + shift) % len(padded), columns]
        thick = ndimage.binary_dilation(sheared, np.ones((3, 1)))
        closed = ndimage.minimum_filter1d(
            ndimage.maximum_filter1d(thick, GAP, axis=1), GAP, axis=1, mode="constant", cval=1
        )
        runs = ndimage.maximum_filter1d(
            ndimage.minimum_filter1d(closed, length, axis=1, mode="constant"), length, axis=1
        )
        found |= runs[(rows - shift) % len(padded), columns]
    found = (found & padded)[margin : margin + height]
    thin = ~ndimage.binary_opening(found, np.ones((int(thickest) + 1, 1)))
    return np.asarray(found & thin)


def _crossings(level: Bool, rest: Bool) -> Bool:
    """Return the ink of level lines with other ink right above and below it."""
    if not level.any():
        return level
    depth = ndimage.distance_transform_edt(np.pad(level, 1))[1:-1, 1:-1]
    reach = 2 * int(np.ceil(np.percentile(depth[level], 95))) + 2
    above, below = np.zeros_like(rest), np.zeros_like(rest)
    for rows in range(1, reach + 1):
        wide = ndimage.binary_dilation(rest, np.ones((1, 1 + 2 * (rows // 3))))
        above[rows:] |= wide[:-rows]
        below[:-rows] |= wide[rows:]
    crossed: Bool = level & above & below
    return crossed
