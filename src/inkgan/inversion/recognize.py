"""Finds the digits on pictures, in MNIST's format, and recognizes them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inkgan.errors import ConfigError
from inkgan.handwriting.text import DIGITS
from inkgan.inversion.components import find_components
from inkgan.inversion.ink import find_ink
from inkgan.inversion.mnist_format import THINNEST, to_mnist_format
from inkgan.inversion.picture import Picture, picture_name, read_brightness
from inkgan.metrics.features.extractors import extract_features
from inkgan.types import Float64, UInt8

UNSURE = 0.6  # confidence of E1 below which a digit should be checked


@dataclass(frozen=True)
class RecognizedDigits:
    """The digits on pictures.

    Attributes:
        images: uint8 (n, 28, 28) in MNIST's form, in reading request.
        digits: what they are, a character each.
        confidence: the probability of each by E1, float64 (n,).
        thickness: of the strokes as they were on the picture, in pixels of MNIST's form.
    """

    images: UInt8
    digits: str
    confidence: Float64
    thickness: Float64


def read_digits(pictures: Sequence[Picture], digits: str | None = None) -> RecognizedDigits:
    """Find digits on pictures and read them.

    Args:
        pictures: files or arrays, of one digit each or of many.
        digits: what they are, a character each in reading order; recognized by E1 if left out.

    Raises:
        ConfigError: `digits` are no digits, or not as many as were found.
        DataError: a picture that cannot be read, is blank, or shows nothing like a digit.
    """
    if digits is not None and not (digits and set(digits) <= set(DIGITS)):
        raise ConfigError(
            f"`digits` {digits!r}: give a digit for each mark on the pictures, such as 7"
        )
    found = []
    for picture in pictures:
        name = picture_name(picture)
        ink = find_ink(read_brightness(picture), name)
        found += [to_mnist_format(ink, component) for component in find_components(ink, name)]
    if not found:
        raise ConfigError("`pictures` is empty; give at least one")
    if digits is not None and len(digits) != len(found):
        raise ConfigError(
            f"`digits` {digits} has {len(digits)} digits, but {len(found)} marks were found; leave "
            "it out to see how they are recognized"
        )
    images = np.stack([image for image, _ in found])
    probabilities = extract_features(images).probabilities
    read = digits or "".join(map(str, probabilities.argmax(axis=1)))
    confidence = probabilities[np.arange(len(images)), [int(digit) for digit in read]]
    return RecognizedDigits(
        images, read, confidence, np.array([thickness for _, thickness in found])
    )


def recognition_notes(recognized: RecognizedDigits) -> list[str]:
    """Return sentences on doubtful and on thin digits."""
    notes = []
    for digit, sure in zip(recognized.digits, recognized.confidence, strict=True):
        if sure < UNSURE:
            notes.append(
                f"a {digit} is recognized with {sure:.0%} confidence only; `digits` can correct it"
            )
    thin = int((recognized.thickness < THINNEST).sum())
    if thin:
        notes.append(
            f"{thin} of {len(recognized.digits)} digits have thinner strokes than any in the "
            f"training data; they are thickened to {THINNEST} of 20 pixels"
        )
    return notes
