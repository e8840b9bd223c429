"""A hand whose digits have a slant, a thickness and a width that are asked for."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from inkgan.errors import ConfigError
from inkgan.generation.protocols import labels_of
from inkgan.generation.style_control.calibration import Calibration
from inkgan.generation.style_control.measures import MEASURES, Style
from inkgan.generation.style_control.sample_styled import StyleController
from inkgan.handwriting.text import DIGITS
from inkgan.handwriting.writer import Hand
from inkgan.types import Float32, Float64, Progress, UInt8, silent

SLANT, THICKNESS, WIDTH = range(len(MEASURES))
# Ranks in its class, as normal scores, that a width can be asked for: the percentiles 1 to 99.
SCORES = np.linspace(-2.326, 2.326, 201)


def styled_hand(hand: Hand, text: str, style: Style, progress: Progress = silent) -> Hand:
    """Return the hand with a style in place of its own.

    Slant and thickness are the same for each digit. A width is that of the ten digits on average:
    each is as wide, among its like, as the others are among theirs.

    Args:
        hand: whose digits are moved.
        text: that is to be written.
        style: one number, or None, of each measure.
        progress: told of long work.

    Raises:
        ConfigError: out of reach; the message names the range.
    """
    if not style.asked:
        return hand
    stylist = StyleController(hand.sampler, progress)
    every = labels_of(hand.sampler, list(DIGITS)) or []
    row = style.targets(1)[0]
    table = np.tile(row, (len(every), 1))
    if not np.isnan(row[WIDTH]):
        table[:, WIDTH] = _widths(stylist.book.of(every), float(row[WIDTH]))
    written = [DIGITS.index(character) for character in dict.fromkeys(text) if character in DIGITS]
    stylist.check([every[digit] for digit in written], table[written])
    places = dict(zip(every, table, strict=True))

    def render(latents: Float32, labels: Sequence[int]) -> UInt8:
        return stylist.draw(latents, labels, np.stack([places[label] for label in labels])).images

    return replace(hand, render=render)


def _widths(calibrations: Sequence[Calibration], mean: float) -> Float64:
    """Return the width of each class at the rank at which their mean is `mean`.

    Raises:
        ConfigError: out of reach.
    """
    free = np.zeros((len(SCORES), len(MEASURES)))
    free[:, WIDTH] = SCORES
    widths = np.stack([calibration.expected(free)[:, WIDTH] for calibration in calibrations])
    means = widths.mean(axis=0)
    if not means[0] <= mean <= means[-1]:
        raise ConfigError(
            f"--width {mean:g} is out of reach: the ten digits of a hand are {means[0]:.1f} to "
            f"{means[-1]:.1f} pixels wide on average"
        )
    found: Float64 = np.array([np.interp(mean, means, row) for row in widths])
    return found
