"""Map the ink of a sequence, character by character, so that its labels move with it."""

from dataclasses import replace

import numpy as np

from inkgan.synthesis.bounding_box import BoundingBox
from inkgan.synthesis.composition import Character, ComposedString
from inkgan.synthesis.glyph_pool import INK
from inkgan.synthesis.paper.homography import Homography

BORDER = 2  # pixels of bare paper round a character, which cubic convolution reads


def warp(composed: ComposedString, view: Homography) -> tuple[ComposedString, Homography]:
    """Map a sequence, in a picture that keeps its margins.

    The picture is as large as the mapped ink and the margins that the sequence had, so no
    character is cut. Each character is mapped by itself: its mask is the ink of the mapped
    character, as it was of the composed one, and the picture is drawn from the same ink.

    Args:
        composed: the sequence.
        view: from the page to the picture; its translation does not matter.

    Returns:
        The mapped sequence, and the map with the translation that it has got.
    """
    mapped = [warp_character(one, view) for one in composed.characters]
    left, top, right, bottom = margins(composed)
    boxes = [one.box for one in mapped]
    x, y = left - min(box.x for box in boxes), top - min(box.y for box in boxes)
    width = x + max(box.x + box.width for box in boxes) + right
    height = y + max(box.y + box.height for box in boxes) + bottom
    characters = tuple(replace(one, box=one.box.moved(x, y)) for one in mapped)
    return replace(composed, size=(height, width), characters=characters), view.moved(x, y)


def warp_character(character: Character, view: Homography) -> Character:
    """Map the ink of one character; its box is tight around the mapped ink."""
    height, width = (side + 2 * BORDER for side in character.ink.shape)
    ink = np.zeros((height, width), np.uint8)
    ink[BORDER:-BORDER, BORDER:-BORDER] = character.ink
    origin = character.box.x - BORDER, character.box.y - BORDER
    x, y, right, bottom = view.bounds(*origin, width, height)
    mapped = view.image(ink, (bottom - y, right - x), origin=origin, start=(x, y))
    box = BoundingBox.around(mapped >= INK)
    if box is None:  # thinner than a pixel everywhere: the darkest pixel is its ink
        row, column = np.unravel_index(int(mapped.argmax()), mapped.shape)
        box = BoundingBox(int(column), int(row), 1, 1)
        return replace(character, box=box.moved(x, y), ink=np.full((1, 1), 255, np.uint8))
    return replace(character, box=box.moved(x, y), ink=mapped[box.slices])


def margins(composed: ComposedString) -> tuple[int, int, int, int]:
    """Return the pixels at the left, top, right and bottom of the ink."""
    boxes = [one.box for one in composed.characters]
    height, width = composed.size
    return (
        min(box.x for box in boxes),
        min(box.y for box in boxes),
        width - max(box.x + box.width for box in boxes),
        height - max(box.y + box.height for box in boxes),
    )
