"""Plan which labels each shard holds: exact counts, shuffled, always the same for a request."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inkgan.synthesis.random_numbers import random_numbers
from inkgan.synthesis.request import LabeledImages

IMAGES_PER_SHARD = 2000  # some seconds of drawing: the most that an interruption can cost
Counts = npt.NDArray[np.uint8] | npt.NDArray[np.uint16] | npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Shard:
    """The labels that one shard holds, in memory: a byte an image where 256 classes are enough.

    Attributes:
        index: over all splits.
        split: train or test.
        first: index of its first image within the split.
        labels: class of each image, (n,), in order.
    """

    index: int
    split: str
    first: int
    labels: Counts


def plan_shards(images: LabeledImages, seed: int) -> tuple[Shard, ...]:
    """Divide a request into shards; the same request always gives the same shards.

    Example:
        >>> shards = plan_shards(LabeledImages(train=(3000, 1500)), seed=0)
        >>> [(shard.split, len(shard.labels)) for shard in shards]
        [('train', 2000), ('train', 2000), ('train', 500)]
    """
    return tuple(_image_shards(images, seed))


def _image_shards(images: LabeledImages, seed: int) -> Iterator[Shard]:
    """Shuffle each split's labels, shard by shard.

    The first n labels of a shuffled list contain each class as often as n draws without
    replacement do, in random order. So this is the shuffle of the whole list.
    """
    index = 0
    for split, counts in images.splits().items():
        remaining = np.array(counts, dtype=np.int64)
        first = 0
        while total := int(remaining.sum()):
            size = min(IMAGES_PER_SHARD, total)
            random = random_numbers(seed, "labels", split, first)
            chosen = random.multivariate_hypergeometric(remaining, size, method="marginals")
            labels = random.permutation(np.repeat(np.arange(len(remaining)), chosen))
            yield Shard(index, split, first, _compact(labels))
            index, first, remaining = index + 1, first + size, remaining - chosen


def _compact(values: npt.NDArray[np.int64]) -> Counts:
    """Return whole numbers from 0 in the smallest type that can represent them."""
    smallest: Counts = values.astype(np.min_scalar_type(int(values.max())))
    return smallest
