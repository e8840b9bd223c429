"""inkgan benchmark: train and judge many recipes, write the table."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from inkgan.errors import ConfigError

FIVE = "mlp,vanilla,dcgan,dcgan-tutorial,dcgan-compact"


def benchmark(
    recipes: Annotated[str, typer.Option(help="Names or .toml files, with commas.")] = FIVE,
    seeds: Annotated[str, typer.Option(help="Training seeds: 0-2 or 0,5.")] = "0",
    minutes: Annotated[
        float | None, typer.Option(help="Of training for each run; whole recipes if left out.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Judge by the quick protocol.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for the runs; gone on with if it is there.")] = (
        Path("runs/benchmark")
    ),
    page: Annotated[Path, typer.Option(help="The Markdown page to write.")] = Path("benchmark.md"),
    reference: Annotated[
        str, typer.Option(help="The real digits to hold the images against.")
    ] = "mnist",
    data_dir: Annotated[Path | None, typer.Option(help="Where to look for data first.")] = None,
) -> None:
    """Train and judge recipes alike, and write the table. Again, and it goes on."""
    from inkgan import files
    from inkgan.benchmark import Plan, benchmark
    from inkgan.benchmark import page as as_page
    from inkgan.cli.sample import parse_seeds
    from inkgan.cli.view import errors, stages, training_bar

    if minutes is not None and minutes <= 0:
        raise ConfigError(f"--minutes {minutes} is impossible; use more than 0")
    names = tuple(name.strip() for name in recipes.split(",") if name.strip())
    plan = Plan(
        names,
        tuple(parse_seeds(seeds)),
        minutes,
        "quick" if quick else "full",
        out,
        reference,
        data_dir,
    )
    entries = []
    with stages() as progress:
        for entry in benchmark(plan, progress, training_bar(progress, minutes)):
            entries.append(entry)
            errors.print(
                f"{entry.name}, seed {entry.seed}: {entry.judged.verdict[0]}", markup=False
            )
    files.write_text(page, as_page(entries, plan, shlex.join(["inkgan", *sys.argv[1:]])))
    typer.echo(page)
