"""The curves of one or several runs, drawn from their metrics."""

import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullFormatter

from inkgan import images
from inkgan.io.run_dir import RunFolder
from inkgan.metrics.checkpoint_scorer import DISTANCE
from inkgan.plotting import (
    BLUE,
    GRAY,
    ORANGE,
    SMALL_SIZE,
    TITLE_SIZE,
    WIDE_DPI,
    figure_pixels,
    figure_png,
    save_figure,
    series_style,
    style_axes,
)
from inkgan.types import UInt8

Rows = Sequence[Mapping[str, Any]]
LONGEST_NAME = 60  # characters of a recipe in the legend
# Inches: the picture, and the room for labels beside and below its panels.
WIDTH, HEIGHT = 15.0, 7.2
LEFT, RIGHT, BOTTOM, BETWEEN_COLUMNS, BETWEEN_ROWS = 0.75, 0.15, 0.65, 0.8, 1.1
LEGEND_ROW = 0.2


class Line(NamedTuple):
    """A line of a panel: the metric in metrics.jsonl, its label and its color."""

    metric: str
    label: str
    color: str


class Panel(NamedTuple):
    """A panel of the curves.

    Attributes:
        title: above it.
        unit: the label of its y-axis.
        lines: at most two.
        hint: below it, what to look for.
        is_share: values are in 0..1.
        reference: a value to compare with, and its name.
        is_log: the y-axis is logarithmic where all values are above 0.
    """

    title: str
    unit: str
    lines: tuple[Line, ...]
    hint: str
    is_share: bool = False
    reference: tuple[float, str] | None = None
    is_log: bool = False


PANELS = (
    Panel(
        "Losses",
        "",
        (Line("d_loss", "discriminator", BLUE), Line("g_loss", "generator", ORANGE)),
        "neither should run away; their level says nothing about quality",
    ),
    Panel(
        "Accuracy of the discriminator",
        "share correct",
        (Line("d_real_accuracy", "on real", BLUE), Line("d_fake_accuracy", "on generated", ORANGE)),
        "near 1 it wins and teaches little, near 0.5 it guesses",
        is_share=True,
        reference=(0.5, "guessing"),
    ),
    Panel(
        "Gradient norms",
        "",
        (Line("d_grad_norm", "discriminator", BLUE), Line("g_grad_norm", "generator", ORANGE)),
        "at 0 nothing is learned, growth without end is a divergence",
    ),
    Panel(
        "Standard deviation of a pixel over the batch",
        "",
        (Line("real_pixel_std", "real", BLUE), Line("fake_pixel_std", "generated", ORANGE)),
        "far below real: the images are all alike (collapse)",
    ),
    Panel(
        "Distance to real images",
        "Fréchet on E3, lower is better",
        (Line("e3_distance", "averaged generator", ORANGE),),
        "to training images where none are reserved; the ring is the best",
        is_log=True,
    ),
    Panel(
        "Precision and recall",
        "on E3, higher is better",
        (Line("e3_precision", "precision", BLUE), Line("e3_recall", "recall", ORANGE)),
        "precision: do images look real? recall: are all kinds drawn?",
        is_share=True,
    ),
    Panel(
        "Speed",
        "images/s",
        (Line("images_per_second", "training", BLUE),),
        "drops where something else used the machine",
    ),
    Panel(
        "Training time",
        "seconds",
        (Line("seconds", "training", BLUE),),
        "evaluations included",
    ),
)
MEASURED_LINE = ("-", "--")  # of the first and the second line of a panel


def curves_figure(rows: Rows, title: str) -> Figure:
    """Draw one run's curves in eight panels.

    Args:
        rows: of metrics.jsonl, in the order of training.
        title: above all panels.
    """
    figure = _figure()
    figure.suptitle(title, y=1 - 0.1 / HEIGHT, va="top", parse_math=False)
    for axes, panel in zip(_panels(figure, head=0.65), PANELS, strict=True):
        for line in panel.lines:
            _plot(axes, rows, line)
        _finish(axes, panel)
        if axes.lines and len(panel.lines) > 1:
            axes.legend(fontsize=7)
    return figure


def comparison_figure(groups: Mapping[str, Sequence[Rows]]) -> Figure:
    """Draw the curves of several runs in the same eight panels.

    Args:
        groups: the rows of each run of a recipe, by the recipe's name; a recipe has one color.
    """
    figure = _figure()
    handles: dict[str, Line2D] = {}
    columns = min(len(groups), 4)
    head = 0.6 + LEGEND_ROW * math.ceil(len(groups) / max(columns, 1))
    for axes, panel in zip(_panels(figure, head), PANELS, strict=True):
        for place, (name, runs) in enumerate(groups.items()):
            color, _, dashed = series_style(place)
            handles[name] = Line2D([], [], color=color, linewidth=2, alpha=0.6 if dashed else 1)
            for rows in runs:
                for line, style in zip(panel.lines, MEASURED_LINE, strict=False):
                    _plot(axes, rows, line._replace(color=color), style, 0.6 if dashed else 1.0)
        _finish(axes, panel)
        if len(panel.lines) > 1:
            first, second = (line.label for line in panel.lines)
            axes.set_title(f"{panel.title}\n{first}: solid, {second}: dashed", fontsize=TITLE_SIZE)
    legend = figure.legend(
        list(handles.values()),
        [textwrap.shorten(name, LONGEST_NAME, placeholder="...") for name in handles],
        loc="upper left",
        ncols=columns,
        fontsize=SMALL_SIZE + 1,
        frameon=False,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)  # a run's name may hold dollar signs
    return figure


def curves_png(run: RunFolder) -> bytes:
    """Draw the curves of a run as the bytes of a PNG, such as for a notebook."""
    return figure_png(curves_figure(run.rows(), _title(run)))


def draw_curves(path: Path, rows: Rows, title: str) -> None:
    """Draw one run's curves as a PNG file of eight panels."""
    save_figure(path, curves_figure(rows, title))


def comparison_pixels(groups: Mapping[str, Sequence[Rows]]) -> UInt8:
    """Draw the curves of several runs as pixels (H, W, 3); see `comparison_figure`."""
    return figure_pixels(comparison_figure(groups))


def _figure() -> Figure:
    return Figure(figsize=(WIDTH, HEIGHT), dpi=WIDE_DPI)


def _panels(figure: Figure, head: float) -> Iterable[Axes]:
    """Place the panels below `head` inches for titles, with room for their labels.

    A layout that measures the labels first takes several times as long to draw.
    """
    rows, columns = 2, 4
    width = (WIDTH - LEFT - RIGHT - (columns - 1) * BETWEEN_COLUMNS) / columns
    height = (HEIGHT - head - BOTTOM - (rows - 1) * BETWEEN_ROWS) / rows
    grid: npt.NDArray[Any] = figure.subplots(
        rows,
        columns,
        gridspec_kw={
            "left": LEFT / WIDTH,
            "right": 1 - RIGHT / WIDTH,
            "bottom": BOTTOM / HEIGHT,
            "top": 1 - head / HEIGHT,
            "wspace": BETWEEN_COLUMNS / width,
            "hspace": BETWEEN_ROWS / height,
        },
    )
    return grid.flat


def _plot(axes: Axes, rows: Rows, line: Line, style: str = "-", alpha: float = 1.0) -> None:
    points = [(row["images"], row[line.metric]) for row in rows if line.metric in row]
    if not points:
        return
    axes.plot(
        *zip(*points, strict=True),
        style,
        label=line.label,
        color=line.color,
        alpha=alpha,
        linewidth=1.3,
        marker="o" if len(points) < 12 else None,
        markersize=3,
    )
    trained = [point for point in points if point[0] > 0]
    if line.metric == DISTANCE and trained:
        best = min(trained, key=lambda point: point[1])
        axes.plot(*best, "o", markersize=9, markerfacecolor="none", color=line.color)


def _finish(axes: Axes, panel: Panel) -> None:
    axes.set_title(panel.title, fontsize=TITLE_SIZE)
    axes.set_xlabel(f"training images seen\n{panel.hint}", fontsize=SMALL_SIZE)
    axes.set_ylabel(panel.unit, fontsize=SMALL_SIZE)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.tick_params(labelsize=SMALL_SIZE)
    style_axes(axes)
    if not axes.lines:
        axes.text(0.5, 0.5, "nothing recorded yet", ha="center", transform=axes.transAxes)
        return
    if panel.is_share:
        axes.set_ylim(-0.03, 1.03)
    axes.set_xlim(left=0)
    values = [float(y) for line in axes.lines for y in np.asarray(line.get_ydata()).ravel()]
    finite = [value for value in values if math.isfinite(value)]
    if panel.is_log and finite and min(finite) > 0:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
    if panel.reference is not None:
        value, name = panel.reference
        axes.axhline(value, color=GRAY, linewidth=1, linestyle=":")
        axes.annotate(
            name,
            (1, value),
            (0, 2),
            xycoords=("axes fraction", "data"),
            ha="right",
            textcoords="offset points",
            fontsize=7,
            color=GRAY,
        )


def _title(run: RunFolder) -> str:
    seen = max((row["images"] for row in run.rows()), default=0)
    return f"{run.recipe.name} on {run.recipe.data.name}, {seen:,} images"


def write_pictures(run: RunFolder, steps_per_epoch: int) -> None:
    """Write grid.png, timeline.gif and curves.png from a run's frames and metrics."""
    batch_size = run.recipe.schedule.images_per_step
    read = {run.step_of(path): run.read_frame(path) for path in run.frames()}
    frames = {step: frame for step, frame in read.items() if frame is not None}
    last = max(frames)
    captioned = [
        images.caption(frame, f"epoch {step / steps_per_epoch:.1f}   {step * batch_size:,} images")
        for step, frame in frames.items()
        if frame.shape == frames[last].shape  # a picture from elsewhere may have any
    ]
    seen = last * batch_size
    images.save_png(run.grid_path, frames[last], {"images seen": str(seen), "seeds": "0-63"})
    images.save_gif(run.timeline_path, captioned)
    title = f"{run.recipe.name} on {run.recipe.data.name}, {seen:,} images"
    draw_curves(run.curves_path, run.rows(), title)
