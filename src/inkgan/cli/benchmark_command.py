"""inkgan benchmark: train and evaluate many recipes, write the page."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inkgan.cli.command import all_cores, typed_command
from inkgan.cli.options import Address, DataDir, Json, On
from inkgan.cli.parse import parse_seeds

if TYPE_CHECKING:
    from inkgan.evaluation.benchmark_plan import BenchmarkPlan
    from inkgan.evaluation.report.leaderboard import LeaderboardEntry

MINUTES, QUICK_MINUTES = 4.0, 0.5  # as in evaluation/benchmark_plan.py, which loads torch
SEEDS, QUICK_SEEDS = "0-2", "0"

Quick = Annotated[
    bool,
    typer.Option(
        "--quick",
        help=f"Quick protocol; seed {QUICK_SEEDS} and {QUICK_MINUTES:g} minutes by default.",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        help="Most runs at a time, a core each, or on one GPU. [default: one, with all cores]"
    ),
]


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
    quick: Quick = False,
    also: Annotated[
        list[str] | None,
        typer.Option(metavar="SOURCE", help="A trained run, bundle or name to add to the tables."),
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
    on: On = "local",
    workers: Workers = None,
    address: Address = None,
    json: Json = False,
) -> None:
    """Train and evaluate many recipes alike; write tables and a plot.

    The same command again continues. The first seed of all recipes comes first, and the page is
    updated after each run.
    """
    from inkgan.cli.console import say, show, show_json
    from inkgan.cli.next_command import propose
    from inkgan.cli.progress import stages, training_bar
    from inkgan.evaluation.benchmark import run_benchmark
    from inkgan.evaluation.benchmark_plan import plan_benchmark
    from inkgan.evaluation.report.leaderboard_page import Leaderboard, check_page

    plan = plan_benchmark(
        None if recipes is None else _listed(recipes),
        seeds=None if seeds is None else parse_seeds(seeds),
        minutes=minutes,
        whole=whole,
        quick=quick,
        also=also or (),
        out=out,
        reference=reference,
        data_dir=data_dir,
        on=on,
        workers=workers,
        address=address,
    )
    check_page(page)
    settings = plan.settings(typed_command())
    entries: list[LeaderboardEntry] = []
    with all_cores(), stages() as progress:
        for entry in run_benchmark(plan, progress, training_bar(progress, plan.minutes)):
            entries.append(entry)
            Leaderboard(tuple(entries), settings).save(page)
            say(_latest_entry(entries, plan))
    if json:
        show_json({"page": page, **Leaderboard(tuple(entries), settings).to_dict()})
    else:
        show(page)
        propose("studio", "--runs", plan.out)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _latest_entry(entries: list["LeaderboardEntry"], plan: "BenchmarkPlan") -> str:
    """Say what the latest entry came to, and how much is left."""
    from inkgan.evaluation.benchmark import seconds_left
    from inkgan.plural import counted

    last, left = entries[-1], seconds_left(entries, plan)
    name = f"{last.name}, seed {last.seed}" if last.role == "trained" else last.name
    text = last.failure if last.document is None else last.document["verdict"][0]
    done = sum(entry.role == "trained" for entry in entries)
    time = ""
    if left is not None and done < plan.num_runs:
        time = f", about {counted(math.ceil(left / 60), 'minute')} left"
    return f"{name}: {text} [{done} of {counted(plan.num_runs, 'run')}{time}]"
