"""Random fields that vary slowly: pressure of a pen, fibers of paper."""

import numpy as np
from PIL import Image

from inkgan.types import Float32


def smooth_field(size: tuple[int, ...], grain: float, random: np.random.Generator) -> Float32:
    """Return values in [0, 1] that vary over `grain` pixels, float32 (H, W).

    Uniform random numbers on a coarse grid, enlarged by linear interpolation.

    Example:
        >>> smooth_field((48, 200), 6, np.random.default_rng(0)).shape
        (48, 200)
    """
    height, width = size[:2]
    grain = max(grain, 1.0)
    rows, columns = int(height / grain) + 2, int(width / grain) + 2
    coarse = Image.fromarray(random.random((rows, columns), dtype=np.float32))
    part = (0.5, 0.5, 0.5 + width / grain, 0.5 + height / grain)
    return np.asarray(coarse.resize((width, height), Image.Resampling.BILINEAR, box=part))
