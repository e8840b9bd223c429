"""One hand: whether the ten digits that a generator draws from one latent share their style."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from inkgan.metrics.icc import absolute_agreement, consistency
from inkgan.metrics.stats.intervals import Interval
from inkgan.metrics.strokes import measure
from inkgan.rng import seed_for
from inkgan.types import Float64, Progress, UInt8, silent

STYLES = ("slant", "thickness", "width", "height")
SHOWN = 10  # latents in the picture
UNKNOWN = Interval(np.nan, np.nan, np.nan)


class Shared(NamedTuple):
    """How much of one measure belongs to the latent, whichever digit is drawn.

    Attributes:
        consistency: ICC(3,1) with each digit's own mean taken off, the number that counts.
        absolute: ICC(1,1); lower, since a 1 is narrow in any hand.
        apart: the consistency of digits whose latents do not belong together: chance, about 0.
    """

    consistency: Interval
    absolute: Interval
    apart: Interval


@dataclass(frozen=True)
class Hand:
    """The hand of a conditional generator.

    Attributes:
        shared: for each of STYLES how far the digits of a latent agree.
        latents: how many were drawn, each as all digits.
        blank: how many of these had a blank image among their digits, and were left out.
        examples: the first latents, uint8 (10, digits, H, W).
    """

    shared: dict[str, Shared]
    latents: int
    blank: int
    examples: UInt8

    def as_json(self) -> dict[str, Any]:
        """Return the numbers as plain values; None where there is none."""
        return {
            "latents": self.latents,
            "blank": self.blank,
            "shared": {
                style: {name: _plain(interval) for name, interval in shared._asdict().items()}
                for style, shared in self.shared.items()
            },
        }


def assess_hand(images: UInt8, progress: Progress = silent) -> Hand:
    """Measure how far digits uint8 (latents, digits, H, W), a latent in each row, share a style.

    Latents and digits are the subjects and raters of Shrout and Fleiss 1979. The intervals hold
    95 %; they are NaN where fewer than two latents are left, or where no digit ever changes.

    Raises:
        ValueError: not uint8 (latents, digits, H, W), or fewer than two digits.
    """
    if images.ndim != 4 or images.dtype != np.uint8 or images.shape[1] < 2:
        raise ValueError(
            f"needs uint8 digits (latents, digits, H, W), got {images.dtype} {images.shape}"
        )
    latents, digits = images.shape[:2]
    measured = measure(images.reshape(-1, *images.shape[2:]), progress)
    tables = {style: getattr(measured, style).reshape(latents, digits) for style in STYLES}
    whole = ~np.isnan(tables["slant"]).any(axis=1)
    return Hand(
        shared={style: _shared(table[whole]) for style, table in tables.items()},
        latents=latents,
        blank=int((~whole).sum()),
        examples=images[:SHOWN],
    )


def _shared(table: Float64) -> Shared:
    if len(table) < 2:
        return Shared(UNKNOWN, UNKNOWN, UNKNOWN)
    random = np.random.default_rng(seed_for(0, "latents apart"))
    apart = random.permuted(table, axis=0)
    return Shared(consistency(table), absolute_agreement(table), consistency(apart))


def _plain(interval: Interval) -> dict[str, float | None]:
    return {end: value if np.isfinite(value) else None for end, value in interval._asdict().items()}
