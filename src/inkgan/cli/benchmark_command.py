"""inkgan benchmark: train and evaluate many recipes, write the page."""

import dataclasses
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from inkgan.cli.command import all_cores, typed_command
from inkgan.cli.options import DataDir, Json
from inkgan.cli.parse import parse_seeds
from inkgan.errors import ConfigError

if TYPE_CHECKING:
    from inkgan.evaluation.benchmark import Plan
    from inkgan.evaluation.report.leaderboard import Entry

MINUTES, QUICK_MINUTES = 4.0, 0.5
SEEDS, QUICK_SEEDS = "0-2", "0"


def benchmark(
    recipes: Annotated[
        str | None,
        typer.Option(help="Names or .toml files, with commas. [default: all for MNIST]"),
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(help=f"Training seeds: 0-2 or 0,5. [default: {SEEDS}]")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help=f"Minutes of training for each run. [default: {MINUTES:g}]")
    ] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Train whole recipes, however long they take.")
    ] = False,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick",
            help=f"Quick protocol; seed {QUICK_SEEDS} and {QUICK_MINUTES:g} minutes by default.",
        ),
    ] = False,
    also: Annotated[
        list[str] | None, typer.Option(help="A trained run, bundle or name to add to the tables.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the runs. [default: runs/benchmark, or runs/benchmark-quick]"
        ),
    ] = None,
    page: Annotated[
        Path, typer.Option(help="The Markdown page to write; its plot is written beside it.")
    ] = Path("benchmark.md"),
    reference: Annotated[
        str, typer.Option(help="Data set of real digits to compare the images with.")
    ] = "mnist",
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Train and evaluate many recipes alike; write tables and a plot.

    The same command again continues. The first seed of all recipes comes first, and the page is
    updated after each run.
    """
    budget = _budget(minutes, whole, quick)
    from inkgan.cli.console import say, show, show_json
    from inkgan.cli.progress import stages, training_bar
    from inkgan.evaluation.benchmark import Plan, benchmark, mnist_recipes
    from inkgan.evaluation.report.leaderboard_page import About, check_page, write_page

    names = mnist_recipes() if recipes is None else _listed(recipes)
    chosen = tuple(parse_seeds(seeds or (QUICK_SEEDS if quick else SEEDS)))
    protocol: Literal["quick", "full"] = "quick" if quick else "full"
    folder = out or Path("runs/benchmark-quick" if quick else "runs/benchmark")
    plan = Plan(names, chosen, budget, protocol, folder, reference, data_dir, tuple(also or ()))
    check_page(page)
    about = About(typed_command(), budget, protocol, reference, plan.runs)
    entries = []
    with all_cores(), stages() as progress:
        for entry in benchmark(plan, progress, training_bar(progress, budget)):
            entries.append(entry)
            write_page(page, entries, about)
            say(_told(entries, plan))
    if json:
        show_json({"page": page, "entries": [dataclasses.asdict(entry) for entry in entries]})
    else:
        show(page)


def _budget(minutes: float | None, whole: bool, quick: bool) -> float | None:
    if whole and minutes is not None:
        raise ConfigError(
            f"--whole trains without a limit, --minutes {minutes} sets one; use one of them"
        )
    if minutes is not None and minutes <= 0:
        raise ConfigError(f"--minutes {minutes} is impossible; use more than 0")
    if whole:
        return None
    return minutes or (QUICK_MINUTES if quick else MINUTES)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _told(entries: list["Entry"], plan: "Plan") -> str:
    """Say what the latest entry came to, and how much is left."""
    from inkgan.evaluation.benchmark import seconds_left
    from inkgan.plural import counted

    last, left = entries[-1], seconds_left(entries, plan)
    name = f"{last.name}, seed {last.seed}" if last.role == "trained" else last.name
    said = last.failure if last.document is None else last.document["verdict"][0]
    done = sum(entry.role == "trained" for entry in entries)
    time = ""
    if left is not None and done < plan.runs:
        time = f", about {counted(math.ceil(left / 60), 'minute')} left"
    return f"{name}: {said} [{done} of {counted(plan.runs, 'run')}{time}]"
