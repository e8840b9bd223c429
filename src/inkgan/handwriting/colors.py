"""Ink and paper: colours by name or number, and the picture that ink makes on paper."""

from dataclasses import dataclass

import numpy as np
from PIL import ImageColor

from inkgan.errors import ConfigError
from inkgan.types import UInt8

RGB = tuple[int, int, int]
TRANSPARENT = "transparent"


@dataclass(frozen=True)
class Colours:
    """The colour of the ink and of the paper, sRGB levels 0 to 255; paper None is transparent."""

    ink: RGB
    paper: RGB | None

    def ramp(self) -> UInt8:
        """Return the colours (256, 3) from bare paper to full ink, or (256, 4) without paper."""
        amount = np.arange(256)[:, None] / 255
        ink = np.asarray(self.ink, np.float64)
        if self.paper is None:
            alpha = np.arange(256, dtype=np.uint8)[:, None]
            return np.concatenate([np.tile(ink.astype(np.uint8), (256, 1)), alpha], axis=1)
        paper = np.asarray(self.paper, np.float64)
        return np.rint(paper + (ink - paper) * amount).astype(np.uint8)

    def paint(self, coverage: UInt8) -> UInt8:
        """Colour a picture of ink coverage.

        Args:
            coverage: uint8 (..., H, W); 0 is bare paper, 255 full ink.

        Returns:
            uint8 (..., H, W) where ink and paper are grey, else (..., H, W, 3), or (..., H, W, 4)
            without paper: alpha is then the coverage.
        """
        ramp = self.ramp()
        if self.paper is not None and len({*self.ink}) == len({*self.paper}) == 1:
            ramp = ramp[:, 0]
        painted: UInt8 = ramp[coverage]
        return painted


def parse_colours(ink: str, paper: str) -> Colours:
    """Read two colours: names, "#1a2b6d", "rgb(26, 43, 109)"; paper may be transparent.

    Raises:
        ConfigError: no colour, or one that is see-through.
    """
    return Colours(
        _opaque("--ink", ink), None if paper == TRANSPARENT else _opaque("--paper", paper)
    )


def _opaque(flag: str, text: str) -> RGB:
    way_out = 'give a name such as navy, or "#1a2b6d"'
    if flag == "--paper":
        way_out += f", or {TRANSPARENT}"
    try:
        levels = ImageColor.getrgb(text)
    except ValueError:
        raise ConfigError(f"{flag} {text!r} is no colour; {way_out}") from None
    if len(levels) == 4:
        raise ConfigError(f"{flag} {text!r} is see-through in part; {way_out}")
    return levels
