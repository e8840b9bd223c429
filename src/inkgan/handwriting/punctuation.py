"""Punctuation as strokes of the writer's thickness with round ends."""

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inkgan.handwriting.outline import Outline
from inkgan.handwriting.trace import HALF, trace_field
from inkgan.types import Float64

FINENESS = 8  # samples in a unit of length
# Where people put punctuation: the middle line of each stroke as points (x, y) in heights of a
# digit, y upwards from the baseline.
DOT = ((0.0, 0.0), (0.02, -0.01))  # hardly a movement
STROKES: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    ".": (DOT,),
    ",": (((0.03, 0.02), (0.04, -0.04), (0.02, -0.11), (-0.04, -0.18)),),
    "-": (((0.0, 0.40), (0.18, 0.415), (0.36, 0.42)),),
    "/": (((0.0, -0.10), (0.19, 0.48), (0.40, 1.06)),),
    ":": (DOT, tuple((x, y + 0.46) for x, y in DOT)),
}
ON_THE_LINE = ".,:"  # these rest on the baseline with their lower edge, not their middle line
SWELLING = {".": 1.2, ":": 1.2, ",": 1.05}  # a pen that stays on its place leaves more ink
UNSTEADINESS = 0.015  # standard deviation of each point, in heights of a digit


@dataclass(frozen=True)
class Pen:
    """The measures of a writer's digits, which punctuation shares.

    Attributes:
        height: of a digit, in pixels of the generator's images.
        thickness: of its strokes, in the same pixels.
        slant: degrees from the vertical, positive for "/".
    """

    height: float
    thickness: float
    slant: float


def draw_punctuation(mark: str, pen: Pen, unsteadiness: npt.ArrayLike = 0.0) -> Outline:
    """Draw one of `STROKES` with its left edge at x = 0 and the baseline at y = 0.

    Args:
        mark: . , - / or :
        pen: the writer's measures.
        unsteadiness: standard normal numbers (points, 2), as many as `num_points` says, that move
            the points of the middle lines a little; 0 for none.
    """
    lines, radius = mark_strokes(mark, pen, unsteadiness)
    outline = _stroked(lines, radius)
    return outline.moved(-outline.bounds.left, 0)


def mark_strokes(
    mark: str, pen: Pen, unsteadiness: npt.ArrayLike = 0.0
) -> tuple[list[Float64], float]:
    """Return the middle lines of a mark, each (n, 2) with y downwards, and half their thickness.

    The arguments are those of `draw_punctuation`.
    """
    radius = pen.thickness * SWELLING.get(mark, 1.0) / 2
    strokes = [np.asarray(stroke) for stroke in STROKES[mark]]
    moves = np.broadcast_to(np.asarray(unsteadiness), (num_points(mark), 2)) * UNSTEADINESS
    ends = np.cumsum([len(stroke) for stroke in strokes])[:-1]
    lean = np.tan(np.radians(pen.slant))
    lines = []
    for stroke, move in zip(strokes, np.split(moves, ends), strict=True):
        x, y = ((stroke + move) * pen.height).T
        y = y + radius if mark in ON_THE_LINE else y
        lines.append(np.stack([x + lean * y, -y], axis=1))
    return lines, radius


def num_points(mark: str) -> int:
    """Return how many points the middle lines of a mark have."""
    return sum(map(len, STROKES[mark]))


def _stroked(lines: list[Float64], radius: float) -> Outline:
    """Outline all that lies within `radius` of the lines, each (n, 2)."""
    points = np.concatenate(lines)
    low = np.floor(points.min(axis=0) - radius - 1)
    columns, rows = np.ceil((points.max(axis=0) + radius + 1 - low) * FINENESS).astype(int)
    y, x = np.mgrid[:rows, :columns]
    places = (np.stack([x, y], axis=-1) + 0.5) / FINENESS + low
    distance = distance_to_lines(places, lines)
    outline = trace_field(np.clip(HALF + radius - distance, 0, 1), FINENESS)
    assert outline is not None  # a line has ink round it
    return outline.moved(low[0], low[1])


def distance_to_lines(places: Float64, lines: list[Float64]) -> Float64:
    """Return the distance of each place (..., 2) to the nearest of some lines, each (n, 2)."""
    distance = np.full(places.shape[:-1], np.inf)
    for line in lines:
        for start, end in itertools.pairwise(line):
            along = end - start
            share = np.clip((places - start) @ along / (along @ along), 0, 1)[..., None]
            distance = np.minimum(distance, np.linalg.norm(places - start - share * along, axis=-1))
    return distance
