"""Modes of stacked MNIST: three digits in one image, a thousand kinds of image."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Modes(NamedTuple):
    """Modes found, the divergence from uniform in nats, the same debiased, and its bias."""

    modes: int
    kl: float
    kl_debiased: float
    bias: float


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
    table = np.asarray(labels)
    if table.ndim != 2 or not table.size or table.dtype.kind not in "iu":
        raise ValueError(f"labels must be integers (n, 3), got {table.dtype} {table.shape}")
    if table.min() < 0 or table.max() >= classes:
        raise ValueError(f"labels lie in {table.min()}..{table.max()}, not in 0..{classes - 1}")
    number, channels = table.shape
    kinds = classes**channels
    places = np.array([classes**power for power in range(channels)])
    counts = np.bincount(table.astype(np.int64) @ places, minlength=kinds)
    shares = counts[counts > 0] / number
    divergence = float((shares * np.log(shares * kinds)).sum())
    bias = (kinds - 1) / (2 * number)
    return Modes(len(shares), max(0.0, divergence), divergence - bias, bias)
