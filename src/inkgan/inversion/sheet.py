"""Finds a sheet of paper that lies on a darker table."""

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.filters import threshold_multiotsu, threshold_otsu
from skimage.measure import label, regionprops
from skimage.morphology import convex_hull_image

from inkgan.types import Bool, Float64

SMALL = 320  # pixels of the longer side, on which a sheet is looked for
SMOOTHING = 2.0  # pixels of these: strokes and the table's grain matter less
LEAST_AREA, LARGEST_AREA = 0.08, 0.97  # of a sheet, in the picture's
SOLID = 0.93  # share of its convex hull that a sheet covers
STRAIGHT = 0.88  # share of its least rectangle that a sheet covers, some perspective included
CONTRAST = 0.9  # brightness of the table, in the paper's, at most
OUTLINE = 0.85  # of both sides of a sheet: what spans as much is its edge
INSIDE = 0.9  # of a mark's box lies within its sheet
RIM = 0.05  # of the sheet's shorter side, that belongs to its edge


@dataclass(frozen=True, eq=False)
class Sheet:
    """A sheet on a picture.

    Attributes:
        mask: bool (h, w) of the picture made small, without the sheet's rim.
        box: left, top, right, bottom as shares of the picture's width and height.
    """

    mask: Bool
    box: tuple[float, float, float, float]

    @property
    def is_free(self) -> bool:
        """Whether the table is seen beyond three of its sides at least; the edge of a shadow has it
        on fewer.
        """
        left, top, right, bottom = self.box
        return sum(map(bool, (left > 0, top > 0, right < 1, bottom < 1))) >= 3

    def covers(self, box: tuple[float, float, float, float]) -> bool:
        """Return whether a box, in shares of the picture, lies within the sheet."""
        height, width = self.mask.shape
        left, top, right, bottom = box
        rows = slice(int(top * height), max(int(np.ceil(bottom * height)), int(top * height) + 1))
        columns = slice(int(left * width), max(int(np.ceil(right * width)), int(left * width) + 1))
        spans = (right - left, bottom - top)
        sides = (self.box[2] - self.box[0], self.box[3] - self.box[1])
        is_outline = all(span > OUTLINE * side for span, side in zip(spans, sides, strict=True))
        return not is_outline and bool(self.mask[rows, columns].mean() > INSIDE)


def find_sheet(gray: Image.Image) -> Sheet | None:
    """Find a bright, convex region with straight sides that something darker surrounds."""
    small = gray.copy()
    small.thumbnail((SMALL, SMALL), Image.Resampling.BOX)
    smooth = ndimage.gaussian_filter(np.asarray(small, np.float64) / 255, SMOOTHING)
    # Strokes are narrow: what a closing fills is paper.
    filled = ndimage.grey_closing(smooth, 2 * (min(smooth.shape) // 24) + 1)
    levels = np.unique(filled)
    if len(levels) < 4:
        return None
    thresholds = [threshold_otsu(filled)]
    if len(levels) > 8:
        thresholds = [*threshold_multiotsu(filled, 3), *thresholds]
    masks = [mask for edge in thresholds if (mask := _sheet_above(filled, edge)) is not None]
    if not masks:
        return None
    mask = max(masks, key=np.sum)
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    height, width = mask.shape
    rim = max(2, round(RIM * min(len(rows), len(columns))))
    box = (columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height)
    inner = ndimage.binary_erosion(np.pad(mask, 1), iterations=rim)[1:-1, 1:-1]
    return Sheet(inner, box) if inner.any() else None


def _sheet_above(filled: Float64, edge: float) -> Bool | None:
    parts = label(ndimage.binary_opening(filled > edge, iterations=2))
    regions = regionprops(parts)
    if not regions:
        return None
    largest = max(regions, key=lambda region: region.area)
    mask: Bool = ndimage.binary_fill_holes(parts == largest.label)
    hull: Bool = convex_hull_image(mask)
    share = hull.mean()
    outside = ~hull
    if not LEAST_AREA <= share <= LARGEST_AREA or mask.sum() < SOLID * hull.sum():
        return None
    if hull.sum() < STRAIGHT * _least_rectangle(hull):
        return None
    if np.median(filled[outside]) > CONTRAST * np.median(filled[hull]):
        return None
    return hull


def _least_rectangle(mask: Bool) -> float:
    """Return the area of the least rectangle about a region, turned as it is best."""
    rows, columns = np.nonzero(mask & ~ndimage.binary_erosion(mask))
    areas = []
    for angle in np.deg2rad(np.arange(0, 90, 3)):
        x = columns * np.cos(angle) + rows * np.sin(angle)
        y = rows * np.cos(angle) - columns * np.sin(angle)
        areas.append((np.ptp(x) + 1) * (np.ptp(y) + 1))
    return float(min(areas))


def cut_out(gray: Image.Image, sheet: Sheet) -> Image.Image:
    """Cut a sheet out; the table beside it gets the brightness of the paper near it."""
    left, top, right, bottom = pixel_box(gray, sheet)
    cut = gray.crop((left, top, right, bottom))
    small = Image.fromarray(sheet.mask).resize(gray.size).crop((left, top, right, bottom))
    inside = np.asarray(small, bool)
    pixels = np.asarray(cut)
    scale = max(1, max(cut.size) // SMALL)
    # The paper beside the edge, from a coarse picture whose strokes are filled.
    coarse = ndimage.grey_closing(pixels[::scale, ::scale], 9)
    inner = ndimage.binary_erosion(inside[::scale, ::scale], iterations=3)
    if not inner.any():
        return cut
    nearest = ndimage.distance_transform_edt(~inner, return_distances=False, return_indices=True)
    paper = Image.fromarray(coarse[tuple(nearest)]).resize(cut.size, Image.Resampling.BILINEAR)
    return Image.fromarray(np.where(inside, pixels, np.asarray(paper)).astype(np.uint8))


def pixel_box(gray: Image.Image, sheet: Sheet) -> tuple[int, int, int, int]:
    """Return a sheet's left, top, right and bottom in pixels."""
    width, height = gray.size
    left, top, right, bottom = sheet.box
    return int(left * width), int(top * height), round(right * width), round(bottom * height)
