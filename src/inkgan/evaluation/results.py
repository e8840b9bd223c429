"""What is judged, by which protocol, and what comes out: the values that assess.py fills in."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from inkgan.errors import DataError
from inkgan.evaluation import train_distances as memory
from inkgan.evaluation.score import Score
from inkgan.metrics.features.extractors import Seen, check_readable
from inkgan.metrics.memorization import Copying
from inkgan.types import UInt8

LEAST_IMAGES = 200  # E1 has 128 features, and a covariance of fewer images is mostly noise


@dataclass(frozen=True)
class Protocol:
    """How much is measured.

    Attributes:
        images: how many are asked of a generator; `stacked` of one that stacks three digits.
        set_size: of the disjoint sets that are measured one by one; `sets` at most.
        seeds: of the networks trained for the usefulness and two-sample tests; 0 leaves them out.
        thorough: kernels, FD-infinity and memorisation too.
    """

    name: str
    images: int
    stacked: int = 26_000
    set_size: int = 10_000
    sets: int = 1
    seeds: int = 0
    thorough: bool = False


QUICK = Protocol("quick", images=10_000)
FULL = Protocol("full", images=60_000, sets=5, seeds=5, thorough=True)


@dataclass(frozen=True)
class Fakes:
    """Images to be judged.

    Attributes:
        pixels: uint8 (n, 28, 28).
        asked: the digit that each was to show (n,), where any was asked for.
        stacked: images 3k, 3k + 1, 3k + 2 are the channels of one stacked image.
    """

    pixels: UInt8
    asked: np.ndarray | None = None
    stacked: bool = False


@dataclass(frozen=True)
class Assessment:
    """All that the judge found.

    Attributes:
        scores: each with interval and floor.
        classes: for each digit its measures and their floors.
        confusion: (10, 10) shares; row: the digit asked for or first read, column: read or second.
        alarms: of copying, for each space (pixels, e2); empty in the quick protocol.
        seen: what the judge saw in the first set.
        notes: corrections and cautions, in words.
        counts: how many images went into what.
    """

    scores: dict[str, Score]
    classes: dict[int, dict[str, float]]
    confusion: np.ndarray
    seen: Seen
    alarms: dict[str, Copying] = field(default_factory=dict)
    nearest: memory.BySpace = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


def check(fakes: Fakes) -> None:
    """Refuse what would only give wrong numbers.

    Raises:
        DataError: images that the judge cannot read, too few, all alike, or labels that do not fit.
    """
    check_readable(fakes.pixels)
    count = len(fakes.pixels)
    if count < LEAST_IMAGES:
        raise DataError(
            f"{count} images are too few to judge: E1 has 128 features; give at least "
            f"{LEAST_IMAGES:,}, better 10,000"
        )
    if fakes.pixels.max() == fakes.pixels.min():
        raise DataError(
            f"every pixel of all {count:,} images is {int(fakes.pixels.max())}: there is "
            "nothing to judge"
        )
    if int(fakes.pixels.max()) <= 1:
        raise DataError("the pixels are 0 and 1 where 0 to 255 are expected; multiply by 255")
    if fakes.asked is None:
        return
    if fakes.asked.shape != (count,):
        raise DataError(f"{count:,} images have labels of shape {fakes.asked.shape}")
    if fakes.asked.min() < 0 or fakes.asked.max() > 9:
        wrong = fakes.asked.min() if fakes.asked.min() < 0 else fakes.asked.max()
        raise DataError(f"label {wrong} is no digit; 0 to 9 are possible")


def as_json(assessment: Assessment) -> dict[str, Any]:
    """Return the numbers of an assessment as plain values."""
    return {
        "counts": assessment.counts,
        "scores": [score.as_json() for score in assessment.scores.values()],
        "classes": {str(digit): row for digit, row in assessment.classes.items()},
        "confusion": assessment.confusion.tolist(),
        "copying": {space: alarm._asdict() for space, alarm in assessment.alarms.items()},
        "notes": assessment.notes,
    }
