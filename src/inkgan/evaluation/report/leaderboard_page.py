"""The leaderboard of a benchmark: tables, a chart and verdicts, as Markdown and in a notebook."""

import html
import itertools
import re
import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from inkgan import files
from inkgan.errors import ArtifactError, ConfigError
from inkgan.evaluation.report.leaderboard import (
    Column,
    LeaderboardEntry,
    LeaderboardRow,
    leaderboard_rows,
    table_columns,
)
from inkgan.evaluation.report.leaderboard_chart import Curve, quality_chart, undrawn
from inkgan.metrics.metric_registry import NO_NUMBER, format_with_margin
from inkgan.plural import counted, duration
from inkgan.printable import code, printable
from inkgan.types import Clock

TITLE = "# Benchmark\n\nWritten by `"
SIGNS = """↓ lower is better, ↑ higher is better, = best where real images score, or at 0.5 for a
classifier of real and generated images. The real baseline is what real images score, ± its standard
deviation over draws. The excess is the distance less that baseline; rows are sorted by it. """
UNFINISHED = """Recipes without a place were stopped before their end. They come after the others,
by name: more training may change their order. """
IMAGES = """For a single run ± is the 95 % interval over the images drawn; it does not cover another
seed. """
TWO = "For two seeds the table gives their mean without an interval; the worse one in parentheses. "
SEEDS = """For three seeds or more ± is the 95 % t-interval of their mean; the worst seed in
parentheses. """
COST = """The minutes of training include evaluations during training, images/s does not; {clock}.
The last column is the share of the recipe's own length: where
it is small, learning rates that decay towards the end have hardly decayed."""
CHART = """Fréchet distance in the features of E3, the small network that selects checkpoints,
between 1,000 images of the averaged generator and as many validation images (training images where
a recipe reserves none); all seeds of a recipe are evaluated after the same numbers of images.
Lines are medians over the seeds, bands reach from the best to the worst."""
NO_LINE = """A line takes two evaluations during training, at times that all seeds of the recipe
have reached."""
TABLES = (
    (
        "closeness",
        "Closeness to real digits",
        "Fidelity and diversity in one number, and two tests by trained classifiers.",
    ),
    ("details", "Fidelity, diversity and copies", "What is wrong with the images, one by one."),
    (
        "labels",
        "Labels and style consistency",
        """Only for generators that take labels. Style consistency is the intraclass correlation
ICC(3,1) over the ten digits drawn from one latent: 1 is the same style in all of them, 0 is none in
common.""",
    ),
)
CLOCKS = {
    "wall": "both depend on what else the machine did",
    "processor": "both are of the processor, one core for each run",
}
COST_HEADING = [
    "recipe",
    "parameters, generator / discriminator",
    "images/s",
    "minutes",
    "images seen",
    "of its own length",
]


@dataclass(frozen=True)
class BenchmarkSettings:
    """How a benchmark was run.

    Attributes:
        command: that wrote the page, or the Python call.
        minutes: of training for each run; None is each recipe's own length.
        protocol: quick or full.
        reference: the data set of real digits.
        num_runs: how many training runs were requested.
        clock: whether minutes are the time that passes (wall) or that of a core (processor).
        budget: of each run in words, where `minutes` does not say it.
    """

    command: str
    minutes: float | None
    protocol: str
    reference: str
    num_runs: int
    clock: Clock = "wall"
    budget: str = ""


class Table(NamedTuple):
    """A table of texts: its title, its introduction, the heading and the lines."""

    title: str
    intro: str
    heading: list[str]
    lines: list[list[str]]


@dataclass(frozen=True)
class Leaderboard:
    """The result of `inkgan.benchmark`. In a notebook it shows itself as tables.

    Attributes:
        entries: real images, given generators and every training run.
        settings: how they were trained and evaluated.

    Examples:
        >>> board = inkgan.benchmark(["mlp", "dcgan"], quick=True)  # doctest: +SKIP
        >>> board.save("benchmark.md")  # doctest: +SKIP
    """

    entries: tuple[LeaderboardEntry, ...]
    settings: BenchmarkSettings

    @property
    def rows(self) -> list[LeaderboardRow]:
        """The entries grouped by recipe, the smallest Fréchet distance first."""
        return leaderboard_rows(self.entries)

    def tables(self) -> list[Table]:
        """Return the tables of scores; those without any score are left out."""
        rows = self.rows
        tables = [
            _score_table(title, intro, table_columns(key), rows) for key, title, intro in TABLES
        ]
        return [table for table in tables if table.lines]

    def cost_table(self) -> Table:
        """Return the table of parameters, speed and training time."""
        rows = [row for row in self.rows if row.costs]
        lines, heading, intro = [*map(_cost_line, rows)], COST_HEADING, COST
        if len(self._machines()) > 1:
            heading = [*heading, "trained on"]
            lines = [[*line, *_machine(row)] for line, row in zip(lines, rows, strict=True)]
            intro += " Times of different machines do not compare."
        intro = intro.format(clock=CLOCKS[self.settings.clock])
        return Table("Training cost", intro, heading, lines)

    def chart(self) -> bytes | None:
        """Draw quality against time as a PNG; None where no run was evaluated during training."""
        return quality_chart(self._curves())

    def _machines(self) -> Counter[str]:
        """Count the runs that each machine has trained."""
        return Counter(entry.machine for entry in self.entries if entry.machine)

    def _curves(self) -> dict[str, list[Curve]]:
        """Return the curves of the machine that trained most: times of others do not compare."""
        curves: dict[str, list[Curve]] = {}
        most = max(self._machines().items(), key=lambda item: item[1], default=("", 0))[0]
        for entry in self.entries:
            if entry.role == "trained" and entry.machine in ("", most):
                curves.setdefault(entry.name, []).append(entry.curve)
        return curves

    def _elsewhere(self) -> list[str]:
        """Name the recipes that other machines trained."""
        trained = {entry.name: None for entry in self.entries if entry.role == "trained"}
        return [name for name in trained if name not in self._curves()]

    def to_dict(self) -> dict[str, Any]:
        """Return settings and entries, with their whole reports, as plain values."""
        return {
            "settings": asdict(self.settings),
            "entries": [asdict(entry) for entry in self.entries],
        }

    def to_markdown(self, picture: str | None = None) -> str:
        """Return the page as Markdown.

        Args:
            picture: the file name of the chart beside the page; None leaves it out.
        """
        unfinished = "" if all(row.is_complete for row in self.rows) else UNFINISHED
        parts = [_head(self), _wrapped(SIGNS + unfinished + _interval_notes(self.rows))]
        parts += map(_markdown, self.tables())
        missing = undrawn(self._curves())
        if picture is not None or missing:
            parts += ["## Quality against training time"]
        if picture is not None:
            parts += [f"![E3 distance against seconds]({picture})", _wrapped(CHART)]
        if missing:
            parts += [_wrapped(f"Not in the chart: {', '.join(map(_safe, missing))}. {NO_LINE}")]
        if elsewhere := self._elsewhere():
            named = ", ".join(map(_safe, elsewhere))
            parts += [_wrapped(f"Trained on another machine, and so not in the chart: {named}.")]
        parts += [_markdown(self.cost_table())]
        verdicts = "\n".join(
            f"- **{_safe(name)}**: {_safe(text)}" for name, text in self.verdicts()
        )
        parts += ["## Verdicts", "Of several seeds, the worst.", verdicts]
        return "\n\n".join(parts) + "\n"

    def verdicts(self) -> list[tuple[str, str]]:
        """Return for each row its name and what its report, of several seeds the worst, says."""
        return [_verdict(row) for row in self.rows]

    def save(self, path: str | Path) -> Path:
        """Write the page as Markdown, and beside it the chart as PNG if there is one.

        Args:
            path: a file that ends in .md.

        Returns:
            The path of the page.

        Raises:
            ConfigError: another ending than .md.
            ArtifactError: there is a file that is no page of a benchmark.
        """
        page = Path(path)
        check_page(page)
        chart = self.chart()
        picture = page.with_suffix(".png")
        if chart is not None:
            with files.atomic(picture) as temporary:
                temporary.write_bytes(chart)
        files.write_text(page, self.to_markdown(None if chart is None else picture.name))
        return page

    def __repr__(self) -> str:
        return f"<Leaderboard of {', '.join(dict.fromkeys(entry.name for entry in self.entries))}>"

    def _repr_html_(self) -> str:
        """Return the tables and verdicts as HTML, without anything to load."""
        tables = "".join(map(_html_table, [*self.tables(), self.cost_table()]))
        verdicts = "".join(
            f"<li><b>{html.escape(name)}</b>: {html.escape(text)}</li>"
            for name, text in self.verdicts()
        )
        return f"<div>{tables}<h4>Verdicts</h4><ul>{verdicts}</ul></div>"


def check_page(path: Path) -> None:
    """Refuse a page that is not Markdown, or files there that are of no benchmark.

    Raises:
        ConfigError: another ending than .md.
        ArtifactError: there is a file that is no page of a benchmark.
    """
    if path.suffix.lower() != ".md":
        raise ConfigError(
            f"`page` {path}: the page is Markdown, with its chart beside it; use the ending .md"
        )
    ours = path.is_file() and path.read_text("utf-8", errors="replace").startswith(TITLE)
    for existing in (path, path.with_suffix(".png")):
        files.require_no_dead_link(existing)
        if existing.exists() and not ours:
            raise ArtifactError(
                f"`page` {path}: {existing} is not from a benchmark; name another page"
            )


def _head(board: Leaderboard) -> str:
    settings = board.settings
    trained = [entry for entry in board.entries if entry.role == "trained"]
    unit = "minute" if settings.minutes == 1 else "minutes"
    budget = settings.budget or "each recipe's own length"
    if settings.minutes is not None and not settings.budget:
        of = "training" if settings.clock == "wall" else "one core"
        budget = f"at most {settings.minutes:g} {unit} of {of}"
    total = duration(sum(e.cost.seconds or 0.0 for e in trained if e.cost is not None))
    machines = sorted({entry.machine for entry in trained if entry.machine})
    where = f" on {' and '.join(map(_safe, machines))}" if machines else ""
    command = code(" ".join(settings.command.split()))
    text = _wrapped(
        f"{command}; do not edit. {counted(len(trained), 'run')} of {budget}, "
        f"{total} in all{where}, "
        f"evaluated by the {settings.protocol} protocol against the test images of "
        f"{_safe(settings.reference)}."
    )
    missing = settings.num_runs - len(trained)
    unfinished = (
        f"**{missing} of {counted(settings.num_runs, 'run')} "
        f"{'is' if missing == 1 else 'are'} missing; run the same again.**"
    )
    return TITLE + text[1:] + (f"\n\n{unfinished}" if missing > 0 else "")


def _interval_notes(rows: Sequence[LeaderboardRow]) -> str:
    """Say what the intervals of these rows cover."""
    counts = {len(row.entries) for row in rows if row.role == "trained"}
    several = (SEEDS if max(counts, default=0) > 2 else "") + (TWO if 2 in counts else "")
    single = 1 in counts or any(row.role != "trained" for row in rows)
    return several + (IMAGES if single else "")


def _score_table(
    title: str, intro: str, columns: Sequence[Column], rows: Sequence[LeaderboardRow]
) -> Table:
    """Lay out the columns and the rows that have any value."""
    documents = [document for row in rows for document in row.documents]
    filled = [column for column in columns if any(row.values(column) for row in rows)]
    lines = [
        [place, row.name, _seeds(row), *(row.cell(column) for column in filled)]
        for place, row in zip(_places(rows), rows, strict=True)
    ]
    lines = [line for line in lines if any(cell != NO_NUMBER for cell in line[3:])]
    if lines:
        lines.append(["", "real baseline", "", *(column.baseline(documents) for column in filled)])
    return Table(title, intro, ["place", "recipe", "seeds", *(c.heading for c in filled)], lines)


def _places(rows: Sequence[LeaderboardRow]) -> list[str]:
    """Number the rows that are ranked: complete ones, and not those of real images."""
    counter = itertools.count(1)
    ranked = (row.is_complete and row.role != "real" for row in rows)
    return [str(next(counter)) if is_ranked else "" for is_ranked in ranked]


def _machine(row: LeaderboardRow) -> list[str]:
    """Say where the runs of a row were trained, as the last cell of its costs."""
    return [" and ".join(sorted({entry.machine for entry in row.entries})) or NO_NUMBER]


def _seeds(row: LeaderboardRow) -> str:
    if row.role != "trained":
        return ""
    evaluated, requested = len(row.documents), len(row.entries)
    return str(evaluated) if evaluated == requested else f"{evaluated} of {requested}"


def _cost_line(row: LeaderboardRow) -> list[str]:
    costs = row.costs
    shares = [cost.images / cost.total_images for cost in costs if cost.total_images]
    speeds = [cost.images_per_second for cost in costs if cost.images_per_second is not None]
    minutes = [cost.seconds / 60 for cost in costs if cost.seconds is not None]
    percent = round(100 * float(np.mean(shares)), 1) if shares else 0.0
    share = format_with_margin(percent, 0) if percent else "below 0.1"
    return [
        row.name,
        " / ".join(f"{count:,}" for count in costs[0].parameters),
        format_with_margin(round(float(np.mean(speeds))), 0) if speeds else NO_NUMBER,
        f"{np.mean(minutes):.1f}" if minutes else NO_NUMBER,
        f"{np.mean([cost.images for cost in costs]):,.0f}",
        f"{share} %" if shares else NO_NUMBER,
    ]


def _verdict(row: LeaderboardRow) -> tuple[str, str]:
    worst = row.worst()
    name = f"{row.name}, seed {worst.seed}" if worst.role == "trained" else row.name
    text = worst.failure if worst.document is None else " ".join(worst.document["verdict"])
    return name, text


def _wrapped(text: str) -> str:
    filled = textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False)
    return re.sub(r"\n(?=[-#>+=*|]|\d+[.)])", " ", filled)  # such a line would be no part of it


def _safe(text: str) -> str:
    """Write a text so that Markdown shows it as it is: no HTML, cells, code, links or lines."""
    line = html.escape(printable(" ".join(text.split())), quote=False)
    return re.sub(r"([|`]|\](?=[(\[]))", r"\\\1", line)


def _markdown(table: Table) -> str:
    aligned = [":--", *("--:" for _ in table.heading[1:])]
    cells = [[*map(_safe, line)] for line in (table.heading, *table.lines)]
    rows = [cells[0], aligned, *cells[1:]]
    body = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    return f"## {table.title}\n\n{_wrapped(table.intro)}\n\n{body}"


def _html_table(table: Table) -> str:
    first, *rest = table.heading
    heading = f"<th style='text-align:left'>{html.escape(first)}</th>"
    heading += "".join(f"<th>{html.escape(cell)}</th>" for cell in rest)
    lines = "".join(
        f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
        + "</tr>"
        for name, *cells in table.lines
    )
    return (
        f"<h4>{html.escape(table.title)}</h4><table><thead><tr>{heading}</tr></thead>"
        f"<tbody>{lines}</tbody></table>"
    )
