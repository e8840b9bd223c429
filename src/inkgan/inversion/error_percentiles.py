"""Reconstruction errors of MNIST's test digits, with which others are compared."""

from collections.abc import Sequence
from importlib.resources import files as resources
from typing import Any, NamedTuple

import numpy as np

from inkgan import files
from inkgan.generation.protocols import GeneratorLike
from inkgan.inversion.imitate import imitate_digits
from inkgan.inversion.recognize import RecognizedDigits
from inkgan.types import Float64, Progress, UInt8, silent

SHIPPED = "reference.json"  # by the digest of a bundle: date, number of digits, percentiles
PERCENTS = np.arange(101.0)


class ErrorRank(NamedTuple):
    """The rank of an error among those of MNIST's test digits.

    Attributes:
        share: of test digits that are imitated less well.
        median: error of these.
    """

    share: float
    median: float


def rank_error(generator: GeneratorLike, error: float) -> ErrorRank | None:
    """Rank an error among those measured of this generator; None where none were."""
    known = shipped_percentiles().get(generator.bundle.digest[:16])
    if known is None:
        return None
    percentiles = np.asarray(known["percentiles"])
    below = float(np.interp(error, percentiles, PERCENTS / 100))
    return ErrorRank(1 - below, float(percentiles[50]))


def shipped_percentiles() -> dict[str, Any]:
    """Return what was measured of generators, by the first 16 digits of their digests."""
    document: dict[str, Any] = files.read_json(resources("inkgan.inversion") / SHIPPED)  # type: ignore[arg-type]
    return document


def measure_errors(
    generator: GeneratorLike, images: UInt8, labels: Sequence[int], progress: Progress = silent
) -> Float64:
    """Imitate digits, each by itself, and return their reconstruction errors, float64 (n,).

    Args:
        generator: a conditional generator of digits.
        images: uint8 (n, 28, 28), none of them used in training.
        labels: what they are.
        progress: called with how many are done.
    """
    digits = "".join(map(str, labels))
    unknown = np.full(len(images), np.nan)
    recognized = RecognizedDigits(images, digits, unknown, unknown)
    return imitate_digits(recognized, generator, progress, together=False).inversion.errors
