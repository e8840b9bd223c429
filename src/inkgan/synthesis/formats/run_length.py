"""Masks as COCO writes them: run lengths down the columns, compressed to a short text.

The format is that of `pycocotools.mask`: counts of pixels outside and inside the mask in turn, down
one column after another. In the text, each count from the fourth on is a difference to the one two
before it, and each number is written five bits at a time, lowest first, as a character from "0" on.
"""

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
    columns = np.zeros((box.width, height), np.int8)
    columns[:, box.y : box.y + box.height] = mask.T
    flat = np.concatenate([[np.int8(0)], columns.ravel(), [np.int8(0)]])
    changes = np.flatnonzero(np.diff(flat)) + box.x * height
    counts = np.diff(changes, prepend=0, append=height * width)
    return counts if counts[-1] else counts[:-1]


def compressed(counts: Int64) -> str:
    """Write counts as the text of COCO's compressed masks."""
    values = counts.copy()
    values[3:] -= counts[1:-2]
    groups: list[np.ndarray] = []
    unfinished = np.ones(len(values), np.bool_)
    while unfinished.any():
        low = values & 31
        values = values >> 5
        more = np.where(low & 16, values != -1, values != 0)
        groups.append(np.where(unfinished, low + 32 * more + 48, 0))
        unfinished &= more
    letters = np.stack(groups, axis=1).ravel()
    return bytes(letters[letters > 0].astype(np.uint8)).decode("ascii")
