"""inkgan morph: one digit that turns into another, walks through hands, and style axes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from inkgan.cli.sample_command import parse_seeds
from inkgan.cli.write_command import Device, Force, From, Ink, Paper, check_file
from inkgan.errors import ConfigError

if TYPE_CHECKING:
    from inkgan.generation.protocols import GeneratorLike

    pass

WALK = "0-5"  # the hands that a walk visits where none are named


class Look(TypedDict):
    """What all pictures have in common."""

    ink: str
    paper: str
    grey: bool
    device: str


def morph(
    classes: Annotated[
        list[str] | None,
        typer.Argument(help="What to draw, such as 3 8; none where a generator obeys no labels."),
    ] = None,
    source: From = "flagship",
    hand: Annotated[
        str | None, typer.Option(help="Seeds: one hand, or one for each stop: 7 or 1,5,9.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="A .gif, .webp or .png (APNG); of --grid a .png.")
    ] = None,
    walk: Annotated[
        bool, typer.Option("--walk", help="Go from hand to hand and round, without rest.")
    ] = False,
    grid: Annotated[
        str | None, typer.Option(help="Vary two styles in one picture: slant,thickness.")
    ] = None,
    frames: Annotated[int, typer.Option(help="Pictures from one stop to the next.")] = 24,
    seconds: Annotated[float, typer.Option(help="From one stop to the next.")] = 1.0,
    height: Annotated[int | None, typer.Option(help="In pixels; 256, of --grid 512.")] = None,
    ink: Ink = "black",
    paper: Paper = "white",
    grey: Annotated[
        bool, typer.Option("--grey", help="The generator's grey levels, not clean ink.")
    ] = False,
    device: Device = "auto",
    force: Force = False,
) -> None:
    """Turn one digit into another, walk through hands, or lay out two axes of style."""
    named = list(classes or ())
    hands = parse_seeds(hand or (WALK if walk else "0"), "--hand")
    look = Look(ink=ink, paper=paper, grey=grey, device=device)
    if grid is None:
        target = out or Path("morph.gif")
        check_file(target, (".gif", ".webp", ".png"), force)
        _film(target, named, hands, source, walk, frames, seconds, height or 256, look)
    else:
        target = out or Path("grid.png")
        check_file(target, (".png",), force)
        if walk:
            raise ConfigError("--walk and --grid are two things; ask for one of them")
        _grid(target, grid, named, hands, source, height or 512, look)
    typer.echo(target)


def _film(
    out: Path,
    classes: list[str],
    hands: list[int],
    source: str,
    walk: bool,
    frames: int,
    seconds: float,
    height: int,
    look: Look,
) -> None:
    from inkgan.cli.view import stages
    from inkgan.generation.load import open_generator
    from inkgan.handwriting.animation import check_ending
    from inkgan.handwriting.colors import parse_colours
    from inkgan.handwriting.morph import make_film

    check_ending(out, parse_colours(look["ink"], look["paper"]))
    generator = open_generator(source, look["device"])
    with stages() as progress:
        film = make_film(
            classes,
            hands,
            generator,
            around=walk,
            frames=frames,
            seconds=seconds,
            height=height,
            progress=progress,
            **look,
        )
        film.save(out, _notes(classes, hands, generator), progress)


def _grid(
    out: Path,
    grid: str,
    classes: list[str],
    hands: list[int],
    source: str,
    height: int,
    look: Look,
) -> None:
    across, comma, down = grid.partition(",")
    if not (across and comma and down):
        raise ConfigError(f"--grid {grid!r}: name two axes, for example slant,thickness")
    if len(classes) > 1 or len(hands) > 1:
        raise ConfigError("--grid shows one digit in one hand; name one of each")
    from inkgan.generation.load import open_generator
    from inkgan.handwriting.latent_traversal import style_grid
    from inkgan.images import save_png

    generator = open_generator(source, look["device"])
    axes, name = (across.strip(), down.strip()), classes[0] if classes else None
    picture = style_grid(axes, name, hands[0], generator, height=height, **look)
    notes = _notes(classes, hands, generator) | {"Axes": f"across {across}, down {down}"}
    save_png(out, picture, notes)


def _notes(classes: list[str], hands: list[int], generator: "GeneratorLike") -> dict[str, str]:
    from inkgan.handwriting.writer import origin

    title, chosen = " ".join(classes) or "a walk", ", ".join(map(str, hands))
    return {"Title": title, "Description": f"Hands {chosen} of {origin(generator)}"}
