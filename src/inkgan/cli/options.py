"""Options and arguments that several commands have."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from inkgan.errors import ArtifactError, ConfigError
from inkgan.files import require_no_dead_link

SOURCE_HELP = "A run folder, a bundle, a run's name in runs/, or user/name of the hub."

FirstSource = Annotated[str, typer.Argument(help=f"{SOURCE_HELP} Also: --from SOURCE.")]
From = Annotated[str | None, typer.Option("--from", help=f"{SOURCE_HELP} [default: flagship]")]
Checkpoint = Annotated[
    Literal["last", "best"], typer.Option(help="Which generator of a run: its last or its best.")
]
DataDir = Annotated[
    Path | None, typer.Option(help="Folder with a folder for each data set; searched first.")
]
Device = Annotated[str, typer.Option(help="Where to compute: auto, cpu, cuda, cuda:N or mps.")]
Force = Annotated[bool, typer.Option("--force", help="Replace what is there.")]
Half = Annotated[bool, typer.Option("--half", help="Weights as float16: half the size.")]
Ink = Annotated[str, typer.Option(help='Color of the strokes: navy, or "#1a2b6d".')]
Jitter = Annotated[float, typer.Option(help="Unevenness: 0 is regular, 1 is restless.")]
Json = Annotated[bool, typer.Option("--json", help="Print a JSON document instead of text.")]
On = Annotated[
    Literal["local", "ray"],
    typer.Option(help="Where the work is done: processes of this machine, or a Ray cluster."),
]
Workers = Annotated[
    int | None, typer.Option(help="The most jobs at a time. [default: one for each core]")
]
Address = Annotated[
    str | None,
    typer.Option(help="The Ray cluster: auto, or ray://HOST:10001. [default: one of its own]"),
]
Paper = Annotated[str, typer.Option(help="Color of the paper, or transparent.")]
Slant = Annotated[
    float | None, typer.Option(help='Slant in degrees from the vertical, positive for "/".')
]
Thickness = Annotated[
    float | None, typer.Option(help="Stroke width in pixels of the generator's images.")
]


def one_source(argument: str | None, option: str | None) -> str:
    """Return the source that was given as an argument or by --from; flagship if neither was.

    Raises:
        ConfigError: both were given.
    """
    if argument is not None and option is not None:
        raise ConfigError(
            f"two sources, {argument} and --from {option}; name one (a text with spaces needs "
            "quotes)"
        )
    return argument or option or "flagship"


def check_file(out: Path, endings: tuple[str, ...], force: bool, flag: str = "--out") -> None:
    """Refuse a file of an unknown kind, or one that would be overwritten, before work starts."""
    if out.suffix.lower() not in endings:
        raise ConfigError(f"{flag} {out}: the ending must be {' or '.join(endings)}")
    if out.is_dir():
        raise ArtifactError(f"{flag} {out} is a folder; name a file")
    require_no_dead_link(out)
    if out.exists() and not force:
        raise ArtifactError(f"{flag} {out} exists; name another target, or replace it with --force")
