"""Writers whose digits have a requested slant, thickness and width."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from inkgan.errors import ConfigError
from inkgan.generation.protocols import class_labels
from inkgan.generation.style_control.calibration import Calibration
from inkgan.generation.style_control.controller import StyleController
from inkgan.generation.style_control.style import MEASURES, Style
from inkgan.handwriting.text import DIGITS
from inkgan.handwriting.writer import Writer, known_digits
from inkgan.types import Float32, Float64, Progress, UInt8, silent

SLANT, THICKNESS, WIDTH = range(len(MEASURES))
# Ranks in its class, as normal scores, of widths that can be requested: the percentiles 1 to 99.
SCORES = np.linspace(-2.326, 2.326, 201)


def styled_writer(writer: Writer, text: str, style: Style, progress: Progress = silent) -> Writer:
    """Return the writer with a style instead of the own one.

    Slant and thickness are the same for each digit. A width is that of the ten digits on average:
    each digit has the same rank of width within its class.

    Args:
        writer: whose digits are moved.
        text: what will be written.
        style: one number, or None, for each measure.
        progress: called during long work.

    Raises:
        ConfigError: out of reach; the message names the range.
    """
    if not style.requested:
        return writer
    controller = StyleController(writer.generator, progress)
    digits = known_digits(writer.generator)
    every = class_labels(writer.generator, digits) or []
    low, high = style.bounds(1)
    if not np.array_equal(low, high, equal_nan=True):
        raise ConfigError("a writer's style takes numbers, not ranges")
    row = low[0]
    table = np.tile(row, (len(every), 1))
    if not np.isnan(row[WIDTH]):
        table[:, WIDTH] = _widths(controller.calibrations.of(every), float(row[WIDTH]))
    needed = [character for character in dict.fromkeys(text) if character in DIGITS]
    if needed:
        class_labels(writer.generator, needed)  # refuses those that it cannot draw
    written = [digits.index(digit) for digit in needed]
    controller.check([every[digit] for digit in written], table[written], table[written])
    places = dict(zip(every, table, strict=True))

    def render(latents: Float32, labels: Sequence[int]) -> UInt8:
        return controller.draw(
            latents, labels, np.stack([places[label] for label in labels])
        ).images

    return replace(writer, render=render)


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
            f"`width` {mean:g} is out of reach: the digits of a writer are {means[0]:.1f} to "
            f"{means[-1]:.1f} pixels wide on average"
        )
    found: Float64 = np.array([np.interp(mean, means, row) for row in widths])
    return found
