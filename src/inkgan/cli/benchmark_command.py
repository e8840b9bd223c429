"""inkgan benchmark: train and judge many recipes, write the page."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from inkgan.errors import ConfigError

if TYPE_CHECKING:
    from inkgan.evaluation.benchmark import Plan
    from inkgan.evaluation.report.leaderboard import Entry

MINUTES, QUICK_MINUTES = 4.0, 0.5
SEEDS, QUICK_SEEDS = "0-2", "0"


def benchmark(
    recipes: Annotated[
        str | None,
        typer.Option(help="Names or .toml files, with commas; all for MNIST if left out."),
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(help=f"Training seeds: 0-2 or 0,5; {SEEDS} if left out.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help=f"Of training for each run; {MINUTES:g} if left out.")
    ] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Train whole recipes, however long they take.")
    ] = False,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick",
            help=f"Quick protocol, seed {QUICK_SEEDS}, {QUICK_MINUTES:g} minutes if left out.",
        ),
    ] = False,
    also: Annotated[
        list[str] | None, typer.Option(help="A trained run, bundle or name, to stand beside them.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the runs, gone on with; runs/benchmark or -quick if left out."
        ),
    ] = None,
    page: Annotated[
        Path, typer.Option(help="The Markdown page to write; its plot stands beside it.")
    ] = Path("benchmark.md"),
    reference: Annotated[
        str, typer.Option(help="The real digits to hold the images against.")
    ] = "mnist",
    data_dir: Annotated[Path | None, typer.Option(help="Where to look for data first.")] = None,
) -> None:
    """Train and judge recipes alike, and write tables and a plot. Again, and it goes on.

    The first seed of all recipes comes first; the page is written anew after each run.
    """
    budget = _budget(minutes, whole, quick)
    from inkgan.cli.sample_command import parse_seeds
    from inkgan.cli.view import errors, stages, training_bar
    from inkgan.evaluation.benchmark import Plan, benchmark, mnist_recipes
    from inkgan.evaluation.report.leaderboard_page import About, check_page, write_page

    names = mnist_recipes() if recipes is None else _listed(recipes)
    chosen = tuple(parse_seeds(seeds or (QUICK_SEEDS if quick else SEEDS)))
    protocol: Literal["quick", "full"] = "quick" if quick else "full"
    folder = out or Path("runs/benchmark-quick" if quick else "runs/benchmark")
    plan = Plan(names, chosen, budget, protocol, folder, reference, data_dir, tuple(also or ()))
    check_page(page)
    about = About(shlex.join(["inkgan", *sys.argv[1:]]), budget, protocol, reference, plan.runs)
    entries = []
    with stages() as progress:
        for entry in benchmark(plan, progress, training_bar(progress, budget)):
            entries.append(entry)
            write_page(page, entries, about)
            errors.print(_told(entries, plan), markup=False)
    typer.echo(page)


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

    last, left = entries[-1], seconds_left(entries, plan)
    name = f"{last.name}, seed {last.seed}" if last.role == "trained" else last.name
    said = last.failure if last.document is None else last.document["verdict"][0]
    done = sum(entry.role == "trained" for entry in entries)
    time = "" if left is None or done == plan.runs else f", about {left / 60:,.0f} minutes left"
    return f"{name}: {said} [{done} of {plan.runs} runs{time}]"
