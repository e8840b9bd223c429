"""Pictures as text: half blocks in color, braille without, and sparklines.

A half block shows two pixels in one character cell: the upper in the color of the text, the lower
in the color behind it. A braille character shows two by four dots.
"""

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
from PIL import Image

from inkgan.images import LUMINANCE
from inkgan.types import UInt8

ColorSystem = Literal["truecolor", "256"]
RESET = "\x1b[0m"
BARS = "▁▂▃▄▅▆▇█"
BRAILLE = 0x2800
DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])  # of a cell, 4 by 2
INK = 96  # the level from which a pixel is a dot
CUBE = np.array([0, 95, 135, 175, 215, 255])  # levels of the color cube of 256 colors
RAMP = np.array([0, *range(8, 239, 10), 255])  # levels of gray of 256 colors
RAMP_COLORS = np.array([16, *range(232, 256), 231])


def shrink(picture: UInt8, width: int, height: int) -> UInt8:
    """Resize a picture (H, W) or (H, W, 3) to fewer pixels, each the mean of what it covers."""
    if picture.shape[:2] == (height, width):
        return picture
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BOX))


def half_blocks(picture: UInt8, system: ColorSystem) -> list[str]:
    """Write a picture in color, two rows of pixels in each line.

    Args:
        picture: uint8 (H, W) or (H, W, 3); H is even.
        system: truecolor, or 256 for the nearest of the fixed colors.

    Returns:
        H / 2 lines, each W characters wide, which end in the terminal's own colors.
    """
    if system == "256":
        colors, spell = nearest_of_256(picture), _spell_256
    else:
        colors, spell = _packed(picture), _spell_truecolor
    lines = []
    for upper, lower in zip(colors[::2].tolist(), colors[1::2].tolist(), strict=True):
        parts, front, back = [], -1, -1
        for top, bottom in zip(upper, lower, strict=True):
            if bottom != back:
                parts.append(f"\x1b[48;{spell(bottom)}m")
                back = bottom
            if top == bottom:
                parts.append(" ")
                continue
            if top != front:
                parts.append(f"\x1b[38;{spell(top)}m")
                front = top
            parts.append("▀")
        lines.append("".join(parts) + RESET)
    return lines


def braille(picture: UInt8) -> list[str]:
    """Write a picture as dots, four rows of pixels in each line and two columns in each character.

    Args:
        picture: uint8 (H, W) or (H, W, 3); H is a multiple of 4, W of 2.
    """
    dots = is_ink(picture)
    height, width = dots.shape
    cells = dots.reshape(height // 4, 4, width // 2, 2)
    codes = BRAILLE + np.einsum("yixj,ij->yx", cells.astype(np.int64), DOTS)
    return ["".join(map(chr, row)) for row in codes.tolist()]


def is_ink(picture: UInt8) -> np.ndarray:
    """Tell which pixels of a picture are dots, as booleans (H, W)."""
    gray = picture @ np.array(LUMINANCE) if picture.ndim == 3 else picture
    return np.asarray(gray >= INK)


def sparkline(
    values: Sequence[float], width: int, low: float | None = None, high: float | None = None
) -> str:
    """Draw values as a line of bars; several values share a bar where there are more than fit.

    Args:
        values: in order; a bar of values that are no numbers is empty.
        width: characters at most.
        low: the value of the lowest bar; by default the least value.
        high: the same of the highest.

    Examples:
        >>> sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8), sparkline([1, 1, 3, 3], 2)
        ('▁▂▃▄▅▆▇█', '▁█')
    """
    bars = min(width, len(values))
    if bars <= 0:
        return ""
    edges = [round(place * len(values) / bars) for place in range(bars + 1)]
    means = [sum(values[a:b]) / (b - a) for a, b in itertools.pairwise(edges)]
    known = [mean for mean in means if math.isfinite(mean)]
    if not known:
        return " " * bars
    low, high = min(known) if low is None else low, max(known) if high is None else high
    span = high / 2 - low / 2  # of halves, as a whole may overflow

    def bar(mean: float) -> str:
        if not math.isfinite(mean):
            return " "
        place = (mean / 2 - low / 2) / span if span > 0 else 0.0
        return BARS[round(min(1.0, max(0.0, place)) * (len(BARS) - 1))]

    return "".join(map(bar, means))


def nearest_of_256(picture: UInt8) -> np.ndarray:
    """Return the number of the nearest of the 240 fixed colors for each pixel, (H, W)."""
    if picture.ndim == 2:
        numbers: np.ndarray = _gray_of_256()[picture]
        return numbers
    red, green, blue = np.moveaxis(_cube_of_256()[picture].astype(np.int64), -1, 0)
    cube = 16 + 36 * red + 6 * green + blue
    is_gray = np.ptp(picture, axis=-1) == 0
    return np.where(is_gray, _gray_of_256()[picture[..., 0]], cube)


@lru_cache
def _gray_of_256() -> np.ndarray:
    levels = np.arange(256)
    return np.asarray(RAMP_COLORS[np.abs(levels[:, None] - RAMP).argmin(axis=1)])


@lru_cache
def _cube_of_256() -> np.ndarray:
    return np.asarray(np.abs(np.arange(256)[:, None] - CUBE).argmin(axis=1))


def _packed(picture: UInt8) -> np.ndarray:
    """Return the color of each pixel as one number of 24 bits, (H, W)."""
    deep = picture.astype(np.int64)
    if picture.ndim == 2:
        return deep * 0x010101
    return np.asarray(deep @ np.array([0x010000, 0x000100, 0x000001]))


@lru_cache(4096)
def _spell_truecolor(color: int) -> str:
    return f"2;{color >> 16};{color >> 8 & 255};{color & 255}"


@lru_cache(256)
def _spell_256(color: int) -> str:
    return f"5;{color}"
