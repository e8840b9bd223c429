"""The real images that fakes are held against, with everything about them that is used again."""

import functools
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from inkgan.metrics.features.extractors import Seen, look
from inkgan.metrics.features.networks import CLASSES
from inkgan.metrics.frechet import Moments, moments
from inkgan.metrics.kernels import median_bandwidth
from inkgan.metrics.prdc import radii
from inkgan.rng import seed_for
from inkgan.types import Float64, Progress, UInt8, silent

if TYPE_CHECKING:
    from inkgan.evaluation.train_distances import BySpace

NEIGHBOURS = 5  # k of precision, recall, density and coverage
LEAST_OF_A_CLASS = 30  # fewer images than this say nothing about a class


@dataclass(frozen=True)
class Reference:
    """A data set's two splits: images uint8 (n, 28, 28), labels int64 (n,) from 0 to 9."""

    name: str
    train: UInt8
    train_labels: np.ndarray
    test: UInt8
    test_labels: np.ndarray

    @functools.cached_property
    def digest(self) -> str:
        """The SHA-256 of all pixels and labels."""
        hashed = hashlib.sha256()
        for part in (self.train, self.train_labels, self.test, self.test_labels):
            hashed.update(np.ascontiguousarray(part).tobytes())
        return hashed.hexdigest()

    def class_matched(self, count: int, draw: int) -> np.ndarray:
        """Draw `count` training images whose classes stand as in the test split; their indices."""
        return class_matched(self.train_labels, self.test_labels, count, draw)

    def labels_to_ask(self, count: int, set_size: int) -> np.ndarray:
        """List `count` labels to ask of a generator, in random order.

        Each run of `set_size` of them has the class shares of the test split, so that the sets
        that are measured one by one do.
        """
        size = min(set_size, len(self.test_labels))
        parts = [
            class_matched(self.test_labels, self.test_labels, min(size, count - start), draw=start)
            for start in range(0, count, size)
        ]
        labels: np.ndarray = self.test_labels[np.concatenate(parts)]
        return labels


def class_matched(
    labels: np.ndarray, wanted_labels: np.ndarray, count: int, draw: int
) -> np.ndarray:
    """Draw indices so that labels[indices] has the class shares of `wanted_labels`.

    Shares are rounded by largest remainder. Fewer indices come back where a class has too few.
    """
    random = np.random.default_rng(seed_for(0, "class matched", draw))
    shares = np.bincount(wanted_labels, minlength=CLASSES) / len(wanted_labels)
    counts = np.floor(shares * count).astype(int)
    remainder = shares * count - counts
    counts[np.argsort(-remainder, kind="stable")[: count - counts.sum()]] += 1
    chosen = []
    for digit, wanted in enumerate(counts):
        candidates = np.flatnonzero(labels == digit)
        chosen.append(random.permutation(candidates)[:wanted])
    together: np.ndarray = random.permutation(np.concatenate(chosen))
    return together


class Target:
    """The test split as the judge sees it; each statistic is computed once, when first used."""

    def __init__(self, reference: Reference, progress: Progress = silent) -> None:
        self.reference, self.progress = reference, progress
        self.labels = reference.test_labels
        self.distances: BySpace | None = None  # to training images, kept by memory.real_distances
        self.seen: Seen = look(reference.test, progress, "looking at real images")

    @functools.cached_property
    def train_seen(self) -> Seen:
        """What the judge sees in the training images."""
        return look(self.reference.train, self.progress, "looking at training images")

    @functools.cached_property
    def e1_moments(self) -> Moments:
        """Mean and covariance of the E1 features."""
        return moments(self.seen.e1)

    @functools.cached_property
    def e2_moments(self) -> Moments:
        """Mean and covariance of the E2 features."""
        return moments(self.seen.e2)

    @functools.cached_property
    def radii(self) -> Float64:
        """Distance of each E1 feature to its fifth neighbour."""
        return radii(self.seen.e1, NEIGHBOURS)

    @functools.cached_property
    def bandwidth(self) -> float:
        """The Gaussian kernel's width: the median distance of E1 features."""
        return median_bandwidth(self.seen.e1)

    @functools.cached_property
    def by_class(self) -> dict[int, "ClassTarget"]:
        """The digits of which there are enough images, each by itself."""
        counts = np.bincount(self.labels, minlength=CLASSES)
        return {
            digit: ClassTarget(self.seen.at(self.labels == digit))
            for digit in range(CLASSES)
            if counts[digit] >= LEAST_OF_A_CLASS
        }


class ClassTarget:
    """The test images of one digit."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        self.moments = moments(seen.e1)
        self.radii = radii(seen.e1, NEIGHBOURS)
        self.spread = spread(seen.e2)


def spread(features: np.ndarray) -> float:
    """Measure variety: the root of the features' total variance."""
    return float(np.sqrt(np.var(np.asarray(features, np.float64), axis=0).sum()))
