"""inkgan export: a trained generator out of Python."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from inkgan.cli.write import Force, check_file

app = typer.Typer(help="Take a trained generator out of Python.", no_args_is_help=True)

Source = Annotated[str, typer.Argument(help="A run folder, a bundle, or a run's name in runs/.")]
Checkpoint = Annotated[
    Literal["last", "best"], typer.Option(help="Of a run: its last or its best generator.")
]


@app.command()
def bundle(
    source: Source,
    out: Annotated[Path, typer.Argument(help="A .safetensors file.")],
    half: Annotated[
        bool, typer.Option("--half", help="Weights as float16: half the size.")
    ] = False,
    licence: Annotated[str, typer.Option(help="Of the weights.")] = "MIT",
    checkpoint: Checkpoint = "last",
    force: Force = False,
) -> None:
    """Write one file to ship: weights, recipe, seed, scores with their floors, licence."""
    check_file(out, (".safetensors",), force)
    from inkgan.cli.view import warn
    from inkgan.export.bundle import export_bundle

    export_bundle(source, out, half=half, licence=licence, checkpoint=checkpoint, warn=warn)
    typer.echo(out)
