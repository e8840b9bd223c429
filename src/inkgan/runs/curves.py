"""The curves of one or several runs, drawn from their metrics."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from inkgan import images
from inkgan.io.run_dir import RunFolder
from inkgan.plotting import (
    BLUE,
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


class Line(NamedTuple):
    """A line of a panel: the metric in metrics.jsonl, its label and its color."""

    metric: str
    label: str
    color: str


class Panel(NamedTuple):
    """A panel of the curves: its title, the label of its y-axis, and its lines."""

    title: str
    unit: str
    lines: tuple[Line, ...]
    is_share: bool = False


PANELS = (
    Panel(
        "Losses", "", (Line("d_loss", "discriminator", BLUE), Line("g_loss", "generator", ORANGE))
    ),
    Panel(
        "Accuracy of the discriminator",
        "share correct",
        (Line("d_real_accuracy", "on real", BLUE), Line("d_fake_accuracy", "on generated", ORANGE)),
        is_share=True,
    ),
    Panel(
        "Gradient norms",
        "",
        (Line("d_grad_norm", "discriminator", BLUE), Line("g_grad_norm", "generator", ORANGE)),
    ),
    Panel(
        "Standard deviation of a pixel over the batch",
        "",
        (Line("real_pixel_std", "real", BLUE), Line("fake_pixel_std", "generated", ORANGE)),
    ),
    Panel(
        "Distance to validation images",
        "Fréchet on E3, lower is better",
        (Line("e3_distance", "averaged generator", ORANGE),),
    ),
    Panel(
        "Precision and recall",
        "on E3, higher is better",
        (Line("e3_precision", "precision", BLUE), Line("e3_recall", "recall", ORANGE)),
    ),
    Panel("Speed", "images/s", (Line("images_per_second", "training", BLUE),)),
    Panel("Training time", "seconds", (Line("seconds", "training", BLUE),)),
)


def curves_figure(rows: Rows, title: str) -> Figure:
    """Draw one run's curves in eight panels.

    Args:
        rows: of metrics.jsonl, in the order of training.
        title: above all panels.
    """
    figure = _figure()
    figure.suptitle(title, parse_math=False)
    for axes, panel in zip(figure.subplots(2, 4).flat, PANELS, strict=True):
        for line in panel.lines:
            _plot(axes, rows, line)
        _finish(axes, panel)
    return figure


def comparison_figure(runs: Mapping[str, Rows]) -> Figure:
    """Draw the curves of several runs in the same eight panels, one color for each run."""
    figure = _figure()
    for axes, panel in zip(figure.subplots(2, 4).flat, PANELS, strict=True):
        for place, (name, rows) in enumerate(runs.items()):
            color, _, dashed = series_style(place)
            for index, line in enumerate(panel.lines):
                label = f"{name}: {line.label}" if len(panel.lines) > 1 else name
                style = ("-" if index == 0 else "--") if not dashed else (":", "-.")[index]
                _plot(axes, rows, Line(line.metric, label, color), style)
        _finish(axes, panel)
    return figure


def curves_png(run: RunFolder) -> bytes:
    """Draw the curves of a run as the bytes of a PNG, such as for a notebook."""
    return figure_png(curves_figure(run.rows(), _title(run)))


def draw_curves(path: Path, rows: Rows, title: str) -> None:
    """Draw one run's curves as a PNG file of eight panels."""
    save_figure(path, curves_figure(rows, title))


def comparison_pixels(runs: Mapping[str, Rows]) -> UInt8:
    """Draw the curves of several runs as pixels (H, W, 3)."""
    return figure_pixels(comparison_figure(runs))


def _figure() -> Figure:
    return Figure(figsize=(15, 6.6), dpi=WIDE_DPI, layout="constrained")


def _plot(axes: Axes, rows: Rows, line: Line, style: str = "-") -> None:
    points = [(row["images"], row[line.metric]) for row in rows if line.metric in row]
    if points:
        axes.plot(
            *zip(*points, strict=True),
            style,
            label=line.label,
            color=line.color,
            linewidth=1.3,
            marker="o" if len(points) < 12 else None,
            markersize=3,
        )


def _finish(axes: Axes, panel: Panel) -> None:
    axes.set_title(panel.title, fontsize=TITLE_SIZE)
    axes.set_xlabel("training images seen", fontsize=SMALL_SIZE)
    axes.set_ylabel(panel.unit, fontsize=SMALL_SIZE)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.tick_params(labelsize=SMALL_SIZE)
    style_axes(axes)
    if panel.is_share:
        axes.set_ylim(-0.03, 1.03)
    if axes.lines:
        for text in axes.legend(fontsize=7).get_texts():
            text.set_parse_math(False)  # a run's name may hold dollar signs
    else:
        axes.text(0.5, 0.5, "nothing recorded yet", ha="center", transform=axes.transAxes)


def _title(run: RunFolder) -> str:
    seen = max((row["images"] for row in run.rows()), default=0)
    return f"{run.recipe.name} on {run.recipe.data.name}, {seen:,} images"


def write_pictures(run: RunFolder, steps_per_epoch: int) -> None:
    """Write grid.png, timeline.gif and curves.png from a run's frames and metrics."""
    frames, batch_size = run.frames(), run.recipe.schedule.images_per_step
    captioned = []
    for path in frames:
        step = run.step_of(path)
        text = f"epoch {step / steps_per_epoch:.1f}   {step * batch_size:,} images"
        captioned.append(images.caption(images.read_picture(path), text))
    seen = run.step_of(frames[-1]) * batch_size
    images.save_png(
        run.grid_path, images.read_picture(frames[-1]), {"images seen": str(seen), "seeds": "0-63"}
    )
    images.save_gif(run.timeline_path, captioned)
    title = f"{run.recipe.name} on {run.recipe.data.name}, {seen:,} images"
    draw_curves(run.curves_path, run.rows(), title)
