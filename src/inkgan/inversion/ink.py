"""Separates ink from uneven paper."""

from typing import NamedTuple

import numpy as np
from scipy import ndimage, stats
from skimage.filters import threshold_otsu
from skimage.measure import label
from skimage.segmentation import clear_border

from inkgan.errors import DataError
from inkgan.types import Bool, Float64

STROKES = 2.5  # of a component's thickest place: what is broader is shadow
LARGE = 0.1  # of the largest component's area: less may be noise
FREE = 0.2  # share of the ink that is enough to tell
# Shares of a picture's shorter side.
WINDOW = 1 / 3  # the broadest of strokes
SMOOTHING = 1 / 300  # that takes out a camera's noise
BROAD = 1 / 4  # about which ink stands out to one side
BLOCKS = 16  # to a standard deviation of it
LEAST_CONTRAST = 0.08  # of ink with paper, of 1
NOISES = 5.0  # standard deviations of the paper that ink must stand out by
FULL = 0.85  # of a stroke's median darkness counts as full ink; its rim is less


class Ink(NamedTuple):
    """Where a picture has ink.

    Attributes:
        amount: float64 (H, W), 0 on paper, 1 within strokes.
        mask: bool (H, W), where there is more ink than paper.
    """

    amount: Float64
    mask: Bool


def find_ink(brightness: Float64, name: str = "the picture", side: float | None = None) -> Ink:
    """Find the ink of dark writing on light paper, or of light writing on dark.

    The paper is what a morphological closing leaves of the picture: it fills everything dark that
    is narrower than its window, and keeps gradients and the edges of shadows. Ink is what is
    darker, as a share of the paper's brightness, split by Otsu's threshold (1979). Marks found
    with a broad window tell how narrow it may be, and then corners of shadows are paper too.

    Args:
        brightness: float64 (H, W) in [0, 1].
        name: of the picture, for messages.
        side: length that windows are shares of, less than the picture's shorter side where the
            writing is small; that side if left out.

    Raises:
        DataError: the picture is blank, or nothing on it stands out from the paper.
    """
    side = side or min(brightness.shape)
    smoothing = SMOOTHING * side
    smooth = ndimage.gaussian_filter(brightness, smoothing)
    if _is_light_on_dark(smooth, side):
        smooth = 1 - smooth
    darkness = _darkness(smooth, smoothing, WINDOW * side)
    if np.ptp(darkness) == 0:
        raise DataError(f"{name} is blank: it has one brightness alone; draw a digit on it")
    stroke = _thickness(darkness > threshold_otsu(darkness))
    darkness = _darkness(smooth, smoothing, min(WINDOW * side, STROKES * stroke))
    edge = float(threshold_otsu(darkness))
    mask: Bool = darkness > edge
    full, bare = float(np.median(darkness[mask])), darkness[~mask]
    noise = float(stats.median_abs_deviation(bare, scale="normal"))  # corners of shadows aside
    if full - bare.mean() < max(LEAST_CONTRAST, NOISES * noise):
        raise DataError(
            f"{name} is blank: nothing on it stands out from the paper; draw darker, or with more "
            "light"
        )
    low = edge / 2
    return Ink(np.clip((darkness - low) / (FULL * full - low), 0, 1), mask)


def _darkness(smooth: Float64, smoothing: float, window: float) -> Float64:
    """Return how much darker than its paper a picture is, as a share of the paper's brightness."""
    softer = ndimage.gaussian_filter(smooth, 2 * smoothing)
    paper = ndimage.grey_closing(softer, 2 * round(window / 2) + 1)
    darkness: Float64 = np.clip(1 - smooth / np.maximum(paper, 0.05), 0, 1)
    return darkness


def _thickness(mask: Bool) -> float:
    """Return the largest thickness of a component in pixels, the median of the larger ones.

    Where enough lies free, what runs off the picture is no component: a shadow, or the table.
    """
    cleared = clear_border(mask)
    parts = label(cleared if cleared.sum() > FREE * mask.sum() else mask, connectivity=2)
    areas = np.bincount(parts.ravel())[1:]
    depth = ndimage.distance_transform_edt(mask)
    deepest, inside = np.zeros(len(areas)), parts > 0
    np.maximum.at(deepest, parts[inside] - 1, depth[inside])
    return 2 * float(np.median(deepest[areas >= LARGE * areas.max()]))


def _is_light_on_dark(smooth: Float64, side: float) -> bool:
    """Return whether what stands out is brighter: ink is the smaller part, so it skews."""
    return float(((smooth - _broadly_blurred(smooth, BROAD * side)) ** 3).mean()) > 0


def _broadly_blurred(picture: Float64, sigma: float) -> Float64:
    """Blur by a broad Gaussian: the means of blocks far smaller than it, enlarged afterwards."""
    block = 2 * int(sigma / (2 * BLOCKS)) + 1  # which has a middle
    if block == 1:
        return np.asarray(ndimage.gaussian_filter(picture, sigma))
    means = ndimage.uniform_filter(picture, block)[block // 2 :: block, block // 2 :: block]
    small = ndimage.gaussian_filter(means, sigma / block)
    places = [
        np.clip((np.arange(length) - block // 2) / block, 0, count - 1)
        for length, count in zip(picture.shape, small.shape, strict=True)
    ]
    rows, columns = (
        np.stack([np.interp(place, np.arange(count), each) for each in np.eye(count)], axis=1)
        for place, count in zip(places, small.shape, strict=True)
    )
    enlarged: Float64 = rows @ small @ columns.T
    return enlarged
