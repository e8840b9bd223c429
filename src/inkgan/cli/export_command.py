"""inkgan export: a trained generator for use without Python."""

from pathlib import Path
from typing import Annotated

import typer

from inkgan.cli.command import Command, Group
from inkgan.cli.options import Checkpoint, FirstSource, Force, Half, Json, check_file

app = typer.Typer(
    cls=Group,
    rich_markup_mode=None,
    help="Export a trained generator for use elsewhere.",
    no_args_is_help=True,
)
License = Annotated[
    str | None,
    typer.Option(help="License of the weights: cc0-1.0, ... [default: the source's own, or mit]"),
]


def _show_written(json: bool, format: str, source: str, out: str | Path, **more: object) -> None:
    from inkgan.cli.console import show, show_json
    from inkgan.cli.next_command import propose, propose_text, unused

    if json:
        show_json({"out": out, "format": format, "source": source} | more)
        return
    show(out)
    if format == "page":
        propose_text(f"open {out} in a browser")
    elif format == "hub" and Path(out).is_dir():
        propose("export", "hub", source, out, "--force", "--push", "user/name")
    elif format == "onnx":
        propose("evaluate", out, "--quick")
    else:  # a bundle, or a name on the hub
        propose("sample", out, "--out", unused(Path("samples.png")))


@app.command(cls=Command)
def bundle(
    source: FirstSource,
    out: Annotated[Path, typer.Argument(help="A .safetensors file.")],
    half: Half = False,
    license: License = None,
    checkpoint: Checkpoint = "last",
    force: Force = False,
    json: Json = False,
) -> None:
    """Write one file to ship: weights, recipe, seed, scores with their baselines, a license."""
    check_file(out, (".safetensors",), force, "OUT")
    from inkgan.cli.console import warn
    from inkgan.exporters.bundle_export import export_bundle

    export_bundle(source, out, half=half, license=license, checkpoint=checkpoint, warn=warn)
    _show_written(json, "bundle", source, out)


@app.command(cls=Command)
def onnx(
    source: FirstSource,
    out: Annotated[Path, typer.Argument(help="An .onnx file.")],
    half: Half = False,
    checkpoint: Checkpoint = "last",
    force: Force = False,
    json: Json = False,
) -> None:
    """Write an ONNX model: latents and labels in, images in [-1, 1] out, any batch size."""
    check_file(out, (".onnx",), force, "OUT")
    from inkgan.cli.console import say, warn
    from inkgan.exporters.bundle_export import load_scored_bundle
    from inkgan.exporters.onnx import export_onnx

    difference = export_onnx(load_scored_bundle(source, checkpoint, warn), out, half=half)
    say(f"differs from torch by at most {difference:.1g}")
    _show_written(json, "onnx", source, out, difference=difference)


@app.command(cls=Command)
def page(
    source: FirstSource,
    out: Annotated[Path, typer.Argument(help="An .html file.")],
    half: Half = False,
    checkpoint: Checkpoint = "last",
    force: Force = False,
    json: Json = False,
) -> None:
    """Write one HTML file that draws in any browser, without server or network."""
    check_file(out, (".html",), force, "OUT")
    from inkgan.cli.console import warn
    from inkgan.cli.progress import stages
    from inkgan.exporters.bundle_export import load_scored_bundle
    from inkgan.exporters.html_page import export_page

    chosen = load_scored_bundle(source, checkpoint, warn)
    with stages() as progress:
        export_page(chosen, out, half=half, progress=progress)
    _show_written(json, "page", source, out)


@app.command(cls=Command)
def hub(
    source: FirstSource,
    out: Annotated[Path, typer.Argument(help="A folder.")],
    push: Annotated[
        str | None, typer.Option(help="Then upload it as user/name (needs the extra hub).")
    ] = None,
    half: Half = False,
    license: License = None,
    checkpoint: Checkpoint = "last",
    force: Force = False,
    json: Json = False,
) -> None:
    """Write a folder for the Hugging Face hub: weights, config.json, a model card."""
    from inkgan.cli.console import warn
    from inkgan.exporters.bundle_export import load_scored_bundle, with_license
    from inkgan.exporters.hub_folder import check_push, export_hub, push_folder

    if push is not None:
        check_push(push)
    chosen = with_license(load_scored_bundle(source, checkpoint, warn), license)
    export_hub(chosen, out, half=half, name=push, force=force)
    _show_written(json, "hub", source, out if push is None else push_folder(out, push))
