"""A digit in the format of MNIST: 20x20 pixels, centered by mass in 28x28."""

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.morphology import disk, skeletonize

from inkgan.inversion.components import Component
from inkgan.inversion.ink import Ink
from inkgan.metrics.features.networks import SIDE
from inkgan.types import Bool, Float64, UInt8

BOX = 20  # pixels, into which the longer side is scaled (LeCun et al. 1998, section III-A)
RIM = 2  # pixels of a stroke's soft edge about its mask
THINNEST = 1.7  # pixels of BOX; hardly a digit of MNIST is thinner, and no generator draws it


def to_mnist_format(ink: Ink, component: Component) -> tuple[UInt8, float]:
    """Cut a component out and bring it into MNIST's form.

    A stroke that would be thinner than THINNEST, as a ball pen's is, is thickened to it.

    Returns:
        uint8 (28, 28), light on dark; and the stroke's thickness on the picture, in pixels of BOX.
    """
    top, left = component.box[:2]
    rim = max(RIM, round(0.02 * max(component.height, component.width)))
    around = np.pad(component.mask, rim)
    there = _window(ink.amount, top - rim, left - rim, around.shape)
    amount = np.where(ndimage.binary_dilation(around, disk(rim)), there, 0.0)
    scale = BOX / max(component.height, component.width)
    thickness = _thickness(around) * scale
    if thickness < THINNEST:
        radius = max(1, round((THINNEST - thickness) / scale / 2))
        amount = ndimage.grey_dilation(np.pad(amount, radius), footprint=disk(radius))
    return _placed(_scaled(amount)), thickness


def _window(values: Float64, top: int, left: int, shape: tuple[int, ...]) -> Float64:
    """Cut a window out of values (H, W); what lies outside of these is 0."""
    height, width = shape
    window = np.zeros(shape)
    rows, columns = slice(max(top, 0), top + height), slice(max(left, 0), left + width)
    inside = values[rows, columns]
    first, start = max(-top, 0), max(-left, 0)
    window[first : first + inside.shape[0], start : start + inside.shape[1]] = inside
    return window


def _thickness(mask: Bool) -> float:
    """Return twice the mean distance from the skeleton to the background, in pixels."""
    depth = ndimage.distance_transform_edt(mask)
    return 2 * float(depth[skeletonize(mask)].mean()) - 1


def _scaled(amount: Float64) -> Float64:
    """Scale so that what is at least half ink just fits into BOX.

    Of a mark that is fainter than half ink, what is at least half as dark as its darkest pixel.
    """
    darkest = float(amount.max())
    seen = amount >= (0.5 if darkest >= 0.5 else darkest / 2)
    rows, columns = (np.flatnonzero(seen.any(axis=axis)) for axis in (1, 0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    height, width = bottom - top, right - left
    scale = BOX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    picture = Image.fromarray(amount.astype(np.float32))
    scaled = picture.resize(size, Image.Resampling.BOX, box=(left, top, right, bottom))
    return np.asarray(scaled, np.float64)


def _placed(digit: Float64) -> UInt8:
    """Put a digit (h, w), in [0, 1], into 28x28 with its center of mass at pixel (14, 14).

    There MNIST has it: its mean over the test images is (14.00, 14.01).
    """
    rows, columns = ndimage.center_of_mass(digit)
    top, left = (
        int(np.clip(round(SIDE / 2 - centre), 0, SIDE - side))
        for centre, side in zip((rows, columns), digit.shape, strict=True)
    )
    image = np.zeros((SIDE, SIDE))
    image[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    return np.rint(255 * image).astype(np.uint8)
