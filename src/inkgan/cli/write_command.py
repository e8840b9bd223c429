"""inkgan write: a number in one hand."""

from pathlib import Path
from typing import Annotated

import typer

from inkgan.cli.options import Slant, Thickness
from inkgan.errors import ArtifactError, ConfigError

From = Annotated[
    str, typer.Option("--from", help="A conditional run, a bundle, or a run's name in runs/.")
]
Ink = Annotated[str, typer.Option(help='A colour: navy, or "#1a2b6d".')]
Paper = Annotated[str, typer.Option(help="A colour, or transparent.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")]
Force = Annotated[bool, typer.Option("--force", help="Replace what is there.")]


def write(
    text: Annotated[
        str, typer.Argument(help='Digits, spaces and . , - / : (after "--" where "-" is first).')
    ],
    source: From = "flagship",
    hand: Annotated[int, typer.Option(help="A seed: whose hand writes.")] = 0,
    out: Annotated[Path, typer.Option(help="A .png or an .svg.")] = Path("number.png"),
    height: Annotated[int, typer.Option(help="Of the picture, in pixels.")] = 128,
    ink: Ink = "black",
    paper: Paper = "white",
    slant_drift: Annotated[
        float, typer.Option(help="Degrees that the last digit leans further than the first.")
    ] = 0.0,
    jitter: Annotated[float, typer.Option(help="0 is regular, 1 is restless.")] = 0.5,
    slant: Slant = None,
    thickness: Thickness = None,
    width: Annotated[
        float | None, typer.Option(help="Of the ten digits on average, in pixels of the images.")
    ] = None,
    device: Device = "auto",
    force: Force = False,
) -> None:
    """Write a number, a date or an amount in one hand."""
    check_file(out, (".png", ".svg"), force)
    from inkgan.cli.view import stages
    from inkgan.generation.style_control.style import Style
    from inkgan.handwriting.write import compose

    with stages() as progress:
        page = compose(
            text,
            hand,
            source,
            height=height,
            ink=ink,
            paper=paper,
            jitter=jitter,
            slant_drift=slant_drift,
            style=Style(slant, thickness, width),
            device=device,
            progress=progress,
        )
    page.save(out)
    typer.echo(out)


def check_file(out: Path, endings: tuple[str, ...], force: bool, flag: str = "--out") -> None:
    """Refuse a file of an unknown kind, or one that would be overwritten, before work starts."""
    if out.suffix.lower() not in endings:
        raise ConfigError(f"{flag} {out}: the ending must be {' or '.join(endings)}")
    if out.is_dir():
        raise ArtifactError(f"{flag} {out} is a folder; name a file")
    if out.exists() and not force:
        raise ArtifactError(f"{flag} {out} exists; name another target, or replace it with --force")
