"""From ink to single digits, in the order in which they are read."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage.measure import label, regionprops

from inkgan.errors import DataError
from inkgan.inversion.ink import Ink
from inkgan.types import Bool

MAX_COMPONENTS = 100
LEAST_HEIGHT = 0.04  # of a component's longer side, in the picture's shorter one: less is dirt
LOWEST = 0.4  # height of a digit beside taller ones; less is a comma or a dash
BROADEST = 2.0  # width of a digit, in its heights; the 1 has no lower limit
FATTEST = 0.5  # thickest place of a stroke, in a digit's longer sides: more is a blot
NEAR = 0.25  # of a digit's height, between its parts
SHARED = 0.5  # of the narrower part's columns are also the other's


@dataclass(frozen=True)
class Component:
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


def find_components(ink: Ink, name: str = "the picture") -> list[Component]:
    """Find digits, row by row and from left to right.

    Connected ink is one component; parts above each other that nearly touch, such as a 5 and its
    bar, are joined. Dirt, lines, blots and what runs off the picture are left out.

    Raises:
        DataError: nothing looks like a digit, or there are more than MAX_COMPONENTS components.
    """
    parts = label(ink.mask, connectivity=2)
    regions = regionprops(parts)
    least = LEAST_HEIGHT * min(ink.mask.shape)
    components = [
        Component(region.bbox, parts == region.label)
        for region in regions
        if max(_sides(region.bbox)) >= least
    ]
    inside = [component for component in components if not _at_border(component)]
    components = _joined(inside or components)
    components = [component for component in components if _is_digit_like(component)]
    highest = max((component.height for component in components), default=0)
    components = [component for component in components if component.height >= LOWEST * highest]
    if not components:
        raise DataError(
            f"{name} shows no mark that looks like a digit; leave paper round each digit, and no "
            "lines"
        )
    if len(components) > MAX_COMPONENTS:
        raise DataError(
            f"{name} shows {len(components)} marks; at most {MAX_COMPONENTS} can be read"
        )
    return _in_reading_order(components)


def _sides(box: tuple[int, int, int, int]) -> tuple[int, int]:
    top, left, bottom, right = box
    return bottom - top, right - left


def _at_border(component: Component) -> bool:
    top, left, bottom, right = component.box
    height, width = component.mask.shape
    return top == 0 or left == 0 or bottom == height or right == width


def _is_digit_like(component: Component) -> bool:
    top, left, bottom, right = component.box
    depth = ndimage.distance_transform_edt(np.pad(component.mask[top:bottom, left:right], 1))
    return component.width <= BROADEST * component.height and (
        2 * float(depth.max()) <= FATTEST * max(component.height, component.width)
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
        tops, lefts, bottoms, rights = zip(part.box, whole.box, strict=True)
        box = (min(tops), min(lefts), max(bottoms), max(rights))
        waiting[waiting.index(whole)] = Component(box, part.mask | whole.mask)
    return done


def _belong_together(part: Component, whole: Component) -> bool:
    shared = min(part.box[3], whole.box[3]) - max(part.box[1], whole.box[1])
    near = _gap(part, whole) <= NEAR * whole.height
    return near and shared >= SHARED * min(part.width, whole.width)


def _gap(one: Component, other: Component) -> int:
    """Return the rows between two components; below 0 where they share rows."""
    return max(one.box[0], other.box[0]) - min(one.box[2], other.box[2])


def _in_reading_order(components: list[Component]) -> list[Component]:
    """Sort components into rows, and each row from left to right.

    A component belongs to the row whose mean top and bottom enclose its middle.
    """
    rows: list[list[Component]] = []
    for component in sorted(components, key=lambda component: component.box[0] + component.box[2]):
        middle = (component.box[0] + component.box[2]) / 2
        if rows and middle < np.mean([other.box[2] for other in rows[-1]]):
            rows[-1].append(component)
        else:
            rows.append([component])
    return [
        component
        for row in rows
        for component in sorted(row, key=lambda component: component.box[1])
    ]
