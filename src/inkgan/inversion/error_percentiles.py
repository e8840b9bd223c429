"""How near MNIST's test digits are imitated: what a reconstruction error is held against."""

from collections.abc import Sequence
from importlib.resources import files as resources
from typing import Any, NamedTuple

import numpy as np

from inkgan import files
from inkgan.generation.protocols import GeneratorLike
from inkgan.inversion.imitate import imitate_digits
from inkgan.inversion.recognize import Seen
from inkgan.types import Float64, Progress, UInt8, silent

SHIPPED = "reference.json"  # by the digest of a bundle: date, number of digits, percentiles
PERCENTS = np.arange(101.0)


class Place(NamedTuple):
    """Where an error stands among those of MNIST's test digits.

    Attributes:
        share: of test digits that are imitated less well.
        median: error of these.
    """

    share: float
    median: float


def place(generator: GeneratorLike, error: float) -> Place | None:
    """Place an error among those measured of this generator; None where none were."""
    known = shipped().get(generator.bundle.digest[:16])
    if known is None:
        return None
    percentiles = np.asarray(known["percentiles"])
    below = float(np.interp(error, percentiles, PERCENTS / 100))
    return Place(1 - below, float(percentiles[50]))


def shipped() -> dict[str, Any]:
    """Return what was measured of generators, by the first 16 digits of their digests."""
    held: dict[str, Any] = files.read_json(resources("inkgan.inversion") / SHIPPED)  # type: ignore[arg-type]
    return held


def measure_errors(
    generator: GeneratorLike, images: UInt8, labels: Sequence[int], progress: Progress = silent
) -> Float64:
    """Imitate digits, each by itself, and return their reconstruction errors, float64 (n,).

    Args:
        generator: a conditional generator of digits.
        images: uint8 (n, 28, 28), of which the generator has seen none.
        labels: what they are.
        progress: told how many are done.
    """
    digits = "".join(map(str, labels))
    unknown = np.full(len(images), np.nan)
    seen = Seen(images, digits, unknown, unknown)
    return imitate_digits(seen, generator, progress, together=False).fit.errors
