"""The curves of one or several runs, drawn from their metrics."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from inkgan import images
from inkgan.files import atomic
from inkgan.io.run_dir import Run

Rows = Sequence[Mapping[str, Any]]
BLUE, ORANGE = "#1f6feb", "#d9730d"
RUN_COLOURS = ("#1f6feb", "#d9730d", "#1a7f37", "#8250df", "#cf222e", "#57606a")
SHARE = "share right"
# title, unit, then the lines of the panel: metric, label, colour
PANELS = (
    ("Losses", "", (("d_loss", "discriminator", BLUE), ("g_loss", "generator", ORANGE))),
    (
        "Discriminator's accuracy",
        SHARE,
        (("d_real_accuracy", "on real", BLUE), ("d_fake_accuracy", "on fake", ORANGE)),
    ),
    (
        "Gradient norms",
        "",
        (("d_grad_norm", "discriminator", BLUE), ("g_grad_norm", "generator", ORANGE)),
    ),
    (
        "Standard deviation of a pixel over the batch",
        "",
        (("real_pixel_std", "real", BLUE), ("fake_pixel_std", "fake", ORANGE)),
    ),
    (
        "Distance to validation images",
        "Fréchet on E3, lower is better",
        (("e3_distance", "averaged generator", ORANGE),),
    ),
    (
        "Fidelity and variety",
        "on E3, higher is better",
        (("e3_precision", "precision", BLUE), ("e3_recall", "recall", ORANGE)),
    ),
    ("Speed", "images/s", (("images_per_second", "training", BLUE),)),
    ("Training time", "seconds", (("seconds", "training", BLUE),)),
)


def draw_curves(path: Path, rows: Rows, title: str) -> None:
    """Draw one run's curves as a PNG of eight panels."""
    figure = Figure(figsize=(15, 6.6), layout="constrained")
    figure.suptitle(title)
    for axes, (heading, unit, lines) in zip(figure.subplots(2, 4).flat, PANELS, strict=True):
        for metric, label, colour in lines:
            _plot(axes, rows, metric, label, colour)
        _dress(axes, heading, unit)
    save_figure(path, figure)


def draw_comparison(path: Path, runs: Mapping[str, Rows]) -> None:
    """Draw the curves of several runs over each other, one colour each, as a PNG."""
    figure = Figure(figsize=(15, 6.6), layout="constrained")
    for axes, (heading, unit, lines) in zip(figure.subplots(2, 4).flat, PANELS, strict=True):
        for (name, rows), colour in zip(runs.items(), _colours(len(runs)), strict=True):
            for index, (metric, label, _) in enumerate(lines):
                shown = f"{name}: {label}" if len(lines) > 1 else name
                _plot(axes, rows, metric, shown, colour, style="-" if index == 0 else "--")
        _dress(axes, heading, unit)
    save_figure(path, figure)


def save_figure(path: Path, figure: Figure) -> None:
    """Write a figure as PNG, whole or not at all."""
    FigureCanvasAgg(figure)
    with atomic(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)


def _colours(count: int) -> list[str]:
    return [RUN_COLOURS[index % len(RUN_COLOURS)] for index in range(count)]


def _plot(axes: Axes, rows: Rows, metric: str, label: str, colour: str, style: str = "-") -> None:
    points = [(row["images"], row[metric]) for row in rows if metric in row]
    if points:
        marker = "o" if len(points) < 12 else None
        axes.plot(
            *zip(*points, strict=True),
            style,
            label=label,
            color=colour,
            linewidth=1.3,
            marker=marker,
            markersize=3,
        )


def _dress(axes: Axes, heading: str, unit: str) -> None:
    axes.set_title(heading, fontsize=10)
    axes.set_xlabel("images seen", fontsize=8)
    axes.set_ylabel(unit, fontsize=8)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.25)
    if unit == SHARE:
        axes.set_ylim(-0.03, 1.03)
    if axes.lines:
        axes.legend(fontsize=7)
    else:
        axes.text(0.5, 0.5, "nothing recorded yet", ha="center", transform=axes.transAxes)


def write_pictures(run: Run, steps_per_epoch: int) -> None:
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
