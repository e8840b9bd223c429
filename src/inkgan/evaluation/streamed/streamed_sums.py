"""What is kept of any number of images: sums that can be merged, and a sample of fixed size."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from inkgan import files
from inkgan.errors import ArtifactError
from inkgan.evaluation.image_sources import LEAST_MATCHED
from inkgan.evaluation.reference import LEAST_IMAGES, ReferenceImages, ReferenceSet, class_matched
from inkgan.evaluation.set_metrics import CONFIDENT, Measures, measure_set
from inkgan.images import DAMAGED
from inkgan.metrics.features.extractors import Features
from inkgan.metrics.frechet import Moments
from inkgan.npz import read_npz
from inkgan.types import Float64, Int64, UInt8

PART_SETS = 10  # sets of images in a part: what a process does at once, and a checkpoint covers
LEAST_PARTS = 16  # of a stream, unless each has only one set
SAMPLE = 14_000  # a set of 10,000, and some more to match the shares of the classes


@dataclass(frozen=True, eq=False)
class Reservoir:
    """The images whose numbers come first in a fixed random order: a sample of any stream.

    Which images are in it depends on their numbers alone, not on who has read them, or when.

    Attributes:
        numbers: of the images in the stream, int64 (k,), in that order.
        pixels: uint8 (k, 28, 28).
        labels: int64 (k,); -1 without labels.
    """

    numbers: Int64
    pixels: UInt8
    labels: Int64

    @classmethod
    def of(cls, first: int, pixels: UInt8, labels: Int64 | None, most: int) -> "Reservoir":
        """Choose among consecutive images, the first of which has the number `first`."""
        numbers = np.arange(first, first + len(pixels), dtype=np.int64)
        rows = np.argsort(priorities(numbers), kind="stable")[:most]
        known = np.full(len(pixels), -1, np.int64) if labels is None else labels
        return cls(numbers[rows], pixels[rows], known[rows])

    def merge(self, other: "Reservoir", most: int) -> "Reservoir":
        """Choose among the images of both."""
        numbers = np.concatenate([self.numbers, other.numbers])
        rows = np.argsort(priorities(numbers), kind="stable")[:most]
        pixels = np.concatenate([self.pixels, other.pixels])[rows]
        return Reservoir(numbers[rows], pixels, np.concatenate([self.labels, other.labels])[rows])


def priorities(numbers: Int64) -> np.ndarray:
    """Return the place of each image in the random order, as uint64 (n,).

    The finalizer of SplitMix64 (Steele et al. 2014), a permutation of 64 bits.
    """
    mixed = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


@dataclass(frozen=True, eq=False)
class FeatureSums:
    """Sums of features, from which the moments of all images follow.

    Attributes:
        total: sum of the features (d,), `products` of their outer products (d, d).
    """

    total: Float64
    products: Float64

    @classmethod
    def of(cls, features: np.ndarray) -> "FeatureSums":
        """Sum up features (n, d)."""
        points = np.asarray(features, np.float64)
        return cls(points.sum(axis=0), points.T @ points)

    def __add__(self, other: "FeatureSums") -> "FeatureSums":
        return FeatureSums(self.total + other.total, self.products + other.products)

    def moments(self, count: int) -> Moments:
        """Return mean and unbiased covariance of `count` images."""
        mean = self.total / count
        covariance = (self.products - count * np.outer(mean, mean)) / (count - 1)
        return Moments(mean, covariance, count)


@dataclass(frozen=True, eq=False)
class StreamSums:
    """Everything that is known of the images so far.

    Attributes:
        read: number of images in the stream so far; `images` of those that were measured.
        sets: number of whole sets that were measured one by one.
        measures: sum of each measure over the sets, and how many sets have it.
        right: number of images that show their label, `confident` of those that are clear.
        confusion: numbers of images (k, k): the class requested or predicted, and predicted.
        e1: sums of E1's features, `e2` of E2's.
        sample: a fixed number of images.
        changes: what was done to the images of the first part, in words.
    """

    read: int
    images: int
    sets: int
    measures: Mapping[str, tuple[float, int]]
    right: int
    confident: int
    confusion: Int64
    e1: FeatureSums
    e2: FeatureSums
    sample: Reservoir
    changes: tuple[str, ...] = ()

    @property
    def means(self) -> dict[str, float]:
        """The mean of each measure over the sets that have it."""
        return {key: total / count for key, (total, count) in self.measures.items()}

    def merge(self, other: "StreamSums", most: int = SAMPLE) -> "StreamSums":
        """Add the sums of later images."""
        measures = dict(self.measures)
        for key, (total, count) in other.measures.items():
            before, number = measures.get(key, (0.0, 0))
            measures[key] = before + total, number + count
        return StreamSums(
            self.read + other.read,
            self.images + other.images,
            self.sets + other.sets,
            measures,
            self.right + other.right,
            self.confident + other.confident,
            self.confusion + other.confusion,
            self.e1 + other.e1,
            self.e2 + other.e2,
            self.sample.merge(other.sample, most),
            self.changes,
        )

    def set_size(self, usual: int) -> int:
        """Return the number of images of a set; there are fewer in a stream of less than one."""
        return min(usual, self.images) if self.sets <= 1 else usual

    # --- files ---

    def save(self, path: Path) -> None:
        """Write the sums, whole or not at all."""
        keys = list(self.measures)
        arrays: dict[str, Any] = {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if f.name not in ("measures", "e1", "e2", "sample", "changes")
        }
        arrays |= {
            "keys": np.array(keys, dtype=np.str_),
            "changes": np.array(self.changes, dtype=np.str_),
            "totals": np.array([self.measures[key][0] for key in keys]),
            "counts": np.array([self.measures[key][1] for key in keys], np.int64),
        }
        for name in ("e1", "e2", "sample"):
            part = getattr(self, name)
            arrays |= {f"{name}_{f.name}": getattr(part, f.name) for f in fields(part)}
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        with files.atomic(path) as temporary:
            temporary.write_bytes(buffer.getbuffer())

    @classmethod
    def load(cls, path: Path) -> "StreamSums":
        """Read what `save` has written.

        Raises:
            ArtifactError: the file is missing or damaged.
        """
        try:
            found = read_npz(io.BytesIO(path.read_bytes()))
            numbers = {
                name: int(found[name]) for name in ("read", "images", "sets", "right", "confident")
            }
            rows = zip(found["totals"].tolist(), found["counts"].tolist(), strict=True)
            return cls(
                **numbers,
                measures=dict(zip(found["keys"].tolist(), rows, strict=True)),
                confusion=found["confusion"],
                e1=FeatureSums(found["e1_total"], found["e1_products"]),
                e2=FeatureSums(found["e2_total"], found["e2_products"]),
                sample=Reservoir(
                    found["sample_numbers"], found["sample_pixels"], found["sample_labels"]
                ),
                changes=tuple(found["changes"].tolist()),
            )
        except DAMAGED as error:
            raise ArtifactError(f"{path} is damaged ({error}); remove it") from error


@dataclass(frozen=True, eq=False)
class ImagePart:
    """Consecutive images of a stream.

    Attributes:
        first: number of the first one.
        pixels: uint8 (n, 28, 28).
        labels: places of classes, int64 (n,), or None.
        rows: those that are measured, in sets one after the other; None for all in their order.
        changes: what was done to the images, in words.
    """

    first: int
    pixels: UInt8
    labels: Int64 | None
    rows: np.ndarray | None = None
    changes: tuple[str, ...] = ()


def part_size(size: int, total: int | None = None) -> int:
    """Return the number of images of a part.

    Args:
        size: of a set.
        total: number of images of the stream, so that a short one has parts for many processes;
            None if it is not known.
    """
    most = PART_SETS if total is None else total // (LEAST_PARTS * size)
    return size * max(1, min(PART_SETS, most))


def matched_rows(places: Int64, reference: ReferenceImages, draw: int) -> np.ndarray:
    """Choose rows so that the classes have the shares of the reference, if most images remain.

    All rows come back in random order where that would leave out too many.
    """
    classes = len(reference.classes)
    shares = np.bincount(reference.test_labels, minlength=classes) / len(reference.test_labels)
    counts, present = np.bincount(places, minlength=classes), shares > 0
    wanted = min(len(places), int((counts[present] / shares[present]).min()))
    if wanted >= max(LEAST_IMAGES, LEAST_MATCHED * len(places)):
        return class_matched(places, reference.test_labels, wanted, draw)
    return np.random.default_rng([draw, 1]).permutation(len(places))


def measure_part(
    part: ImagePart, reference: ReferenceSet, size: int, most: int = SAMPLE
) -> StreamSums:
    """Measure consecutive images: whole sets one by one, and all of them together.

    Args:
        part: the images.
        reference: the real ones.
        size: of a set; images beyond the last whole set count only where all are counted.
        most: size of the sample.
    """
    sums: StreamSums | None = None
    rows = np.arange(len(part.pixels)) if part.rows is None else part.rows
    if part.first == 0:  # of a stream of less than one set
        size = min(size, len(rows))
    sample = Reservoir.of(part.first, part.pixels, part.labels, most)
    for start in range(0, len(rows), size):
        chosen = rows[start : start + size]
        labels = None if part.labels is None else part.labels[chosen]
        features = reference.images.extract(part.pixels[chosen])
        measures: Measures = {}
        if len(chosen) == size:
            measures = measure_set(features, labels, reference, neighbors=False)
        found = _sums(features, labels, measures, sample)
        sums = found if sums is None else sums.merge(found, most=0)
    assert sums is not None
    values = {f.name: getattr(sums, f.name) for f in fields(sums)}
    own = {"read": len(part.pixels), "sample": sample, "changes": part.changes}
    return StreamSums(**values | own)


def _sums(
    features: Features, labels: Int64 | None, measures: Measures, sample: Reservoir
) -> StreamSums:
    """Sum up the images of one set; `measures` is empty where it is not whole."""
    classes = features.probabilities.shape[1]
    predicted = features.predicted
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (predicted if labels is None else labels, predicted), 1)
    return StreamSums(
        read=len(predicted),
        images=len(predicted),
        sets=int(bool(measures)),
        measures={key: (value, 1) for key, value in measures.items()},
        right=0 if labels is None else int((predicted == labels).sum()),
        confident=int((features.probabilities.max(axis=1) >= CONFIDENT).sum()),
        confusion=confusion,
        e1=FeatureSums.of(features.e1),
        e2=FeatureSums.of(features.e2),
        sample=sample,
    )
