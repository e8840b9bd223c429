"""inkgan extractors: the networks that read images in an evaluation, and fitting them again."""

from pathlib import Path
from typing import Annotated

import typer

from inkgan.cli.command import Command, Group, all_cores
from inkgan.cli.options import DataDir, Json
from inkgan.printable import shell_words

app = typer.Typer(
    cls=Group,
    rich_markup_mode=None,
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
    from inkgan.cli.next_command import propose
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
    propose("evaluate", "flagship", "--quick")


@app.command(cls=Command)
def fit(
    data: Annotated[
        str | None,
        typer.Option(
            help="A data set such as fashion-mnist or idx:PATH; its networks go to the cache, and "
            "inkgan evaluate uses them for it. [default: mnist, written to the folder]"
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for MNIST's weights and JSON.")] = Path(
        "extractors"
    ),
    data_dir: DataDir = None,
    epochs: Annotated[
        int | None, typer.Option(help="For trials: epochs of each network. [default: its own]")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of weights, order and distortion.")] = 0,
    json: Json = False,
) -> None:
    """Fit E1, E2, E3 and the linear classifier to a data set; minutes on two cores.

    Example: inkgan extractors fit --data fashion-mnist
    """
    from inkgan.cli.console import show, show_json
    from inkgan.cli.next_command import propose
    from inkgan.cli.progress import download_report, stages
    from inkgan.config import Data
    from inkgan.data.dataset import load_dataset
    from inkgan.errors import ConfigError
    from inkgan.evaluation.fit_extractors import fit_extractors
    from inkgan.evaluation.own_extractors import fit_extractors_for

    if epochs is not None and epochs < 1:
        raise ConfigError(f"--epochs {epochs} is impossible; use 1 or more")
    if data is not None:
        with all_cores(), download_report() as download, stages() as progress:
            out = fit_extractors_for(
                data,
                data_dir=data_dir,
                epochs=epochs,
                seed=seed,
                progress=progress,
                download=download,
            )
        _show_fitted(data, out, json)
        return
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
        propose("extractors", "baselines")


def _show_fitted(data: str, folder: Path, json: bool) -> None:
    from inkgan import files
    from inkgan.cli.console import show, show_json
    from inkgan.evaluation.fit_extractors import DESCRIPTION

    networks = files.read_json(folder / DESCRIPTION)
    if json:
        show_json({"out": folder, "networks": networks})
        return
    show(f"E1 reads {networks['e1']['test_accuracy']:.2%} of the test images of {data}.")
    show(folder)
    show(f"Next: inkgan evaluate SOURCE --reference {shell_words(data)}")


@app.command(cls=Command)
def baselines(
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("baselines.json"),
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Compute MNIST's baselines: what real images score under the same protocol."""
    from inkgan.cli.console import show, show_json
    from inkgan.cli.next_command import propose
    from inkgan.cli.progress import download_report, stages
    from inkgan.evaluation.baselines import STANDARD, BaselineCache
    from inkgan.evaluation.own_extractors import load_reference
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
        propose("evaluate", "flagship", "--quick")
