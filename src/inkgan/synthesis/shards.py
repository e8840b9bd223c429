"""Plan which labels each shard holds: exact counts, shuffled, always the same for a request."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inkgan.rng import Address, seed_for
from inkgan.synthesis.request import DigitSequences, LabeledImages, SynthesisRequest

IMAGES_PER_SHARD = 2000  # some seconds of drawing: the most that an interruption can cost
SEQUENCES_PER_SHARD = 500
Counts = npt.NDArray[np.uint8] | npt.NDArray[np.uint16] | npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Shard:
    """The labels that one shard holds, in memory: a byte an image where 256 classes are enough.

    Attributes:
        index: over all splits.
        split: train or test.
        first: index of its first image, or sequence, within the split.
        labels: class of each image, (n,), in order.
        lengths: digits of each sequence, (k,), which add up to n; empty for single images.
    """

    index: int
    split: str
    first: int
    labels: Counts
    lengths: Counts


def plan_shards(request: SynthesisRequest) -> tuple[Shard, ...]:
    """Divide a request into shards; the same request always gives the same shards.

    Examples:
        >>> request = SynthesisRequest(LabeledImages(train=(3000, 1500)))
        >>> [(shard.split, len(shard.labels)) for shard in plan_shards(request)]
        [('train', 2000), ('train', 2000), ('train', 500)]
    """
    content, seed = request.content, request.seed
    if isinstance(content, DigitSequences):
        return tuple(_sequence_shards(content, seed))
    return tuple(_image_shards(content, seed))


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
            yield Shard(index, split, first, _compact(labels), np.empty(0, np.uint8))
            index, first, remaining = index + 1, first + size, remaining - chosen


def _sequence_shards(sequences: DigitSequences, seed: int) -> Iterator[Shard]:
    """Draw lengths and digits from uniform distributions."""
    shortest, longest = sequences.length
    for index, first in enumerate(range(0, sequences.count, SEQUENCES_PER_SHARD)):
        size = min(SEQUENCES_PER_SHARD, sequences.count - first)
        random = random_numbers(seed, "strings", first)
        lengths = random.integers(shortest, longest + 1, size=size)
        labels = random.integers(0, 10, size=int(lengths.sum()))
        yield Shard(index, "train", first, _compact(labels), _compact(lengths))


def random_numbers(seed: int, *address: Address) -> np.random.Generator:
    """Return numpy's random numbers at an address of the data set with this seed."""
    return np.random.default_rng(seed_for(seed, "synth", *address))


def _compact(values: npt.NDArray[np.int64]) -> Counts:
    """Return whole numbers from 0 in the smallest type that can represent them."""
    smallest: Counts = values.astype(np.min_scalar_type(int(values.max())))
    return smallest
