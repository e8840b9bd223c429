"""Imitating: reading someone's digits, and writing others in that hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from inkgan.errors import ConfigError
from inkgan.generation.load import GeneratorSource, open_generator
from inkgan.generation.protocols import DifferentiableGenerator, GeneratorLike, can_classify
from inkgan.generation.style_control.calibration import CalibrationCache
from inkgan.generation.style_control.style import MEASURES, style_of
from inkgan.handwriting.layout import lay_out
from inkgan.handwriting.text import DIGITS
from inkgan.handwriting.write import Page, check_page
from inkgan.handwriting.writer import Hand, origin
from inkgan.inversion.optimize import Fit, fit
from inkgan.inversion.picture import Picture
from inkgan.inversion.recognize import Seen, read_digits
from inkgan.metrics.features.networks import SIDE
from inkgan.types import Float32, Float64, Progress, UInt8, silent


@dataclass(frozen=True)
class Imitation:
    """A hand that was seen, and what a generator makes of it.

    Attributes:
        generator: what draws.
        seen: the digits that were shown.
        fit: what the generator draws in their place, and how near that is.
        scores: the shown digits' styles as coordinates, float64 (n, latent_dim); NaN where none.
    """

    generator: GeneratorLike
    seen: Seen
    fit: Fit
    scores: Float64

    @cached_property
    def hand(self) -> Hand:
        """The hand: digits that were shown by their own latents, others by what these share."""
        own: dict[str, list[Float32]] = {}
        for digit, latent in zip(self.seen.digits, self.fit.latents, strict=True):
            own.setdefault(digit, []).append(latent)
        return Hand(self.generator, 0, seen=shared_latent(self.fit.latents, self.scores), own=own)

    def page(
        self,
        text: str = DIGITS,
        *,
        height: int = 64,
        ink: str = "black",
        paper: str = "white",
        jitter: float = 0.5,
        slant_drift: float = 0.0,
    ) -> Page:
        """Write a text in the hand; arguments and errors are those of `inkgan.write`."""
        wanted, colours = check_page(text, height, ink, paper, jitter, slant_drift)
        line = lay_out(wanted, self.hand, jitter=jitter, slant_drift=slant_drift)
        return Page(line, colours, height, f"A hand seen, imitated by {origin(self.generator)}")

    def write(
        self,
        text: str = DIGITS,
        *,
        height: int = 64,
        ink: str = "black",
        paper: str = "white",
        jitter: float = 0.5,
        slant_drift: float = 0.0,
    ) -> UInt8:
        """Write a text in the hand, as `inkgan.write` does."""
        return self.page(
            text, height=height, ink=ink, paper=paper, jitter=jitter, slant_drift=slant_drift
        ).pixels()


def imitate(
    pictures: Picture | Sequence[Picture],
    source: GeneratorSource = "flagship",
    *,
    digits: str | None = None,
    device: str = "auto",
    progress: Progress = silent,
) -> Imitation:
    """Imitate the hand of digits on pictures; `write` of what is returned writes in it.

    Dark ink on light paper or light on dark, drawn or photographed; one digit on a picture, or many
    with paper between them.

    Args:
        pictures: a file, an array uint8 (H, W[, 3 or 4]), or several of these.
        source: a conditional run, bundle or name, or a Generator.
        digits: what is shown, a character for each digit in reading order; read if left out.
        device: auto, cpu, cuda, cuda:N or mps.
        progress: told of long work.

    Raises:
        ConfigError: `digits` that cannot be, or a source that draws no digits by label.
        DataError: a picture that cannot be read, is blank, or shows nothing like a digit.
        ArtifactError: there is no such source.
    """
    several = [pictures] if isinstance(pictures, str | Path | np.ndarray) else pictures
    seen = read_digits(several, digits)
    return imitate_digits(seen, open_generator(source, device), progress)


def imitate_digits(
    seen: Seen, generator: GeneratorLike, progress: Progress = silent, together: bool = True
) -> Imitation:
    """Imitate digits in MNIST's form.

    Raises:
        ConfigError: the generator draws no 28x28 digits by label, or not through a network.
    """
    name = generator.bundle.recipe.name
    if not generator.conditional or not can_classify(generator.bundle):
        raise ConfigError(
            f"{name} cannot imitate: that needs a conditional generator of the digits 0 to 9 in "
            f"{SIDE}x{SIDE} grey; name one with --from"
        )
    if not isinstance(generator, DifferentiableGenerator):
        raise ConfigError(f"{name} gives no gradients; use a Generator, as inkgan.load returns it")
    labels = [DIGITS.index(digit) for digit in seen.digits]
    scores = style_scores(generator, seen.images, labels, progress)
    fitted = fit(generator, seen.images, labels, scores, together, progress)
    return Imitation(generator, seen, fitted, scores)


def style_scores(
    generator: GeneratorLike, images: UInt8, labels: list[int], progress: Progress = silent
) -> Float64:
    """Return digits' styles as latent coordinates, float64 (n, latent_dim); NaN where none is."""
    scores = np.full((len(images), generator.latent_dim), np.nan)
    styles = list(generator.bundle.recipe.model.style_measures)
    taught = [name for name in styles if name in MEASURES]
    if taught:
        measured = style_of(images)
        calibrations = CalibrationCache(generator, progress).of(labels)
        ranks = np.concatenate(
            [c.scores(row[None]) for c, row in zip(calibrations, measured, strict=True)]
        )
        for name in taught:
            scores[:, styles.index(name)] = ranks[:, MEASURES.index(name)]
    return scores


def shared_latent(latents: Float32, scores: Float64) -> Float32:
    """Return the latent of a hand's other digits, float32 (latent_dim,).

    The coordinates of a style are the mean of those measured. The others are the mean of the
    latents, brought to the length of a typical latent: shorter ones draw digits without a character
    of their own, and often none at all.
    """
    latent = latents.mean(axis=0).astype(np.float64)
    known = ~np.isnan(scores).any(axis=0)
    rest = ~known
    latent[rest] *= np.sqrt(rest.sum()) / max(float(np.linalg.norm(latent[rest])), 1e-9)
    latent[known] = scores[:, known].mean(axis=0)
    return np.asarray(latent, np.float32)
