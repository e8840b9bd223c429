"""A writer: one latent under all digits, so that whoever wrote the 3 also wrote the 7."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from inkgan import rng
from inkgan.errors import ConfigError
from inkgan.generation.arguments import Seeds, as_seeds
from inkgan.generation.protocols import GeneratorLike, class_labels
from inkgan.handwriting.outline import Outline
from inkgan.handwriting.punctuation import Pen
from inkgan.handwriting.text import DIGITS
from inkgan.handwriting.trace import trace
from inkgan.metrics.strokes import measure
from inkgan.types import Float32, Float64, UInt8

LATENT_STEP = 0.35  # from a writer's digit to its variation at jitter 1, in standard deviations


def as_hands(hand: Seeds) -> list[int]:
    """Return the seeds of writers as a list of ints; they must be whole numbers from 0."""
    return as_seeds(hand, "hand")


def as_hand(hand: Seeds) -> int:
    """Return the seed of a single writer, a whole number from 0."""
    seeds = as_hands(hand)
    if len(seeds) > 1:
        raise ConfigError(f"`hand` must be one whole number, not {len(seeds)}")
    return seeds[0]


@dataclass(frozen=True)
class Writer:
    """Someone's handwriting, as a latent of a generator.

    Attributes:
        generator: a conditional generator of gray digits.
        seed: of the latent and of all random variation, a whole number from 0.
        render: returns the images of latents and labels, if not the generator's own.
        shared_latent: the latent of all digits, instead of the seed's.
        digit_latents: the latents of single digits that are known.
    """

    generator: GeneratorLike
    seed: int
    render: Callable[[Float32, list[int]], UInt8] | None = None
    shared_latent: Float32 | None = None
    digit_latents: Mapping[str, Sequence[Float32]] = field(default_factory=dict)

    @cached_property
    def latent(self) -> Float32:
        """The latent (latent_dim,) of the writer."""
        place: Float32 = (
            self.generator.latents([self.seed])[0]
            if self.shared_latent is None
            else self.shared_latent
        )
        return place

    @cached_property
    def pen(self) -> Pen:
        """Height, thickness and slant of the handwriting: the medians of the digits it has."""
        images = self._draw([(digit, 0) for digit in known_digits(self.generator)], 0.0)
        outlines = [outline for image in images if (outline := trace(image))]
        if not outlines:
            raise ConfigError(f"`hand` {self.seed} leaves no ink at all; choose another one")
        strokes = measure(images)
        return Pen(
            height=float(np.median([outline.bounds.height for outline in outlines])),
            thickness=float(np.nanmedian(strokes.thickness)),
            slant=float(np.nanmedian(strokes.slant)),
        )

    def digits(self, wanted: Sequence[tuple[str, int]], jitter: float) -> list[Outline]:
        """Draw digits, each (digit, how many of the same were written before).

        Nobody writes the same 3 twice: the k-th 3 is drawn at sqrt(1 - step^2) z + step n, a step
        of jitter * LATENT_STEP from the writer's latent z and as likely as z; n is N(0, 1) of
        (seed, digit, k). The first is drawn at z. Digits with known latents use these in turn.

        Raises:
            ConfigError: the generator cannot draw such a digit, or draws it without ink.
        """
        outlines = []
        for (digit, _), image in zip(wanted, self._draw(wanted, jitter), strict=True):
            outline = trace(image)
            if outline is None:
                raise ConfigError(
                    f"`hand` {self.seed} leaves no ink for {digit}; choose another one"
                )
            outlines.append(outline)
        return outlines

    def _draw(self, wanted: Sequence[tuple[str, int]], jitter: float) -> UInt8:
        labels = class_labels(self.generator, [digit for digit, _ in wanted])
        places = [self.place(digit, number, jitter * LATENT_STEP) for digit, number in wanted]
        render = self.render or self.generator.render
        return render(np.stack(places), labels or [])

    def place(self, digit: str, number: int, step: float) -> Float32:
        """Return the latent of a digit that was written `number` times before, `step` away."""
        shown = self.digit_latents.get(digit, ())
        latent = shown[number % len(shown)] if shown else self.latent
        if number < max(1, len(shown)) or step == 0:
            return latent
        direction = normal(len(latent), self.seed, "repeat", digit, number)
        moved = np.sqrt(1 - step**2) * latent + step * direction
        return np.asarray(moved, np.float32)


def known_digits(generator: GeneratorLike) -> list[str]:
    """Return the digits that a generator can draw on request.

    Raises:
        ConfigError: it has none.
    """
    digits = [digit for digit in DIGITS if digit in generator.bundle.classes]
    class_labels(generator, digits or list(DIGITS))  # refuses a generator without digits or labels
    return digits


def normal(count: int, seed: int, *address: rng.Address) -> Float64:
    """Draw `count` standard normal numbers of an address."""
    return rng.normal([seed], count, "write", *address)[0].numpy().astype(np.float64)


def origin(generator: GeneratorLike) -> str:
    """Describe in words which generator this is."""
    bundle = generator.bundle
    return (
        f"{bundle.recipe.name}, {bundle.images_seen:,} images seen, "
        f"inkgan {bundle.version}, data {bundle.data_sha256[:12]}"
    )
