"""Style consistency: whether the ten digits that a generator draws from one latent look alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from inkgan.metrics.icc import icc_consistency, icc_one_way
from inkgan.metrics.stats.intervals import Interval
from inkgan.metrics.strokes import measure
from inkgan.rng import seed_for
from inkgan.types import Float64, Progress, UInt8, silent

STYLES = ("slant", "thickness", "width", "height")
SHOWN = 10  # latents in the picture
UNKNOWN = Interval(np.nan, np.nan, np.nan)


class StyleCorrelation(NamedTuple):
    """How much of one measure of style belongs to the latent, whichever digit is drawn.

    Attributes:
        consistency: ICC(3,1), each digit's own mean taken off; the number that counts.
        one_way: ICC(1,1); lower, since a 1 is narrow in any handwriting.
        permuted: the consistency of digits from different latents: chance, about 0.
    """

    consistency: Interval
    one_way: Interval
    permuted: Interval


@dataclass(frozen=True)
class StyleConsistency:
    """The style consistency of a conditional generator.

    Attributes:
        styles: for each of STYLES how far the digits of a latent agree.
        latents: how many were drawn, each as all digits.
        blank: how many of these had a blank image among their digits, and were left out.
        examples: the first latents, uint8 (10, digits, H, W).
    """

    styles: Mapping[str, StyleCorrelation]
    latents: int
    blank: int
    examples: UInt8

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as plain values; None where there is none."""
        return {
            "latents": self.latents,
            "blank": self.blank,
            "styles": {
                style: {name: _plain(interval) for name, interval in row._asdict().items()}
                for style, row in self.styles.items()
            },
        }


def measure_style_consistency(images: UInt8, progress: Progress = silent) -> StyleConsistency:
    """Measure how far the digits drawn from one latent share slant, thickness, width and height.

    Latents are the subjects and digits the raters of Shrout and Fleiss 1979. The intervals hold
    95 %; they are NaN where fewer than two latents are left, or where no digit ever changes.

    Args:
        images: uint8 (latents, digits, H, W), light on dark, a latent in each row, 2 digits or
            more.
        progress: called as `progress(what, done, total)`.

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
    return StyleConsistency(
        styles={style: _correlate(table[whole]) for style, table in tables.items()},
        latents=latents,
        blank=int((~whole).sum()),
        examples=images[:SHOWN],
    )


def _correlate(table: Float64) -> StyleCorrelation:
    if len(table) < 2:
        return StyleCorrelation(UNKNOWN, UNKNOWN, UNKNOWN)
    random = np.random.default_rng(seed_for(0, "latents apart"))
    permuted = random.permuted(table, axis=0)
    return StyleCorrelation(icc_consistency(table), icc_one_way(table), icc_consistency(permuted))


def _plain(interval: Interval) -> dict[str, float | None]:
    return {end: value if np.isfinite(value) else None for end, value in interval._asdict().items()}
