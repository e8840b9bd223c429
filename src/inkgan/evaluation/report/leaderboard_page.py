"""The benchmark's page: tables of one question each, the plot, and the verdicts, as Markdown."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from inkgan import files
from inkgan.errors import ArtifactError, ConfigError
from inkgan.evaluation.report.leaderboard import (
    NOTHING,
    Column,
    Entry,
    Standing,
    hand_column,
    plain,
    score_column,
    standings,
)
from inkgan.evaluation.report.leaderboard_chart import quality_chart

TITLE = "# Benchmark\n\nWritten by `"
SIGNS = """↓ less is better, ↑ more is better, = nearest to the floor is best. The floor is what
real images score, and ± behind it the deviation over draws. The nearest to real digits by the first
column stands first. """
IMAGES = """Behind a single run ± is the 95 % interval of the images drawn: it says nothing about
another seed. """
TWO = "Two seeds give a mean and no interval; in brackets stands the worse one. "
SEEDS = """Behind three seeds or more ± is the 95 % t-interval of their mean; in brackets stands the
worst seed. """
NEAR = "Faithfulness and variety in one number; then what a network makes of the images."
PARTS = "What is wrong with them, one by one."
HAND = """Of generators that obey labels. One hand is the intraclass correlation over the ten digits
drawn from one latent: 1 is the same style in all of them, 0 is none in common."""
COST = """Minutes of training hold the evaluations on the way, images/s does not; both depend on
what else the machine did. The last column is the images features as a share of the recipe's:
where it is small, rates that fall towards the end have hardly fallen."""
CHART = """Fréchet distance on E3, the small network that picks checkpoints, between 1,000 images of
the averaged generator and as many of validation; all seeds of a recipe are evaluated after as many
images. Lines are medians over the seeds, bands reach from the best to the worst."""
TABLES: tuple[tuple[str, str, tuple[Column, ...]], ...] = (
    (
        "How near to real digits",
        NEAR,
        tuple(map(score_column, ("fd_e1", "fd_e2", "fd_infinity_e1", "two_sample_auc", "cas"))),
    ),
    (
        "Faithful, varied, not copied",
        PARTS,
        tuple(
            map(
                score_column,
                ("precision", "recall", "coverage", "confident", "worst_class_recall", "copies"),
            )
        ),
    ),
    (
        "Labels and one hand",
        HAND,
        (score_column("label_accuracy"), *map(hand_column, ("slant", "thickness", "width"))),
    ),
)


class About(NamedTuple):
    """What the head of the page says.

    Attributes:
        command: that writes the page.
        minutes: of training for each run; None is each recipe's own length.
        runs: how many were asked for.
    """

    command: str
    minutes: float | None
    protocol: str
    reference: str
    runs: int


def check_page(path: Path) -> None:
    """Refuse a page that is no Markdown, or to write over what is no benchmark's page.

    Raises:
        ConfigError: another ending than .md.
        ArtifactError: something else is there.
    """
    if path.suffix.lower() != ".md":
        raise ConfigError(
            f"--page {path}: the page is Markdown and its plot stands beside it; "
            "use an ending of .md"
        )
    ours = path.is_file() and path.read_text("utf-8", errors="replace").startswith(TITLE)
    for held in (path, path.with_suffix(".png")):
        if held.exists() and not ours:
            raise ArtifactError(f"--page {path}: {held} is no benchmark's; name another page")


def write_page(path: Path, entries: Sequence[Entry], about: About) -> None:
    """Write the page, and beside it the plot if any run was evaluated on its way."""
    picture = path.with_suffix(".png")
    curves: dict[str, list[Sequence[tuple[float, float]]]] = {}
    for entry in entries:
        if entry.role == "trained":
            curves.setdefault(entry.name, []).append(entry.curve)
    chart = quality_chart(curves)
    if chart is not None:
        with files.atomic(picture) as temporary:
            temporary.write_bytes(chart)
    files.write_text(path, page(entries, about, None if chart is None else picture.name))


def page(entries: Sequence[Entry], about: About, picture: str | None = None) -> str:
    """Return the page as Markdown; `picture` is the plot's name beside it."""
    rows = standings(entries)
    parts = [_head(entries, about), _wrapped(SIGNS + _basis(rows))]
    for title, intro, columns in TABLES:
        if table := _table(columns, rows):
            parts += [f"## {title}", intro, table]
    if picture is not None:
        parts += ["## Quality against time", f"![E3 distance against seconds]({picture})", CHART]
    parts += ["## What it cost", COST, _costs(rows)]
    parts += ["## In words", "Of several seeds, the worst.", "\n".join(map(_words, rows))]
    return "\n\n".join(parts) + "\n"


def _head(entries: Sequence[Entry], about: About) -> str:
    trained = [entry for entry in entries if entry.role == "trained"]
    unit = "minute" if about.minutes == 1 else "minutes"
    budget = "each recipe's own length" if about.minutes is None else f"{about.minutes:g} {unit}"
    minutes = sum(e.effort.seconds or 0.0 for e in trained if e.effort is not None) / 60
    total = f"{minutes:.0f} minutes" if minutes < 100 else f"{minutes / 60:.1f} hours"
    machines = sorted({entry.machine for entry in trained if entry.machine})
    where = f" on {' and '.join(machines)}" if machines else ""
    missing = about.runs - len(trained)
    unfinished = f"**{missing} of {about.runs} runs are still missing; the same command goes on.**"
    said = _wrapped(
        f"`{about.command}`; do not edit. {len(trained)} runs of {budget} of training at most, "
        f"{total} in all{where}, judged by the {about.protocol} protocol against the test images "
        f"of {about.reference}."
    )
    return TITLE + said[1:] + (f"\n\n{unfinished}" if missing > 0 else "")


def _basis(rows: Sequence[Standing]) -> str:
    """Say what the intervals of these rows cover."""
    counts = {len(row.entries) for row in rows if row.role == "trained"}
    several = (SEEDS if max(counts, default=0) > 2 else "") + (TWO if 2 in counts else "")
    single = 1 in counts or any(row.role != "trained" for row in rows)
    return several + (IMAGES if single else "")


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False)


def _table(columns: Sequence[Column], rows: Sequence[Standing]) -> str:
    """Lay out those columns that any row has, and those rows that have any of them."""
    documents = [document for row in rows for document in row.documents]
    held = [c for c in columns if any(row.readings(c) for row in rows)]
    lines = [[row.name, _seeds(row), *(row.cell(column) for column in held)] for row in rows]
    lines = [line for line in lines if any(cell != NOTHING for cell in line[2:])]
    if not lines:
        return ""
    floors = ["*floor: real against real*", "", *(column.floor(documents) for column in held)]
    heading = ["recipe", "seeds", *(column.heading for column in held)]
    return _markdown(heading, [*lines, floors])


def _seeds(row: Standing) -> str:
    if row.role != "trained":
        return ""
    judged, asked = len(row.documents), len(row.entries)
    return str(judged) if judged == asked else f"{judged} of {asked}"


def _costs(rows: Sequence[Standing]) -> str:
    heading = [
        "recipe",
        "parameters, generator / discriminator",
        "images/s",
        "minutes",
        "images seen",
        "of its own length",
    ]
    return _markdown(heading, [_cost(row) for row in rows if row.efforts])


def _cost(row: Standing) -> list[str]:
    efforts = row.efforts
    shares = [e.images / e.total_images for e in efforts if e.total_images]
    speeds = [e.images_per_second for e in efforts if e.images_per_second is not None]
    minutes = [e.seconds / 60 for e in efforts if e.seconds is not None]
    return [
        row.name,
        " / ".join(f"{count:,}" for count in efforts[0].parameters),
        plain(round(float(np.mean(speeds)))) if speeds else NOTHING,
        f"{np.mean(minutes):.1f}" if minutes else NOTHING,
        f"{np.mean([e.images for e in efforts]):,.0f}",
        f"{plain(round(100 * float(np.mean(shares)), 1))} %" if shares else NOTHING,
    ]


def _markdown(heading: list[str], lines: Sequence[list[str]]) -> str:
    aligned = [":--", *("--:" for _ in heading[1:])]
    return "\n".join("| " + " | ".join(line) + " |" for line in [heading, aligned, *lines])


def _words(row: Standing) -> str:
    worst = row.worst()
    seed = f", seed {worst.seed}" if worst.role == "trained" else ""
    said = worst.failure if worst.document is None else " ".join(worst.document["verdict"])
    return f"- **{row.name}**{seed}: {said}"
