"""The order in which marks are read: lines from above, each from left to right."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np

STEEPEST = 12.0  # degrees that lines may be tilted by
STEP = 0.5
LEVEL = 1.5  # degrees of tilt that change nothing
NEARLY = 0.97  # of the best alignment: of several such tilts the smallest is taken


class Boxed(Protocol):
    """Something with a place on a picture."""

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Top, left, bottom, right in pixels."""


Mark = TypeVar("Mark", bound=Boxed)


def in_reading_order(marks: Sequence[Mark]) -> list[Mark]:
    """Sort marks into rows, and each row from left to right.

    A mark belongs to the row whose mean top and bottom enclose its middle. Where the rows are
    tilted, tops and bottoms are those after turning them level.
    """
    slope = np.tan(np.deg2rad(line_tilt(marks)))
    rows: list[list[tuple[float, float, Mark]]] = []
    levelled = []
    for mark in marks:
        top, left, bottom, right = mark.box
        rise = float(slope * (left + right) / 2)
        levelled.append((top + rise, bottom + rise, mark))
    for high, low, mark in sorted(levelled, key=lambda entry: entry[0] + entry[1]):
        if rows and (high + low) / 2 < np.mean([other[1] for other in rows[-1]]):
            rows[-1].append((high, low, mark))
        else:
            rows.append([(high, low, mark)])
    return [mark for row in rows for *_, mark in sorted(row, key=lambda entry: entry[2].box[1])]


def line_tilt(marks: Sequence[Boxed]) -> float:
    """Return how many degrees lines of marks rise to the right; 0 where they are nearly level.

    The tilt at which the marks, as bars in a profile of rows, overlap most (the projection profile
    of Postl 1986).
    """
    if len(marks) < 3:
        return 0.0
    boxes = np.array([mark.box for mark in marks], float)
    middles = (boxes[:, 1] + boxes[:, 3]) / 2
    unit = np.median(boxes[:, 2] - boxes[:, 0]) / 12  # a row of the profile
    # The middle half of each mark: its ends reach into lines above and below.
    quarter = (boxes[:, 2] - boxes[:, 0]) / 4
    tops, bottoms = boxes[:, 0] + quarter, boxes[:, 2] - quarter
    tilts = np.arange(-STEEPEST, STEEPEST + STEP / 2, STEP)
    scores = np.array(
        [
            _alignment((tops + rise) / unit, (bottoms + rise) / unit)
            for rise in (np.tan(np.deg2rad(tilt)) * middles for tilt in tilts)
        ]
    )
    best = tilts[scores >= NEARLY * scores.max()]
    tilt = float(best[np.abs(best).argmin()])
    return 0.0 if abs(tilt) < LEVEL else float(tilts[scores.argmax()])


def _alignment(tops: np.ndarray, bottoms: np.ndarray) -> float:
    """Return the sum of squares of how many bars cover each row."""
    first = np.floor(tops.min())
    starts, ends = (np.rint(edges - first).astype(int) for edges in (tops, bottoms))
    profile = np.zeros(ends.max() + 2)
    np.add.at(profile, starts, 1)
    np.add.at(profile, np.maximum(ends, starts + 1), -1)
    return float((np.cumsum(profile) ** 2).sum())
