"""Quality against time: a line a recipe, told apart without colour, named where it ends."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from sklearn.isotonic import isotonic_regression

from inkgan.runs.curves import save_figure
from inkgan.types import Float64

Curve = Sequence[tuple[float, float]]
# Okabe and Ito's colours without yellow, which white paper swallows; and a mark for each, so that
# the second seven, dashed and hollow, and a grey print can still be told apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#000000", "#CC79A7", "#56B4E9", "#E69F00")
MARKS = "os^DvPX"
LABEL = 0.042  # height of a name, as a share of the axes'


def draw_chart(path: Path, curves: Mapping[str, Sequence[Curve]]) -> bool:
    """Draw Fréchet distance against seconds of training, both logarithmic, as a PNG.

    Args:
        path: of the PNG.
        curves: for each recipe those of its seeds: (seconds, distance) in the order of time.

    Returns:
        Whether there was anything to draw: one recipe with two points at least.
    """
    joined = {name: over_seeds(runs) for name, runs in curves.items()}
    lines = {name: line for name, line in joined.items() if line is not None}
    if not lines:
        return False
    figure = Figure(figsize=(9.5, 6.5), layout="constrained")
    axes = figure.subplots()
    _scale(axes, lines)
    for place, (name, (seconds, low, middle, high)) in enumerate(lines.items()):
        colour, mark, second = _look(place)
        axes.plot(
            seconds,
            middle,
            color=colour,
            linestyle="--" if second else "-",
            linewidth=1.5,
            marker=mark,
            markersize=5,
            markerfacecolor="white" if second else colour,
            label=name,
        )
        axes.fill_between(seconds, low, high, color=colour, alpha=0.12, linewidth=0)
    _name(axes, {name: line[2][-1] for name, line in lines.items()})
    save_figure(path, figure)
    return True


def over_seeds(runs: Sequence[Curve]) -> tuple[Float64, Float64, Float64, Float64] | None:
    """Join the curves of several seeds: (seconds, lowest, median, highest distance).

    They are read off, on logarithmic axes, at the times of the run with the most points, as far
    as all of them reach. None where fewer than two such times are left.
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
    read = np.exp([np.interp(at, np.log(run[:, 0]), np.log(run[:, 1])) for run in known])
    return times, read.min(axis=0), np.median(read, axis=0), read.max(axis=0)


def spread(places: Sequence[float], gap: float, top: float = 1.0) -> Float64:
    """Move places apart to `gap` or more within [0, top], as little as the squares allow.

    Least squares under an order are an isotonic regression (Barlow et al. 1972) once the gaps are
    taken off. Where there is no room for all, the gaps shrink alike.
    """
    order = np.argsort(places, kind="stable")
    gaps = min(gap, top / max(len(places) - 1, 1)) * np.arange(len(places))
    ordered = np.asarray(places, np.float64)[order] - gaps
    moved = isotonic_regression(ordered, y_min=0.0, y_max=max(top - gaps[-1], 0.0)) + gaps
    result: Float64 = np.empty(len(places))
    result[order] = moved
    return result


def _look(place: int) -> tuple[str, str, bool]:
    """Return colour, mark, and whether the line is of the second seven."""
    turn, index = divmod(place, len(COLOURS))
    return COLOURS[index], MARKS[index], turn % 2 == 1


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
    axes.tick_params(which="both", labelsize=9)
    axes.grid(which="both", alpha=0.2)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _name(axes: Axes, ends: Mapping[str, float]) -> None:
    """Write each line's name to its right, with a thread to where it ends."""
    low, high = np.log(axes.get_ylim())
    places = spread([(math.log(end) - low) / (high - low) for end in ends.values()], LABEL)
    for line, name, place in zip(list(axes.lines), ends, places, strict=True):
        x, y = line.get_xdata()[-1], line.get_ydata()[-1]  # type: ignore[index]
        axes.annotate(
            name,
            (x, y),
            (1.03, place),
            textcoords="axes fraction",
            va="center",
            fontsize=9,
            arrowprops={
                "arrowstyle": "-",
                "color": line.get_color(),
                "linewidth": 0.8,
                "relpos": (0, 0.5),
                "shrinkA": 1,
                "shrinkB": 3,
            },
        )
