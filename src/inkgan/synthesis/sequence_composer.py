"""Sequence number k of a data set as a picture, whatever was drawn before."""

import functools
from dataclasses import dataclass

from inkgan.synthesis.composition import ComposedString, compose
from inkgan.synthesis.glyph_pool import GlyphPool
from inkgan.synthesis.paper.paper_effects import effects_of
from inkgan.synthesis.random_numbers import random_numbers
from inkgan.synthesis.rendered_sequence import Effects, RenderedSequence
from inkgan.synthesis.sequence_plan import SequencePlan


@dataclass(frozen=True)
class SequenceComposer:
    """Composes the sequences of a data set; each is a pure function of the request and its place.

    Attributes:
        plan: what each one says and who writes it.
        pool: digits of all writers.

    Example:
        >>> plan = SequencePlan(sequences, {"train": (0, 500)}, seed=0)
        >>> SequenceComposer(plan, pool).render("train", 17).image
    """

    plan: SequencePlan
    pool: GlyphPool

    @functools.cached_property
    def _effects(self) -> Effects:
        return effects_of(self.plan.sequences.paper)

    def compose(self, split: str, index: int) -> ComposedString:
        """Return the ink of a sequence."""
        return compose(
            self.plan.text(split, index),
            self.plan.writer(split, index),
            self.pool,
            self.plan.sequences.layout,
            self.plan.places(split, index),
        )

    def render(self, split: str, index: int) -> RenderedSequence:
        """Return the picture of a sequence."""
        random = random_numbers(self.plan.seed, "effects", split, index)
        return self._effects(self.compose(split, index), random)
