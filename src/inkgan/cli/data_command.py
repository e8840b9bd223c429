"""inkgan data: which data sets there are, and fetching one beforehand."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="List the data sets, or fetch one.", invoke_without_command=True)
DataDir = Annotated[
    Path | None,
    typer.Option(help="Folder that holds a folder for each data set; looked into first."),
]


@app.callback()
def list_sets(context: typer.Context) -> None:
    """List the data sets."""
    if context.invoked_subcommand is not None:
        return
    from inkgan.data.registry import DATASETS

    width = max(map(len, DATASETS)) + 2
    for name, spec in DATASETS.items():
        typer.echo(f"{name:{width}}{spec.title} ({spec.citation})")
    typer.echo(f"{'folder:PATH':{width}}your pictures; sub-folders are classes")
    typer.echo(f"{'npz:PATH':{width}}arrays images (uint8) and labels")


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="A data set's name.")], data_dir: DataDir = None
) -> None:
    """Find a data set, or download it, and say what is in it."""
    from inkgan.cli.view import download_report
    from inkgan.data.dataset import load_dataset

    with download_report() as report:
        for split in ("train", "test"):
            dataset = load_dataset(name, split, data_dir, report, holdout=5000)
            classes = len(dataset.classes)
            typer.echo(
                f"{name} {split}: {len(dataset):,} images {dataset.shape}, {classes} classes"
            )
