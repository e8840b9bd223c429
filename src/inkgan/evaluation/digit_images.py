"""Images of a file or an array brought to what the extractors read: 28x28 gray, light on dark."""

import numpy as np
import torch

from inkgan.errors import DataError
from inkgan.images import is_dark_on_light, mixed_ink_note, resize
from inkgan.metrics.features.networks import SIDE
from inkgan.types import UInt8

INVERTED = "The images are dark on light: inverted before they were evaluated."


def as_digit_images(raw: UInt8, name: str) -> tuple[UInt8, tuple[str, ...]]:
    """Bring images to 28x28 gray, light on dark.

    Args:
        raw: uint8 (n, H, W, C) with C of 1 or 3.
        name: of the images, for messages.

    Returns:
        Images uint8 (n, 28, 28), and what was done to them, in words.

    Raises:
        DataError: color images.
    """
    gray, from_color = _gray(raw, name)
    mixed = mixed_ink_note(gray)
    pixels, inverted = light_on_dark(gray)
    pixels, resized = _resized(pixels)
    return pixels, (*from_color, *mixed, *inverted, *resized)


def light_on_dark(pixels: UInt8) -> tuple[UInt8, tuple[str, ...]]:
    """Invert images (n, H, W) that are dark on light, as MNIST's digits are light on dark."""
    if not is_dark_on_light(pixels):
        return pixels, ()
    return 255 - pixels, (INVERTED,)


def _gray(raw: UInt8, name: str) -> tuple[UInt8, tuple[str, ...]]:
    """Take one channel where all are equal."""
    if raw.shape[3] == 1:
        return raw[..., 0], ()
    if (raw == raw[..., :1]).all():
        note = "Color images whose channels are all equal: evaluated as gray."
        return np.ascontiguousarray(raw[..., 0]), (note,)
    raise DataError(
        f"{name} holds color images; an evaluation takes gray digits (three digits stacked as "
        "color: `stacked=True`)"
    )


def _resized(pixels: UInt8) -> tuple[UInt8, tuple[str, ...]]:
    """Pad light-on-dark images with their paper to squares, then resize them."""
    height, width = pixels.shape[1:]
    if (height, width) == (SIDE, SIDE):
        return pixels, ()
    padded = ""
    if height != width:
        side = max(height, width)
        top, left = (side - height) // 2, (side - width) // 2
        square = np.zeros((len(pixels), side, side), np.uint8)
        square[:, top : top + height, left : left + width] = pixels
        pixels, padded = square, "padded to squares and "
    smaller = resize(torch.from_numpy(np.ascontiguousarray(pixels))[:, None], SIDE)[:, 0].numpy()
    note = f"The images have {height}x{width} pixels: {padded}resized to {SIDE}x{SIDE}."
    return smaller, (note,)
