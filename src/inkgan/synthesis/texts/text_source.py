"""What the sequences of a data set say: a text for each number of a sequence."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from inkgan.errors import ConfigError
from inkgan.handwriting.text import DIGITS, MAX_CHARACTERS, PUNCTUATION
from inkgan.synthesis.random_numbers import random_numbers
from inkgan.synthesis.texts.named_patterns import Source, parse_pattern
from inkgan.synthesis.texts.text_list import TextList
from inkgan.types import Float64, Int64

MAX_LENGTH = 32  # digits of a sequence of random digits
Lengths = tuple[tuple[int, float], ...]
PROBES = 200  # texts drawn to know how long they are on average


class TextSource(Protocol):
    """Gives each sequence its text."""

    def text(self, number: int, random: np.random.Generator) -> str:
        """Return the text of sequence `number`, counted over all splits."""

    @property
    def longest(self) -> int:
        """The largest number of characters."""


@dataclass(frozen=True)
class RandomDigits:
    """Random digits, leading zeros included.

    Attributes:
        lengths: each possible length with its weight.
    """

    lengths: Lengths

    @functools.cached_property
    def _shares(self) -> Float64:
        weights = np.array([weight for _, weight in self.lengths])
        return np.asarray(np.cumsum(weights / weights.sum()))

    def text(self, number: int, random: np.random.Generator) -> str:
        """Draw a length, then its digits."""
        chosen = int(np.searchsorted(self._shares, random.random(), side="right"))
        length = self.lengths[min(chosen, len(self.lengths) - 1)][0]
        return "".join(map(str, random.integers(10, size=length).tolist()))

    @property
    def longest(self) -> int:
        """The largest length."""
        return max(length for length, _ in self.lengths)


@dataclass(frozen=True)
class Patterns:
    """Texts of several patterns.

    Attributes:
        sources: one for each pattern.
        weights: how often each is used.
    """

    sources: tuple[Source, ...]
    weights: tuple[float, ...]

    def text(self, number: int, random: np.random.Generator) -> str:
        """Choose a pattern, then draw a text of it."""
        shares = np.cumsum(np.array(self.weights) / sum(self.weights))
        chosen = int(np.searchsorted(shares, random.random(), side="right"))
        source = self.sources[min(chosen, len(self.sources) - 1)]
        while not (text := source.draw(random).strip()):  # nothing but spaces has no ink
            pass
        return text

    @property
    def longest(self) -> int:
        """The length of the longest text."""
        return max(source.longest() for source in self.sources)


@dataclass(frozen=True)
class Shuffled:
    """Given texts in random order; each is used equally often, as far as the count allows.

    Attributes:
        texts: the texts.
        seed: of the data set.
    """

    texts: TextList
    seed: int

    def text(self, number: int, random: np.random.Generator) -> str:
        """Return the text at a place of the shuffled list, which is shuffled again at its end."""
        cycle, place = divmod(number, len(self.texts))
        return self.texts[int(_order(self.seed, len(self.texts), cycle)[place])]

    @property
    def longest(self) -> int:
        """The length of the longest text."""
        return self.texts.longest


@functools.lru_cache(maxsize=2)
def _order(seed: int, count: int, cycle: int) -> Int64:
    return random_numbers(seed, "texts", cycle).permutation(count)


def read_patterns(patterns: Sequence[str]) -> Patterns:
    """Read patterns; PATTERN@3 is used three times as often as one without a weight.

    Raises:
        ConfigError: names the pattern and what is wrong with it.
    """
    sources, weights = [], []
    for pattern in patterns:
        text, at, number = pattern.rpartition("@")
        weight = _weight(pattern, number) if at else 1.0
        source = parse_pattern(text if at else pattern)
        longest = source.longest()
        if not 1 <= longest <= MAX_CHARACTERS:
            raise ConfigError(
                f"`pattern` {pattern!r} makes texts of {longest:,} characters; possible are 1 to "
                f"{MAX_CHARACTERS}"
            )
        _refuse_blank(pattern, source)
        sources.append(source)
        weights.append(weight)
    return Patterns(tuple(sources), tuple(weights))


def _refuse_blank(pattern: str, source: Source) -> None:
    """Refuse a pattern that draws nothing but spaces: such a sequence has no ink."""
    random = np.random.default_rng(0)
    if not any(source.draw(random).strip() for _ in range(PROBES)):
        raise ConfigError(f"`pattern` {pattern!r} draws empty texts; let it contain a digit")


def check_lengths(lengths: Lengths) -> None:
    """Refuse impossible lengths of random digits.

    Raises:
        ConfigError: names the value.
    """
    for length, weight in lengths:
        if not 1 <= length <= MAX_LENGTH:
            raise ConfigError(f"`length` must be between 1 and {MAX_LENGTH}, not {length}")
        if not 0 < weight < float("inf"):
            raise ConfigError(f"`length` {length}: its weight must be above 0, not {weight:g}")


def mean_digits(source: TextSource) -> float:
    """Return how many digits a text has on average, from a sample that is always the same."""
    if isinstance(source, RandomDigits):
        lengths, weights = zip(*source.lengths, strict=True)
        return float(np.average(lengths, weights=weights))
    random = np.random.default_rng(0)
    texts = (source.text(number, random) for number in range(PROBES))
    return float(np.mean([sum(c in DIGITS for c in text) for text in texts]))


def has_marks(source: TextSource) -> bool:
    """Return whether marks are likely to occur, from a sample that is always the same."""
    random = np.random.default_rng(0)
    return any(set(source.text(number, random)) & set(PUNCTUATION) for number in range(PROBES))


def _weight(pattern: str, text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = -1.0
    if not 0 < weight < float("inf"):
        raise ConfigError(f"`pattern` {pattern!r}: the weight after @ must be a number above 0")
    return weight
