"""Distances to the training images in two spaces, pixels and E2: is anything copied?"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from inkgan.metrics.memorization import (
    CopyTest,
    authenticity,
    copy_ratio,
    copy_test,
    ct_interval,
    ct_score,
    nearest,
    nearest_other,
    quantile_share_interval,
)
from inkgan.metrics.stats.expansion import ErrorBounds
from inkgan.metrics.stats.intervals import largest_interval, smallest_interval, wilson_interval
from inkgan.rng import seed_for
from inkgan.types import Float64, Progress, UInt8, silent

SPACES = ("pixels", "e2")
NEAR_PERCENT, COPY_PERCENT = 1.0, 0.1  # of test images, whose quantiles are the thresholds
MORE_ALARMING = {
    "near_train": largest_interval,
    "copies": largest_interval,
    "authenticity": smallest_interval,
    "ct": smallest_interval,
}


@dataclass(frozen=True)
class TrainDistances:
    """Of n images, in one space.

    Attributes:
        nearest: distance to the nearest training image, float64 (n,).
        indices: which training image that is, int64 (n,).
        ratios: that distance over the training image's own to its nearest other one, (n,).
    """

    nearest: Float64
    indices: np.ndarray
    ratios: Float64

    def at(self, rows: np.ndarray) -> "TrainDistances":
        """Return the distances of some of the images."""
        return TrainDistances(self.nearest[rows], self.indices[rows], self.ratios[rows])


@dataclass(frozen=True)
class SpacePoints:
    """Images as points of both spaces: pixels in 0..1 (n, 784) and E2 features (n, 64)."""

    pixels: np.ndarray
    e2: np.ndarray

    @classmethod
    def of(cls, pixels: UInt8, e2: np.ndarray) -> "SpacePoints":
        """Take uint8 images (n, 28, 28) and their E2 features (n, 64)."""
        return cls(pixels.reshape(len(pixels), -1).astype(np.float32) / 255, e2)


def measure_train_distances(
    images: SpacePoints, train: SpacePoints, progress: Progress = silent
) -> dict[str, TrainDistances]:
    """Measure how near each image lies to the training images, in both spaces."""
    found = {}
    for done, space in enumerate(SPACES, start=1):
        points = getattr(train, space)
        near = nearest(getattr(images, space), points)
        own = nearest_other(points, near.indices)
        ratios = copy_ratio(near.distances, own)
        found[space] = TrainDistances(near.distances, near.indices, ratios)
        progress("looking for copies", done, len(SPACES))
    return found


def compare_train_distances(
    generated: Mapping[str, TrainDistances], tests: Mapping[str, TrainDistances]
) -> tuple[dict[str, float], dict[str, CopyTest]]:
    """Compare the distances of generated images with those of test images.

    Returns:
        The metrics near_train, copies, authenticity and ct, each the more alarming of the two
        spaces, and the copy test of each space.
    """
    copy_tests = {s: copy_test(generated[s].ratios, tests[s].ratios) for s in SPACES}
    near = [
        (generated[s].nearest < np.percentile(tests[s].nearest, NEAR_PERCENT)).mean()
        for s in SPACES
    ]
    measures = {
        "near_train": float(max(near)),
        "copies": max(test.share for test in copy_tests.values()),
        "authenticity": min(authenticity(generated[s].ratios) for s in SPACES),
        "ct": min(ct_score(tests[s].nearest, generated[s].nearest) for s in SPACES),
    }
    return measures, copy_tests


def train_distance_intervals(
    generated: Mapping[str, TrainDistances], tests: Mapping[str, TrainDistances]
) -> dict[str, ErrorBounds]:
    """Bound the metrics of `compare_train_distances`, generated and test images drawn again.

    The training images are given. Each is the more alarming of two spaces, whose intervals have
    the more alarming ends.
    """
    bounds: dict[str, list[ErrorBounds]] = {key: [] for key in MORE_ALARMING}
    for space in SPACES:
        own, test = generated[space], tests[space]
        share = float((own.ratios > 1).mean())
        error = float(np.sqrt(share * (1 - share) / len(own.ratios)))
        wilson = wilson_interval(round(share * len(own.ratios)), len(own.ratios))
        bounds["near_train"].append(
            quantile_share_interval(own.nearest, test.nearest, NEAR_PERCENT / 100)
        )
        bounds["copies"].append(
            quantile_share_interval(own.ratios, test.ratios, COPY_PERCENT / 100)
        )
        bounds["authenticity"].append(ErrorBounds(wilson, error))
        bounds["ct"].append(ct_interval(test.nearest, own.nearest))
    found = {}
    for key, pick in MORE_ALARMING.items():
        interval = pick([each.interval for each in bounds[key]])
        worse = next(b for b in bounds[key] if b.interval.value == interval.value)
        found[key] = ErrorBounds(interval, worse.error)
    return found


def compare_halves(tests: Mapping[str, TrainDistances], draw: int) -> dict[str, float]:
    """Let one random half of the test images take the place of the generated ones."""
    count = len(tests["pixels"].nearest)
    order = np.random.default_rng(seed_for(0, "memory halves", draw)).permutation(count)
    one, other = order[: count // 2], order[count // 2 :]
    halves = [{s: tests[s].at(rows) for s in SPACES} for rows in (one, other)]
    return compare_train_distances(halves[0], halves[1])[0]
