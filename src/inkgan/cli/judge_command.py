"""inkgan judge: make the judge's networks and floors anew."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="The judge itself: what it is made of, and making it anew.", invoke_without_command=True
)
DataDir = Annotated[Path | None, typer.Option(help="Where to look for data first.")]


@app.callback()
def show(context: typer.Context) -> None:
    """Show the shipped networks with their accuracy and SHA-256."""
    if context.invoked_subcommand is not None:
        return
    from inkgan import files
    from inkgan.metrics.features.extractors import weights_path

    for name, row in files.read_json(weights_path("e1").parent / "judge.json").items():
        measured = (
            f"{row['test_accuracy']:.2%} of MNIST test"
            if "test_accuracy" in row
            else f"squared error {row['test_squared_error']:.4f} on MNIST test"
        )
        typer.echo(f"{name:8}{row['parameters']:>8,} parameters  {measured}  {row['sha256']}")


@app.command()
def fit(
    out: Annotated[Path, typer.Option(help="Folder for the weights and judge.json.")] = Path(
        "judge"
    ),
    data_dir: DataDir = None,
    epochs: Annotated[
        int | None, typer.Option(help="Of each network, for trials; its own if left out.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of weights, order and distortion.")] = 0,
) -> None:
    """Fit E1, E2, E3 and the linear classifier to MNIST; minutes on two cores."""
    from inkgan.cli.view import download_report, stages
    from inkgan.config import Data
    from inkgan.data.dataset import load_dataset
    from inkgan.errors import ConfigError
    from inkgan.evaluation.fit_extractors import fit_extractors

    if epochs is not None and epochs < 1:
        raise ConfigError(f"--epochs {epochs} is impossible; use 1 or more")
    mnist = Data(name="mnist", holdout=0)
    with download_report() as download, stages() as progress:
        train = load_dataset(mnist, "train", data_dir, download)
        test = load_dataset(mnist, "test", data_dir, download)
        for step in fit_extractors(train, test, out, epochs, seed):
            progress(f"fitting {step.name} (loss {step.loss:.4f})", step.epoch, step.epochs)
    typer.echo(out)


@app.command()
def floors(
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("floors.json"),
    data_dir: DataDir = None,
) -> None:
    """Compute MNIST's floors: what real images score by the judge's own code."""
    from inkgan.cli.view import download_report, stages
    from inkgan.evaluation.baselines import STANDARD, BaselineCache
    from inkgan.evaluation.evaluate import load_reference
    from inkgan.evaluation.reference import ReferenceSet

    with download_report() as download, stages() as progress:
        target = ReferenceSet(load_reference("mnist", data_dir, download), progress)
        book = BaselineCache(target, out.parent, progress)
        found = {f"{part} {size}": book.compute(part, size) for part, size in STANDARD}
    book.write(out, found)
    typer.echo(out)
