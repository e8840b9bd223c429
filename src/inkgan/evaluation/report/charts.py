"""Charts of a report: class by class, confusions, and scores beside their real baselines."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogLocator

from inkgan.evaluation.results import EvaluationResult
from inkgan.evaluation.score import Score
from inkgan.evaluation.verdict import in_classes
from inkgan.generation.protocols import DIGITS
from inkgan.metrics.metric_registry import MetricSpec
from inkgan.metrics.stats.intervals import Interval
from inkgan.plotting import (
    BLUE,
    GRAY,
    LABEL_SIZE,
    LIGHT_GRAY,
    ORANGE,
    SMALL_SIZE,
    figure_pixels,
    fit_axes,
    narrow_chart,
)
from inkgan.types import UInt8


class ClassChart(NamedTuple):
    """What a chart of the classes shows, and whether its worst class is its largest."""

    kind: str
    title: str
    largest_is_worst: bool


CLASS_CHARTS = (
    ClassChart("fd", "Distance (lower is better)", True),
    ClassChart("recall", "Recall (higher is better)", False),
    ClassChart("variety", "Variety (1 = real)", False),
)


def worst_class(classes: Mapping[int, Mapping[str, float]], chart: ClassChart) -> int | None:
    """Return the place of the worst class, if any is measured."""
    values = {digit: row[chart.kind] for digit, row in classes.items() if chart.kind in row}
    choose = max if chart.largest_is_worst else min
    return choose(values, key=lambda digit: values[digit]) if values else None


def class_chart(
    classes: Mapping[int, Mapping[str, float]], chart: ClassChart, names: Sequence[str] = DIGITS
) -> UInt8:
    """Draw one measure of each class as a dot, joined to its baseline; the worst one is orange."""
    figure, axes = narrow_chart(3.6, 3.6 * max(1, len(names) / 12), chart.title)
    worst = worst_class(classes, chart)
    for digit in range(len(names)):
        row = classes.get(digit, {})
        value = row.get(chart.kind)
        baseline = row.get(f"{chart.kind}_baseline", 1.0 if chart.kind == "variety" else None)
        color = ORANGE if digit == worst else BLUE
        if baseline is not None:
            axes.plot(baseline, digit, "|", color=GRAY, markersize=14, markeredgewidth=2.5)
        if value is None:
            axes.annotate(
                "too few images",
                (0.02, digit),
                xycoords=("axes fraction", "data"),
                va="center",
                fontsize=SMALL_SIZE,
                color=GRAY,
            )
            continue
        if baseline is not None:
            axes.plot([baseline, value], [digit, digit], color=color, linewidth=1.5, alpha=0.5)
        axes.plot(value, digit, "o", color=color, markersize=7)
        if digit == worst:
            axes.annotate(
                f"{value:.3g}",
                (value, digit),
                (0, 7),
                textcoords="offset points",
                ha="center",
                fontsize=LABEL_SIZE,
                color=ORANGE,
            )
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.8)
    axes.margins(x=0.12)
    fit_axes(figure, axes)
    return figure_pixels(figure)


def confusion_chart(table: np.ndarray, labelled: bool, names: Sequence[str] = DIGITS) -> UInt8:
    """Draw a confusion matrix (k, k) in per mille of all images.

    Only mistakes are colored; the diagonal is far larger.
    """
    scale = max(1, len(names) / 12)
    figure, axes = narrow_chart(4.8 * scale, 4.6 * scale)
    mistakes = np.where(np.eye(len(table), dtype=bool), 0.0, table)
    top = max(float(mistakes.max()), 0.001)
    axes.imshow(mistakes, cmap="Oranges", vmin=0, vmax=1.3 * top)
    for row, column in np.ndindex(*table.shape):
        on_diagonal = row == column
        if on_diagonal:
            axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, color=LIGHT_GRAY))
        if table[row, column] >= 0.001:
            axes.text(
                column,
                row,
                f"{1000 * table[row, column]:.0f}",
                ha="center",
                va="center",
                fontsize=SMALL_SIZE,
                color=GRAY if on_diagonal else "black",
            )
    turn = 90 if max(map(len, names)) > 2 else 0
    axes.set_xticks(range(len(names)), names, rotation=turn)
    axes.set_yticks(range(len(names)), names)
    noun = "digit" if tuple(names) == DIGITS else "class"
    axes.set_xlabel(f"predicted {noun}" if labelled else "second most likely", fontsize=LABEL_SIZE)
    axes.set_ylabel(f"requested {noun}" if labelled else f"predicted {noun}", fontsize=LABEL_SIZE)
    axes.grid(visible=False)
    fit_axes(figure, axes)
    return figure_pixels(figure)


def score_charts(result: EvaluationResult) -> list[UInt8]:
    """Draw distances as multiples of their baselines, shares as points from theirs.

    A distance whose baseline is about zero cannot be divided by it, and is left out.
    """
    scores = list(result.scores.values())
    ratios = [_ratio(score) for score in scores if shows_ratio(score.spec) and has_ratio(score)]
    points = [_points(score) for score in scores if score.spec.unit in ("share", "fraction")]
    ratios, points = (
        [mark._replace(title=in_classes(mark.title, result.class_names)) for mark in marks]
        for marks in (ratios, points)
    )
    charts = []
    if ratios:
        charts.append(_score_chart("Distance, multiples of the real baseline", ratios, log=True))
    if points:
        charts.append(_score_chart("Percentage points worse than real images", points, log=False))
    return charts


def shows_ratio(spec: MetricSpec) -> bool:
    """Tell whether a metric has a place in the chart of multiples of the baseline."""
    return spec.is_distance and spec.baseline != "inception"


def has_ratio(score: Score) -> bool:
    """Tell whether a baseline is far enough from zero to divide by."""
    return score.baseline.mean > 2 * score.baseline.sd > 0 and score.value > 0


class _Mark(NamedTuple):
    """A row of a chart of scores: baseline, score, interval and the label beside."""

    title: str
    baseline: float
    baseline_sd: float
    value: float
    ends: tuple[float, float]
    label: str


def _ratio(score: Score) -> _Mark:
    mean, value = score.baseline.mean, score.value
    title = score.spec.title
    interval = score.interval or Interval(value, value, value)
    low = max(interval.low, value / 20)  # a logarithmic axis has no room for zero
    ends = (low / mean, interval.high / mean)
    return _Mark(title, 1.0, score.baseline.sd / mean, value / mean, ends, f"{value / mean:.3g}x")


def _points(score: Score) -> _Mark:
    """Turn a share so that right is worse, and its interval with it."""
    worse = 100 * score.excess
    interval = score.interval or Interval(score.value, score.value, score.value)
    sides = [100 * (score.value - interval.low), 100 * (interval.high - score.value)]
    left, right = sides if worse * (score.value - score.baseline.mean) > 0 else sides[::-1]
    ends = (worse - left, worse + right)
    return _Mark(score.spec.title, 0.0, 100 * score.baseline.sd, worse, ends, f"{worse:+.1f}")


def _score_chart(title: str, marks: Sequence[_Mark], log: bool) -> UInt8:
    """Draw scores and their intervals, each before two deviations of its baseline."""
    figure, axes = narrow_chart(4.8, 0.9 + 0.38 * len(marks), title)
    for row, mark in enumerate(marks):
        low, band = mark.baseline - 2 * mark.baseline_sd, 4 * mark.baseline_sd
        axes.barh(row, band, left=low, height=0.7, color=GRAY, alpha=0.35)
        axes.plot([mark.baseline] * 2, [row - 0.35, row + 0.35], color=GRAY, linewidth=2)
        axes.plot(mark.ends, [row, row], color=BLUE, linewidth=1.5)
        axes.plot(mark.value, row, "o", color=BLUE, markersize=6)
        right = max(mark.ends[1], mark.baseline + 2 * mark.baseline_sd)
        axes.annotate(
            mark.label,
            (right, row),
            (6, 0),
            textcoords="offset points",
            va="center",
            fontsize=SMALL_SIZE,
        )
    if log:
        axes.set_xscale("log")
        least, most = min(m.value for m in marks), max(m.ends[1] for m in marks)
        axes.set_xlim(min(0.5, least / 2), max(3.0, most) * 2.5)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_locator(LogLocator(subs=(2, 5)))
        axes.xaxis.set_minor_formatter(lambda value, _: f"{value:g}")
        axes.tick_params(which="minor", labelsize=LABEL_SIZE)
    else:
        axes.margins(x=0.15)
    axes.set_yticks(range(len(marks)), [mark.title for mark in marks])
    axes.set_ylim(len(marks) - 0.4, -0.6)
    fit_axes(figure, axes)
    return figure_pixels(figure)
