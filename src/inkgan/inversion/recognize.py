"""Finds the digits on pictures, in MNIST's format, and recognizes them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inkgan.errors import ConfigError
from inkgan.handwriting.text import DIGITS
from inkgan.inversion.mnist_format import THINNEST
from inkgan.inversion.picture import Picture
from inkgan.inversion.read_picture import DOUBTFUL, read_picture
from inkgan.metrics.features.extractors import classify
from inkgan.types import Float64, UInt8

UNSURE = 0.6  # confidence of E1 below which a digit should be checked


@dataclass(frozen=True)
class RecognizedDigits:
    """The digits on pictures.

    Attributes:
        images: uint8 (n, 28, 28) in MNIST's form, in reading order.
        digits: what they are, a character each.
        confidence: the probability of each by E1, float64 (n,).
        thickness: of the strokes as they were on the picture, in pixels of MNIST's form.
        remarks: sentences on how they were found, and on what was left out.
        places: where each is, in words.
        predicted: what E1 takes them for where `digits` was given, and how confident it is.
    """

    images: UInt8
    digits: str
    confidence: Float64
    thickness: Float64
    remarks: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    predicted: tuple[tuple[str, float], ...] = ()


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
    if not pictures:
        raise ConfigError("`pictures` is empty; give at least one")
    expected = len(digits) if digits is not None and len(pictures) == 1 else None
    pages = [read_picture(picture, expected) for picture in pictures]
    marks = [mark for page in pages for mark in page.marks]
    remarks = tuple(dict.fromkeys(remark for page in pages for remark in page.remarks))
    if digits is not None and len(digits) != len(marks):
        raise ConfigError(
            f"`digits` {digits} has {len(digits)} digits, but {len(marks)} marks were found; leave "
            "it out to see how they are recognized"
        )
    images = np.stack([mark.image for mark in marks])
    probabilities = classify(images).probabilities
    best = probabilities.argmax(axis=1)
    read = digits or "".join(map(str, best))
    confidence = probabilities[np.arange(len(images)), [int(digit) for digit in read]]
    predicted = tuple(zip(map(str, best), probabilities.max(axis=1).tolist(), strict=True))
    return RecognizedDigits(
        images,
        read,
        confidence,
        np.array([mark.thickness for mark in marks]),
        remarks,
        tuple(mark.place for mark in marks),
        predicted if digits is not None else (),
    )


def recognition_notes(recognized: RecognizedDigits) -> list[str]:
    """Return sentences on what was left out, on doubtful and on thin digits."""
    notes = list(recognized.remarks)
    for number, (digit, (seen, sure)) in enumerate(
        zip(recognized.digits, recognized.predicted, strict=False), 1
    ):
        if seen != digit and sure >= DOUBTFUL:
            notes.append(f"mark {number} looks like a {seen}, `digits` says {digit}")
    for digit, sure in zip(recognized.digits, recognized.confidence, strict=True):
        if sure < UNSURE and not recognized.predicted:
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
