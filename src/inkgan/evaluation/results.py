"""Values of an evaluation: the protocol, the images, and everything that was found."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from inkgan.errors import DataError
from inkgan.evaluation.findings import findings_of
from inkgan.evaluation.reference import LEAST_IMAGES
from inkgan.evaluation.score import Baseline, Score
from inkgan.evaluation.train_distances import TrainDistances
from inkgan.generation.protocols import DIGITS
from inkgan.metrics.features.extractors import Features, require_digit_images
from inkgan.metrics.memorization import CopyTest
from inkgan.types import UInt8


@dataclass(frozen=True)
class Protocol:
    """How much is measured.

    Attributes:
        images: how many are drawn by a generator; `stacked` by one that stacks three digits.
        set_size: of the disjoint sets that are measured one by one; `sets` at most.
        seeds: of the networks trained for CAS and the two-sample tests; 0 leaves them out.
        thorough: kernels, FD-infinity and distances to the training images too.
        infinity: whether FD-infinity is among these.
    """

    name: str
    images: int
    stacked: int = 26_000
    set_size: int = 10_000
    sets: int = 1
    seeds: int = 0
    thorough: bool = False
    infinity: bool = True


QUICK = Protocol("quick", images=10_000)
FULL = Protocol("full", images=60_000, sets=5, seeds=5, thorough=True)


@dataclass(frozen=True)
class GeneratedImages:
    """Images to be evaluated.

    Attributes:
        pixels: uint8 (n, 28, 28).
        requested: the digit that each was to show, int64 (n,); None without labels.
        stacked: images 3k, 3k + 1, 3k + 2 are the channels of one stacked image.
    """

    pixels: UInt8
    requested: np.ndarray | None = None
    stacked: bool = False

    def part(self, rows: slice) -> "GeneratedImages":
        """Return some of the images with their labels."""
        requested = None if self.requested is None else self.requested[rows]
        return GeneratedImages(self.pixels[rows], requested, self.stacked)

    def digest(self) -> str:
        """Return the SHA-256 of all pixels and labels."""
        hashed = hashlib.sha256(np.ascontiguousarray(self.pixels).tobytes())
        labels = b"" if self.requested is None else self.requested.tobytes()
        hashed.update(str(self.stacked).encode() + labels)
        return hashed.hexdigest()


@dataclass(frozen=True)
class EvaluationResult:
    """Everything that a protocol found.

    Attributes:
        scores: each with interval and baseline, in the order of METRIC_SPECS.
        classes: for each digit its measures and their baselines.
        confusion: shares of all images (10, 10); row: the digit requested or predicted, column:
            predicted or second most probable.
        features: of the first set.
        counts: how many images went into what.
        copy_tests: for each space (pixels, e2); empty in the quick protocol.
        nearest: distances of the first set to the training images, for each space.
        notes: cautions, in words.
        missing: digits that do not occur; the others were compared with real ones of the same.
        class_names: what the numbers of digits, or of other classes, stand for.
        clean_reference: what halves of the test images score against each other.
    """

    scores: Mapping[str, Score]
    classes: Mapping[int, Mapping[str, float]]
    confusion: np.ndarray
    features: Features
    counts: Mapping[str, int]
    copy_tests: Mapping[str, CopyTest] = field(default_factory=dict)
    nearest: Mapping[str, TrainDistances] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    missing: tuple[int, ...] = ()
    class_names: tuple[str, ...] = DIGITS
    clean_reference: Mapping[str, Baseline] = field(default_factory=dict)

    @property
    def noun(self) -> str:
        """What a class is called: a digit, or a class."""
        return "digit" if self.class_names == DIGITS else "class"

    def name(self, place: int) -> str:
        """Return the name of a class."""
        return self.class_names[place]

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as plain values."""
        return {
            "counts": dict(self.counts),
            "scores": [score.to_dict() for score in self.scores.values()],
            "classes": {str(digit): dict(row) for digit, row in self.classes.items()},
            "confusion": self.confusion.tolist(),
            "copy_tests": {space: test._asdict() for space, test in self.copy_tests.items()},
            "notes": list(self.notes),
            "missing": list(self.missing),
            "class_names": list(self.class_names),
            "findings": [finding.to_dict() for finding in findings_of(self.scores).values()],
            "clean_reference": {
                key: baseline._asdict() for key, baseline in self.clean_reference.items()
            },
        }


def check_images(images: GeneratedImages) -> None:
    """Refuse images that would only give wrong numbers.

    Raises:
        DataError: no 28x28 gray uint8 images, too few, all alike, or labels that do not fit.
    """
    require_digit_images(images.pixels)
    count = len(images.pixels)
    if count < LEAST_IMAGES:
        raise DataError(
            f"{count} images are too few to evaluate: E1 has 128 features; give at least "
            f"{LEAST_IMAGES:,}, better 10,000"
        )
    if images.pixels.max() == images.pixels.min():
        raise DataError(
            f"every pixel of all {count:,} images is {int(images.pixels.max())}: there is "
            "nothing to evaluate"
        )
    if int(images.pixels.max()) <= 1:
        raise DataError("the pixels are 0 and 1 where 0 to 255 are expected; multiply by 255")
    labels = images.requested
    if labels is None:
        return
    if labels.shape != (count,):
        raise DataError(f"{count:,} images have labels of shape {labels.shape}")
    if labels.min() < 0:
        raise DataError(f"label {labels.min()} is no class; they count from 0")
