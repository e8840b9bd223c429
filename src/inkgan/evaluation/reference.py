"""The real images that others are compared with, and their statistics."""

import functools
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from inkgan.cached_arrays import Forms, cache_arrays, cached_arrays
from inkgan.errors import DataError
from inkgan.evaluation.train_distances import SpacePoints, TrainDistances, measure_train_distances
from inkgan.generation.protocols import DIGITS
from inkgan.metrics.features.extractors import Features, extract_features, extractors_digest
from inkgan.metrics.features.fitting_split import fitting_images
from inkgan.metrics.frechet import Moments, moments
from inkgan.metrics.frechet_expansion import frechet_trace
from inkgan.metrics.kernels import median_bandwidth
from inkgan.metrics.prdc import radii
from inkgan.rng import seed_for
from inkgan.types import Float64, Progress, UInt8, silent

LEAST_IMAGES = 200  # E1 has 128 features, and a covariance of fewer images is mostly noise
NEIGHBORS = 5  # k of precision, recall, density and coverage
LEAST_OF_A_CLASS = 30  # fewer images than this say nothing about a class
KEPT = "features"  # in the cache
VERSION = 1  # of extraction and radii; what another one has kept is not read
LEAST_KEPT = 5000  # test images; a file for fewer would save little time
LEAST_FOR_DISTANCE = 200  # fewer have a Frechet distance that is mostly bias, with 128 features


@dataclass(frozen=True)
class ReferenceImages:
    """A data set's two splits.

    Attributes:
        name: of the data set.
        train: images uint8 (n, 28, 28).
        train_labels: int64 (n,), the places of the classes in `classes`.
        test: images uint8 (n, 28, 28).
        test_labels: int64 (n,).
        classes: their names.
        extractors: the folder of those that were fitted to this set; None for the shipped ones.
    """

    name: str
    train: UInt8
    train_labels: np.ndarray
    test: UInt8
    test_labels: np.ndarray
    classes: tuple[str, ...] = DIGITS
    extractors: Path | None = None

    @functools.cached_property
    def digest(self) -> str:
        """The SHA-256 of all pixels and labels."""
        hashed = hashlib.sha256()
        for part in (self.train, self.train_labels, self.test, self.test_labels):
            hashed.update(np.ascontiguousarray(part).tobytes())
        return hashed.hexdigest()

    @functools.cached_property
    def unseen(self) -> np.ndarray:
        """The rows of the training images that no extractor was fitted to, int64 (n,)."""
        return np.flatnonzero(~fitting_images(self.train))

    def only(self, digits: Sequence[int]) -> "ReferenceImages":
        """Return the images of some of the digits; all where these are too few."""
        rows, test_rows = np.isin(self.train_labels, digits), np.isin(self.test_labels, digits)
        if rows.all() and test_rows.all():
            return self
        part = ReferenceImages(
            f"{self.name} ({', '.join(self.classes[digit] for digit in digits)} alone)",
            self.train[rows],
            self.train_labels[rows],
            self.test[test_rows],
            self.test_labels[test_rows],
            self.classes,
            self.extractors,
        )
        return self if part.largest_set < LEAST_IMAGES else part

    def places(self, names: Iterable[str]) -> list[int]:
        """Return the places of classes by their names; numbers that are no names are places.

        Raises:
            DataError: there is no such class.
        """
        found = []
        for name in names:
            is_place = name.isdecimal() and int(name) < len(self.classes)
            if name not in self.classes and not is_place:
                if self.classes == DIGITS:
                    hint = "; subtract 1 from labels that count from 1, and take 0 where 10 means 0"
                    raise DataError(
                        f"label {name} is no digit; 0 to 9 are possible" + hint * (name == "10")
                    )
                raise DataError(
                    f"{name} is no class of {self.name}; it has {len(self.classes)}: "
                    + ", ".join(self.classes)
                )
            found.append(self.classes.index(name) if name in self.classes else int(name))
        return found

    def extract(
        self, pixels: UInt8, progress: Progress = silent, what: str = "extracting features"
    ) -> Features:
        """Extract the features of images (n, 28, 28) by the extractors of this set."""
        return extract_features(pixels, progress, what, self.extractors)

    @property
    def largest_set(self) -> int:
        """How many images a set can have that is compared with as many real ones."""
        return min(len(self.unseen), len(self.test_labels))

    def class_matched(self, count: int, draw: int, *, all_images: bool = False) -> np.ndarray:
        """Return the rows of `count` training images with the class shares of the test split.

        They are `unseen` by the extractors, unless `all_images` may be chosen.
        """
        rows = np.arange(len(self.train_labels)) if all_images else self.unseen
        chosen: np.ndarray = rows[
            class_matched(self.train_labels[rows], self.test_labels, count, draw)
        ]
        return chosen

    def labels_to_request(self, count: int, set_size: int) -> np.ndarray:
        """Return `count` labels (n,) to request of a generator, in random order.

        Each run of `set_size` of them has the class shares of the test split, so that the sets
        that are measured one by one do.
        """
        size = min(set_size, len(self.test_labels))
        starts = range(0, count, size)
        return np.concatenate([self.labels_of_set(s, min(size, count - s)) for s in starts])

    def labels_of_set(self, start: int, count: int) -> np.ndarray:
        """Return the labels (count,) to request for the set that begins with image `start`."""
        rows = class_matched(self.test_labels, self.test_labels, count, draw=start)
        labels: np.ndarray = self.test_labels[rows]
        return labels


def class_matched(
    labels: np.ndarray, wanted_labels: np.ndarray, count: int, draw: int
) -> np.ndarray:
    """Return rows so that labels[rows] has the class shares of `wanted_labels`.

    Shares are rounded by largest remainder. Fewer rows come back where a class has too few.
    """
    random = np.random.default_rng(seed_for(0, "class matched", draw))
    classes = int(max(labels.max(initial=0), wanted_labels.max(initial=0))) + 1
    shares = np.bincount(wanted_labels, minlength=classes) / len(wanted_labels)
    counts = np.floor(shares * count).astype(int)
    remainder = shares * count - counts
    counts[np.argsort(-remainder, kind="stable")[: count - counts.sum()]] += 1
    chosen = []
    for digit, wanted in enumerate(counts):
        candidates = np.flatnonzero(labels == digit)
        chosen.append(random.permutation(candidates)[:wanted])
    together: np.ndarray = random.permutation(np.concatenate(chosen))
    return together


@dataclass(frozen=True, eq=False)
class ReferenceSet:
    """The test split as the extractors see it.

    Every statistic is a function of the images alone, computed when it is first used.

    Attributes:
        images: both splits.
        progress: called while features are extracted.
        kept: keep the features and radii of the test images in the user's cache.
    """

    images: ReferenceImages
    progress: Progress = silent
    kept: bool = True

    @property
    def labels(self) -> np.ndarray:
        """The labels of the test images, int64 (n,)."""
        return self.images.test_labels

    @functools.cached_property
    def features(self) -> Features:
        """The features of the test images."""
        images, count = self.images, len(self.labels)

        def extract() -> dict[str, np.ndarray]:
            what = "features of real images"
            return images.extract(images.test, self.progress, what)._asdict()

        forms: Forms = {
            "e1": (np.float32, (count, 128)),
            "e2": (np.float32, (count, 64)),
            "probabilities": (np.float64, (count, len(images.classes))),
        }
        return Features(**self._once("features", forms, extract))

    def part_of_test(self, rows: np.ndarray) -> "ReferenceSet":
        """Return the reference that some of the test images make, with their features."""
        images = self.images
        test, labels = images.test[rows], images.test_labels[rows]
        part = ReferenceSet(replace(images, test=test, test_labels=labels), self.progress, False)
        part.__dict__["features"] = self.features.at(rows)  # as a cached property has them
        return part

    @functools.cached_property
    def train_features(self) -> Features:
        """The features of the training images."""
        return self.images.extract(self.images.train, self.progress, "features of training images")

    def features_of_train(self, rows: np.ndarray) -> Features:
        """Return the features of some training images, without those of the others."""
        if "train_features" in self.__dict__:
            return self.train_features.at(rows)
        wanted, places = np.unique(rows, return_inverse=True)
        pixels = self.images.train[wanted]
        features = self.images.extract(pixels, self.progress, "features of training images")
        return features.at(places)

    @functools.cached_property
    def e1_moments(self) -> Moments:
        """Mean and covariance of the E1 features."""
        return moments(self.features.e1)

    @functools.cached_property
    def e2_moments(self) -> Moments:
        """Mean and covariance of the E2 features."""
        return moments(self.features.e2)

    @functools.cached_property
    def radii(self) -> Float64:
        """Distance of each E1 feature to its fifth neighbor."""

        def measure() -> dict[str, np.ndarray]:
            return {"radii": radii(self.features.e1, NEIGHBORS)}

        forms: Forms = {"radii": (np.float64, (len(self.labels),))}
        return self._once(f"radii-{NEIGHBORS}", forms, measure)["radii"]

    def _once(
        self, what: str, forms: Forms, compute: Callable[[], dict[str, np.ndarray]]
    ) -> dict[str, np.ndarray]:
        """Return what `compute` does, from the cache where another evaluation has put it there."""
        if not self.kept or len(self.labels) < LEAST_KEPT:
            return compute()
        name = f"{KEPT}/{self._fingerprint}-{what}.npz"
        found = cached_arrays(name, forms)
        if found is None:
            found = compute()
            cache_arrays(name, found, "the features of the real images")
        return found

    @functools.cached_property
    def _fingerprint(self) -> str:
        """What the features depend on; another number of threads rounds them differently."""
        hashed = hashlib.sha256(np.ascontiguousarray(self.images.test).tobytes())
        processor = torch.backends.cpu.get_cpu_capability(), torch.get_num_threads()
        others = extractors_digest(self.images.extractors), torch.__version__, *processor
        hashed.update(repr((VERSION, *others)).encode())
        return hashed.hexdigest()[:24]

    @functools.cached_property
    def bandwidth(self) -> float:
        """The Gaussian kernel's width: the median distance of E1 features."""
        return median_bandwidth(self.features.e1)

    @functools.cached_property
    def by_class(self) -> dict[int, "ReferenceClass"]:
        """The digits of which there are enough images, each by itself."""
        classes = len(self.images.classes)
        counts = np.bincount(self.labels, minlength=classes)
        return {
            digit: ReferenceClass.of(self.features.at(self.labels == digit))
            for digit in range(classes)
            if counts[digit] >= LEAST_OF_A_CLASS
        }

    @functools.cached_property
    def test_distances(self) -> dict[str, TrainDistances]:
        """The distances of test images, which nobody can have copied, to training images."""
        return self.train_distances(self.images.test, self.features)

    def train_distances(self, pixels: UInt8, features: Features) -> dict[str, TrainDistances]:
        """Measure how near images (n, 28, 28) lie to the training images, in both spaces."""
        train = SpacePoints.of(self.images.train, self.train_features.e2)
        return measure_train_distances(SpacePoints.of(pixels, features.e2), train, self.progress)


@dataclass(frozen=True, eq=False)
class ReferenceClass:
    """The test images of one digit.

    Attributes:
        features: of its images.
        moments: mean and covariance of the E1 features.
        trace: of their second order (see `frechet_trace`), for the bias of a distance.
        deviation: of the E2 features, as `total_deviation`.
    """

    features: Features
    moments: Moments
    trace: float
    deviation: float

    @classmethod
    def of(cls, features: Features) -> "ReferenceClass":
        """Compute the statistics of the features of one digit."""
        return cls(
            features,
            moments(features.e1),
            frechet_trace(features.e1),
            total_deviation(features.e2),
        )


def total_deviation(features: np.ndarray) -> float:
    """Return the root of the total variance of features (n, d): how varied they are."""
    return float(np.sqrt(np.var(np.asarray(features, np.float64), axis=0).sum()))
