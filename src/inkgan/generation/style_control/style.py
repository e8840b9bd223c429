"""The measures of a digit's style that can be requested, in degrees and pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inkgan.errors import ConfigError
from inkgan.generation.arguments import StyleValue
from inkgan.images import light_on_dark
from inkgan.metrics.strokes import measure
from inkgan.types import Float64, UInt8

MEASURES = ("slant", "thickness", "width")
UNITS = {"slant": "degrees", "thickness": "pixels", "width": "pixels"}
# What counts as no error: thinning's steps are a few hundredths of a pixel, which nobody sees.
CLOSE = np.array([0.25, 0.03, 0.1])
# What still counts as the requested style; more is visible, and gets a note.
TOLERANCES = np.array([2.0, 0.3, 0.5])


@dataclass(frozen=True)
class Style:
    """The requested style of digits, as `inkgan.metrics.strokes` measures it.

    Each is None (free), a number, a tuple (low, high), or a list with a number for each image.

    Attributes:
        slant: degrees from the vertical, positive for "/".
        thickness: of the stroke, in pixels of the generator's images.
        width: of the upright digit, in the same pixels.
    """

    slant: StyleValue = None
    thickness: StyleValue = None
    width: StyleValue = None

    def __str__(self) -> str:
        """Return the request as the end of a sentence."""
        parts = [f"{name} {_text(getattr(self, name))} {UNITS[name]}" for name in self.requested]
        return f" with {', '.join(parts)}" if parts else ""

    @property
    def requested(self) -> tuple[str, ...]:
        """The measures that are not free."""
        return tuple(name for name in MEASURES if getattr(self, name) is not None)

    @property
    def has_ranges(self) -> bool:
        """Whether a measure is requested as a range."""
        return any(_is_range(getattr(self, name)) for name in MEASURES)

    def bounds(self, count: int) -> tuple[Float64, Float64]:
        """Return the lowest and the highest allowed measures of `count` images.

        Returns:
            Two arrays float64 (count, 3), NaN where a measure is free; equal where it is a number.

        Raises:
            ConfigError: not a finite number, a range, or one number for each image.
        """
        low, high = (np.full((count, len(MEASURES)), np.nan) for _ in range(2))
        for name in self.requested:
            column = MEASURES.index(name)
            low[:, column], high[:, column] = _bounds(name, getattr(self, name), count)
        return low, high


FREE = Style()


def style_of(images: UInt8) -> Float64:
    """Measure MEASURES of images uint8 (n, H, W), float64 (n, 3); NaN where one is blank.

    Images that are dark on light are inverted first.
    """
    strokes = measure(light_on_dark(images))
    return np.stack([getattr(strokes, name) for name in MEASURES], axis=1)


def _is_range(value: StyleValue) -> bool:
    return isinstance(value, tuple) and len(value) == 2


def _bounds(name: str, value: float | Sequence[float], count: int) -> tuple[Float64, Float64]:
    try:
        values = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        values = np.full((), np.nan)
    if not np.isfinite(values).all():
        raise ConfigError(f"`{name}` must be a finite number, or a range (low, high), not {value}")
    if _is_range(value):
        low, high = values
        if low > high:
            raise ConfigError(f"`{name}`: the range {value} runs backwards; give ({high}, {low})")
        return low, high
    if values.shape not in ((), (count,)):
        raise ConfigError(
            f"`{name}` has {values.size} values for {count} images; give one number, a range "
            "(low, high), or one number for each image"
        )
    return values, values


def _text(value: float | Sequence[float]) -> str:
    if _is_range(value):
        return f"{value[0]:g} to {value[1]:g}"  # type: ignore[index]
    return f"{value:g}" if np.ndim(value) == 0 else "of each image"
