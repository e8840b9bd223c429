"""Outlines of ink, as polygons along the edges of its pixels."""

from itertools import pairwise

import numpy as np
from skimage.measure import find_contours, label

from inkgan.types import Bool

Polygon = list[int]  # x and y of each corner in turn


def outline_polygons(mask: Bool) -> list[Polygon]:
    """Return polygons that together cover exactly the pixels of a mask.

    COCO's polygons have no holes: a mask with holes is cut along a vertical line at each of them.

    Args:
        mask: bool (H, W).

    Returns:
        The corners of each polygon, in whole pixels; pixel (x, y) reaches from there to
        (x + 1, y + 1).
    """
    polygons = []
    edges = [0, *_cuts(mask), mask.shape[1]]
    for left, right in pairwise(edges):
        padded = np.pad(mask[:, left:right], 1).astype(np.float64)
        for contour in find_contours(padded, 0.5):
            corners = np.add(_corners(contour), (left, 0))
            polygons.append([int(value) for value in corners.ravel()])
    return polygons


def _cuts(mask: Bool) -> list[int]:
    """Return a column of each hole in the mask; a cut left of it opens the hole."""
    background = label(np.pad(~mask, 1, constant_values=True), connectivity=2)[1:-1, 1:-1]
    outside = 1  # the number of the background that the padding belongs to, which comes first
    holes = range(outside + 1, int(background.max()) + 1)
    return sorted({int(np.nonzero(background == hole)[1].min()) for hole in holes})


def _corners(contour: np.ndarray) -> np.ndarray:
    """Return the pixel corners (n, 2), as x and y, that a contour of a padded mask cuts off.

    Every point of the contour is the middle of a pixel's edge. Two successive points on edges of
    different directions surround a corner, which lies in the row of the horizontal edge and in the
    column of the vertical one.
    """
    rows, columns = contour[:-1].T  # the last point repeats the first
    horizontal = rows % 1 != 0
    following = np.roll(np.arange(len(rows)), -1)
    turns = np.flatnonzero(horizontal != horizontal[following])
    after = following[turns]
    y = np.where(horizontal[turns], rows[turns], rows[after])
    x = np.where(horizontal[turns], columns[after], columns[turns])
    return (
        np.stack([x, y], axis=1) - 0.5
    )  # without the padding, from the pixel's middle to its corner
