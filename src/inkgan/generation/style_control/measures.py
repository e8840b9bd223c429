"""What can be asked of a digit's style, in degrees and pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inkgan.errors import ConfigError
from inkgan.metrics.strokes import measure
from inkgan.types import Float64, UInt8

MEASURES = ("slant", "thickness", "width")
UNITS = {"slant": "degrees", "thickness": "pixels", "width": "pixels"}
# What counts as no error: thinning's steps are a few hundredths of a pixel, which nobody sees.
CLOSE = np.array([0.25, 0.03, 0.1])
Wish = float | Sequence[float] | None


@dataclass(frozen=True)
class Style:
    """What is asked of a digit, as `inkgan.evaluation.strokes` measures it; None leaves it free.

    Attributes:
        slant: degrees from the vertical, positive for "/".
        thickness: of the stroke, in pixels of the generator's images.
        width: of the upright digit, in the same pixels.
    """

    slant: Wish = None
    thickness: Wish = None
    width: Wish = None

    def __str__(self) -> str:
        """Return what is asked, as the end of a sentence."""
        told = [f"{name} {getattr(self, name):g} {UNITS[name]}" for name in self.asked]
        return f" with {', '.join(told)}" if told else ""

    @property
    def asked(self) -> tuple[str, ...]:
        """The measures that are not left free."""
        return tuple(name for name in MEASURES if getattr(self, name) is not None)

    def targets(self, count: int) -> Float64:
        """Return what is asked of each of `count` digits, float64 (count, 3), NaN where free.

        Raises:
            ConfigError: not one number, or one for each digit; or no finite number.
        """
        table = np.full((count, len(MEASURES)), np.nan)
        for name in self.asked:
            values = np.asarray(getattr(self, name), np.float64)
            if values.shape not in ((), (count,)):
                raise ConfigError(
                    f"--{name}: {values.size} values for {count} digits; give one, or one a digit"
                )
            if not np.isfinite(values).all():
                raise ConfigError(f"--{name} {getattr(self, name)} is no number to be asked for")
            table[:, MEASURES.index(name)] = values
        return table


FREE = Style()


def measure_styles(images: UInt8) -> Float64:
    """Measure MEASURES of images uint8 (n, H, W), float64 (n, 3); NaN where one is blank."""
    strokes = measure(images)
    return np.stack([getattr(strokes, name) for name in MEASURES], axis=1)
