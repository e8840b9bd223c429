"""The area under a ROC curve and its error: DeLong, DeLong and Clarke-Pearson 1988."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from inkgan.metrics.stats.expansion import ErrorBounds
from inkgan.metrics.stats.intervals import t_error_interval
from inkgan.types import Float64


class Ranking(NamedTuple):
    """Scores of one classifier, higher for generated images, and which images they are of.

    Attributes:
        real: scores (n,); `generated` (m,).
        real_rows: which real images those are (n,); `generated_rows` which generated ones (m,).
    """

    real: Float64
    generated: Float64
    real_rows: npt.NDArray[np.intp]
    generated_rows: npt.NDArray[np.intp]


def placements(values: npt.ArrayLike, others: npt.ArrayLike) -> Float64:
    """Return which share of the others lies below each value (n,); ties count half."""
    ordered = np.sort(np.asarray(others, np.float64))
    numbers = np.asarray(values, np.float64)
    left = np.searchsorted(ordered, numbers, side="left")
    right = np.searchsorted(ordered, numbers, side="right")
    return np.asarray((left + right) / (2 * len(ordered)))


def auc_error(generated: Float64, real: Float64) -> float:
    """Return the standard error of an AUC from the placements of the images of both sides."""
    return math.sqrt(generated.var(ddof=1) / len(generated) + real.var(ddof=1) / len(real))


def mean_auc_interval(rankings: Sequence[Ranking], level: float = 0.95) -> ErrorBounds:
    """Bound the mean AUC of networks that were trained and tested on parts of the same images.

    Three things add to its error. Test images: DeLong's variance, summed by image, as an image
    may be in several tests. Training: what the AUCs differ by beyond their test images.

    Args:
        rankings: the held-out scores of each network, two or more.
        level: confidence of the interval, in (0, 1).

    Returns:
        The interval of the mean AUC and its standard error.
    """
    count = len(rankings)
    areas, variances = [], []
    sums: tuple[dict[int, float], dict[int, float]] = ({}, {})
    for ranking in rankings:
        ups = placements(ranking.generated, ranking.real)
        downs = 1 - placements(ranking.real, ranking.generated)
        area = float(ups.mean())
        areas.append(area)
        variances.append(auc_error(ups, downs) ** 2)
        for side, parts, rows in zip(
            sums, (ups, downs), (ranking.generated_rows, ranking.real_rows), strict=True
        ):
            for row, part in zip(rows.tolist(), (parts - area) / (len(parts) * count), strict=True):
                side[row] = side.get(row, 0.0) + part
    tested = sum(part**2 for side in sums for part in side.values())
    expected = (sum(variances) - count * tested) / (count - 1)
    trained = max(0.0, float(np.var(areas, ddof=1)) - expected) / count
    images = min(min(len(r.real), len(r.generated)) for r in rankings)
    interval = t_error_interval(
        float(np.mean(areas)), (tested, trained), (images - 1, count - 1), level
    )
    return ErrorBounds(interval, math.sqrt(tested + trained))


def mean_accuracy_interval(right: npt.ArrayLike, level: float = 0.95) -> ErrorBounds:
    """Bound the mean accuracy of networks that are tested on the same images.

    Its variance is that of the test images, by the mean over the networks for each, and that of the
    networks. Their training images are given.

    Args:
        right: whether each network (rows) is right about each image (columns), (k, n), k >= 2.
        level: confidence of the interval, in (0, 1).

    Returns:
        The interval of the accuracy and its standard error.
    """
    table = np.asarray(right, np.float64)
    networks, images = table.shape
    by_image = float(table.mean(axis=0).var(ddof=1)) / images
    by_network = float(table.mean(axis=1).var(ddof=1)) / networks
    interval = t_error_interval(
        float(table.mean()), (by_image, by_network), (images - 1, networks - 1), level
    )
    return ErrorBounds(interval, math.sqrt(by_image + by_network))
