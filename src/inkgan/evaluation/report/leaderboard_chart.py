"""Quality against time: one labeled line for each recipe, distinct without color too."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from inkgan.plotting import LABEL_SIZE, figure_png, series_style, style_axes
from inkgan.types import Float64

Curve = Sequence[tuple[float, float]]
LABEL_HEIGHT = 0.042  # of a name, as a share of the axes' height


def quality_chart(curves: Mapping[str, Sequence[Curve]]) -> bytes | None:
    """Draw Fréchet distance against seconds of training, both logarithmic.

    Args:
        curves: for each recipe those of its seeds: (seconds, distance) in the order of time.

    Returns:
        The bytes of a PNG; None where no recipe has two points.
    """
    joined = {name: over_seeds(runs) for name, runs in curves.items()}
    lines = {name: line for name, line in joined.items() if line is not None}
    if not lines:
        return None
    figure = Figure(figsize=(9.5, 6.5), layout="constrained")
    axes = figure.subplots()
    _scale(axes, lines)
    for place, (name, (seconds, low, middle, high)) in enumerate(lines.items()):
        color, marker, second = series_style(place)
        axes.plot(
            seconds,
            middle,
            color=color,
            linestyle="--" if second else "-",
            linewidth=1.5,
            marker=marker,
            markersize=5,
            markerfacecolor="white" if second else color,
            label=name,
        )
        axes.fill_between(seconds, low, high, color=color, alpha=0.12, linewidth=0)
    _label_ends(axes, {name: line[2][-1] for name, line in lines.items()})
    return figure_png(figure)


def undrawn(curves: Mapping[str, Sequence[Curve]]) -> list[str]:
    """Name the recipes that `quality_chart` has no line for."""
    return [name for name, runs in curves.items() if over_seeds(runs) is None]


def over_seeds(runs: Sequence[Curve]) -> tuple[Float64, Float64, Float64, Float64] | None:
    """Join the curves of several seeds: (seconds, lowest, median, highest distance).

    They are interpolated, on logarithmic axes, at the times of the run with the most points, within
    the time that all of them cover. None where fewer than two such times are left.
    """
    known = [np.array([p for p in run if p[0] > 0 and 0 < p[1] < math.inf]) for run in runs]
    known = [run for run in known if len(run) > 1]
    if not known:
        return None
    times = max(known, key=len)[:, 0]
    start, end = max(run[0, 0] for run in known), min(run[-1, 0] for run in known)
    times = np.unique(np.clip(times, start, end)) if start < end else times[:0]
    if len(times) < 2:
        return None
    at = np.log(times)
    values = np.exp([np.interp(at, np.log(run[:, 0]), np.log(run[:, 1])) for run in known])
    return times, values.min(axis=0), np.median(values, axis=0), values.max(axis=0)


def separate(places: Sequence[float], gap: float, top: float = 1.0) -> Float64:
    """Move places apart to `gap` or more within [0, top], as little as the squares allow.

    Least squares under an order are an isotonic regression (Barlow et al. 1972) once the gaps are
    taken off. Where there is no room for all, the gaps shrink alike.
    """
    from sklearn.isotonic import isotonic_regression  # a second, for charts with many lines

    order = np.argsort(places, kind="stable")
    gaps = min(gap, top / max(len(places) - 1, 1)) * np.arange(len(places))
    ordered = np.asarray(places, np.float64)[order] - gaps
    moved = isotonic_regression(ordered, y_min=0.0, y_max=max(top - gaps[-1], 0.0)) + gaps
    result: Float64 = np.empty(len(places))
    result[order] = moved
    return result


def _scale(axes: Axes, lines: Mapping[str, tuple[Float64, ...]]) -> None:
    times, lows, _, highs = (np.concatenate(part) for part in zip(*lines.values(), strict=True))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(times.min() / 1.1, times.max() * 1.1)
    axes.set_ylim(lows.min() / 1.25, highs.max() * 1.25)
    axes.set_xlabel("seconds of training, evaluations included")
    axes.set_ylabel("Fréchet distance on E3 (lower is better)")
    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        shown = (2, 3, 5, 7) if high / low > 10 else tuple(range(2, 10))
        axis.set_minor_locator(LogLocator(subs=shown))
        axis.set_major_formatter(lambda value, _: f"{value:,g}")
        axis.set_minor_formatter(lambda value, _: f"{value:,g}")
    axes.tick_params(which="both", labelsize=LABEL_SIZE)
    style_axes(axes)
    axes.grid(which="both", alpha=0.2)


def _label_ends(axes: Axes, ends: Mapping[str, float]) -> None:
    """Write each line's name to its right, joined to where the line ends."""
    low, high = np.log(axes.get_ylim())
    places = separate([(math.log(end) - low) / (high - low) for end in ends.values()], LABEL_HEIGHT)
    for line, name, place in zip(list(axes.lines), ends, places, strict=True):
        x, y = line.get_xdata()[-1], line.get_ydata()[-1]  # type: ignore[index]
        axes.annotate(
            name,
            (x, y),
            (1.03, place),
            parse_math=False,
            textcoords="axes fraction",
            va="center",
            fontsize=LABEL_SIZE,
            arrowprops={
                "arrowstyle": "-",
                "color": line.get_color(),
                "linewidth": 0.8,
                "relpos": (0, 0.5),
                "shrinkA": 1,
                "shrinkB": 3,
            },
        )
