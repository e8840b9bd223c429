"""How the characters of a sequence stand beside each other: a frozen value."""

from dataclasses import dataclass
from typing import Any

from inkgan.errors import ConfigError

Pair = tuple[float, float]
LEAST_HEIGHT, MOST_HEIGHT = 16, 512  # of a picture, in pixels
MAX_SPACING = 100.0  # pixels of the generator's images
STEEPEST = 30.0  # degrees of a line
MOST_DRIFT, MOST_JITTER = 0.5, 0.5
SPACINGS: dict[str, Pair] = {"tight": (1, 3), "normal": (1, 8), "loose": (6, 16)}


@dataclass(frozen=True)
class SequenceLayout:
    """How the characters of a sequence stand beside each other.

    Attributes:
        height: of the picture in pixels, 16 to 512; a digit takes 3/5 of it. A line that leans or
            drifts further makes a taller picture.
        spacing: least and most blank pixels between the ink of neighbors that do not touch, as
            pixels of the generator's images.
        touching: share of the pairs of neighboring digits whose ink touches, 0 to 1.
        overlapping: share of the pairs whose ink lies over each other, 0 to 1.
        drift: of the baseline from one character to the next, as a share of a digit's height (the
            standard deviation).
        tilt: least and most degrees of the whole line, positive for a line that rises.
        size_jitter: relative standard deviation of a character's size; leans vary with it.

    Example:
        >>> SequenceLayout(height=32, spacing=(0, 2), touching=0.2, tilt=(-5, 5))
    """

    height: int = 48
    spacing: Pair = SPACINGS["normal"]
    touching: float = 0.0
    overlapping: float = 0.0
    drift: float = 0.03
    tilt: Pair = (-2.0, 2.0)
    size_jitter: float = 0.05

    def as_json(self) -> dict[str, Any]:
        """Return the values as JSON, with every measure but the height as a float."""
        values: dict[str, Any] = {"height": self.height, "spacing": [*map(float, self.spacing)]}
        values |= {"touching": float(self.touching), "overlapping": float(self.overlapping)}
        values |= {"drift": float(self.drift), "tilt": [*map(float, self.tilt)]}
        return values | {"size_jitter": float(self.size_jitter)}

    def check(self) -> None:
        """Refuse impossible values.

        Raises:
            ConfigError: names the parameter and its value.
        """
        if not LEAST_HEIGHT <= self.height <= MOST_HEIGHT:
            raise ConfigError(
                f"`height` must be from {LEAST_HEIGHT} to {MOST_HEIGHT} pixels, not {self.height}"
            )
        smallest, largest = two_numbers("spacing", self.spacing)
        if not 0 <= smallest <= largest <= MAX_SPACING:
            raise ConfigError(
                f"`spacing` must be two numbers of pixels between 0 and {MAX_SPACING:g}, the "
                f"smaller first, not {smallest:g} and {largest:g}"
            )
        for name in ("touching", "overlapping"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"`{name}` must be from 0 to 1, not {getattr(self, name):g}")
        if self.touching + self.overlapping > 1:
            raise ConfigError(
                "`touching` and `overlapping` are shares of the same pairs and make "
                f"{self.touching + self.overlapping:g} together; the maximum is 1"
            )
        least, most = two_numbers("tilt", self.tilt)
        if not -STEEPEST <= least <= most <= STEEPEST:
            raise ConfigError(
                f"`tilt` must be two numbers from -{STEEPEST:g} to {STEEPEST:g} degrees, the "
                f"smaller first, not {least:g} and {most:g}"
            )
        for name, limit in (("drift", MOST_DRIFT), ("size_jitter", MOST_JITTER)):
            if not 0 <= getattr(self, name) <= limit:
                raise ConfigError(
                    f"`{name}` must be from 0 to {limit:g}, not {getattr(self, name):g}"
                )


def two_numbers(name: str, value: Any) -> Pair:
    """Return a pair as it is.

    Raises:
        ConfigError: it is something else, such as a name that the command line knows.
    """
    try:
        first, second = (float(number) for number in (() if isinstance(value, str) else value))
    except (TypeError, ValueError):
        raise ConfigError(f"`{name}` must be two numbers, not {value!r}") from None
    return first, second
