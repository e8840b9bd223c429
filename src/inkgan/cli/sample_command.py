"""inkgan sample: images from a trained generator."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from inkgan.cli.options import Slant, Thickness
from inkgan.errors import ArtifactError, ConfigError

if TYPE_CHECKING:
    from inkgan.generation.sample_request import SampleResult

MAX_IMAGES = 1_000_000
MAX_GRID_IMAGES = 10_000


def parse_seeds(text: str, flag: str = "--seeds") -> list[int]:
    """Read "0-63,70" as a list of seeds, in the order written; `flag` stands in messages.

    Raises:
        ConfigError: not such a list, a range that runs backwards, or more than MAX_IMAGES seeds.
    """
    seeds: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not (first.isdecimal() and first.isascii()) or (dash and not last.isdecimal()):
            raise ConfigError(f"{flag} {text!r}: write numbers and ranges, for example 0-63,70")
        start, end = int(first), int(last) if dash else int(first)
        if end < start or end >= 2**63:
            raise ConfigError(f"{flag} {text!r}: the range {part.strip()} is impossible")
        if len(seeds) + end - start + 1 > MAX_IMAGES:
            raise ConfigError(f"{flag} {text!r} asks for more than {MAX_IMAGES:,} images")
        seeds += range(start, end + 1)
    return seeds


def sample(
    source: Annotated[
        str, typer.Argument(help="A run folder, a bundle, or a run's name in runs/.")
    ] = "flagship",
    out: Annotated[
        Path, typer.Option(help="A .png (grid), a .npz (arrays), or a folder (single PNGs).")
    ] = Path("samples.png"),
    seeds: Annotated[
        str | None, typer.Option(help="One image for each seed: 0-63,70. [default: 0-63]")
    ] = None,
    digit: Annotated[
        str | None, typer.Option("--digit", "--digits", help="What to draw: 7, 1,3,5 or 0-9.")
    ] = None,
    count: Annotated[
        int | None, typer.Option(help="How many different ones of each digit. [default: 8]")
    ] = None,
    truncation: Annotated[
        float, typer.Option(help="Below 1 images are more typical and less varied.")
    ] = 1.0,
    slant: Slant = None,
    thickness: Thickness = None,
    width: Annotated[
        float | None, typer.Option(help="Of the upright digit, in pixels of the images.")
    ] = None,
    columns: Annotated[
        int | None, typer.Option(help="Of the grid; 0 is as square as possible.")
    ] = None,
    scale: Annotated[int, typer.Option(help="Screen pixels for each image pixel of a grid.")] = 2,
    checkpoint: Annotated[
        Literal["last", "best"], typer.Option(help="Of a run: its last or its best generator.")
    ] = "last",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
) -> None:
    """Draw images; the same seed gives the same image whatever is drawn beside it."""
    wanted = None if seeds is None else parse_seeds(seeds)
    kind = _check_target(out, len(wanted or range(64)), force)
    for flag, value, least, most in (("columns", columns or 0, 0, 1000), ("scale", scale, 1, 32)):
        if not least <= value <= most:
            raise ConfigError(f"--{flag} {value} is impossible; use {least} to {most}")
    from inkgan.cli.view import errors, stages
    from inkgan.generation.load import load
    from inkgan.generation.sample_request import SampleRequest, run_request
    from inkgan.generation.style_control.style import Style

    request = SampleRequest(digit, count, wanted, Style(slant, thickness, width), truncation)
    request.check()
    with stages() as progress:
        result = run_request(load(source, device=device, checkpoint=checkpoint), request, progress)
    if columns is None and digit is not None:  # a digit a row
        columns = len(result.images) // len(dict.fromkeys(result.labels or [0]))
    _write(kind, out, result, columns or 0, scale)
    for note in result.notes:
        errors.print(note, markup=False)
    typer.echo(out)


def _check_target(out: Path, count: int, force: bool) -> str:
    kind = {".png": "grid", ".npz": "arrays", "": "folder"}.get(out.suffix.lower())
    if kind is None:
        raise ConfigError(f"--out {out}: the ending must be .png, .npz or none (a folder)")
    if kind == "grid" and count > MAX_GRID_IMAGES:
        raise ConfigError(
            f"--out {out}: {count:,} images are too many for one grid ({MAX_GRID_IMAGES:,}); "
            "write a .npz or a folder"
        )
    occupied = any(out.iterdir()) if out.is_dir() else out.exists()
    if occupied and not force:
        raise ArtifactError(f"--out {out} exists; name another target, or replace it with --force")
    if out.exists() and out.is_dir() != (kind == "folder"):
        raise ArtifactError(f"--out {out} is {'a folder' if out.is_dir() else 'a file'}")
    return kind


def _write(kind: str, out: Path, result: "SampleResult", columns: int, scale: int) -> None:
    import numpy as np

    from inkgan import files, images

    seeds, labels = result.seeds, result.labels
    if kind == "folder":
        for row, (seed, picture) in enumerate(zip(seeds, result.images, strict=True)):
            note, name = {"seed": str(seed)}, f"seed-{seed:06d}"
            if labels is not None:
                note, name = note | {"label": str(labels[row])}, f"{name}-label-{labels[row]}"
            images.save_png(out / f"{name}.png", picture, note)
    elif kind == "arrays":
        arrays = {"images": result.images, "seeds": np.asarray(seeds, np.int64)}
        if labels is not None:
            arrays["labels"] = np.asarray(labels, np.int64)
        if result.measured is not None:
            arrays["measured"] = result.measured
        with files.atomic(out) as temporary, temporary.open("wb") as stream:
            np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    else:
        note = {"seeds": ",".join(map(str, seeds))}
        if labels is not None:
            note["labels"] = ",".join(map(str, labels))
        images.save_png(out, images.grid(result.images, columns, scale), note)
