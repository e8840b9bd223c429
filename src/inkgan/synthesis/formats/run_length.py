"""Masks as COCO writes them: run lengths down the columns, compressed to a short text.

The format is that of `pycocotools.mask`: counts of pixels outside and inside the mask in turn, down
one column after another. In the text, each count from the fourth on is a difference to the one two
before it, and each number is written five bits at a time, lowest first, as a character from "0" on.
"""

import functools

import numpy as np

from inkgan.synthesis.bounding_box import BoundingBox
from inkgan.types import Bool, Int64


def run_lengths(mask: Bool, box: BoundingBox, size: tuple[int, int]) -> Int64:
    """Return the counts of a mask that fills a box of a picture.

    Args:
        mask: bool (box height, box width).
        box: where it lies.
        size: height and width of the picture.
    """
    height, width = size
    flat = np.zeros(box.width * height + 2, np.int8)
    flat[1:-1].reshape(box.width, height)[:, box.y : box.y + box.height] = mask.T
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + box.x * height
    ends = np.concatenate([[0], changes, [height * width]])
    counts: Int64 = ends[1:] - ends[:-1]
    return counts if counts[-1] else counts[:-1]


def compressed(counts: Int64) -> str:
    """Write counts as the text of COCO's compressed masks."""
    values = counts.copy()
    values[3:] -= counts[1:-2]
    return "".join(map(_letters, values.tolist()))


@functools.lru_cache(maxsize=1024)
def _letters(value: int) -> str:
    """Write one number; few of them are ever different."""
    letters = ""
    while True:
        low, value = value & 31, value >> 5
        more = value != (-1 if low & 16 else 0)
        letters += chr(low + 32 * more + 48)
        if not more:
            return letters
