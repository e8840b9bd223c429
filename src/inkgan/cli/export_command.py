"""inkgan export: a trained generator out of Python."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from inkgan.cli.write_command import Force, check_file

app = typer.Typer(help="Take a trained generator out of Python.", no_args_is_help=True)

Source = Annotated[str, typer.Argument(help="A run folder, a bundle, or a run's name in runs/.")]
Checkpoint = Annotated[
    Literal["last", "best"], typer.Option(help="Of a run: its last or its best generator.")
]
Half = Annotated[bool, typer.Option("--half", help="Weights as float16: half the size.")]
License = Annotated[
    str | None, typer.Option(help="Of the weights: cc0-1.0, ...; its own or mit if left out.")
]


@app.command()
def bundle(
    source: Source,
    out: Annotated[Path, typer.Argument(help="A .safetensors file.")],
    half: Half = False,
    license: License = None,
    checkpoint: Checkpoint = "last",
    force: Force = False,
) -> None:
    """Write one file to ship: weights, recipe, seed, scores with their floors, a license."""
    check_file(out, (".safetensors",), force, "OUT")
    from inkgan.cli.view import warn
    from inkgan.export.bundle_export import export_bundle

    export_bundle(source, out, half=half, license=license, checkpoint=checkpoint, warn=warn)
    typer.echo(out)


@app.command()
def onnx(
    source: Source,
    out: Annotated[Path, typer.Argument(help="An .onnx file.")],
    checkpoint: Checkpoint = "last",
    force: Force = False,
) -> None:
    """Write an ONNX model: latents and labels in, images in [-1, 1] out, any batch size."""
    check_file(out, (".onnx",), force, "OUT")
    from inkgan.cli.view import warn
    from inkgan.export.bundle_export import bundle_of
    from inkgan.export.onnx import export_onnx

    difference = export_onnx(bundle_of(source, checkpoint, warn), out)
    typer.echo(out)
    typer.echo(f"differs from torch by at most {difference:.1g}", err=True)


@app.command()
def page(
    source: Source,
    out: Annotated[Path, typer.Argument(help="An .html file.")],
    half: Half = False,
    checkpoint: Checkpoint = "last",
    force: Force = False,
) -> None:
    """Write one HTML file that draws in any browser, without server or network."""
    check_file(out, (".html",), force, "OUT")
    from inkgan.cli.view import stages, warn
    from inkgan.export.bundle_export import bundle_of
    from inkgan.export.html_page import export_page

    chosen = bundle_of(source, checkpoint, warn)
    with stages() as progress:
        export_page(chosen, out, half=half, progress=progress)
    typer.echo(out)


@app.command()
def hub(
    source: Source,
    out: Annotated[Path, typer.Argument(help="A folder.")],
    push: Annotated[
        str | None, typer.Option(help="Then upload it as user/name (the extra hub).")
    ] = None,
    half: Half = False,
    license: License = None,
    checkpoint: Checkpoint = "last",
    force: Force = False,
) -> None:
    """Write a folder for the Hugging Face hub: weights, config.json, a model card."""
    from inkgan.cli.view import warn
    from inkgan.export.bundle_export import bundle_of, licensed
    from inkgan.export.hub_folder import check_push, export_hub, push_folder

    if push is not None:
        check_push(push)
    chosen = licensed(bundle_of(source, checkpoint, warn), license)
    export_hub(chosen, out, half=half, name=push, force=force)
    typer.echo(out if push is None else push_folder(out, push))
