"""What each sequence of a data set says and who writes it, before anything is drawn."""

import functools
from dataclasses import dataclass

import numpy as np

from inkgan.synthesis.composition import digits_of
from inkgan.synthesis.glyph_pool import PEN_DIGITS
from inkgan.synthesis.random_numbers import random_numbers
from inkgan.synthesis.sequence_request import Sequences
from inkgan.synthesis.texts.text_source import TextSource
from inkgan.types import Bool, Int64

Rows = tuple[int, int]
MANY_USES = 3  # of each image on average: then a twentieth at most is not needed


@dataclass(frozen=True)
class SequencePlan:
    """Texts and writers of the sequences; each a pure function of the request and its place.

    Attributes:
        sequences: the request, resolved.
        writers: the rows of each split's writers, (first, last + 1).
        seed: of the data set.

    Example:
        >>> plan = SequencePlan(sequences, {"train": (0, 500)}, seed=0)
        >>> plan.text("train", 17), plan.writer("train", 17)
    """

    sequences: Sequences
    writers: dict[str, Rows]
    seed: int

    @functools.cached_property
    def _source(self) -> TextSource:
        return self.sequences.source(self.seed)

    @functools.cached_property
    def _first(self) -> dict[str, int]:
        """The number of the first sequence of each split, counted over all splits."""
        first, total = {}, 0
        for split, count in self.sequences.splits().items():
            first[split] = total
            total += count
        return first

    def text(self, split: str, index: int) -> str:
        """Return what a sequence says."""
        random = random_numbers(self.seed, "text", split, index)
        return self._source.text(self._first[split] + index, random)

    def writer(self, split: str, index: int) -> int:
        """Return the row of a sequence's writer; all writers of a split write equally often."""
        first, end = self.writers[split]
        cycle, place = divmod(index, end - first)
        return first + int(_order(self.seed, split, end - first, cycle)[place])

    def places(self, split: str, index: int) -> np.random.Generator:
        """Return the random numbers that place a sequence's characters."""
        return random_numbers(self.seed, "places", split, index)

    def needed_digits(self, variants: int) -> Bool | None:
        """Return which images of the writers' digits the sequences show.

        Args:
            variants: images of each digit of a writer.

        Returns:
            (writers, 10, variants), with those that a writer's pen is measured on; or None, which
            means all, where hardly any image would be left out.
        """
        size = max(end for _, end in self.writers.values()), 10, variants
        if self.sequences.num_digits() > MANY_USES * np.prod(size):
            return None
        needed = np.zeros(size, np.bool_)
        needed[:, PEN_DIGITS, 0] = True
        layout = self.sequences.layout
        for split, count in self.sequences.splits().items():
            for index in range(count):
                text, random = self.text(split, index), self.places(split, index)
                of_writer = needed[self.writer(split, index)]
                for digit, variant in digits_of(text, variants, layout, random):
                    of_writer[digit, variant] = True
        return needed


@functools.lru_cache(maxsize=8)
def _order(seed: int, split: str, count: int, cycle: int) -> Int64:
    return random_numbers(seed, "writers", split, cycle).permutation(count)
