"""Parts of a set in which every class keeps its share."""

from collections.abc import Sequence

import numpy as np

LEAST_EXPECTED = 20  # images of a class in a part, below which chance alone may leave it out


def stratified_part(labels: Sequence[int] | np.ndarray, count: int) -> np.ndarray:
    """Choose `count` images so that every class keeps its share.

    Shares are rounded by largest remainder; a class always leaves an image outside the part. Within
    a class every k-th image is taken, so that files sorted by writer are spread too.

    Args:
        labels: whole numbers from 0 (n,).
        count: images to choose.

    Returns:
        Whether each image belongs to the part, bool (n,). Fewer than `count` do where the classes
        have too few images.
    """
    numbers = np.asarray(labels, np.int64)
    sizes = np.bincount(numbers)
    shares = sizes * (count / max(1, len(numbers)))
    quotas = np.floor(shares).astype(np.int64)
    remainders = np.argsort(quotas - shares, kind="stable")
    quotas[remainders[: max(0, count - int(quotas.sum()))]] += 1
    quotas = np.minimum(quotas, np.maximum(sizes - 1, 0))
    chosen = np.zeros(len(numbers), dtype=bool)
    for label, quota in enumerate(quotas):
        places = np.flatnonzero(numbers == label) if quota else np.zeros(0, np.int64)
        chosen[places[((np.arange(quota) + 0.5) * len(places) / max(1, quota)).astype(int)]] = True
    return chosen


def last_part(labels: Sequence[int] | np.ndarray, count: int) -> np.ndarray:
    """Choose the last `count` images, or a stratified part where the set is sorted by class.

    Returns:
        Whether each image belongs to the part, bool (n,).
    """
    numbers = np.asarray(labels, np.int64)
    last = np.arange(len(numbers)) >= len(numbers) - count
    sizes = np.bincount(numbers)
    expected = sizes * (count / max(1, len(numbers)))
    found = np.bincount(numbers[last], minlength=len(sizes))
    sorted_by_class = ((expected >= LEAST_EXPECTED) & (found < expected / 4)).any()
    return stratified_part(numbers, count) if sorted_by_class else last
