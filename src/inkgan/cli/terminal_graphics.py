"""Pictures as the escapes of terminals that show pixels: kitty's graphics protocol, and sixel."""

import base64
import os

import numpy as np

from inkgan.images import LUMINANCE, png_bytes
from inkgan.types import UInt8

KITTY_CHUNK = 4096  # bytes of base64 in one escape, as the protocol says
LEVELS = 8  # of gray in a sixel picture: more take longer
BAND = 6  # rows of pixels in one row of sixels


def kitty(picture: UInt8, columns: int, lines: int, number: int | None = None) -> str:
    """Show a picture in a field of character cells; the cursor stays.

    The same number again replaces the picture.

    Source: https://sw.kovidgoyal.net/kitty/graphics-protocol/

    Args:
        picture: uint8 (H, W) or (H, W, 3).
        columns: of the field.
        lines: of the field.
        number: of the picture in the terminal; by default that of the process.
    """
    number = number or os.getpid() % 0x7FFFFF + 1
    data = base64.b64encode(png_bytes(picture, fast=True)).decode()
    chunks = [data[place : place + KITTY_CHUNK] for place in range(0, len(data), KITTY_CHUNK)]
    head = f"a=T,f=100,q=2,C=1,i={number},p=1,c={columns},r={lines},"
    return "".join(
        f"\x1b_G{head if place == 0 else ''}m={int(place < len(chunks) - 1)};{chunk}\x1b\\"
        for place, chunk in enumerate(chunks)
    )


def sixel(picture: UInt8, scale: int = 1) -> str:
    """Show a picture in LEVELS of gray, its upper left corner at the cursor.

    Source: VT330/VT340 Programmer Reference Manual, chapter 14.

    Args:
        picture: uint8 (H, W) or (H, W, 3).
        scale: how often each pixel is repeated along each side.
    """
    levels = gray_levels(picture).repeat(scale, axis=0)
    height, width = levels.shape
    parts = [f'\x1bP0;0;0q"1;1;{width * scale};{height}']
    parts += [
        f"#{level};2;{share};{share};{share}"
        for level in range(LEVELS)
        for share in [round(100 * level / (LEVELS - 1))]
    ]
    padded = np.full((-(-height // BAND) * BAND, width), -1)
    padded[:height] = levels
    weights = 1 << np.arange(BAND)
    for band in padded.reshape(-1, BAND, width):
        rows = []
        for level in np.unique(band[band >= 0]).tolist():
            masks = weights @ (band == level)  # (width,)
            rows.append(f"#{level}{_runs(masks, scale)}")
        parts.append("$".join(rows) + "-")
    return "".join(parts) + "\x1b\\"


def gray_levels(picture: UInt8) -> np.ndarray:
    """Return the level of gray of each pixel, from 0 to LEVELS - 1."""
    gray = picture @ np.array(LUMINANCE) if picture.ndim == 3 else picture.astype(np.float64)
    return np.asarray(np.rint(gray * (LEVELS - 1) / 255).astype(np.int64))


def _runs(masks: np.ndarray, scale: int) -> str:
    """Write the sixels of one color in one band, equal ones as a number and one character."""
    starts = np.flatnonzero(np.diff(masks, prepend=-1))
    lengths = np.diff(starts, append=len(masks)) * scale
    return "".join(
        f"!{length}{chr(63 + mask)}" if length > 3 else chr(63 + mask) * length
        for mask, length in zip(masks[starts].tolist(), lengths.tolist(), strict=True)
    )
