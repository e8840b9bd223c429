"""The digits that sequences are composed of: images by writer, digit and variant."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from inkgan.metrics.strokes import measure
from inkgan.types import Float64, UInt8

INK = 32  # the darkest level that counts as ink: an eighth of the range, above a generator's haze
PADDING = 2  # of background round each image, so that interpolation ends softly at its border
PEN_DIGITS = (1, 4, 7)  # whose strokes show thickness and slant best
DIGIT_SHARE = 20 / 28  # of an image that a digit takes in MNIST's format


@dataclass(frozen=True)
class GlyphPool:
    """Images of digits by writer, digit and variant.

    Attributes:
        images: uint8 (writers, 10, variants, H, W), light on dark, none of them blank.
        writers: the name of each writer.
    """

    images: UInt8
    writers: tuple[str, ...]

    @property
    def num_variants(self) -> int:
        """How many images there are of each digit of a writer."""
        return int(self.images.shape[2])

    @property
    def digit_height(self) -> float:
        """The usual height of a digit in pixels."""
        return DIGIT_SHARE * int(self.images.shape[-2])

    @cached_property
    def padded(self) -> UInt8:
        """The images with PADDING pixels of background on all sides."""
        sides = [(0, 0)] * 3 + [(PADDING, PADDING)] * 2
        return np.pad(self.images, sides)

    @cached_property
    def bounds(self) -> npt.NDArray[np.int16]:
        """Left, top, right and bottom of the ink in `padded`, int16 (writers, 10, variants, 4)."""
        ink = self.padded >= INK
        columns, rows = np.asarray(ink.any(axis=-2)), np.asarray(ink.any(axis=-1))
        return np.stack(
            [
                columns.argmax(axis=-1),
                rows.argmax(axis=-1),
                columns.shape[-1] - columns[..., ::-1].argmax(axis=-1),
                rows.shape[-1] - rows[..., ::-1].argmax(axis=-1),
            ],
            axis=-1,
        ).astype(np.int16)

    @cached_property
    def pens(self) -> Float64:
        """Stroke thickness in pixels and slant in degrees of each writer, float64 (writers, 2)."""
        shown = self.images[:, PEN_DIGITS, 0]
        strokes = measure(shown.reshape(-1, *shown.shape[2:]))
        each = len(self.images), len(PEN_DIGITS)
        return np.stack(
            [
                np.nanmedian(strokes.thickness.reshape(each), axis=1),
                np.nanmedian(strokes.slant.reshape(each), axis=1),
            ],
            axis=1,
        )


def pool_of_images(images: Sequence[UInt8], num_writers: int, variants: int) -> GlyphPool:
    """Make a pool of single images, for example real ones, dealt out to imaginary writers.

    Args:
        images: of each digit from 0 to 9, uint8 (n, H, W), as many as all the writers need.
        num_writers: number of writers.
        variants: images of each digit of a writer.

    Example:
        >>> pool_of_images([digits[labels == d] for d in range(10)], num_writers=500, variants=8)
    """
    needed = num_writers * variants
    rows = [
        of_digit[:needed].reshape(num_writers, variants, *of_digit.shape[1:]) for of_digit in images
    ]
    return GlyphPool(np.stack(rows, axis=1), tuple(map(str, range(num_writers))))
