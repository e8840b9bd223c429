"""inkgan write: a number in one handwriting."""

from pathlib import Path
from typing import Annotated

import typer

from inkgan.cli.options import (
    SOURCE_HELP,
    Device,
    Force,
    From,
    Ink,
    Jitter,
    Json,
    Paper,
    Slant,
    Thickness,
    check_file,
    one_source,
)


def write(
    text: Annotated[str, typer.Argument(help="Digits, spaces and . , - / : such as 2026-11-26.")],
    source: Annotated[
        str | None, typer.Argument(help=f"{SOURCE_HELP} Also: --from SOURCE.", show_default=False)
    ] = None,
    from_: From = None,
    writer: Annotated[int, typer.Option(help="Whose handwriting: any whole number from 0.")] = 0,
    out: Annotated[Path, typer.Option(help="A .png or an .svg.")] = Path("number.png"),
    height: Annotated[int, typer.Option(help="Height of the picture in pixels.")] = 128,
    ink: Ink = "black",
    paper: Paper = "white",
    slant_drift: Annotated[
        float, typer.Option(help="Degrees that the last digit leans further than the first.")
    ] = 0.0,
    jitter: Jitter = 0.5,
    slant: Slant = None,
    thickness: Thickness = None,
    width: Annotated[
        float | None, typer.Option(help="Mean width of the ten digits in pixels of the images.")
    ] = None,
    device: Device = "auto",
    force: Force = False,
    json: Json = False,
) -> None:
    """Write a number, a date or an amount in one handwriting.

    Example: inkgan write "2026-11-26" --writer 7 --out date.png
    """
    origin = one_source(source, from_)
    check_file(out, (".png", ".svg"), force)
    from inkgan.cli.console import show, show_json
    from inkgan.cli.next_command import after_write
    from inkgan.cli.progress import stages
    from inkgan.handwriting.write import write as write_number

    with stages() as progress:
        line = write_number(
            text,
            writer,
            origin,
            height=height,
            ink=ink,
            paper=paper,
            jitter=jitter,
            slant_drift=slant_drift,
            slant=slant,
            thickness=thickness,
            width=width,
            device=device,
            progress=progress,
        )
    line.save(out)
    if json:
        show_json({"out": out, "text": text, "source": origin, "writer": writer})
    else:
        show(out)
        after_write(origin, writer)
