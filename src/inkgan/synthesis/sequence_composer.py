"""Sequence number k of a data set: its text, its writer, its picture, whatever was drawn before."""

import functools
from dataclasses import dataclass

from inkgan.synthesis.composition import ComposedString, compose
from inkgan.synthesis.glyph_pool import GlyphPool
from inkgan.synthesis.paper.paper_effects import effects_of
from inkgan.synthesis.random_numbers import random_numbers
from inkgan.synthesis.rendered_sequence import Effects, RenderedSequence
from inkgan.synthesis.sequence_request import Sequences
from inkgan.synthesis.texts.text_source import TextSource
from inkgan.types import Int64

Rows = tuple[int, int]


@dataclass(frozen=True)
class SequenceComposer:
    """Composes the sequences of a data set; each is a pure function of the request and its place.

    Attributes:
        sequences: the request, resolved.
        pool: digits of all writers.
        writers: the rows of each split's writers in the pool, (first, last + 1).
        seed: of the data set.

    Example:
        >>> composer = SequenceComposer(sequences, pool, {"train": (0, 500)}, seed=0)
        >>> composer.render("train", 17).image
    """

    sequences: Sequences
    pool: GlyphPool
    writers: dict[str, Rows]
    seed: int

    @functools.cached_property
    def _source(self) -> TextSource:
        return self.sequences.source(self.seed)

    @functools.cached_property
    def _effects(self) -> Effects:
        return effects_of(self.sequences.paper)

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

    def compose(self, split: str, index: int) -> ComposedString:
        """Return the ink of a sequence."""
        random = random_numbers(self.seed, "places", split, index)
        return compose(
            self.text(split, index),
            self.writer(split, index),
            self.pool,
            self.sequences.layout,
            random,
        )

    def render(self, split: str, index: int) -> RenderedSequence:
        """Return the picture of a sequence."""
        random = random_numbers(self.seed, "effects", split, index)
        return self._effects(self.compose(split, index), random)


@functools.lru_cache(maxsize=8)
def _order(seed: int, split: str, count: int, cycle: int) -> Int64:
    return random_numbers(seed, "writers", split, cycle).permutation(count)
