"""A hand: one latent under all digits, so that whoever wrote the 3 also wrote the 7."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch

from inkgan import rng
from inkgan.errors import ConfigError
from inkgan.generation.protocols import GeneratorLike, class_labels
from inkgan.handwriting.outline import Outline
from inkgan.handwriting.punctuation import Pen
from inkgan.handwriting.text import DIGITS
from inkgan.handwriting.trace import trace
from inkgan.metrics.strokes import measure
from inkgan.types import Float32, Float64, UInt8

LATENT_STEP = 0.35  # from a hand's digit to its variation at jitter 1, in standard deviations
MOST_SEEDS = 2**63


def check_hand(seed: int) -> None:
    """Refuse an impossible hand before work starts."""
    if not 0 <= seed < MOST_SEEDS:
        raise ConfigError(f"--hand {seed} is impossible; hands are whole numbers from 0")


@dataclass(frozen=True)
class Hand:
    """Someone's way to write.

    Attributes:
        generator: a conditional generator of grey digits.
        seed: of the latent and of all that is unsteady, a whole number from 0.
        render: the images of latents and labels, where they are not simply the generator's.
        seen: the latent of a hand that was seen, in place of the seed's.
        own: the latents of single digits that were seen of it.
    """

    generator: GeneratorLike
    seed: int
    render: Callable[[Float32, list[int]], UInt8] | None = None
    seen: Float32 | None = None
    own: Mapping[str, Sequence[Float32]] = field(default_factory=dict)

    @cached_property
    def latent(self) -> Float32:
        """The hand's place (latent_dim,) in latent space."""
        place: Float32 = self.generator.latents([self.seed])[0] if self.seen is None else self.seen
        return place

    @cached_property
    def pen(self) -> Pen:
        """Height, thickness and slant of this hand: the medians of its ten digits."""
        images = self._draw([(digit, 0) for digit in DIGITS], 0.0)
        outlines = [outline for image in images if (outline := trace(image))]
        if not outlines:
            raise ConfigError(f"--hand {self.seed} leaves no ink at all; choose another one")
        strokes = measure(images)
        return Pen(
            height=float(np.median([outline.box.height for outline in outlines])),
            thickness=float(np.nanmedian(strokes.thickness)),
            slant=float(np.nanmedian(strokes.slant)),
        )

    def digits(self, wanted: Sequence[tuple[str, int]], jitter: float) -> list[Outline]:
        """Draw digits, each (digit, how many of the same this hand has written before).

        Nobody writes the same 3 twice: the k-th 3 stands a step of jitter * LATENT_STEP from the
        hand's latent z, at sqrt(1 - step^2) z + step n, which is as likely as z itself; n is drawn
        for (seed, digit, k). The first is the hand's own. Of a digit that was seen several times
        as many are.

        Raises:
            ConfigError: the generator cannot draw such a digit, or drew it without ink.
        """
        outlines = []
        for (digit, _), image in zip(wanted, self._draw(wanted, jitter), strict=True):
            outline = trace(image)
            if outline is None:
                raise ConfigError(
                    f"--hand {self.seed} leaves no ink for {digit}; choose another one"
                )
            outlines.append(outline)
        return outlines

    def _draw(self, wanted: Sequence[tuple[str, int]], jitter: float) -> UInt8:
        labels = class_labels(self.generator, [digit for digit, _ in wanted])
        places = [self._place(digit, number, jitter * LATENT_STEP) for digit, number in wanted]
        render = self.render or self.generator.render
        return render(np.stack(places), labels or [])

    def _place(self, digit: str, number: int, step: float) -> Float32:
        shown = self.own.get(digit, ())
        latent = shown[number % len(shown)] if shown else self.latent
        if number < max(1, len(shown)) or step == 0:
            return latent
        direction = normal(len(latent), self.seed, "repeat", digit, number)
        moved = np.sqrt(1 - step**2) * latent + step * direction
        return np.asarray(moved, np.float32)


def normal(count: int, seed: int, *address: rng.Address) -> Float64:
    """Draw `count` standard normal numbers that belong to an address."""
    drawn = torch.randn(count, generator=rng.generator(seed, "write", *address))
    return drawn.numpy().astype(np.float64)


def origin(generator: GeneratorLike) -> str:
    """Tell in words which generator this is."""
    bundle = generator.bundle
    return (
        f"{bundle.recipe.name}, {bundle.images_seen:,} images seen, "
        f"inkgan {bundle.version}, data {bundle.data_sha256[:12]}"
    )
