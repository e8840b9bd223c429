"""inkgan morph: one digit that turns into another, walks through handwritings, style axes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypedDict

import typer

from inkgan.cli.options import Device, Force, From, Ink, Json, Paper, check_file
from inkgan.cli.parse import parse_seeds
from inkgan.errors import ConfigError

WALK = "0-5"  # the writers that a walk visits where none are named


class Look(TypedDict):
    """What all pictures have in common."""

    ink: str
    paper: str
    gray: bool
    device: str


@dataclass(frozen=True)
class Stops:
    """Where an animation goes, or what a grid shows."""

    classes: list[str]
    writers: list[int]
    source: str


def morph(
    classes: Annotated[
        list[str] | None,
        typer.Argument(help="Digits, such as 3 8; none for an unconditional generator."),
    ] = None,
    source: From = None,
    writers: Annotated[
        str | None,
        typer.Option("--writers", "--writer", help="One writer, or one for each stop: 7 or 1,5,9."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="A .gif, .webp or .png (APNG); a .png with --grid.")
    ] = None,
    walk: Annotated[
        bool, typer.Option("--walk", help="Go from writer to writer and back to the first.")
    ] = False,
    grid: Annotated[
        str | None, typer.Option(help="Vary two styles in one picture: slant,thickness.")
    ] = None,
    frames: Annotated[int, typer.Option(help="Pictures from one stop to the next.")] = 24,
    seconds: Annotated[float, typer.Option(help="Time from one stop to the next.")] = 1.0,
    height: Annotated[
        int | None, typer.Option(help="Height in pixels. [default: 256; with --grid 512]")
    ] = None,
    ink: Ink = "black",
    paper: Paper = "white",
    gray: Annotated[
        bool, typer.Option("--gray", help="The generator's gray levels instead of clean ink.")
    ] = False,
    device: Device = "auto",
    force: Force = False,
    json: Json = False,
) -> None:
    """Turn one digit into another, walk through writers, or lay out two axes of style.

    Example: inkgan morph 3 8 --writer 7 --out morph.gif
    """
    numbers = parse_seeds(writers or (WALK if walk else "0"), "--writers")
    stops = Stops(list(classes or ()), numbers, source or "flagship")
    look = Look(ink=ink, paper=paper, gray=gray, device=device)
    if grid is None:
        target = out or Path("morph.gif")
        check_file(target, (".gif", ".webp", ".png"), force)
        _film(target, stops, walk, frames, seconds, height or 256, look)
    else:
        target = out or Path("grid.png")
        check_file(target, (".png",), force)
        if walk:
            raise ConfigError("--walk and --grid exclude each other; use one of them")
        _grid(target, grid, stops, height or 512, look)
    from inkgan.cli.console import show, show_json
    from inkgan.cli.next_command import propose, unused

    if json:
        show_json(
            {
                "out": target,
                "source": stops.source,
                "classes": stops.classes,
                "writers": stops.writers,
            }
        )
    else:
        show(target)
        propose("export", "page", stops.source, unused(Path("digits.html")))


def _film(
    out: Path, stops: Stops, walk: bool, frames: int, seconds: float, height: int, look: Look
) -> None:
    from inkgan.cli.progress import stages
    from inkgan.handwriting.animation import check_ending
    from inkgan.handwriting.colors import parse_colors
    from inkgan.handwriting.morph import morph as draw

    check_ending(out, parse_colors(look["ink"], look["paper"]))
    with stages() as progress:
        animation = draw(
            stops.classes,
            stops.writers,
            stops.source,
            walk=walk,
            frames=frames,
            seconds=seconds,
            height=height,
            progress=progress,
            **look,
        )
        animation.save(out, progress)


def _grid(out: Path, grid: str, stops: Stops, height: int, look: Look) -> None:
    across, comma, down = grid.partition(",")
    if not (across and comma and down):
        raise ConfigError(f"--grid {grid!r}: name two axes, for example slant,thickness")
    if len(stops.classes) > 1 or len(stops.writers) > 1:
        raise ConfigError("--grid shows one digit of one writer; name one of each")
    from inkgan.handwriting.latent_traversal import style_grid

    axes, name = (across.strip(), down.strip()), stops.classes[0] if stops.classes else None
    drawn = style_grid(axes, name, stops.writers[0], stops.source, height=height, **look)
    drawn.save(out)
