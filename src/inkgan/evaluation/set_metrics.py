"""The metrics of one set of images: the same code for generated and for real images."""

from collections.abc import Mapping

import numpy as np

from inkgan.evaluation.reference import (
    LEAST_FOR_DISTANCE,
    LEAST_OF_A_CLASS,
    NEIGHBORS,
    ReferenceSet,
    total_deviation,
)
from inkgan.metrics.features.extractors import Features
from inkgan.metrics.frechet import frechet_distance, moments
from inkgan.metrics.kernels import gaussian_mmd, polynomial_mmd
from inkgan.metrics.prdc import prdc, recall

Measures = dict[str, float]
CONFIDENT = 0.9  # an image is confident where E1 gives a digit at least this probability


def measure_set(
    features: Features,
    requested: np.ndarray | None,
    reference: ReferenceSet,
    thorough: bool = True,
    neighbors: bool = True,
) -> Measures:
    """Compute the metrics of one set of images.

    Args:
        features: of the n images.
        requested: the digit that each was to show (n,), or None without labels.
        reference: the real test images.
        thorough: the kernel distances KID and MMD too.
        neighbors: precision, recall, density and coverage too.

    Returns:
        Values by metric, and by metric and digit, such as "recall/3" (see `class_measures`).
    """
    best = features.probabilities.max(axis=1)
    measures = {
        "fd_e1": frechet_distance(moments(features.e1), reference.e1_moments),
        "fd_e2": frechet_distance(moments(features.e2), reference.e2_moments),
        "confident": float((best >= CONFIDENT).mean()),
    }
    if neighbors:
        found = prdc(reference.features.e1, features.e1, NEIGHBORS, reference.radii)
        measures |= {
            "precision": found.precision,
            "recall": found.recall,
            "density": found.density,
            "coverage": found.coverage,
        }
    if requested is not None:
        measures["label_accuracy"] = float((features.predicted == requested).mean())
    digits = features.predicted if requested is None else requested
    classes = class_measures(features, digits, reference, neighbors)
    if thorough:
        measures["kid"] = polynomial_mmd(features.e1, reference.features.e1)
        measures["mmd"] = gaussian_mmd(features.e1, reference.features.e1, reference.bandwidth)
    return measures | classes | _worst(classes)


def class_measures(
    features: Features, digits: np.ndarray, reference: ReferenceSet, neighbors: bool = True
) -> Measures:
    """Measure each digit by itself: fd (less the bias of its sample sizes), recall, variety.

    Keys are "fd/3", "recall/3", "variety/3" and "share/3" for the digit 3. A digit of fewer than
    30 images has only its share, one of fewer than 200 no fd: its bias would be larger than what
    is measured. Without `neighbors` there is no recall.
    """
    measures: Measures = {}
    for digit, real in reference.by_class.items():
        chosen = features.at(digits == digit)
        measures[f"share/{digit}"] = len(chosen.e1) / len(digits)
        if len(chosen.e1) < LEAST_OF_A_CLASS:
            continue
        if neighbors:
            measures[f"recall/{digit}"] = recall(real.features.e1, chosen.e1, NEIGHBORS)
        if min(len(chosen.e1), real.moments.count) >= LEAST_FOR_DISTANCE:
            bias = real.trace * (1 / len(chosen.e1) + 1 / real.moments.count)
            measures[f"fd/{digit}"] = frechet_distance(moments(chosen.e1), real.moments) - bias
        measures[f"variety/{digit}"] = total_deviation(chosen.e2) / real.deviation
    return measures


def _worst(classes: Mapping[str, float]) -> Measures:
    """Return the worst class of each kind; a digit with too few images has a recall of 0."""
    by_kind = {
        kind: [value for key, value in classes.items() if key.startswith(f"{kind}/")]
        for kind in ("fd", "recall", "share")
    }
    worst: Measures = {}
    if by_kind["recall"]:
        missing = len(by_kind["recall"]) < len(by_kind["share"])
        worst["worst_class_recall"] = 0.0 if missing else min(by_kind["recall"])
    if by_kind["fd"]:
        worst["worst_class_fd"] = max(by_kind["fd"])
    return worst
