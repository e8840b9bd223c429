"""Which images the extractors are fitted to, and which they never see.

A network knows the images that it was fitted to: their features differ from those of new images
of the same writers. Real baselines are therefore taken from images that no extractor was fitted
to. A hash of the pixels decides, so that the rule holds for any part of a data set, in any order.
"""

import zlib

import numpy as np

from inkgan.types import Bool, UInt8

VALIDATION_PART = 12  # one image in so many, the last ones: 5,000 of MNIST's 60,000


def fitting_images(pixels: UInt8) -> Bool:
    """Tell which images belong to the half that E1, E2 and E3 are fitted to.

    The half is decided by the lowest bit of the CRC-32 (IEEE 802.3) of an image's bytes. Equal
    images are in the same half.

    Args:
        pixels: uint8 (n, ...), one image per row.

    Returns:
        bool (n,): True for images to fit to, False for those of the baselines.

    Example:
        >>> fitting_images(np.arange(4 * 784, dtype=np.uint8).reshape(4, 28, 28)).shape
        (4,)
    """
    rows = np.ascontiguousarray(pixels)
    hashes = (zlib.crc32(image) for image in rows)
    return np.fromiter((value % 2 == 0 for value in hashes), np.bool_, len(rows))


def scorer_images(pixels: UInt8) -> Bool:
    """Tell which training images E3 is fitted to: of the same half, without validation images.

    Args:
        pixels: the whole training split, uint8 (n, ...). Its last twelfth is never fitted: the
            built-in data sets reserve validation images from their end.

    Returns:
        bool (n,).
    """
    chosen = fitting_images(pixels)
    chosen[len(chosen) - len(chosen) // VALIDATION_PART :] = False
    return chosen
