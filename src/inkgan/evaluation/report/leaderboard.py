"""Rows and columns of a leaderboard: the runs of a recipe with mean, interval and worst seed."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from inkgan.evaluation.score import Score
from inkgan.metrics.metric_registry import METRIC_SPECS, NO_NUMBER, current_key, format_with_margin
from inkgan.metrics.stats.intervals import t_interval

MIN_SEEDS = 3  # of an interval over seeds: of two, Student's t is 13 standard errors wide
STYLES = ("slant", "thickness", "width")  # of the columns of style consistency
Document = dict[str, Any]
Point = tuple[float, float]
Role = Literal["trained", "given", "real"]


@dataclass(frozen=True)
class TrainingCost:
    """What it cost to train a generator.

    Attributes:
        parameters: of generator and discriminator.
        images: seen in training; `total_images` of the whole recipe, where it is known.
        seconds: of training, evaluations during training included.
        images_per_second: median over training, evaluations left out.
    """

    parameters: tuple[int, int]
    images: int
    total_images: int | None = None
    seconds: float | None = None
    images_per_second: float | None = None


@dataclass(frozen=True)
class LeaderboardEntry:
    """One evaluated source: a run of the benchmark, a given generator, or real images.

    Attributes:
        name: the recipe, or what was given.
        role: "trained" by the benchmark, "given" to it, or "real" images.
        seed: of the training run.
        document: what report.json holds; None where `failure` says why there is none.
        failure: why there is no report, in a sentence.
        cost: of the training, where it is known.
        curve: (seconds of training, E3 distance) of the averaged generator during training.
        machine: that trained it, in words.
    """

    name: str
    role: Role
    seed: int = 0
    document: Document | None = None
    failure: str = ""
    cost: TrainingCost | None = None
    curve: Sequence[Point] = ()
    machine: str = ""


class ColumnValue(NamedTuple):
    """The value of one entry in a column.

    Attributes:
        value: the value in the column's unit.
        margin: half the width of its 95 % interval.
        badness: a number that is larger for worse values.
        baseline: mean and standard deviation of real images; None where there is none.
    """

    value: float
    margin: float
    badness: float
    baseline: tuple[float, float] | None = None


@dataclass(frozen=True)
class Column:
    """A column: its heading, how to read its value from a report, and how to write it."""

    heading: str
    value_of: Callable[[Document], ColumnValue | None]
    format: Callable[[float, float], str] = format_with_margin

    def baseline(self, documents: Sequence[Document]) -> str:
        """Write what real images score, with the standard deviation over draws."""
        values = [self.value_of(document) for document in documents]
        baselines = [value.baseline for value in values if value and value.baseline]
        return self.format(*baselines[0]) if baselines else NO_NUMBER


@dataclass(frozen=True)
class LeaderboardRow:
    """All entries of one name."""

    name: str
    entries: tuple[LeaderboardEntry, ...]

    @property
    def documents(self) -> list[Document]:
        """The reports of those that could be evaluated."""
        return [entry.document for entry in self.entries if entry.document is not None]

    @property
    def costs(self) -> list[TrainingCost]:
        """The costs that are known."""
        return [entry.cost for entry in self.entries if entry.cost is not None]

    @property
    def is_complete(self) -> bool:
        """Whether every run reached the end of its recipe, as far as that is known."""
        return all(c.total_images is None or c.images >= c.total_images for c in self.costs)

    @property
    def role(self) -> Role:
        """The role of its entries."""
        return self.entries[0].role

    def values(self, column: Column) -> list[ColumnValue]:
        """Return the value of every entry that has one in this column."""
        values = [column.value_of(document) for document in self.documents]
        return [value for value in values if value is not None]

    def cell(self, column: Column) -> str:
        """Write a cell: mean, interval and, of several runs, the worst in parentheses."""
        values = self.values(column)
        if not values:
            return NO_NUMBER
        if len(self.entries) == 1:
            return column.format(values[0].value, values[0].margin)
        numbers = [value.value for value in values]
        margin = 0.0
        if len(numbers) >= MIN_SEEDS:
            interval = t_interval(numbers)
            margin = interval.high - interval.value
        worst = column.format(max(values, key=lambda value: value.badness).value, 0.0)
        if len(self.documents) < len(self.entries):
            worst = "failed"  # no number is worse than none
        return f"{column.format(float(np.mean(numbers)), margin)} ({worst})"

    def worst(self) -> LeaderboardEntry:
        """Return the entry that failed or, where none has, the one with the largest distance."""
        return max(self.entries, key=_distance)


def leaderboard_rows(entries: Sequence[LeaderboardEntry]) -> list[LeaderboardRow]:
    """Group entries by name and sort them by Fréchet distance; real images come last.

    Recipes that were stopped before their end come after the others, by name: where they would be
    in the end is not known.
    """
    groups: dict[str, list[LeaderboardEntry]] = {}
    for entry in entries:
        groups.setdefault(entry.name, []).append(entry)
    rows = [LeaderboardRow(name, tuple(members)) for name, members in groups.items()]
    return sorted(rows, key=_rank)


def _rank(row: LeaderboardRow) -> tuple[bool, bool, float, str]:
    distances = [_distance(entry) for entry in row.entries if entry.document is not None]
    distance = float(np.mean(distances)) if distances else math.inf
    return row.role == "real", not row.is_complete, distance if row.is_complete else 0.0, row.name


def _distance(entry: LeaderboardEntry) -> float:
    value = RANKING.value_of(entry.document) if entry.document is not None else None
    return math.inf if value is None else value.value


def excess_column(key: str) -> Column:
    """Make the column of how far a metric is from what real images score."""
    spec = METRIC_SPECS[key]

    def value_of(document: Document) -> ColumnValue | None:
        score = _score(document, key)
        if score is None:
            return None
        interval, excess = score.excess_interval, score.excess
        margin = math.nan
        if interval is not None:
            margin = max(interval.high - excess, excess - interval.low)
        return ColumnValue(excess, margin, excess, (0.0, score.baseline.sd))

    return Column(f"{spec.title}, excess over real ↓", value_of, spec.format_margin)


def metric_column(key: str) -> Column:
    """Make the column of a metric; its record says how it is called and written."""
    spec = METRIC_SPECS[key]

    def value_of(document: Document) -> ColumnValue | None:
        score = _score(document, key)
        if score is None:
            return None
        baseline = score.baseline.mean, score.baseline.sd
        return ColumnValue(score.value, score.margin, score.excess, baseline)

    return Column(spec.heading, value_of, spec.format_margin)


def _score(document: Document, key: str) -> Score | None:
    rows = [row for row in document["scores"] if current_key(row["key"]) == key]
    return Score.from_dict(rows[0]) if rows else None


def style_column(style: str) -> Column:
    """Make the column of the style consistency of one measure, as ICC(3,1)."""

    def value_of(document: Document) -> ColumnValue | None:
        row = (document.get("style_consistency") or {}).get("styles", {}).get(style)
        if row is None or row["consistency"]["value"] is None:
            return None
        value, low, high = (row["consistency"][end] for end in ("value", "low", "high"))
        return ColumnValue(value, max(high - value, value - low), -value)

    return Column(f"Style consistency: {style} ↑", value_of)


def table_columns(table: str) -> list[Column]:
    """List the columns of a table of the leaderboard, in the order of the metrics' records."""
    keys = [key for key, spec in METRIC_SPECS.items() if spec.leaderboard == table]
    styles = STYLES if table == "labels" else ()
    first = [RANKING] if table == "closeness" else []
    return [*first, *map(metric_column, keys), *map(style_column, styles)]


RANKING = excess_column("fd_e1")
