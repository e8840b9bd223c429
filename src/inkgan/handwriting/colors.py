"""Ink and paper: colors by name or number, and the picture that ink makes on paper."""

from dataclasses import dataclass

import numpy as np
from PIL import ImageColor

from inkgan.errors import ConfigError
from inkgan.types import UInt8

RGB = tuple[int, int, int]
TRANSPARENT = "transparent"


@dataclass(frozen=True)
class Colors:
    """The color of the ink and of the paper, sRGB levels 0 to 255; paper None is transparent."""

    ink: RGB
    paper: RGB | None

    def ramp(self) -> UInt8:
        """Return the colors (256, 3) from bare paper to full ink, or (256, 4) without paper."""
        amount = np.arange(256)[:, None] / 255
        ink = np.asarray(self.ink, np.float64)
        if self.paper is None:
            alpha = np.arange(256, dtype=np.uint8)[:, None]
            return np.concatenate([np.tile(ink.astype(np.uint8), (256, 1)), alpha], axis=1)
        paper = np.asarray(self.paper, np.float64)
        return np.rint(paper + (ink - paper) * amount).astype(np.uint8)

    def paint(self, coverage: UInt8) -> UInt8:
        """Color a picture of ink coverage.

        Args:
            coverage: uint8 (..., H, W); 0 is bare paper, 255 full ink.

        Returns:
            uint8 (..., H, W) where ink and paper are gray, else (..., H, W, 3), or (..., H, W, 4)
            without paper: alpha is then the coverage.
        """
        ramp = self.ramp()
        if self.paper is not None and len({*self.ink}) == len({*self.paper}) == 1:
            ramp = ramp[:, 0]
        painted: UInt8 = ramp[coverage]
        return painted


def parse_colors(ink: str, paper: str) -> Colors:
    """Read two colors: names, "#1a2b6d", "rgb(26, 43, 109)"; paper may be transparent.

    Raises:
        ConfigError: no color, or one that is partly transparent.
    """
    return Colors(_opaque("ink", ink), None if paper == TRANSPARENT else _opaque("paper", paper))


def _opaque(name: str, text: str) -> RGB:
    way_out = 'give a name such as navy, or "#1a2b6d"'
    if name == "paper":
        way_out += f", or {TRANSPARENT}"
    try:
        levels = ImageColor.getrgb(text)
    except ValueError:
        raise ConfigError(f"`{name}` {text!r} is no color; {way_out}") from None
    if not all(0 <= level <= 255 for level in levels):
        raise ConfigError(f"`{name}` {text!r} is no color: its levels go from 0 to 255")
    if len(levels) == 4:
        raise ConfigError(f"`{name}` {text!r} is partly transparent; {way_out}")
    return levels
