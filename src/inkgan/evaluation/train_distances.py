"""Memorisation in two spaces, pixels and E2: is anything copied from the training images?"""

from dataclasses import dataclass

import numpy as np

from inkgan.evaluation.reference import Target
from inkgan.metrics.features.extractors import Seen
from inkgan.metrics.memorization import (
    Copying,
    authenticity,
    copy_ratio,
    copying,
    ct_score,
    nearest,
    nearest_other,
)
from inkgan.rng import seed_for
from inkgan.types import Float64, Progress, UInt8, silent

SPACES = ("pixels", "e2")
NEAR_PERCENT = 1.0


@dataclass(frozen=True)
class Distances:
    """Of n images, in one space.

    Attributes:
        nearest: distance to the nearest training image.
        indices: which training image that is.
        ratios: that distance over the training image's own to its nearest other one.
    """

    nearest: Float64
    indices: np.ndarray
    ratios: Float64

    def at(self, rows: np.ndarray) -> "Distances":
        """Return the distances of some of the images."""
        return Distances(self.nearest[rows], self.indices[rows], self.ratios[rows])


BySpace = dict[str, Distances]


def train_distances(
    pixels: UInt8, seen: Seen, target: Target, progress: Progress = silent
) -> BySpace:
    """Measure how near each image lies to the training images, in both spaces."""
    queries = {"pixels": _flat(pixels), "e2": seen.e2}
    points = {"pixels": _flat(target.reference.train), "e2": target.train_seen.e2}
    found = {}
    for done, space in enumerate(SPACES, start=1):
        near = nearest(queries[space], points[space])
        own = nearest_other(points[space], near.indices)
        found[space] = Distances(near.distances, near.indices, copy_ratio(near.distances, own))
        progress("looking for copies", done, len(SPACES))
    return found


def real_distances(target: Target, progress: Progress = silent) -> BySpace:
    """Measure the same of the test images, which nobody can have copied; once per target."""
    if target.distances is None:
        target.distances = train_distances(target.reference.test, target.seen, target, progress)
    return target.distances


def compare(fakes: BySpace, tests: BySpace) -> tuple[dict[str, float], dict[str, Copying]]:
    """Hold the fakes' distances against the test images'.

    Returns:
        The measures near_train, copies, authenticity and ct, each the more alarming of the two
        spaces, and the copying alarm of each space.
    """
    alarms = {s: copying(fakes[s].ratios, tests[s].ratios) for s in SPACES}
    near = [
        (fakes[s].nearest < np.percentile(tests[s].nearest, NEAR_PERCENT)).mean() for s in SPACES
    ]
    measures = {
        "near_train": float(max(near)),
        "copies": max(alarm.share for alarm in alarms.values()),
        "authenticity": min(authenticity(fakes[s].ratios) for s in SPACES),
        "ct": min(ct_score(tests[s].nearest, fakes[s].nearest) for s in SPACES),
    }
    return measures, alarms


def halved(tests: BySpace, draw: int) -> dict[str, float]:
    """Let one random half of the test images play the fakes."""
    count = len(tests["pixels"].nearest)
    order = np.random.default_rng(seed_for(0, "memory halves", draw)).permutation(count)
    one, other = order[: count // 2], order[count // 2 :]
    halves = [{s: tests[s].at(rows) for s in SPACES} for rows in (one, other)]
    return compare(halves[0], halves[1])[0]


def _flat(pixels: UInt8) -> np.ndarray:
    flat: np.ndarray = pixels.reshape(len(pixels), -1).astype(np.float32) / 255
    return flat
