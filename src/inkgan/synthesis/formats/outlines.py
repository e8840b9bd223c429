"""Outlines of ink, as polygons along the edges of its pixels."""

from itertools import pairwise

import numpy as np

from inkgan.types import Bool, Int64

Polygon = list[int]  # x and y of each corner in turn
RIGHT, DOWN, LEFT, UP = range(4)  # clockwise on the screen


def outline_polygons(mask: Bool) -> list[Polygon]:
    """Return polygons that together cover exactly the pixels of a mask.

    COCO's polygons have no holes: a mask with holes is cut along a vertical line at each of them.

    Args:
        mask: bool (H, W).

    Returns:
        The corners of each polygon, in whole pixels; pixel (x, y) reaches from there to
        (x + 1, y + 1). Each runs clockwise on the screen.
    """
    loops = _loops(mask)
    cuts = {min(loop[::2]) for loop in loops if _area(loop) < 0}  # holes run the other way round
    if not cuts:
        return loops
    polygons = []
    for left, right in pairwise([0, *sorted(cuts), mask.shape[1]]):
        for loop in _loops(mask[:, left:right]):
            loop[::2] = [x + left for x in loop[::2]]
            polygons.append(loop)
    return polygons


def _area(polygon: Polygon) -> float:
    """Return the area of a polygon (shoelace formula), negative if it runs counterclockwise."""
    x, y = polygon[::2], polygon[1::2]
    return sum(y[k] * (x[k - 1] - x[(k + 1) % len(x)]) for k in range(len(x))) / 2


def _loops(mask: Bool) -> list[Polygon]:
    """Follow all edges of a mask, with ink at the right hand.

    Where two pixels meet at a corner alone, the path turns right, so that it stays with its pixel.
    """
    stride = mask.shape[1] + 1  # the point (x, y) is number y * stride + x
    ends: dict[int, int] = {}  # of the edge that starts at a point in a direction: 4 * point + it
    for along, across, edges, with_ink, without in (
        (1, stride, _edges(mask), RIGHT, LEFT),
        (stride, 1, _edges(mask.T), DOWN, UP),
    ):
        line, first, last, ink_after = edges
        low, high = line * across + first * along, line * across + last * along
        forward = ink_after == (along == 1)  # ink below is at the right hand on the way right
        starts = np.where(forward, 4 * low + with_ink, 4 * high + without)
        ends |= zip(starts.tolist(), np.where(forward, high, low).tolist(), strict=True)
    loops = []
    while ends:
        edge = next(iter(ends))
        loop: Polygon = []
        while edge in ends:
            point, direction = edge // 4, edge % 4
            loop += (point % stride, point // stride)
            corner = 4 * ends.pop(edge)
            edge = corner + (direction + 1) % 4
            if edge not in ends:
                edge = corner + (direction - 1) % 4
        loops.append(loop)
    return loops


def _edges(mask: Bool) -> tuple[Int64, Int64, Int64, Bool]:
    """Return the horizontal edges of a mask: row, first and last x of each, and ink below."""
    height, width = mask.shape
    rows = np.zeros((height + 2, width), np.int8)
    rows[1:-1] = mask
    steps = np.zeros((height + 1, width + 2), np.int8)  # 1 where ink begins, -1 where it ends
    steps[:, 1:-1] = rows[1:] - rows[:-1]
    before, after = steps[:, :-1], steps[:, 1:]
    changed = before != after
    row, first = np.nonzero(changed & (after != 0))
    _, last = np.nonzero(changed & (before != 0))
    return row, first, last, after[row, first] > 0
