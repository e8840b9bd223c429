"""The ink of a pen: its color, and how hard it presses."""

import numpy as np

from inkgan.synthesis.paper.smooth_field import smooth_field
from inkgan.types import Float32

# color in [0, 1], and how often it is used
INKS = (
    ((0.08, 0.08, 0.10), 4),  # black
    ((0.08, 0.12, 0.38), 3),  # blue-black
    ((0.12, 0.22, 0.62), 3),  # blue
    ((0.30, 0.30, 0.32), 2),  # pencil
    ((0.62, 0.12, 0.14), 0.5),  # red
    ((0.08, 0.36, 0.24), 0.3),  # green
)
COLOR_DEVIATION = 0.03
CHALK = 0.95  # level of light ink on dark paper
DARK_PAPER = 0.4  # level below which ink is light
STROKE_GRAIN, FINE_GRAIN = 9.0, 2.0  # pixels over which pressure changes
SOFTEST, HARDEST = 1.3, 0.75  # exponent of the coverage: thinner and thicker edges


def pressure(coverage: Float32, fading: float, unit: float, random: np.random.Generator) -> Float32:
    """Return how much ink lies on each pixel, float32 (H, W) in [0, 1].

    Args:
        coverage: the share of each pixel that strokes cover, (H, W).
        fading: the largest share of ink that is missing.
        unit: pixels of one 48th of the usual picture's height.
        random: of the sequence's own address.
    """
    edges = random.uniform(HARDEST, SOFTEST)
    whole = fading * random.random() ** 2 / 2
    along = fading * random.random()
    slow = smooth_field(coverage.shape, STROKE_GRAIN * unit, random)
    fine = smooth_field(coverage.shape, FINE_GRAIN * unit, random)
    missing = whole + along * (0.7 * slow + 0.3 * fine)
    covered: Float32 = coverage ** np.float32(edges) * (1 - missing.astype(np.float32))
    return covered


def inked(paper: Float32, ink: Float32, random: np.random.Generator) -> Float32:
    """Put ink on paper; on dark paper it is light.

    Args:
        paper: float32 (3, H, W) in [0, 1].
        ink: how much lies on each pixel, (H, W).
        random: of the sequence's own address.
    """
    colors, weights = zip(*INKS, strict=True)
    chosen = random.choice(len(colors), p=np.array(weights) / sum(weights))
    color = np.array(colors[chosen]) + COLOR_DEVIATION * random.standard_normal(3)
    if paper.mean() < DARK_PAPER:
        light: Float32 = paper * (1 - ink) + np.float32(CHALK) * ink
        return light
    absorbed = (1 - color.clip(0.02, 0.9)).astype(np.float32)
    dark: Float32 = paper * (1 - absorbed[:, None, None] * ink)
    return dark
