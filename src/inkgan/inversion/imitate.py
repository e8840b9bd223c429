"""Reads digits that someone wrote, and writes others in the same handwriting."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from inkgan import images as image_tools
from inkgan.device import compute_settings
from inkgan.errors import ConfigError
from inkgan.generation.load import GeneratorSource, open_generator
from inkgan.generation.protocols import DifferentiableGenerator, GeneratorLike, can_classify
from inkgan.generation.style_control.calibration import CalibrationCache
from inkgan.generation.style_control.style import MEASURES, style_of
from inkgan.handwriting.text import DIGITS, read_text
from inkgan.handwriting.write import (
    HEIGHT,
    INK,
    JITTER,
    PAPER,
    SLANT_DRIFT,
    LineOptions,
    WrittenLine,
    write_line,
)
from inkgan.handwriting.writer import Writer, origin
from inkgan.inversion.optimize import InversionResult, invert
from inkgan.inversion.picture import Picture
from inkgan.inversion.recognize import RecognizedDigits, read_digits, recognition_notes
from inkgan.metrics.features.networks import SIDE
from inkgan.types import Float32, Float64, Progress, UInt8, silent

# Of 95 % of MNIST's test digits the error is below this: more is a digit that no draw is near.
LARGEST_ERROR = 0.08
NO_CODES = slice(0, 0)


@dataclass(frozen=True)
class Imitation:
    """A handwriting found by a generator; it shows itself in a notebook.

    Attributes:
        generator: what draws.
        recognized: the digits on the pictures.
        inversion: the nearest digits that the generator draws, and their errors.
        scores: the styles of the digits as latent coordinates, float64 (n, latent_dim); NaN where
            a coordinate is no style.
    """

    generator: GeneratorLike
    recognized: RecognizedDigits
    inversion: InversionResult
    scores: Float64

    @cached_property
    def writer(self) -> Writer:
        """The writer: digits of the pictures by their own latents, others by what these share."""
        known: dict[str, list[Float32]] = {}
        for digit, latent in zip(self.recognized.digits, self.inversion.latents, strict=True):
            known.setdefault(digit, []).append(latent)
        model = self.generator.bundle.recipe.model
        codes = slice(len(model.style_measures), model.known_coordinates)
        shared = shared_latent(self.inversion.latents, self.scores, codes)
        return Writer(self.generator, 0, shared_latent=shared, digit_latents=known)

    def write(
        self,
        text: object = DIGITS,
        *,
        height: int = HEIGHT,
        ink: str = INK,
        paper: str = PAPER,
        jitter: float = JITTER,
        slant_drift: float = SLANT_DRIFT,
    ) -> WrittenLine:
        """Write a text in the handwriting; arguments and errors are those of `inkgan.write`.

        Examples:
            >>> inkgan.imitate("my3.png").write("2026").save("mine.svg")
        """
        options = LineOptions(height, ink, paper, jitter, slant_drift)
        options.check()
        description = f"Handwriting on a picture, imitated by {origin(self.generator)}"
        return write_line(read_text(str(text)), self.writer, options, description)

    @property
    def notes(self) -> list[str]:
        """Sentences on what was left out, on doubtful digits, and on those badly imitated."""
        return recognition_notes(self.recognized) + self.error_notes

    @property
    def error_notes(self) -> list[str]:
        """Sentences on the digits whose error is above LARGEST_ERROR."""
        places = self.recognized.places or ("",) * len(self.recognized.digits)
        return [
            f"mark {number} is no digit that I know, or unlike any of MNIST: error {error:.3f}, "
            f"above {LARGEST_ERROR}" + (f" ({place})" if place else "")
            for number, (error, place) in enumerate(
                zip(self.inversion.errors.tolist(), places, strict=True), 1
            )
            if error > LARGEST_ERROR
        ]

    def comparison(self) -> UInt8:
        """Return a grid (H, W): the digits of the pictures above those that the generator draws."""
        rows = np.concatenate([self.recognized.images, self.inversion.drawn])
        return image_tools.grid(rows, len(self.recognized.digits), scale=4)

    def to_dict(self) -> dict[str, Any]:
        """Return for each digit what it is, the confidence in it, and the reconstruction error."""
        rows = zip(
            self.recognized.digits,
            self.recognized.confidence.tolist(),
            self.inversion.errors.tolist(),
            strict=True,
        )
        return {
            "generator": origin(self.generator),
            "digits": [
                {"digit": digit, "confidence": confidence, "error": error}
                for digit, confidence, error in rows
            ],
        }

    def __repr__(self) -> str:
        error = float(self.inversion.errors.mean())
        return f"<Imitation of {self.recognized.digits}: mean reconstruction error {error:.3f}>"

    def _repr_html_(self) -> str:
        digits = html.escape(self.recognized.digits)
        error = float(self.inversion.errors.mean())
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self.notes)
        return (
            f"{notes}<p>Recognized: {digits}; mean reconstruction error {error:.3f}. "
            "Above the digits, below what the generator draws.</p>"
            f'<img alt="{digits}" src="{image_tools.data_uri(self.comparison())}">'
        )


def imitate(
    pictures: Picture | Sequence[Picture],
    source: GeneratorSource = "flagship",
    *,
    digits: str | int | None = None,
    device: str = "auto",
    progress: Progress = silent,
) -> Imitation:
    """Imitate the handwriting of digits on pictures.

    Dark ink on light paper or light on dark, drawn or photographed; one digit on a picture, or many
    with paper between them.

    The latents are found by 115 steps of gradient descent, which multiply differences of rounding.
    So they are computed in one thread, and are the same on any number of cores; another processor
    or version of torch may find others.

    Args:
        pictures: a file, a PIL image, an array (H, W[, 3 or 4]) of uint8 or of floats in [0, 1],
            or several of these.
        source: a conditional run, bundle or name, or a generator.
        digits: the digits on the pictures in reading order, such as 3141; recognized if left out.
        device: auto, cpu, cuda, cuda:N or mps.
        progress: called as `progress(what, done, total)` during long work.

    Returns:
        The imitation: `.write(text)` writes in the handwriting.

    Raises:
        ConfigError: `digits` that are not possible, or a source that draws no digits by label.
        DataError: a picture that cannot be read, is blank, or shows nothing like a digit.
        ArtifactError: there is no such source.

    Examples:
        >>> mine = inkgan.imitate("my3.png")
        >>> mine.recognized.digits
        '3'
    """
    several: list[Any] = list(pictures) if isinstance(pictures, list | tuple) else [pictures]
    recognized = read_digits(several, None if digits is None else str(digits))
    return imitate_digits(recognized, open_generator(source, device), progress)


def imitate_digits(
    recognized: RecognizedDigits,
    generator: GeneratorLike,
    progress: Progress = silent,
    together: bool = True,
) -> Imitation:
    """Imitate digits in MNIST's format.

    Args:
        recognized: the digits.
        generator: what draws.
        progress: called during long work.
        together: all digits are of one writer.

    Raises:
        ConfigError: the generator draws no 28x28 digits by label, or not through a network.
    """
    name = generator.bundle.recipe.name
    if not generator.conditional or not can_classify(generator.bundle):
        raise ConfigError(
            f"{name} cannot imitate: that needs a conditional generator of the digits 0 to 9 in "
            f"{SIDE}x{SIDE} gray as `source`"
        )
    if not isinstance(generator, DifferentiableGenerator):
        raise ConfigError(f"{name} gives no gradients; use a Generator, as inkgan.load returns it")
    labels = [DIGITS.index(digit) for digit in recognized.digits]
    with compute_settings(threads=1):  # no more processor time, and always the same rounding
        scores = style_scores(generator, recognized.images, labels, progress)
        inversion = invert(generator, recognized.images, labels, scores, together, progress)
    return Imitation(generator, recognized, inversion, scores)


def style_scores(
    generator: GeneratorLike, images: UInt8, labels: list[int], progress: Progress = silent
) -> Float64:
    """Return the styles of digits as latent coordinates, float64 (n, latent_dim); NaN elsewhere."""
    scores = np.full((len(images), generator.latent_dim), np.nan)
    styles = list(generator.bundle.recipe.model.style_measures)
    styles_used = [name for name in styles if name in MEASURES]
    if styles_used:
        measured = style_of(images)
        calibrations = CalibrationCache(generator, progress).of(labels)
        ranks = np.concatenate(
            [c.scores(row[None]) for c, row in zip(calibrations, measured, strict=True)]
        )
        for name in styles_used:
            scores[:, styles.index(name)] = ranks[:, MEASURES.index(name)]
    return scores


def shared_latent(latents: Float32, scores: Float64, codes: slice = NO_CODES) -> Float32:
    """Return the latent for all other digits of a writer, float32 (latent_dim,).

    Coordinates of a style are the mean of the measured ones. The others are the mean of the
    latents, brought to the length of a typical latent: shorter ones draw digits without character,
    and often none at all. Shape codes are brought to theirs apart from the rest: an imitated
    digit decides them far more than the rest, so together they would grow beyond those of any
    real digit.

    Args:
        latents: of the imitated digits, (n, latent_dim).
        scores: the styles of these as coordinates, (n, latent_dim); NaN elsewhere.
        codes: where the coordinates are that `model.shape_codes` counts.
    """
    latent = latents.mean(axis=0).astype(np.float64)
    known = ~np.isnan(scores).any(axis=0)
    of_shape = np.zeros_like(known)
    of_shape[codes] = True
    for group in (of_shape & ~known, ~of_shape & ~known):
        latent[group] *= np.sqrt(group.sum()) / max(float(np.linalg.norm(latent[group])), 1e-9)
    latent[known] = scores[:, known].mean(axis=0)
    return np.asarray(latent, np.float32)
