"""The look of every chart: colors, axes, and figures as pixels or PNG, drawn in memory.

Matplotlib takes half a second to import, so functions do, and not this module: whoever needs the
colors alone need not wait.
"""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from inkgan.files import atomic
from inkgan.types import UInt8

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

BLUE, ORANGE, GRAY, LIGHT_GRAY = "#1f6feb", "#d9730d", "#8b949e", "#eaeef2"
# Okabe and Ito's colors without yellow, which is hard to see on white paper; and a marker for
# each, so that the second seven, dashed and hollow, and a gray print can still be told apart.
SERIES_COLORS = ("#0072B2", "#D55E00", "#009E73", "#000000", "#CC79A7", "#56B4E9", "#E69F00")
SERIES_MARKERS = "os^DvPX"
NARROW_DPI, WIDE_DPI = 160, 110
TITLE_SIZE, LABEL_SIZE, SMALL_SIZE = 10, 9, 8
MOST_ROOM = 0.7  # of a chart, for labels; longer ones are cut
LINE, BESIDE = 0.17, 0.18  # inches: the height of a line of labels, and what is left beside them


def series_style(place: int) -> tuple[str, str, bool]:
    """Return color and marker of a line by its place, and whether it is of the second seven."""
    turn, index = divmod(place, len(SERIES_COLORS))
    return SERIES_COLORS[index], SERIES_MARKERS[index], turn % 2 == 1


def narrow_chart(width: float, height: float, title: str = "") -> "tuple[Figure, Axes]":
    """Start a chart of `width` x `height` inches, narrow enough for the screen of a telephone."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=NARROW_DPI)
    axes = figure.subplots()
    axes.set_title(title, fontsize=TITLE_SIZE)
    axes.tick_params(labelsize=LABEL_SIZE)
    style_axes(axes)
    return figure, axes


def fit_axes(figure: "Figure", axes: "Axes") -> None:
    """Leave the labels of a chart as much room around its axes as they take, and no more.

    Constrained layout does so by drawing everything two times more.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.font_manager import FontProperties

    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    font = FontProperties(size=LABEL_SIZE)

    def longest(labels: Sequence["Text"]) -> float:
        texts = {label.get_text() for label in labels}
        sizes = (renderer.get_text_width_height_descent(text, font, False) for text in texts)
        return max((float(size[0]) for size in sizes), default=0.0) / figure.dpi

    width, height = figure.get_size_inches()
    rows, columns = axes.get_yticklabels(), axes.get_xticklabels()
    is_turned = bool(columns) and columns[0].get_rotation() == 90
    below = (longest(columns) if is_turned else LINE) + LINE * bool(axes.get_xlabel())
    figure.subplots_adjust(
        left=min(MOST_ROOM, (longest(rows) + LINE * bool(axes.get_ylabel()) + BESIDE) / width),
        right=1 - BESIDE / width,
        bottom=min(MOST_ROOM, (below + BESIDE) / height),
        top=1 - (1.5 * LINE * bool(axes.get_title()) + BESIDE / 2) / height,
    )


def style_axes(axes: "Axes") -> None:
    """Give axes a light grid below the data, and no frame above and to the right."""
    axes.grid(visible=True, alpha=0.25)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def figure_pixels(figure: "Figure") -> UInt8:
    """Draw a figure in memory; uint8 (H, W, 3)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    buffer = canvas.buffer_rgba()  # type: ignore[no-untyped-call]
    return np.asarray(buffer)[..., :3].copy()


def figure_png(figure: "Figure") -> bytes:
    """Draw a figure as the bytes of a PNG file, such as for a notebook."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=WIDE_DPI)
    return buffer.getvalue()


def save_figure(path: Path, figure: "Figure") -> None:
    """Write a figure as a PNG file, atomically."""
    content = figure_png(figure)
    with atomic(path) as temporary:
        temporary.write_bytes(content)
