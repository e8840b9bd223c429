"""Modes of stacked MNIST: three digits in one image, a thousand kinds of image."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from inkgan.metrics.stats.intervals import Interval, normal_interval


class Modes(NamedTuple):
    """Modes found, the divergence from uniform in nats, the same debiased, and its bias."""

    modes: int
    kl: float
    kl_debiased: float
    bias: float


class ModeIntervals(NamedTuple):
    """Intervals of the modes found and of the divergence, with their standard errors."""

    modes: Interval
    kl: Interval
    modes_error: float
    kl_error: float


def stacked_mode_intervals(
    labels: npt.ArrayLike, classes: int = 10, level: float = 0.95
) -> ModeIntervals:
    """Bound the expected number of modes and the expected divergence of as many other images.

    The divergence has the variance of log p over the images to first order and (K - 1) / 2n^2 to
    second, in n images of K modes that occur. The first is estimated at the shares found, whose
    own error adds (K - 1) / n^2. Modes are found or missed by chance where they are rare: a mode
    of n p = r expected images adds e^-r (1 - e^-r) to the variance. With f1 modes found once and
    f2 found twice, f1^2 / (f1 + f2) is a little more: e^-r r / (1 + r / 2). Half a mode more to
    each side, as the number is whole.

    Args:
        labels: whole numbers (n, channels), as in `stacked_modes`.
        classes: of each channel.
        level: confidence of the intervals, in (0, 1).

    Returns:
        An interval of the number of modes, and one of the divergence.

    Raises:
        ValueError: as `stacked_modes`.
    """
    found = stacked_modes(labels, classes)
    counts, kinds = _counts(labels, classes)
    number = int(counts.sum())
    present = counts[counts > 0]
    logs = np.log(present / number)
    shares = present / number
    first = float((shares * logs**2).sum() - (shares * logs).sum() ** 2) / number
    noise, second = (len(present) - 1) / number**2, (len(present) - 1) / (2 * number**2)
    kl_error = math.sqrt(max(first - noise, 0.0) + second)
    once = int((present == 1).sum())
    twice = int((present == 2).sum())
    modes_error = once / math.sqrt(once + twice) if once else 0.0
    kl = normal_interval(found.kl, kl_error, level)
    modes = normal_interval(float(found.modes), modes_error, level)
    return ModeIntervals(
        Interval(modes.value, max(0.0, modes.low - 0.5), min(float(kinds), modes.high + 0.5)),
        Interval(kl.value, max(0.0, kl.low), min(math.log(kinds), kl.high)),
        modes_error,
        kl_error,
    )


def stacked_modes(labels: npt.ArrayLike, classes: int = 10) -> Modes:
    """Count the modes of stacked digits, and how far they are from uniform.

    With K = classes^channels, KL(empirical || uniform) = sum_k p_k log(K p_k) (Metz et al. 2017).
    Even n perfect draws have an expected (K - 1) / 2n (Miller 1955), which the debiased value has
    subtracted.

    Args:
        labels: whole numbers (n, channels) in 0..classes-1, usually three channels.
        classes: of each channel.

    Returns:
        Modes in 1..K, KL in 0..log K nats, KL debiased (0 on average for perfect draws), and the
        bias.

    Raises:
        ValueError: no labels, labels that are not whole numbers, or one outside 0..classes-1.

    Examples:
        >>> stacked_modes([[0, 0], [0, 1], [1, 0], [1, 1]], classes=2)[:2]
        (4, 0.0)
    """
    counts, kinds = _counts(labels, classes)
    number = int(counts.sum())
    shares = counts[counts > 0] / number
    divergence = float((shares * np.log(shares * kinds)).sum())
    bias = (kinds - 1) / (2 * number)
    return Modes(len(shares), max(0.0, divergence), divergence - bias, bias)


def _counts(labels: npt.ArrayLike, classes: int) -> tuple[npt.NDArray[np.intp], int]:
    """Count the images of each mode (K,), and return K too."""
    table = np.asarray(labels)
    if table.ndim != 2 or not table.size or table.dtype.kind not in "iu":
        raise ValueError(f"labels must be integers (n, 3), got {table.dtype} {table.shape}")
    if table.min() < 0 or table.max() >= classes:
        raise ValueError(f"labels lie in {table.min()}..{table.max()}, not in 0..{classes - 1}")
    channels = table.shape[1]
    kinds = classes**channels
    places = np.array([classes**power for power in range(channels)])
    return np.bincount(table.astype(np.int64) @ places, minlength=kinds), kinds
