"""inkgan data: list the data sets, fetch one beforehand."""

from pathlib import Path
from typing import Annotated

import typer

from inkgan.cli.command import Command, Group
from inkgan.cli.options import DataDir, Json

app = typer.Typer(
    cls=Group,
    rich_markup_mode=None,
    help="List the data sets, or fetch one.",
    invoke_without_command=True,
)
OWN = {
    "folder:PATH": "your pictures; sub-folders are classes",
    "npz:PATH": "arrays images and labels, as Keras, MedMNIST or numpy save them; also .npy",
    "csv:PATH": "a table with the pixels of an image in each row, such as Kaggle's train.csv",
    "idx:PATH": "a folder of IDX files of your own, of any size and labels",
}


@app.callback()
def list_sets(context: typer.Context, json: Json = False) -> None:
    """List the data sets."""
    if context.invoked_subcommand is not None:
        return
    from inkgan.cli.console import show_json, show_list
    from inkgan.cli.next_command import propose
    from inkgan.data.registry import DATASETS

    sets = {name: f"{spec.title} ({spec.citation})" for name, spec in DATASETS.items()} | OWN

    if json:
        show_json([{"name": name, "description": text} for name, text in sets.items()])
    else:
        show_list(sets)
        propose("data", "fetch", "fashion-mnist")


@app.command(cls=Command)
def fetch(
    name: Annotated[str, typer.Argument(help="A data set's name.")],
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Find a data set, or download it, and show what is in it."""
    from inkgan.cli.console import show, show_json
    from inkgan.cli.next_command import propose, unused
    from inkgan.cli.progress import download_report
    from inkgan.data.dataset import load_dataset
    from inkgan.plural import counted

    splits = []
    with download_report() as report:
        for split in ("train", "test"):
            dataset = load_dataset(name, split, data_dir, report, holdout=0)
            classes = len(dataset.classes)
            splits.append(
                {
                    "name": name,
                    "split": split,
                    "images": len(dataset),
                    "shape": str(dataset.shape),
                    "classes": classes,
                }
            )
            if not json:
                images = counted(len(dataset), "image")
                many = counted(classes, "class", "classes")
                show(f"{name} {split}: {images} {dataset.shape}, {many}")
    if json:
        show_json(splits)
    else:
        out = unused(Path("runs") / Path(name.rpartition(":")[2]).name)
        propose("train", "vanilla", "--data", name, "--out", out)
