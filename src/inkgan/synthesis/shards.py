"""Which labels stand in which shard: exact counts, shuffled, and nothing kept in memory."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from inkgan.rng import Address, seed_for
from inkgan.synthesis.request import Digits, Request, Strings
from inkgan.types import Int64

SHARD = 2000  # images: some seconds of drawing, the most that a kill can cost
STRINGS = 500  # in a shard


@dataclass(frozen=True)
class Part:
    """The labels of one shard.

    Attributes:
        index: of the shard, over all splits.
        split: train or test.
        first: place of its first image, or string, within the split.
        labels: class of each image (n,), in order.
        lengths: digits of each string (k,), which add up to n; one each for single digits.
    """

    index: int
    split: str
    first: int
    labels: Int64
    lengths: Int64


def parts(request: Request) -> Iterator[Part]:
    """Yield the shards' labels in order; the same request always gives the same."""
    content, seed = request.content, request.seed
    yield from _strings(content, seed) if isinstance(content, Strings) else _digits(content, seed)


def _digits(content: Digits, seed: int) -> Iterator[Part]:
    """Shuffle each split's labels, shard by shard.

    The first n of a shuffled list hold each class as often as n draws without replacement do, and
    are shuffled themselves: so this is the shuffle of the whole list, in a shard's memory.
    """
    index = 0
    for split, counts in content.splits().items():
        left = np.array(counts, dtype=np.int64)
        first = 0
        while total := int(left.sum()):
            random = numbers(seed, "labels", split, first)
            chosen = random.multivariate_hypergeometric(left, min(SHARD, total), method="marginals")
            labels = random.permutation(np.repeat(np.arange(len(left)), chosen))
            yield Part(index, split, first, labels, np.ones_like(labels))
            index, first, left = index + 1, first + len(labels), left - chosen


def _strings(content: Strings, seed: int) -> Iterator[Part]:
    """Draw lengths and digits evenly."""
    fewest, most = content.length
    for index, first in enumerate(range(0, content.count, STRINGS)):
        random = numbers(seed, "strings", first)
        lengths = random.integers(fewest, most + 1, size=min(STRINGS, content.count - first))
        labels = random.integers(0, 10, size=int(lengths.sum()))
        yield Part(index, "train", first, labels, lengths)


def numbers(seed: int, *address: Address) -> np.random.Generator:
    """Return numpy's generator at an address, for whole numbers and shuffles."""
    return np.random.default_rng(seed_for(seed, "synth", *address))
