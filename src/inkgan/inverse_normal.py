"""The inverse of the normal distribution function, with the same bits on every machine.

A word of 32 bits is a sign and the probability p of a tail, from 2**-33 to a half. Segments halve
in width towards the tail, each octave of p in equal parts, and have a cubic each: hierarchical
segmentation (Cheung, Lee, Luk and Villasenor 2007, "Hardware generation of arbitrary random number
distributions from uniform distributions via the inversion method").

Logarithms and cosines differ from machine to machine in their last bits. Sums and products of
float32 are rounded alike everywhere, if each is an operation of its own and none is fused with the
next.
"""

import functools
from pathlib import Path

import numpy as np
import torch

from inkgan.types import Float32

PARTS = 4  # each octave has 2**PARTS segments
OCTAVES = 32
PLACE = 23 - PARTS  # bits of the place within a segment: the rest of a float32's mantissa
HALF = np.float32(0.5).view(np.int32) >> PLACE  # the first segment begins at one half
TABLE = Path(__file__).with_name("inverse_normal.npy")


def from_words(words: torch.Tensor) -> torch.Tensor:
    """Turn uniform words into standard normal numbers.

    Args:
        words: int64 of any shape, each from 0 to 2**32 - 1. The highest bit is the sign.

    Returns:
        float32 of the same shape, within 5e-7 of the exact inverse.
    """
    tail = (words & 0x7FFFFFFF).to(torch.int32)
    # p * 2**32: the bits of this float32 are the octave, the segment and the place within it
    bits = (tail.to(torch.float32) + 0.5).view(torch.int32)
    place = (bits & ((1 << PLACE) - 1)).to(torch.float32)
    segment = ((bits >> PLACE) - int(HALF)).flatten()
    c3, c2, c1, c0 = coefficients(words.device).index_select(1, segment).view(4, *words.shape)
    magnitude: torch.Tensor = c3.mul_(place).add_(c2).mul_(place).add_(c1).mul_(place).add_(c0)
    magnitude *= 1 - ((words >> 30) & 2)
    return magnitude


@functools.cache
def coefficients(device: torch.device) -> torch.Tensor:
    """Return the cubics of all segments, float32 (4, 513), the highest power first."""
    return torch.from_numpy(table()).T.contiguous().to(device)


def table() -> Float32:
    """Return the table that comes with the package, float32 (513, 4).

    A row is the cubic of a segment in the whole number that is the place; the last is p = 1/2.
    """
    loaded: Float32 = np.load(TABLE)
    return loaded


def fit_table() -> Float32:
    """Fit the table: in each segment the cubic that interpolates at Chebyshev's nodes.

    The package contains the result, since libraries differ in the last bits of float64.
    """
    from scipy.special import ndtri

    nodes = (1 + np.cos(np.pi * (np.arange(4) + 0.5) / 4)) / 2
    segments = np.arange(OCTAVES << PARTS)[:, None]
    octave, part = np.divmod(segments, 1 << PARTS)
    p = 2.0 ** (octave - 33) * (1 + (part + nodes) / (1 << PARTS))
    fitted = np.linalg.solve(np.vander(nodes), -ndtri(p).T).T * 2.0 ** (-PLACE * np.arange(4)[::-1])
    return np.vstack([fitted, np.zeros((1, 4))]).astype(np.float32)


if __name__ == "__main__":
    np.save(TABLE, fit_table())
