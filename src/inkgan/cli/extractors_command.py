"""inkgan extractors: the networks that read images in an evaluation, and fitting them again."""

from pathlib import Path
from typing import Annotated

import typer

from inkgan.cli.command import Command, Group
from inkgan.cli.options import DataDir, Json

app = typer.Typer(
    cls=Group,
    help="Show the evaluation's feature extractors, or fit them and their baselines again.",
    invoke_without_command=True,
)


@app.callback()
def list_extractors(context: typer.Context, json: Json = False) -> None:
    """Show the shipped networks with their accuracy and SHA-256."""
    if context.invoked_subcommand is not None:
        return
    from inkgan import files
    from inkgan.cli.console import show, show_json
    from inkgan.metrics.features.extractors import weights_path

    networks = files.read_json(weights_path("e1").parent / "extractors.json")
    if json:
        show_json(networks)
        return
    for name, row in networks.items():
        measured = (
            f"{row['test_accuracy']:.2%} of MNIST test"
            if "test_accuracy" in row
            else f"squared error {row['test_squared_error']:.4f} on MNIST test"
        )
        show(f"{name:8}{row['parameters']:>8,} parameters  {measured}  {row['sha256']}")


@app.command(cls=Command)
def fit(
    out: Annotated[Path, typer.Option(help="Folder for the weights and their JSON.")] = Path(
        "extractors"
    ),
    data_dir: DataDir = None,
    epochs: Annotated[
        int | None, typer.Option(help="For trials: epochs of each network. [default: its own]")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of weights, order and distortion.")] = 0,
    json: Json = False,
) -> None:
    """Fit E1, E2, E3 and the linear classifier to MNIST; minutes on two cores."""
    from inkgan.cli.console import show, show_json
    from inkgan.cli.progress import download_report, stages
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
    if json:
        show_json({"out": out})
    else:
        show(out)


@app.command(cls=Command)
def baselines(
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("baselines.json"),
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Compute MNIST's baselines: what real images score under the same protocol."""
    from inkgan.cli.console import show, show_json
    from inkgan.cli.progress import download_report, stages
    from inkgan.evaluation.baselines import STANDARD, BaselineCache
    from inkgan.evaluation.evaluate import load_reference
    from inkgan.evaluation.reference import ReferenceSet

    with download_report() as download, stages() as progress:
        reference = ReferenceSet(load_reference("mnist", data_dir, download), progress)
        cache = BaselineCache(reference, progress)
        found = {f"{part} {size}": cache.compute(part, size) for part, size in STANDARD}
    cache.write(out, found)
    if json:
        show_json({"out": out})
    else:
        show(out)
