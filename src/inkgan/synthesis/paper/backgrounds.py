"""Paper that is drawn: plain, ruled, squared, or a form with a field for the sequence.

Everything printed is a function of page coordinates, so that a camera may look at any part of the
page from anywhere, and lines stay sharp.
"""

import itertools
import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from inkgan.handwriting.text import SPACE
from inkgan.synthesis.composition import ComposedString
from inkgan.synthesis.paper.homography import Homography
from inkgan.synthesis.paper.smooth_field import smooth_field
from inkgan.synthesis.paper.warp import margins
from inkgan.types import Float32, Float64

DARKEST_PAPER = 0.86  # of white
WARMEST = 0.06  # less green than red, and twice as much less blue
TEXTURE = 0.015  # change of brightness by the fibers
FIBER = 3.0  # pixels
LINE_COLORS = ((0.55, 0.65, 0.8), (0.6, 0.6, 0.6), (0.5, 0.7, 0.6), (0.8, 0.6, 0.6))
FORM_COLORS = ((0.1, 0.1, 0.1), (0.35, 0.35, 0.4), (0.8, 0.45, 0.3), (0.3, 0.55, 0.45))
LEAST_MARGIN = 3  # pixels outside of a frame
CELL_GAP = 4  # least pixels between the ink of neighboring cells
COMB_SHARE = 0.5  # of the forms that can have a cell for each character


@dataclass(frozen=True)
class PageView:
    """The part of a page that a picture shows.

    Attributes:
        x: how far to the right each pixel lies on the page, float32 (H, W).
        y: how far down each pixel lies on the page, float32 (H, W).
        page: the sequence as it stands on the page.
        unit: pixels of one 48th of the usual picture's height.
    """

    x: Float32
    y: Float32
    page: ComposedString
    unit: float

    @classmethod
    def seen(cls, page: ComposedString, view: Homography, size: tuple[int, int]) -> "PageView":
        """Return what a picture of this height and width shows of a page."""
        x, y = view.inverse.grid(size)
        return cls(x, y, page, page.size[0] / 48)

    @property
    def digit_height(self) -> float:
        """The usual height of a character."""
        return float(max(one.box.height for one in self.page.characters))

    @property
    def baseline(self) -> float:
        """How far down the characters usually end."""
        return statistics.median(one.box.y + one.box.height for one in self.page.characters)


Printing = Callable[[Float32, PageView, np.random.Generator], Float32]


def bare_paper(sheet: PageView, random: np.random.Generator) -> Float32:
    """Return paper with a tone and fibers, float32 (3, H, W) in [0, 1]."""
    tone = random.uniform(DARKEST_PAPER, 1.0)
    warmth = random.uniform(0, WARMEST)
    fibers = smooth_field(sheet.x.shape, FIBER * sheet.unit, random)
    fibers = np.float32(1 - TEXTURE / 2) + np.float32(TEXTURE) * fibers
    color = np.array([tone, tone * (1 - warmth), tone * (1 - 2 * warmth)], np.float32)
    return color[:, None, None] * fibers


def plain(paper: Float32, sheet: PageView, random: np.random.Generator) -> Float32:
    """Print nothing."""
    return paper


def ruled(paper: Float32, sheet: PageView, random: np.random.Generator) -> Float32:
    """Print lines; the characters stand near one of them."""
    spacing = sheet.digit_height * random.uniform(1.3, 2.2)
    start = sheet.baseline + sheet.unit * random.normal(0, 2)
    width = sheet.unit * random.uniform(0.6, 1.4)
    return _printed(paper, line(_to_nearest(sheet.y - start, spacing), width), LINE_COLORS, random)


def grid(paper: Float32, sheet: PageView, random: np.random.Generator) -> Float32:
    """Print squares."""
    spacing = sheet.digit_height * random.uniform(0.45, 1.1)
    start = sheet.baseline + sheet.unit * random.normal(0, 2)
    width = sheet.unit * random.uniform(0.5, 1.0)
    across = line(_to_nearest(sheet.y - start, spacing), width)
    down = line(_to_nearest(sheet.x - spacing * random.random(), spacing), width)
    return _printed(paper, np.maximum(across, down), LINE_COLORS, random)


def line(distance: Float32, width: float) -> Float32:
    """Return how much of each pixel a line covers, by its distance from the line's middle."""
    covered: Float32 = np.clip(0.5 + width / 2 - np.abs(distance), 0, min(1, width))
    return covered


@dataclass(frozen=True)
class Frame:
    """A field of a form, in page coordinates.

    Attributes:
        left: edge; also the other three.
        top: edge.
        right: edge.
        bottom: edge.
        separators: x of the lines between its cells.
        width: of its lines.
    """

    left: float
    top: float
    right: float
    bottom: float
    separators: tuple[float, ...]
    width: float

    def printed(self, paper: Float32, sheet: PageView, random: np.random.Generator) -> Float32:
        """Print the field."""
        inside_x = np.maximum(self.left - sheet.x, sheet.x - self.right)
        inside_y = np.maximum(self.top - sheet.y, sheet.y - self.bottom)
        covered = line(np.maximum(inside_x, inside_y), self.width)
        for x in self.separators:
            covered = np.maximum(covered, line(sheet.x - x, self.width) * (inside_y < 0))
        return _printed(paper, covered, FORM_COLORS, random)


def put_in_form(
    composed: ComposedString, random: np.random.Generator
) -> tuple[ComposedString, Frame]:
    """Put a sequence into a field of a form, or each of its characters into a cell of its own.

    Characters get cells only if they are free of each other: cells separate what touches.
    """
    unit = composed.size[0] / 48
    above, below, before, after = (unit * random.uniform(3, 9, size=4)).tolist()
    thickness = unit * random.uniform(0.8, 2.0)
    separators: Float64 = np.zeros(0)
    if random.random() < COMB_SHARE and _free(composed):
        composed, separators = _in_cells(composed, unit, random)
    least = round(max(above, below, before, after) + thickness) + LEAST_MARGIN
    composed = with_margins(composed, least)
    left, top, right, bottom = margins(composed)
    height, width = composed.size
    edges = left - before, top - above, width - right + after, height - bottom + below
    return composed, Frame(*edges, tuple((separators + left).tolist()), thickness)


def with_margins(composed: ComposedString, least: int) -> ComposedString:
    """Return a sequence with at least so many pixels at all sides of its ink."""
    added = [max(0, least - margin) for margin in margins(composed)]
    characters = tuple(
        replace(one, box=one.box.moved(added[0], added[1])) for one in composed.characters
    )
    height, width = composed.size
    size = height + added[1] + added[3], width + added[0] + added[2]
    return replace(composed, size=size, characters=characters)


def _free(composed: ComposedString) -> bool:
    boxes = [one.box for one in composed.characters]
    apart = all(a.x + a.width < b.x for a, b in itertools.pairwise(boxes))
    return apart and len(boxes) > 1 and SPACE not in composed.text


def _in_cells(
    composed: ComposedString, unit: float, random: np.random.Generator
) -> tuple[ComposedString, Float64]:
    """Move each character into a cell; return the lines between cells, from the first ink."""
    widest = max(one.box.width for one in composed.characters)
    pitch = widest + CELL_GAP * unit * random.uniform(1, 4)
    slack = (pitch - widest) / 2 - 1
    start = margins(composed)[0]
    characters = []
    for place, one in enumerate(composed.characters):
        middle = (place + 0.5) * pitch + slack * random.uniform(-0.7, 0.7)
        x = start + round(middle - one.box.width / 2)
        characters.append(replace(one, box=one.box._replace(x=x)))
    right = margins(composed)[2]
    width = max(one.box.x + one.box.width for one in characters) + right
    moved = replace(composed, size=(composed.size[0], width), characters=tuple(characters))
    lines: Float64 = np.arange(1.0, len(characters)) * pitch - (margins(moved)[0] - start)
    return moved, lines


def _to_nearest(distance: Float32, spacing: float) -> Float32:
    """Return how far the nearest of lines at multiples of the spacing is."""
    nearest: Float32 = distance - np.float32(spacing) * np.rint(distance / np.float32(spacing))
    return nearest


def _printed(
    paper: Float32,
    covered: Float32,
    colors: tuple[tuple[float, float, float], ...],
    random: np.random.Generator,
) -> Float32:
    color = np.array(colors[int(random.integers(len(colors)))])
    absorbed = random.uniform(0.5, 1.0) * (1 - color)
    printed: Float32 = paper * (1 - absorbed.astype(np.float32)[:, None, None] * covered)
    return printed


PRINTINGS: dict[str, Printing] = {"plain": plain, "ruled": ruled, "grid": grid}
