"""One character as a tile of ink at the size of the picture."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from inkgan.handwriting.punctuation import Pen, distance_to_lines, mark_strokes
from inkgan.synthesis.bounding_box import BoundingBox
from inkgan.synthesis.glyph_pool import INK, GlyphPool
from inkgan.types import Float64, UInt8

SHARPENING = 0.8  # of an edge that enlarging has made soft, as a share of the enlargement
LEVELS_FROM_MIDDLE = np.arange(256) - 127.5
LEAST_HALF_STROKE = 0.75  # pixels: less would leave no ink


@dataclass(frozen=True)
class Glyph:
    """A character as ink.

    Attributes:
        ink: uint8 (h, w), cropped to the pixels of at least INK.
        rise: rows from its upper edge down to the baseline; a character may reach below it.
    """

    ink: UInt8
    rise: int


@dataclass(frozen=True)
class Pose:
    """The size and the lean of one character.

    Attributes:
        scale: pixels of the picture per pixel of the generator's image.
        lean: degrees to the right, beyond the character's own.
        turn: degrees counterclockwise.
    """

    scale: float
    lean: float = 0.0
    turn: float = 0.0

    @property
    def matrix(self) -> Float64:
        """The map from the image to the picture, float64 (2, 2); y points down."""
        lean, turn = math.tan(math.radians(self.lean)), math.radians(self.turn)
        across, down = self.scale * math.cos(turn), self.scale * math.sin(turn)
        return np.array([[across, down - across * lean], [-down, across + down * lean]])


def digit_glyph(pool: GlyphPool, place: tuple[int, int, int], pose: Pose) -> Glyph:
    """Draw a digit of the pool; its baseline is the lower edge of its ink.

    The image is interpolated by cubic convolution, then its edges are steepened again.

    Args:
        pool: has the image.
        place: writer, digit and variant.
        pose: size and lean.
    """
    left, top, right, bottom = pool.bounds[place].tolist()
    corners = [(x, y) for x in (left - 1, right + 1) for y in (top - 1, bottom + 1)]
    (p, q), (r, s) = pose.matrix.tolist()
    columns = [p * x + q * y for x, y in corners]
    rows = [r * x + s * y for x, y in corners]
    low, upper = math.floor(min(columns)), math.floor(min(rows))
    width, height = math.ceil(max(columns) - low), math.ceil(max(rows) - upper)
    area = p * s - q * r
    a, b, c, d = s / area, -q / area, -r / area, p / area
    x, y = a * low + b * upper, c * low + d * upper
    drawn = Image.fromarray(pool.padded[place]).transform(
        (width, height), Image.Transform.AFFINE, (a, b, x, c, d, y), Image.Resampling.BICUBIC
    )
    steepness = max(1.0, SHARPENING * pose.scale)
    pixels = np.asarray(drawn)
    ink, _ = _cropped(_steepened(steepness)[pixels] if steepness > 1 else pixels)
    return Glyph(ink, len(ink))


def mark_glyph(mark: str, pen: Pen, pose: Pose, unsteadiness: Float64) -> Glyph:
    """Draw one of the marks . , - / : with round strokes.

    Args:
        mark: the character.
        pen: height, thickness and slant of the writer's digits in pixels of the picture.
        pose: its lean and turn; the size is that of the pen.
        unsteadiness: standard normal numbers (num_points(mark), 2).
    """
    lines, radius = mark_strokes(mark, pen, unsteadiness)
    radius = max(radius, LEAST_HALF_STROKE)
    upright = Pose(1.0, pose.lean, pose.turn).matrix
    lines = [line @ upright.T for line in lines]
    points = np.concatenate(lines)
    low = np.floor(points.min(axis=0) - radius - 1)
    columns, rows = np.ceil(points.max(axis=0) + radius + 1 - low).astype(int).tolist()
    y, x = np.mgrid[:rows, :columns]
    distance = distance_to_lines(np.stack([x, y], axis=-1) + 0.5 + low, lines)
    ink = np.rint(255 * np.clip(0.5 + radius - distance, 0, 1)).astype(np.uint8)
    ink, box = _cropped(ink)
    return Glyph(ink, -(int(low[1]) + box.y))


def pen_of(pool: GlyphPool, writer: int, scale: float) -> Pen:
    """Return a writer's pen in pixels of the picture."""
    thickness, slant = pool.pens[writer].tolist()
    return Pen(pool.digit_height * scale, thickness * scale, slant)


def _cropped(ink: UInt8) -> tuple[UInt8, BoundingBox]:
    box = BoundingBox.around(ink >= INK)
    if box is None:  # shrunk or turned until nothing is left: the darkest pixel is its ink
        row, column = np.unravel_index(int(ink.argmax()), ink.shape)
        return np.full((1, 1), 255, np.uint8), BoundingBox(int(column), int(row), 1, 1)
    return ink[box.slices], box


def _steepened(steepness: float) -> UInt8:
    """Return the level that each of the 256 levels becomes."""
    levels = LEVELS_FROM_MIDDLE * steepness + 127.5
    steepened: UInt8 = np.rint(np.minimum(np.maximum(levels, 0), 255)).astype(np.uint8)
    return steepened
