"""From gray pixels to outlines: the contour at half level, below the pixel, as smooth curves."""

import numpy as np
from PIL import Image
from skimage.measure import find_contours

from inkgan.handwriting.outline import Outline, signed_area
from inkgan.types import Float64, UInt8

HALF = 0.5
FINENESS = 8  # samples in a pixel's width of the interpolated image
# Root mean square distance from the contour that smoothing may use up. The stairs of pixels need
# some, or strokes come out ragged; a field of fine samples needs hardly any.
PIXEL_TOLERANCE = 0.12  # pixels
TOLERANCE = 0.02  # units
LEAST_AREA = 1.0  # of a speck or a pinhole worth keeping, in square pixels
MARGIN = 2  # of background round an image, so that ink at its border has an outline there too
FEWEST = 12  # points for a curve of degree 3 that closes smoothly


def trace(pixels: UInt8) -> Outline | None:
    """Trace the ink of one gray image.

    Args:
        pixels: uint8 (H, W), 0 is background.

    Returns:
        The outline, in pixels from the image's left top corner; None where no ink is dark enough.
    """
    outline = trace_field(enlarge(pixels), FINENESS, PIXEL_TOLERANCE)
    return None if outline is None else outline.moved(-MARGIN, -MARGIN)


def enlarge(pixels: UInt8) -> Float64:
    """Interpolate a gray image, in [0, 1], by cubic convolution FINENESS times as fine.

    A margin of MARGIN pixels is added on all sides.
    """
    gray = np.pad(pixels.astype(np.float32) / 255, MARGIN)
    height, width = gray.shape
    picture = Image.fromarray(gray)
    fine = picture.resize((width * FINENESS, height * FINENESS), Image.Resampling.BICUBIC)
    return np.asarray(fine, np.float64)


def trace_field(field: Float64, fineness: int, tolerance: float = TOLERANCE) -> Outline | None:
    """Trace where a smooth field (H, W) exceeds one half.

    Args:
        field: samples at the centres of squares, `fineness` of them to a unit of length.
        fineness: samples in a unit of length.
        tolerance: root mean square distance from the contour that smoothing may use up, in units.

    Returns:
        The outline in units from the field's left top corner, or None where there is none.
    """
    contours = [(c[:-1, ::-1] + 0.5) / fineness for c in find_contours(field, HALF)]
    curves = tuple(
        _smooth(points, tolerance) for points in contours if abs(signed_area(points)) >= LEAST_AREA
    )
    return Outline(curves) if curves else None


def _smooth(points: Float64, tolerance: float) -> Float64:
    """Fit a closed smoothing spline (Dierckx 1982) to points (n, 2), as Bézier segments.

    FITPACK chooses few knots that stay within the tolerance. Between two knots a cubic spline
    is one cubic polynomial, which its ends and its derivatives there determine.
    """
    from scipy.interpolate import BSpline, splprep  # half a second, where outlines are drawn

    stride = max(1, min(FINENESS // 2, len(points) // FEWEST))
    thinned = points[::stride]
    closed = np.vstack([thinned, thinned[:1]])
    (knots, coefficients, degree), _ = splprep(
        closed.T, s=len(closed) * tolerance**2, k=3, per=True
    )
    spline = BSpline(knots, np.transpose(coefficients), degree)
    breaks = np.unique(knots[degree:-degree])
    place, velocity = spline(breaks), spline.derivative()(breaks)
    third = np.diff(breaks)[:, None] / 3
    inner = place[:-1] + third * velocity[:-1], place[1:] - third * velocity[1:]
    return np.stack([place[:-1], *inner, place[1:]], axis=1)
