"""Where recipes stand: the judged runs of each as one row, its mean, interval and worst seed."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np

from inkgan.evaluation.score import Score
from inkgan.metrics.spec import METRIC_SPECS, current_key
from inkgan.metrics.stats.intervals import t_interval

SEEDS_OF_AN_INTERVAL = 3  # of two, Student's t is 13 standard errors wide
NOTHING = "-"
Document = dict[str, Any]
Point = tuple[float, float]


@dataclass(frozen=True)
class Effort:
    """What a generator has cost.

    Attributes:
        parameters: of generator and discriminator.
        images: seen in training; `total_images` of the whole recipe, where it is known.
        seconds: of training, evaluations on the way included.
        images_per_second: median over training, evaluations left out.
    """

    parameters: tuple[int, int]
    images: int
    total_images: int | None = None
    seconds: float | None = None
    images_per_second: float | None = None


@dataclass(frozen=True)
class Entry:
    """A run of the benchmark, a generator that was given to it, or real images.

    Attributes:
        document: what report.json holds; None where `failure` says why there is none.
        curve: (seconds of training, E3 distance) of the averaged generator on the way.
        machine: that trained it, in words.
    """

    name: str
    role: Literal["trained", "given", "real"]
    seed: int = 0
    document: Document | None = None
    failure: str = ""
    effort: Effort | None = None
    curve: Sequence[Point] = ()
    machine: str = ""


class Reading(NamedTuple):
    """A number of one run as a table shows it: with half its interval, and how bad it is."""

    value: float
    margin: float
    badness: float
    floor: tuple[float, float] | None = None


@dataclass(frozen=True)
class Column:
    """A column: its heading, and how to read its number, if there is one, from a judgement."""

    heading: str
    read: Callable[[Document], Reading | None]

    def floor(self, documents: Sequence[Document]) -> str:
        """Write what real images score, the deviation over draws behind it."""
        readings = [self.read(document) for document in documents]
        floors = [reading.floor for reading in readings if reading and reading.floor]
        return with_margin(*floors[0]) if floors else NOTHING


@dataclass(frozen=True)
class Standing:
    """All runs of one name."""

    name: str
    entries: list[Entry] = field(default_factory=list)

    @property
    def documents(self) -> list[Document]:
        """The judgements of those that could be judged."""
        return [entry.document for entry in self.entries if entry.document is not None]

    @property
    def efforts(self) -> list[Effort]:
        """What those cost whose cost is known."""
        return [entry.effort for entry in self.entries if entry.effort is not None]

    @property
    def role(self) -> str:
        """That of its entries: trained, given or real."""
        return self.entries[0].role

    def readings(self, column: Column) -> list[Reading]:
        """Read a column of every run that has it."""
        readings = [column.read(document) for document in self.documents]
        return [reading for reading in readings if reading is not None]

    def cell(self, column: Column) -> str:
        """Write a column: mean, interval and, behind several runs, the worst of them."""
        readings = self.readings(column)
        if not readings:
            return NOTHING
        if len(self.entries) == 1:
            return with_margin(readings[0].value, readings[0].margin)
        values = [reading.value for reading in readings]
        margin = 0.0
        if len(values) >= SEEDS_OF_AN_INTERVAL:
            interval = t_interval(values)
            margin = interval.high - interval.value
        worst = plain(max(readings, key=lambda reading: reading.badness).value)
        if len(self.documents) < len(self.entries):
            worst = "failed"  # no number is worse than none
        return f"{with_margin(float(np.mean(values)), margin)} ({worst})"

    def worst(self) -> Entry:
        """Return the run that failed or, where none has, that is farthest by the first column."""
        return max(self.entries, key=_distance)


def standings(entries: Sequence[Entry]) -> list[Standing]:
    """Group entries by name; the nearest to real digits first, real images last."""
    found: dict[str, Standing] = {}
    for entry in entries:
        found.setdefault(entry.name, Standing(entry.name)).entries.append(entry)
    return sorted(found.values(), key=_rank)


def _rank(standing: Standing) -> tuple[bool, float]:
    distances = [_distance(entry) for entry in standing.entries if entry.document is not None]
    return standing.role == "real", float(np.mean(distances)) if distances else math.inf


def _distance(entry: Entry) -> float:
    reading = NEAREST.read(entry.document) if entry.document is not None else None
    return math.inf if reading is None else reading.value


def score_column(key: str) -> Column:
    """Make the column of one of the judge's metrics; shares stand in per cent."""
    spec = METRIC_SPECS[key]
    unit = 100 if spec.is_share else 1

    def read(document: Document) -> Reading | None:
        rows = [row for row in document["scores"] if current_key(row["key"]) == key]
        if not rows:
            return None
        score = Score.from_dict(rows[0])
        floor = unit * score.baseline.mean, unit * score.baseline.sd
        return Reading(unit * score.value, unit * score.margin, score.excess, floor)

    share = ", %" if spec.is_share else ""
    return Column(f"{spec.title}{share} {spec.arrow}", read)


def hand_column(style: str) -> Column:
    """Make the column of how far the ten digits of a latent share a style, as ICC(3,1)."""

    def read(document: Document) -> Reading | None:
        shared = (document.get("style_consistency") or {}).get("styles", {}).get(style)
        if shared is None or shared["consistency"]["value"] is None:
            return None
        value, low, high = (shared["consistency"][end] for end in ("value", "low", "high"))
        return Reading(value, max(high - value, value - low), -value)

    return Column(f"One hand: {style} ↑", read)


def plain(value: float) -> str:
    """Write a number with four significant digits."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def with_margin(value: float, margin: float) -> str:
    """Write a number no finer than its margin, which has two digits below 3.55, one above.

    The rule of the Review of Particle Physics, introduction, section 5.3; margins of 10 and more
    stand in whole numbers, and none has more than four decimals.
    """
    if not 0 < margin < math.inf:
        return plain(value)
    exponent = math.floor(math.log10(margin))
    decimals = min(4, max(0, int(margin / 10**exponent < 3.55) - exponent))
    return f"{value:,.{decimals}f} ± {margin:,.{decimals}f}"


NEAREST = score_column("fd_e1")
