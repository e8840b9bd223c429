"""From pictures to digits in MNIST's form, and what they are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inkgan.errors import ConfigError
from inkgan.handwriting.text import DIGITS
from inkgan.inversion.components import find_marks
from inkgan.inversion.ink import find_ink
from inkgan.inversion.mnist_format import THINNEST, normalise
from inkgan.inversion.picture import Picture, read_brightness
from inkgan.metrics.features.extractors import extract_features
from inkgan.types import Float64, UInt8

UNSURE = 0.6  # the judge's confidence below which a reading is to be checked


@dataclass(frozen=True)
class Seen:
    """Digits that were found on pictures.

    Attributes:
        images: uint8 (n, 28, 28) in MNIST's form, in reading request.
        digits: what they are, a character each.
        confidence: of the judge in these, float64 (n,).
        thickness: of the strokes as they were on the picture, in pixels of MNIST's form.
    """

    images: UInt8
    digits: str
    confidence: Float64
    thickness: Float64


def read_digits(pictures: Sequence[Picture], digits: str | None = None) -> Seen:
    """Find digits on pictures and read them.

    Args:
        pictures: files or arrays, of one digit each or of many.
        digits: what they are, a character each in reading order; the judge reads them if left out.

    Raises:
        ConfigError: `digits` are no digits, or not as many as were found.
        DataError: a picture that cannot be read, is blank, or shows nothing like a digit.
    """
    if digits is not None and not (digits and set(digits) <= set(DIGITS)):
        raise ConfigError(f"--digit {digits!r}: give what is shown, a digit for each mark, as 7")
    found = []
    for picture in pictures:
        name = "the picture" if isinstance(picture, np.ndarray) else str(picture)
        ink = find_ink(read_brightness(picture), name)
        found += [normalise(ink, mark) for mark in find_marks(ink, name)]
    if not found:
        raise ConfigError("there is no picture to imitate; name one")
    if digits is not None and len(digits) != len(found):
        raise ConfigError(
            f"--digit {digits} names {len(digits)} digits, but {len(found)} marks were found; "
            "leave it out to see how they are read"
        )
    images = np.stack([image for image, _ in found])
    probabilities = extract_features(images).probabilities
    read = digits or "".join(map(str, probabilities.argmax(axis=1)))
    confidence = probabilities[np.arange(len(images)), [int(digit) for digit in read]]
    return Seen(images, read, confidence, np.array([thickness for _, thickness in found]))


def notes(seen: Seen) -> list[str]:
    """Tell what is to be known of digits that were read."""
    told = []
    for digit, sure in zip(seen.digits, seen.confidence, strict=True):
        if sure < UNSURE:
            told.append(
                f"a {digit} is read with {sure:.0%} confidence only; --digit says what it is"
            )
    thin = int((seen.thickness < THINNEST).sum())
    if thin:
        told.append(
            f"{thin} of {len(seen.digits)} digits have thinner strokes than any that the generator "
            f"knows; they are thickened to {THINNEST} of 20 pixels"
        )
    return told
