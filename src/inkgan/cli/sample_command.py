"""inkgan sample: images from a trained generator."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inkgan.cli.options import Checkpoint, Device, FirstSource, Force, Json, Slant, Thickness
from inkgan.cli.parse import parse_seeds
from inkgan.errors import ArtifactError, ConfigError

if TYPE_CHECKING:
    from inkgan.generation.sample_request import SampleResult

MAX_GRID_IMAGES = 10_000


def sample(
    source: FirstSource = "flagship",
    out: Annotated[
        Path, typer.Option(help="A .png (grid), a .npz (arrays), or a folder (single PNGs).")
    ] = Path("samples.png"),
    seeds: Annotated[
        str | None,
        typer.Option(
            "--seeds", "--seed", help="One image for each seed: 7 or 0-63,70. [default: 0-63]"
        ),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option("--labels", "--label", help="Digits to draw: 7, 1,3,5 or 0-9."),
    ] = None,
    count: Annotated[
        int | None, typer.Option(help="Different images of each label. [default: 8]")
    ] = None,
    latent_scale: Annotated[
        float, typer.Option(help="Factor on the latents; below 1: more typical, less varied.")
    ] = 1.0,
    slant: Slant = None,
    thickness: Thickness = None,
    width: Annotated[
        float | None, typer.Option(help="Width of the upright digit in pixels of the images.")
    ] = None,
    columns: Annotated[
        int | None, typer.Option(help="Columns of the grid; 0 is as square as possible.")
    ] = None,
    scale: Annotated[int, typer.Option(help="Screen pixels for each image pixel of a grid.")] = 2,
    checkpoint: Checkpoint = "last",
    device: Device = "auto",
    force: Force = False,
    json: Json = False,
) -> None:
    """Draw images; the same seed gives the same image whatever is drawn beside it.

    Example: inkgan sample --labels 7 --count 5 --out sevens.png
    """
    chosen = None if seeds is None else parse_seeds(seeds)
    kind = _check_target(out, len(chosen or range(64)), force)
    for flag, value, least, most in (("columns", columns or 0, 0, 1000), ("scale", scale, 1, 32)):
        if not least <= value <= most:
            raise ConfigError(f"--{flag} {value} is impossible; use {least} to {most}")
    from inkgan.cli.console import say, show, show_json
    from inkgan.cli.next_command import after_sample
    from inkgan.cli.progress import stages
    from inkgan.generation.load import load
    from inkgan.generation.sample_request import SampleRequest, run_request
    from inkgan.generation.style_control.style import Style

    request = SampleRequest(labels, count, chosen, Style(slant, thickness, width), latent_scale)
    request.check()
    with stages() as progress:
        result = run_request(load(source, device=device, checkpoint=checkpoint), request, progress)
    if columns is None and labels is not None:  # one label a row
        columns = len(result.images) // len(dict.fromkeys(result.labels or [0]))
    _check_target(out, len(result.images), force)
    _write(kind, out, result, columns or 0, scale)
    for note in result.notes:
        say(note)
    if json:
        show_json(
            {
                "out": out,
                "source": source,
                "images": len(result.images),
                "seeds": result.seeds,
                "labels": result.labels,
                "measured": result.measured,
                "notes": result.notes,
            }
        )
    else:
        show(out)
        after_sample(source, conditional=result.labels is not None)


def _check_target(out: Path, count: int, force: bool) -> str:
    kind = {".png": "grid", ".npz": "arrays", "": "folder"}.get(out.suffix.lower())
    if kind is None:
        raise ConfigError(f"--out {out}: the ending must be .png, .npz or none (a folder)")
    if kind == "grid" and count > MAX_GRID_IMAGES:
        raise ConfigError(
            f"--out {out}: {count:,} images are too many for one grid ({MAX_GRID_IMAGES:,}); "
            "write a .npz or a folder"
        )
    from inkgan.files import require_no_dead_link

    require_no_dead_link(out)
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
