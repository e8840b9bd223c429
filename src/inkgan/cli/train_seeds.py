"""inkgan train --seeds: several runs side by side, a line for each, and a table at the end."""

from typing import TYPE_CHECKING, Any

import typer

from inkgan.cli.command import FAILURE, program, typed_command
from inkgan.cli.console import say, show, show_json, show_table, warn
from inkgan.cli.interrupts import announced_interrupts
from inkgan.cli.progress import stages
from inkgan.config import Recipe
from inkgan.printable import path_line, shell_words

if TYPE_CHECKING:
    from inkgan.runs.seed_runs import SeedRun, SeedRuns


def train_seeds(recipe: Recipe, seeds: list[int], json: bool, **options: Any) -> None:
    """Train a recipe with several seeds, and show what came of them.

    Args:
        recipe: with all overrides.
        seeds: of the runs.
        json: print a document instead of a table.
        options: of `inkgan.train_seeds`.
    """
    from inkgan.runs.seeds import train_seeds as train

    with announced_interrupts(), stages() as progress:
        try:
            runs = train(recipe, seeds, **options, progress=progress, on_run=_say)
        except KeyboardInterrupt:
            say(f"everything is saved. Continue with:\n  {typed_command(program())}")
            raise
    if json:
        show_json({"out": runs.out, **runs.to_dict()})
    else:
        _show(runs)
    if any(run.reason == "failed" for run in runs.runs):
        raise typer.Exit(FAILURE)


def _say(run: "SeedRun") -> None:
    text = "no score yet" if run.best is None else f"best distance {run.best.distance:.2f}"
    if run.error is not None:
        warn(f"seed {run.seed} failed: {run.error}")
    else:
        say(f"seed {run.seed}: {run.reason} after {run.images:,} images, {text}")


def _show(runs: "SeedRuns") -> None:
    """Print a row for each seed, what their scores are, and what can be done next."""
    from rich import box
    from rich.table import Table

    from inkgan.runs.seed_runs import HEADINGS, SUMMARY

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, heading in enumerate(HEADINGS):
        table.add_column(heading, justify="left" if place == len(HEADINGS) - 1 else "right")
    for run in runs.runs:
        table.add_row(*run.cells())
    show_table(table)
    show(runs.summary())
    show(f"Written: {path_line(runs.out / SUMMARY)}, and a run folder for each seed")
    if runs.best is not None:
        show("Next:")
        show(f"  {program()} evaluate {shell_words(runs.best.path)} --quick")
        show(f"  {program()} studio --runs {shell_words(runs.out)}")
