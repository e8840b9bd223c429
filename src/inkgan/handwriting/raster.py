"""Outlines as pixels, with exact edges at any size."""

from collections.abc import Iterable

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.path import Path as Curve
from matplotlib.transforms import Affine2D

from inkgan.errors import ConfigError
from inkgan.handwriting.outline import Bounds, Outline
from inkgan.types import UInt8

LEAST_HEIGHT, MOST_HEIGHT = 8, 4096  # of a picture, in pixels
MOST_PIXELS = 64_000_000  # of a picture: a quarter of a gigabyte with transparency


def size_for(page: Bounds, height: int) -> tuple[int, int]:
    """Return height and width in pixels of a picture of the page.

    Raises:
        ConfigError: the height is impossible, or the picture would be too large.
    """
    check_height(height)
    width = max(1, round(page.width / page.height * height))
    if height * width > MOST_PIXELS:
        possible = int((MOST_PIXELS * page.height / page.width) ** 0.5)
        raise ConfigError(
            f"`height` {height} makes a picture of {width:,} x {height:,} pixels; for so long a "
            f"text at most {possible} is possible, or write a .svg"
        )
    return height, width


def check_height(height: int) -> None:
    """Refuse an impossible height before work starts."""
    if not LEAST_HEIGHT <= height <= MOST_HEIGHT:
        raise ConfigError(f"`height` must be from {LEAST_HEIGHT} to {MOST_HEIGHT}, not {height}")


def coverage(outlines: Iterable[Outline], page: Bounds, height: int) -> UInt8:
    """Return the share of ink in each pixel (H, W): 0 is bare paper, 255 full ink.

    Agg, the anti-grain renderer in matplotlib, computes how much of each pixel lies within the
    curves. Each outline is drawn on a sheet of its own size, so a long line costs little memory.
    """
    rows, columns = size_for(page, height)
    scale = rows / page.height
    picture = np.zeros((rows, columns), np.uint8)
    corner = np.array([page.left, page.top])
    for outline in outlines:
        placed = outline.mapped(np.eye(2) * scale, -corner * scale)
        left, top = np.maximum(np.floor(placed.bounds[:2]).astype(int), 0)
        right, bottom = np.ceil(placed.bounds[2:]).astype(int)
        sheet = picture[top:bottom, left:right]
        np.maximum(sheet, _sheet(placed.moved(-left, -top), *sheet.shape), out=sheet)
    return picture


def _sheet(outline: Outline, rows: int, columns: int) -> UInt8:
    renderer = RendererAgg(columns, rows, 72)  # type: ignore[no-untyped-call]
    context = renderer.new_gc()
    context.set_linewidth(0)
    context.set_snap(False)
    # Agg fills by winding number; a hole runs the other way, so that is the even-odd rule here
    vertices = [
        np.concatenate([c[0, :1], c[:, 1:].reshape(-1, 2), c[0, :1]]) for c in outline.curves
    ]
    codes = [[Curve.MOVETO, *[Curve.CURVE4] * 3 * len(c), Curve.CLOSEPOLY] for c in outline.curves]
    curve = Curve(np.concatenate(vertices), np.concatenate(codes))
    curve.should_simplify = False
    upright = Affine2D().scale(1, -1).translate(0, rows)  # Agg's y runs upwards
    renderer.draw_path(context, curve, upright, (0, 0, 0))  # type: ignore[no-untyped-call]
    drawn = np.asarray(renderer.buffer_rgba())  # type: ignore[no-untyped-call]
    return drawn[..., 3]
