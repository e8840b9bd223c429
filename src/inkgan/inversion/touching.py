"""Separates digits that touch each other."""

import itertools
from collections.abc import Callable

import numpy as np
from skimage.measure import label

from inkgan.inversion.components import Component
from inkgan.types import Bool, Float64

MOST_CUTS = 10  # columns tried; each pair of them is a possible digit
THIN_CUT = 0.4  # ink that a cut may cross, in the mark's height
LEAST_HEIGHT = 0.6  # of a part, in the mark's height
WIDTHS = (0.1, 1.3)  # of a part, in the mark's height
CERTAIN = 0.9  # confidence that each part needs

Classify = Callable[[list[Component]], Float64]  # the confidence in each as one digit


def split(component: Component, classify: Classify) -> list[Component] | None:
    """Cut a mark into digits that are each recognized with confidence; None where it is no such.

    Cuts are upright, where the mark is one thin stroke. The parts are those whose least confidence
    is greatest, of the fewest digits that reach CERTAIN.
    """
    edges = [0, *_cuts(component.mask), component.width]
    parts: dict[tuple[int, int], Component] = {}
    for left, right in itertools.combinations(edges, 2):
        if (left, right) == (0, component.width):
            continue
        part = _columns(component, left, right)
        if part is not None:
            parts[left, right] = part
    if not parts:
        return None
    sure = dict(zip(parts, classify(list(parts.values())).tolist(), strict=True))
    best: dict[tuple[int, int], tuple[float, list[Component]]] = {(0, 0): (1.0, [])}
    for count, right in itertools.product(range(1, len(edges)), edges[1:]):
        ways = [
            (min(sure[left, right], best[count - 1, left][0]), left)
            for left in edges
            if (left, right) in sure and (count - 1, left) in best
        ]
        if ways:
            least, left = max(ways)
            best[count, right] = (least, [*best[count - 1, left][1], parts[left, right]])
    for count in range(2, len(edges)):
        least, digits = best.get((count, component.width), (0.0, []))
        if least >= CERTAIN:
            return digits
    return None


def _cuts(mask: Bool) -> list[int]:
    """Return columns where a mark is one thin stroke, the thinnest of each neighborhood."""
    height, width = mask.shape
    ink = mask.sum(axis=0)
    runs = (np.diff(mask.astype(np.int8), axis=0, prepend=0) > 0).sum(axis=0)
    near = max(2, height // 16)
    thin = [x for x in range(near, width - near) if runs[x] <= 1 and ink[x] <= THIN_CUT * height]
    chosen: list[int] = []
    for x in sorted(thin, key=lambda x: (ink[x], abs(x - width / 2))):
        if all(abs(x - other) >= near for other in chosen) and len(chosen) < MOST_CUTS:
            chosen.append(x)
    return sorted(chosen)


def _columns(component: Component, left: int, right: int) -> Component | None:
    """Return the largest connected ink between two columns; None where it is no digit's size."""
    parts = label(component.mask[:, left:right], connectivity=2)
    areas = np.bincount(parts.ravel())
    if len(areas) < 2:
        return None
    mask = parts == int(areas[1:].argmax()) + 1
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    height, width = rows[-1] + 1 - rows[0], columns[-1] + 1 - columns[0]
    least, most = (share * component.height for share in WIDTHS)
    if height < LEAST_HEIGHT * component.height or not least <= width <= most:
        return None
    top, start = component.box[0] + int(rows[0]), component.box[1] + left + int(columns[0])
    cut = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Component((top, start, top + int(height), start + int(width)), cut)
