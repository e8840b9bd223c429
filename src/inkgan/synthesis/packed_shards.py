"""The shards of a packed data set: ranges of image numbers, each made by itself."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from inkgan.errors import DataError
from inkgan.generation.protocols import GeneratorLike
from inkgan.synthesis.dataset_sampler import DatasetSampler
from inkgan.synthesis.random_numbers import random_numbers
from inkgan.synthesis.request import BLOCK, SEEDS_PER_SET, LabeledImages, SynthesisRequest
from inkgan.synthesis.shard_store import DrawCounts, ShardResult
from inkgan.types import Int64


@dataclass(frozen=True)
class PackedShard:
    """A file of a data set, and the images in it.

    Attributes:
        index: over all splits.
        split: train or test.
        number: of the file within the split.
        first: number of its first image within the split.
        count: of its images.
        offset: number of its first image within the data set.
    """

    index: int
    split: str
    number: int
    first: int
    count: int
    offset: int

    @property
    def name(self) -> str:
        """The name of its claim and its record."""
        return f"shard-{self.index:06d}"


def packed_shards(images: LabeledImages) -> Iterator[PackedShard]:
    """Yield the shards of all splits in order.

    Example:
        >>> images = LabeledImages((3000, 1500), format="parquet", shard_size=2000)
        >>> [(shard.name, shard.count) for shard in packed_shards(images)]
        [('shard-000000', 2000), ('shard-000001', 2000), ('shard-000002', 500)]
    """
    index = offset = 0
    for split, counts in images.splits().items():
        total = sum(counts)
        for number, first in enumerate(range(0, total, images.shard_size)):
            count = min(images.shard_size, total - first)
            yield PackedShard(index, split, number, first, count, offset + first)
            index += 1
        offset += total


def num_shards(images: LabeledImages, split: str | None = None) -> int:
    """Count the shards of a split, or of all."""
    splits = {key: sum(n) for key, n in images.splits().items() if split in (None, key)}
    return sum(-(-total // images.shard_size) for total in splits.values())


def shard_labels(images: LabeledImages, seed: int, shard: PackedShard) -> Int64:
    """Return the labels of a shard (n,): exact counts over the split, in random order.

    The first n labels of a shuffled list contain each class as often as n draws without
    replacement do, in random order. So all shards together are the shuffle of the whole list.
    """
    remaining = np.array(images.splits()[shard.split], dtype=np.int64)
    for first in range(0, shard.first + 1, images.shard_size):
        size = min(images.shard_size, int(remaining.sum()))
        random = random_numbers(seed, "labels of packed shards", shard.split, first)
        chosen = random.multivariate_hypergeometric(remaining, size, method="marginals")
        remaining = remaining - chosen
    labels: Int64 = random.permutation(np.repeat(np.arange(len(chosen)), chosen))
    return labels


def draw_shard(
    generator: GeneratorLike, request: SynthesisRequest, shard: PackedShard
) -> Iterator[tuple[ShardResult, DrawCounts]]:
    """Draw the images of a shard, block by block; they depend on nothing but the shard.

    Image k of a data set of n images has the seed k of the data set's range. Where an image is
    rejected, the next ones of its block have the seeds k + n, k + 2n and so on.

    Yields:
        The images of each block with the counts of what was drawn for it.

    Raises:
        DataError: too few images satisfy the criteria.
    """
    images = request.content
    assert isinstance(images, LabeledImages)
    labels = shard_labels(images, request.seed, shard)
    for start in range(0, shard.count, BLOCK):
        part = labels[start : start + BLOCK]
        seeds = _BlockSeeds(request, shard.offset + start, len(part), images.num_images)
        sampler = DatasetSampler(generator, request, DrawCounts(), seeds)
        yield sampler.fill(part), sampler.counts


@dataclass(frozen=True)
class _BlockSeeds:
    """The seeds of the images of a block: of its own numbers first, then of further rounds."""

    request: SynthesisRequest
    first: int
    count: int
    total: int

    def __call__(self, drawn: int, count: int) -> Int64:
        rounds, places = np.divmod(np.arange(drawn, drawn + count, dtype=np.int64), self.count)
        numbers = rounds * self.total + self.first + places
        if numbers[-1] >= SEEDS_PER_SET:
            raise DataError(
                f"too many images were rejected: all {SEEDS_PER_SET:,} seeds of this data set are "
                "used up; relax the criteria, or make several smaller sets, each with another "
                "`seed`"
            )
        found: Int64 = self.request.first_seed + numbers
        return found
