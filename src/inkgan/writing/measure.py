"""The slant and the thickness of strokes, which the marks beside the digits take over."""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import distance_transform_edt
from skimage.morphology import skeletonize

from inkgan.images import UInt8
from inkgan.writing.outline import Float64
from inkgan.writing.trace import FINENESS, HALF, enlarge


class Strokes(NamedTuple):
    """Measures of n images, float64 (n,) each; NaN where an image is blank.

    Attributes:
        slant: degrees from the vertical, positive where the digit leans to the right, as in "/".
        thickness: mean of the stroke in pixels.
    """

    slant: Float64
    thickness: Float64


def measure(images: UInt8) -> Strokes:
    """Measure light digits on dark, uint8 (n, H, W), as Morpho-MNIST does (Castro et al. 2019).

    Thickness is twice the mean distance to the background along the skeleton; slant is the angle
    of the shear that makes the mixed second moment of the ink vanish.
    """
    rows = np.array([(_slant(image), _thickness(image)) for image in images])
    return Strokes(rows[:, 0], rows[:, 1])


def _thickness(image: UInt8) -> float:
    ink = enlarge(image) > HALF
    if not ink.any():
        return float("nan")
    distance = distance_transform_edt(ink) / FINENESS
    return float(2 * distance[skeletonize(ink)].mean())


def _slant(image: UInt8) -> float:
    weight = image.astype(np.float64)
    if not weight.any():
        return float("nan")
    y, x = np.indices(image.shape)
    right = x - np.average(x, weights=weight)
    up = np.average(y, weights=weight) - y
    return float(np.degrees(np.arctan((weight * right * up).sum() / (weight * up**2).sum())))
