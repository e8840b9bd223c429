"""The charts of a sweep's page, as the lines, points and labels of an SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from inkgan.sweeps.search_space import Dimension
from inkgan.sweeps.trial_record import TrialRecord

AXIS_GAP, LEFT, TOP, BOTTOM, HEIGHT = 130, 60, 52, 14, 260
WIDTH, MARGIN = 640, 46  # of the history
LOG_RATIO = 8.0  # of distances, from which on an axis is logarithmic
GOOD_SHARE = 0.25  # of the complete trials, whose lines stand out


@dataclass(frozen=True)
class Scale:
    """Places numbers from 0 (low) to 1 (high)."""

    low: float
    high: float
    log: bool

    def __call__(self, value: float) -> float:
        """Return the place of a number."""
        low, high, number = (
            (math.log(item) if self.log else item) for item in (self.low, self.high, value)
        )
        return 0.5 if high == low else (number - low) / (high - low)

    def ticks(self) -> list[float]:
        """Return numbers to label: both ends, and round ones or the middle between them."""
        if not self.log:
            return [self.low, (self.low + self.high) / 2, self.high]
        first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
        digits = (1.0,) if last > first else (1.0, 2.0, 5.0)
        marks = [d * 10.0**power for power in range(first - 1, last + 1) for d in digits]
        inner = [mark for mark in marks if 0.08 < self(mark) < 0.92]
        return [self.low, *inner[:: 1 + len(inner) // 5], self.high]


def scale_of(distances: Sequence[float]) -> Scale:
    """Return a scale for distances, logarithmic where they differ much."""
    low, high = min(distances), max(distances)
    return Scale(low, high, low > 0 and high / low > LOG_RATIO)


@dataclass(frozen=True)
class Tick:
    """A label at a height of the picture."""

    y: float
    text: str


@dataclass(frozen=True)
class Axis:
    """A vertical axis: its place, the two lines of its name, its labels."""

    x: float
    section: str
    name: str
    ticks: list[Tick]


@dataclass(frozen=True)
class Line:
    """The way of a trial over the axes; `kind` is a class of the style sheet."""

    points: str
    kind: str
    title: str


@dataclass(frozen=True)
class Parallel:
    """The chart of parallel coordinates; the best trials are drawn last, above the others."""

    width: float
    height: float
    top: float
    bottom: float
    axes: list[Axis]
    lines: list[Line]


@dataclass(frozen=True)
class Point:
    """A trial in the history."""

    x: float
    y: float
    kind: str
    title: str


@dataclass(frozen=True)
class History:
    """Distances in the order of the trials, and the best so far as a line of steps."""

    width: float
    height: float
    left: float
    points: list[Point]
    best: str
    ticks: list[Tick]
    last: int = 0
    labels: list[Any] = field(default_factory=list)


def parallel_chart(
    dimensions: Sequence[Dimension], ranked: Sequence[TrialRecord]
) -> Parallel | None:
    """Draw each trial that has a distance over its settings.

    Args:
        dimensions: what was searched.
        ranked: the trials, the best one first.

    Returns:
        The chart; None where no trial has a distance.
    """
    shown = [t for t in ranked if t.distance is not None and len(t.values) == len(dimensions)]
    if not shown:
        return None
    distance = scale_of([t.distance for t in shown if t.distance is not None])
    axes = [_axis(place, dimension) for place, dimension in enumerate(dimensions)]
    x = LEFT + AXIS_GAP * len(dimensions)
    ticks = [Tick(_y(distance(value)), _number(value)) for value in distance.ticks()]
    axes.append(Axis(x, "lower is better", "distance", ticks))
    lines = []
    complete = sum(trial.state == "complete" for trial in shown)
    for place, trial in enumerate(shown):
        heights = [_y(_place(d, trial.values[d.field])) for d in dimensions]
        heights.append(_y(distance(trial.distance or 0)))
        points = " ".join(f"{axis.x:g},{y:.1f}" for axis, y in zip(axes, heights, strict=True))
        lines.append(Line(points, _kind(place, trial, complete), _title(trial)))
    return Parallel(x + 70, TOP + HEIGHT + BOTTOM, TOP, TOP + HEIGHT, axes, lines[::-1])


def history_chart(ranked: Sequence[TrialRecord]) -> History | None:
    """Draw the distances in the order of the trials; None where there is none."""
    shown = sorted((t for t in ranked if t.distance is not None), key=lambda t: t.number)
    if not shown:
        return None
    scale = scale_of([t.distance for t in shown if t.distance is not None])
    last = max(trial.number for trial in shown)

    def x(number: int) -> float:
        return MARGIN + (WIDTH - MARGIN - 20) * (number / max(1, last))

    def y(value: float) -> float:
        return 12 + (HEIGHT - 40) * (1 - scale(value))

    points: list[Point] = []
    steps: list[str] = []
    best = math.inf
    for trial in shown:
        assert trial.distance is not None
        points.append(Point(x(trial.number), y(trial.distance), trial.state, _title(trial)))
        if trial.state == "complete" and trial.distance < best:
            if steps:
                steps.append(f"{x(trial.number):.1f},{y(best):.1f}")
            best = trial.distance
            steps.append(f"{x(trial.number):.1f},{y(best):.1f}")
    if steps:
        steps.append(f"{x(last):.1f},{y(best):.1f}")
    ticks = [Tick(y(value), _number(value)) for value in scale.ticks()]
    return History(WIDTH, HEIGHT, MARGIN, points, " ".join(steps), ticks, last)


def _axis(place: int, dimension: Dimension) -> Axis:
    section, _, name = dimension.field.rpartition(".")
    if dimension.kind == "list":
        marks = [(_place(dimension, choice), choice) for choice in dimension.choices]
    else:
        scale = _scale(dimension)
        marks = [(scale(value), _number(value)) for value in scale.ticks()]
    ticks = [Tick(_y(height), text) for height, text in marks]
    return Axis(LEFT + AXIS_GAP * place, section, name, ticks)


def _scale(dimension: Dimension) -> Scale:
    return Scale(dimension.low, dimension.high, dimension.log)


def _place(dimension: Dimension, value: Any) -> float:
    """Return where a value is on its axis, 0 to 1."""
    if dimension.kind == "list":
        count = len(dimension.choices)
        return (dimension.choices.index(str(value)) + 0.5) / count
    return _scale(dimension)(float(value))


def _y(share: float) -> float:
    return TOP + HEIGHT * (1 - share)


def _kind(place: int, trial: TrialRecord, complete: int) -> str:
    if trial.state != "complete":
        return "early"
    if place == 0:
        return "best"
    return "good" if place < max(1, GOOD_SHARE * complete) else "rest"


def _title(trial: TrialRecord) -> str:
    values = ", ".join(f"{key} = {_number(value)}" for key, value in trial.values.items())
    return f"trial {trial.number}, distance {trial.distance:.2f}: {values}"


def _number(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"
