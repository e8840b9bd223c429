"""The intervals of the metrics of sets of images: delta method, Wilson, or groups of images."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from inkgan.evaluation.reference import LEAST_FOR_DISTANCE, NEIGHBORS, ReferenceSet
from inkgan.evaluation.set_metrics import CONFIDENT
from inkgan.metrics.features.extractors import Features
from inkgan.metrics.frechet_expansion import frechet_expansion
from inkgan.metrics.kernels import gaussian_expansion, polynomial_expansion
from inkgan.metrics.prdc import one_nearest_neighbor, prdc, recall
from inkgan.metrics.stats.expansion import Expansion, Strata, expansion_interval
from inkgan.metrics.stats.intervals import (
    Interval,
    largest_interval,
    normal_interval,
    share_interval,
    simultaneous_level,
    smallest_interval,
    wilson_interval,
)
from inkgan.metrics.stats.ranks import Ranking, mean_accuracy_interval, mean_auc_interval
from inkgan.metrics.stats.subsets import Replicates, mean_replicates, subset_replicates
from inkgan.types import Bool, Float64

NEIGHBOR_METRICS = ("precision", "recall", "density", "coverage")
NO_REPLICATES = np.empty(0)


class Estimate(NamedTuple):
    """A value with its 95 % interval, its standard error and its replicates (see `Score`)."""

    interval: Interval
    error: float
    replicates: Float64 = NO_REPLICATES


@dataclass(frozen=True, eq=False)
class MeasuredSets:
    """Sets of generated images, one after the other, and the mean of their measures.

    Attributes:
        features: of all their images.
        requested: the digit that each was to show (n,); None without labels.
        sets: how many there are, of equal size.
        means: of the measures over the sets.
        reference: the real images.
        thorough: KID and MMD were measured too.
    """

    features: Features
    requested: np.ndarray | None
    sets: int
    means: Mapping[str, float]
    reference: ReferenceSet
    thorough: bool = True

    @property
    def size(self) -> int:
        """The number of images of a set."""
        return len(self.features.e1) // self.sets

    @property
    def strata(self) -> Strata:
        """The digits whose shares are those of the real images; one stratum without labels."""
        return Strata.of(self.requested, self.reference.labels, self.size * self.sets)

    @property
    def first(self) -> Features:
        """The features of the first set."""
        return self.features.at(slice(0, self.size))


def mean_measures(measured: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Average each measure over the sets that have it."""
    keys = {key: None for each in measured for key in each}
    return {key: float(np.mean([each[key] for each in measured if key in each])) for key in keys}


def set_intervals(measured: MeasuredSets) -> tuple[dict[str, Estimate], dict[str, str]]:
    """Bound every metric of sets of images, of each digit too.

    Both the generated and the real images are drawn again. Where labels were requested, both have
    the same shares of digits, and images are drawn again within each digit.

    Returns:
        Estimates by metric, and by metric and digit such as "recall/3"; and for metrics without a
        valid interval the reason, in a sentence.
    """
    found: dict[str, Estimate] = {}
    reasons: dict[str, str] = {}
    for part in (_distances, _neighbors, _predictions, _classes):
        estimates, missing = part(measured)
        found |= estimates
        reasons |= missing
    return found, reasons


def distance_intervals(measured: MeasuredSets) -> tuple[dict[str, Estimate], dict[str, str]]:
    """Bound the distances and the measures of each digit alone; otherwise as `set_intervals`."""
    distances, missing = _distances(measured)
    classes, others = _classes(measured)
    return distances | classes, missing | others


Found = tuple[dict[str, Estimate], dict[str, str]]


def _distances(measured: MeasuredSets) -> Found:
    real, first, size = measured.reference, measured.first, measured.size
    strata = Strata(measured.strata.generated[:size], measured.strata.real)
    expansions: dict[str, Callable[[], Expansion]] = {
        "fd_e1": lambda: frechet_expansion(first.e1, real.features.e1, strata),
        "fd_e2": lambda: frechet_expansion(first.e2, real.features.e2, strata),
    }
    if measured.thorough:
        expansions |= {
            "kid": lambda: polynomial_expansion(first.e1, real.features.e1, strata),
            "mmd": lambda: gaussian_expansion(first.e1, real.features.e1, real.bandwidth, strata),
        }
    found: dict[str, Estimate] = {}
    reasons: dict[str, str] = {}
    for key, expansion in expansions.items():
        if size < LEAST_FOR_DISTANCE and key.startswith("fd"):
            reasons[key] = TOO_FEW
        else:
            found[key] = expansion_estimate(expansion(), measured.means[key], measured.sets)
    return found, reasons


TOO_FEW = f"fewer than {LEAST_FOR_DISTANCE} images: the covariance of the features is not known"


def expansion_estimate(expansion: Expansion, value: float, sets: int = 1) -> Estimate:
    """Bound a distance that is the mean over `sets` sets."""
    bounds = expansion_interval(expansion, sets, value)
    generated = expansion.generated / np.sqrt(sets)
    replicates = mean_replicates(expansion.real, generated, bounds.error)
    return Estimate(bounds.interval, bounds.error, replicates)


def _neighbors(measured: MeasuredSets) -> Found:
    real, generated = measured.reference.features.e1, measured.features.e1
    replicates = subset_replicates(
        lambda rows, others: prdc(real[rows], generated[others], NEIGHBORS),
        measured.strata,
        measured.sets,
    )
    found = {}
    for key, parts in zip(NEIGHBOR_METRICS, replicates, strict=True):
        value = measured.means[key]
        if key == "density":
            interval = normal_interval(value, parts.error)
            found[key] = Estimate(interval, parts.error, parts.deviations)
        else:
            count = len(generated) if key == "precision" else len(real)
            found[key] = share_estimate(value, parts, count)
    return found, {}


def share_estimate(value: float, parts: Replicates, count: int, level: float = 0.95) -> Estimate:
    """Bound a share of `count` images by its spread over groups.

    A share of a group differs from that of all images, and its variance with it, by p (1 - p).
    """
    own, grouped = value * (1 - value), parts.mean * (1 - parts.mean)
    scale = float(np.sqrt(own / grouped)) if grouped > 0 else 1.0
    error = scale * parts.error
    return Estimate(share_interval(value, error, count, level), error, scale * parts.deviations)


def _predictions(measured: MeasuredSets) -> Found:
    count = len(measured.features.e1)
    best = measured.features.probabilities.max(axis=1) >= CONFIDENT
    right = {"confident": int(best.sum())}
    if measured.requested is not None:
        right["label_accuracy"] = int((measured.features.predicted == measured.requested).sum())
    found = {}
    for key, number in right.items():
        interval = wilson_interval(number, count)
        share = number / count
        found[key] = Estimate(interval, float(np.sqrt(share * (1 - share) / count)))
    return found, {}


def _classes(measured: MeasuredSets) -> Found:
    """Bound the measures of each digit, and the worst of them."""
    features, requested = measured.features, measured.requested
    digits = features.predicted if requested is None else requested
    size, sets, means = measured.size, measured.sets, measured.means
    classes = measured.reference.by_class
    level = simultaneous_level(len(classes))
    found: dict[str, Estimate] = {}
    together: dict[str, Interval] = {}
    for digit, real in classes.items():
        chosen = features.at(digits == digit)
        first = features.at(np.flatnonzero(digits[:size] == digit))
        if key := _present(f"fd/{digit}", means):
            expansion = frechet_expansion(first.e1, real.features.e1)._replace(null=0.0)
            found[key] = expansion_estimate(expansion, means[key], sets)
            together[key] = expansion_interval(expansion, sets, means[key], level).interval
        if key := _present(f"recall/{digit}", means):
            one = Strata.of(None, real.features.predicted, len(chosen.e1))
            parts = subset_replicates(_recall(real.features.e1, chosen.e1), one, sets)[0]
            found[key] = share_estimate(means[key], parts, len(real.features.e1))
            wide = share_estimate(means[key], parts, len(real.features.e1), level)
            together[key] = wide.interval
        if key := _present(f"variety/{digit}", means):
            found[key] = variety_estimate(means[key], chosen.e2, real.features.e2)
        if requested is None:
            number = float(means[f"share/{digit}"] * len(digits))
            found[f"share/{digit}"] = Estimate(wilson_interval(number, len(digits)), 0.0)
    return _worst(found, together, means)


def _present(key: str, means: Mapping[str, float]) -> str:
    return key if key in means else ""


def _recall(real: np.ndarray, generated: np.ndarray) -> Callable[..., Sequence[float]]:
    return lambda rows, others: [recall(real[rows], generated[others], NEIGHBORS)]


def variety_estimate(value: float, generated: np.ndarray, real: np.ndarray) -> Estimate:
    """Bound the ratio of two total deviations: half the relative error of each variance."""
    total = 0.0
    for points in (np.asarray(generated, np.float64), np.asarray(real, np.float64)):
        squares = ((points - points.mean(axis=0)) ** 2).sum(axis=1)
        if not squares.any():  # one image again and again
            return Estimate(Interval(value, value, value), 0.0)
        total += float(squares.var(ddof=1) / squares.mean() ** 2 / len(squares)) / 4
    error = value * float(np.sqrt(total))
    return Estimate(normal_interval(value, error), error)


def worst_interval(
    value: float, own: Sequence[Interval], wide: Sequence[Interval], *, largest: bool
) -> Interval:
    """Bound the worst class.

    Args:
        value: of the worst class.
        own: the interval of each class, at the level of the result.
        wide: those that hold for all classes at once.
        largest: the worst is the largest value, otherwise the smallest.
    """
    if largest:
        low, high = largest_interval(wide).low, largest_interval(own).high
    else:
        low, high = smallest_interval(own).low, smallest_interval(wide).high
    return Interval(value, min(low, value), max(high, value))


def _worst(
    found: dict[str, Estimate], together: Mapping[str, Interval], means: Mapping[str, float]
) -> Found:
    """Bound the worst digit: one end holds for every digit at once, the other for each."""
    reasons: dict[str, str] = {}
    for worst, kind in (("worst_class_fd", "fd"), ("worst_class_recall", "recall")):
        if worst not in means:
            continue
        keys = [key for key in together if key.startswith(f"{kind}/")]
        known = [key for key in means if key.startswith("share/")]
        if len(keys) < len(known):
            reasons[worst] = "a digit has too few images for an interval of its own"
            continue
        own, wide = [found[key].interval for key in keys], [together[key] for key in keys]
        interval = worst_interval(means[worst], own, wide, largest=kind == "fd")
        at = max(keys, key=lambda key: means[key] if kind == "fd" else -means[key])
        found[worst] = Estimate(interval, found[at].error)
    return found, reasons


def trained_estimates(
    right: Bool,
    rankings: Sequence[Ranking],
    accuracies: Sequence[float],
    real: np.ndarray,
    generated: np.ndarray,
) -> dict[str, tuple[Estimate, str]]:
    """Bound CAS, the AUC and the 1-NN accuracy, and say what each interval covers.

    Args:
        right: whether each classifier is right about each test image (seeds, n).
        rankings: of the networks that tell real from generated.
        accuracies: 1-NN accuracies of parts of both sets, one for each seed.
        real: E1 features of the test images; `generated` those of all images in these parts.
    """
    cas, auc = mean_accuracy_interval(right), mean_auc_interval(rankings)
    by_image = right.mean(axis=0) - right.mean()
    replicates = mean_replicates(by_image, NO_REPLICATES, cas.error)
    nearest = nearest_estimate(accuracies, real, generated)
    return {
        "cas": (Estimate(cas.interval, cas.error, replicates), "test images and seeds"),
        "two_sample_auc": (Estimate(auc.interval, auc.error), "images and seeds"),
        "one_nearest": (nearest, "images"),
    }


def nearest_estimate(
    accuracies: Sequence[float], real: np.ndarray, generated: np.ndarray
) -> Estimate:
    """Bound the mean 1-NN accuracy of parts of both sets; arguments as for `trained_estimates`."""
    repeats = max(1, len(generated) // len(real))

    def accuracy(rows: np.ndarray, others: np.ndarray) -> list[float]:
        count = min(len(rows), len(others))
        return [one_nearest_neighbor(real[rows[:count]], generated[others[:count]]).accuracy]

    alone = Strata.of(None, real[:, 0], len(generated))
    parts = subset_replicates(accuracy, alone, repeats)[0]
    return share_estimate(float(np.mean(accuracies)), parts, len(generated))
