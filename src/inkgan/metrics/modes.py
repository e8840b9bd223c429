"""Modes of stacked MNIST: three digits in one image, a thousand kinds of image."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Modes(NamedTuple):
    """Modes found, and the divergence from uniform in nats, as it is, debiased, and its floor."""

    modes: int
    kl: float
    kl_debiased: float
    floor: float


def stacked_modes(labels: npt.ArrayLike, classes: int = 10) -> Modes:
    """Count the modes of labels (n, channels) in 0..classes-1, usually three channels.

    With K = classes^channels, KL(empirical || uniform) is in 0..log K nats (Metz et al. 2017).
    Even n perfect draws have an expected (K - 1) / 2n (Miller 1955), the floor, which the debiased
    value, then 0 on average, has taken off.

    Raises:
        ValueError: no labels, labels that are not whole numbers, or one outside 0..classes-1.
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
    floor = (kinds - 1) / (2 * number)
    return Modes(len(shares), max(0.0, divergence), divergence - floor, floor)
