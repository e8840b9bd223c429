"""From ink to single digits, in the order in which they are read."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage.measure import label, regionprops

from inkgan.errors import DataError
from inkgan.inversion.ink import Ink
from inkgan.inversion.reading_order import in_reading_order
from inkgan.types import Bool

MAX_COMPONENTS = 100
LEAST_HEIGHT = 0.04  # of a component's longer side, in the picture's shorter one: less is dirt
LOWEST = 0.4  # height of a digit beside taller ones; less is a comma or a dash
BROADEST = 2.0  # width of a digit, in its heights; the 1 has no lower limit
LONGEST, SPARSE = 6.0, 0.6  # width of digits that touch, in heights; ink in their box
FATTEST = 0.5  # thickest place of a stroke, in a digit's longer sides: more is a blot
NEAR = 0.25  # of a digit's height, between its parts
SHARED = 0.5  # of the narrower part's columns are also the other's
ENCLOSED = 0.3  # height of what a frame holds, in the frame's; a dot in a 0 has less
RECTANGULAR = 0.87  # share of its box that a filled frame covers; a filled 0 covers 0.8
FAINT = 0.5  # ink that a digit has somewhere; less is what shines through
# What is left out is named where it may be a digit: heights in those of the highest digit.
NAMED_SMALL, NAMED_LARGE = 0.15, 1.5


@dataclass(frozen=True, eq=False)
class Component:
    """A digit on the picture.

    Attributes:
        box: top, left, bottom, right in pixels.
        mask: bool (bottom - top, right - left), where its ink is.
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


@dataclass(frozen=True)
class Marks:
    """What a picture shows.

    Attributes:
        digits: marks that look like digits, in reading order.
        small: marks that are too small beside them, or in the picture.
        cut: marks that the border of the picture cuts.
        odd: lines and blots among the digits.
        frames: boxes of a form.
        all_cut: every mark reaches the border of the picture.
    """

    digits: list[Component]
    small: list[Component]
    cut: list[Component]
    odd: list[Component]
    frames: list[Component]
    all_cut: bool = False


def find_marks(ink: Ink, name: str = "the picture", side: float | None = None) -> Marks:
    """Find digits, row by row and from left to right, and tell what was left out.

    Connected ink is one component; parts above each other that nearly touch, such as a 5 and its
    bar, are joined. Dirt, lines, blots and what runs off the picture are left out.

    Args:
        ink: of the picture.
        name: of the picture, for messages.
        side: length that the least height is a share of; the picture's shorter side if left out.

    Raises:
        DataError: nothing looks like a digit, or there are more than MAX_COMPONENTS components.
    """
    least = LEAST_HEIGHT * (side or min(ink.mask.shape))
    regions = regionprops(label(ink.mask, connectivity=2))
    every = [Component(region.bbox, region.image) for region in regions]
    components = [one for one in every if max(one.height, one.width) >= least]
    frames = [one for one in components if _is_frame(one, components)]
    components = [one for one in components if one not in frames]
    inside = [one for one in components if not _at_border(one, ink)]
    candidates = [one for one in _joined(inside or components) if _is_dark(one, ink)]
    digits = [one for one in candidates if _is_digit_like(one) or _may_be_several(one)]
    highest = max((one.height for one in digits), default=0)
    low = [one for one in digits if one.height < LOWEST * highest]
    digits = [one for one in digits if one.height >= LOWEST * highest]
    if not digits:
        raise DataError(
            f"{name} shows no mark that looks like a digit; leave paper round each digit, and no "
            "lines"
        )
    if len(digits) > MAX_COMPONENTS:
        raise DataError(f"{name} shows {len(digits)} marks; at most {MAX_COMPONENTS} can be read")
    specks = [one for one in every if max(one.height, one.width) < least]
    border = [one for one in components if inside and _at_border(one, ink) and _is_digit_like(one)]
    return Marks(
        in_reading_order(digits),
        [one for one in low + specks if one.height >= max(NAMED_SMALL * highest, least / 4)],
        [one for one in border if LOWEST * highest <= one.height <= NAMED_LARGE * highest],
        [one for one in candidates if one.height >= LOWEST * highest and one not in digits],
        frames,
        all_cut=not inside,
    )


def holes(component: Component) -> list[float]:
    """Return the areas of a mark's holes as shares of its box, the largest first."""
    parts = label(~np.pad(component.mask, 1), connectivity=1)
    areas = np.bincount(parts.ravel())[1:] / component.mask.size
    outside = parts[0, 0] - 1
    return sorted((float(area) for i, area in enumerate(areas) if i != outside), reverse=True)


def _is_frame(component: Component, others: list[Component]) -> bool:
    """Return whether a mark is a box about others, or several boxes side by side."""
    top, left, bottom, right = component.box
    enclosed = [
        other
        for other in others
        if other.height >= ENCLOSED * component.height
        and top < other.box[0]
        and other.box[2] < bottom
        and left < other.box[1]
        and other.box[3] < right
    ]
    if not enclosed:
        return False
    filled = ndimage.binary_fill_holes(component.mask)
    return bool(filled.mean() >= RECTANGULAR)


def _is_dark(component: Component, ink: Ink) -> bool:
    """Return whether a mark is as dark as ink somewhere."""
    top, left, bottom, right = component.box
    return bool(ink.amount[top:bottom, left:right][component.mask].max() >= FAINT)


def _at_border(component: Component, ink: Ink) -> bool:
    top, left, bottom, right = component.box
    height, width = ink.mask.shape
    return top == 0 or left == 0 or bottom == height or right == width


def _is_digit_like(component: Component) -> bool:
    depth = ndimage.distance_transform_edt(np.pad(component.mask, 1))
    return component.width <= BROADEST * component.height and (
        2 * float(depth.max()) <= FATTEST * max(component.height, component.width)
    )


def _may_be_several(component: Component) -> bool:
    """Return whether a broad mark is of strokes with paper between, as digits that touch are."""
    depth = ndimage.distance_transform_edt(np.pad(component.mask, 1))
    return (
        component.width <= LONGEST * component.height
        and 2 * float(depth.max()) <= FATTEST * component.height
        and float(component.mask.mean()) <= SPARSE
    )


def _joined(components: list[Component]) -> list[Component]:
    """Join the parts of digits, the smallest first."""
    waiting = sorted(components, key=lambda component: component.height)
    done: list[Component] = []
    while waiting:
        part = waiting.pop(0)
        wholes = [component for component in waiting if _belong_together(part, component)]
        if not wholes:
            done.append(part)
            continue
        whole = min(wholes, key=lambda component: _gap(part, component))
        waiting[waiting.index(whole)] = _union(part, whole)
    return done


def _union(one: Component, other: Component) -> Component:
    tops, lefts, bottoms, rights = zip(one.box, other.box, strict=True)
    top, left, bottom, right = min(tops), min(lefts), max(bottoms), max(rights)
    mask = np.zeros((bottom - top, right - left), bool)
    for part in (one, other):
        rows = slice(part.box[0] - top, part.box[2] - top)
        mask[rows, part.box[1] - left : part.box[3] - left] |= part.mask
    return Component((top, left, bottom, right), mask)


def _belong_together(part: Component, whole: Component) -> bool:
    shared = min(part.box[3], whole.box[3]) - max(part.box[1], whole.box[1])
    near = _gap(part, whole) <= NEAR * whole.height
    return near and shared >= SHARED * min(part.width, whole.width)


def _gap(one: Component, other: Component) -> int:
    """Return the rows between two components; below 0 where they share rows."""
    return max(one.box[0], other.box[0]) - min(one.box[2], other.box[2])
