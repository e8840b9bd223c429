"""All metrics of one set of images against the target: the same code for fakes and for floors."""

from collections.abc import Mapping

import numpy as np

from inkgan.evaluation.reference import LEAST_OF_A_CLASS, NEIGHBOURS, Target, spread
from inkgan.metrics.features.extractors import Seen
from inkgan.metrics.frechet import frechet_bias, frechet_distance, moments
from inkgan.metrics.kernels import gaussian_mmd, polynomial_mmd
from inkgan.metrics.prdc import manifold

Measures = dict[str, float]
CLEAR = 0.9  # an image is clear where E1 gives its digit at least this probability


def measure_set(
    seen: Seen, asked: np.ndarray | None, target: Target, thorough: bool = True
) -> Measures:
    """Measure one set of images.

    Args:
        seen: what the judge sees in the images.
        asked: the digit that each was to show (n,), or None for an unconditional source.
        target: the real test images.
        thorough: kernels too (M2), beside M1, M3, M5 and M6.
    """
    found = manifold(target.seen.e1, seen.e1, NEIGHBOURS, target.radii)
    best = seen.probabilities.max(axis=1)
    measures = {
        "fd_e1": frechet_distance(moments(seen.e1), target.e1_moments),
        "fd_e2": frechet_distance(moments(seen.e2), target.e2_moments),
        "precision": found.precision,
        "recall": found.recall,
        "density": found.density,
        "coverage": found.coverage,
        "confident": float((best >= CLEAR).mean()),
    }
    if asked is not None:
        measures["label_accuracy"] = float((seen.read == asked).mean())
    classes = class_measures(seen, seen.read if asked is None else asked, target)
    if thorough:
        measures["kid"] = polynomial_mmd(seen.e1, target.seen.e1)
        measures["mmd"] = gaussian_mmd(seen.e1, target.seen.e1, target.bandwidth)
    return measures | classes | _worst(classes)


def class_measures(seen: Seen, digits: np.ndarray, target: Target) -> Measures:
    """Measure each digit by itself: fd (less the bias of its sample sizes), recall, variety.

    Keys are "fd/3", "recall/3", "variety/3" and "share/3" for the digit 3. A digit of too few
    images has only its share.
    """
    measures: Measures = {}
    for digit, real in target.by_class.items():
        chosen = seen.at(digits == digit)
        measures[f"share/{digit}"] = len(chosen.e1) / len(digits)
        if len(chosen.e1) < LEAST_OF_A_CLASS:
            continue
        fake = moments(chosen.e1)
        bias = frechet_bias(real.moments.covariance, fake.count, real.moments.count)
        found = manifold(real.seen.e1, chosen.e1, NEIGHBOURS, real.radii)
        measures[f"fd/{digit}"] = frechet_distance(fake, real.moments) - bias
        measures[f"recall/{digit}"] = found.recall
        measures[f"variety/{digit}"] = spread(chosen.e2) / real.spread
    return measures


def _worst(classes: Mapping[str, float]) -> Measures:
    """Name the worst class of each kind; a digit too rare to measure is recalled not at all."""
    by_kind = {
        kind: [value for key, value in classes.items() if key.startswith(f"{kind}/")]
        for kind in ("fd", "recall", "share")
    }
    if not by_kind["fd"]:
        return {}
    missing = len(by_kind["recall"]) < len(by_kind["share"])
    return {
        "worst_class_fd": max(by_kind["fd"]),
        "worst_class_recall": 0.0 if missing else min(by_kind["recall"]),
    }
