"""inkgan synth: a labelled data set from a trained generator."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from inkgan.errors import ConfigError


def parse_counts(text: str, flag: str) -> int | list[int]:
    """Read "6000" as one count for every class, and "10,20,30" as a count for each.

    Raises:
        ConfigError: anything but whole numbers from 0, with commas between them.
    """
    counts = [_whole(part) for part in text.split(",")]
    known = [count for count in counts if count is not None]
    if len(known) < len(counts):
        raise ConfigError(f"{flag} {text!r}: write one count for all classes, or one,for,each")
    return known[0] if len(known) == 1 else known


def parse_bounds(text: str | None, flag: str) -> tuple[float, float] | None:
    """Read "-10:10" as least and most.

    Raises:
        ConfigError: no two numbers with a colon between them.
    """
    if text is None:
        return None
    try:
        least, most = map(float, text.split(":"))
    except ValueError:
        raise ConfigError(f"{flag} {text!r}: write least:most, for example -10:10") from None
    return least, most


def parse_span(text: str, flag: str, mark: str) -> tuple[int, int]:
    """Read "1-6", or "4" alone, as fewest and most.

    Raises:
        ConfigError: no whole numbers from 0 with the mark between them.
    """
    first, _, last = text.partition(mark)
    fewest, most = _whole(first), _whole(last) if mark in text else _whole(first)
    if fewest is None or most is None:
        raise ConfigError(f"{flag} {text!r}: write fewest{mark}most, for example 1{mark}6")
    return fewest, most


def _whole(text: str) -> int | None:
    text = text.strip()
    # fifteen digits: more is beyond any disk, and int() refuses thousands of them
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 15 else None


def synth(
    out: Annotated[Path, typer.Argument(help="The folder to make; it appears when it is whole.")],
    source: Annotated[
        str, typer.Option("--from", help="A run folder, a bundle, or a run's name in runs/.")
    ] = "flagship",
    per_class: Annotated[
        str | None,
        typer.Option(help="Images of each class, or a count,for,each; 6000 if left out."),
    ] = None,
    test_per_class: Annotated[str, typer.Option(help="The same for a test split.")] = "0",
    format: Annotated[
        Literal["idx", "npz", "png", "imagefolder"] | None,
        typer.Option(help="idx as MNIST's own files; idx if left out."),
    ] = None,
    plain: Annotated[bool, typer.Option("--plain", help="idx without gzip.")] = False,
    seed: Annotated[int, typer.Option(help="Another seed is another data set.")] = 0,
    min_confidence: Annotated[
        float | None, typer.Option(help="Least probability that the judge gives the label.")
    ] = None,
    dedupe: Annotated[
        bool, typer.Option("--dedupe", help="Leave out near-copies of earlier images.")
    ] = False,
    slant: Annotated[
        str | None, typer.Option(help="Degrees, right is positive: -10:10 keeps the upright.")
    ] = None,
    thickness: Annotated[str | None, typer.Option(help="Pixels of the stroke: 2:3.")] = None,
    sequences: Annotated[
        int | None, typer.Option(help="Draw so many numbers with boxes (COCO, YOLO) instead.")
    ] = None,
    length: Annotated[str, typer.Option(help="Digits of a number.")] = "1-6",
    spacing: Annotated[str, typer.Option(help="Pixels between a number's digits.")] = "1:8",
    license: Annotated[str, typer.Option(help="For the data card: cc0-1.0, ...")] = "unknown",
    checkpoint: Annotated[
        Literal["last", "best"], typer.Option(help="Of a run: its last or its best generator.")
    ] = "last",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    force: Annotated[
        bool, typer.Option("--force", help="Start over, and replace a data set that is there.")
    ] = False,
) -> None:
    """Draw a labelled data set; the same command again goes on where it was stopped."""
    each = None if per_class is None else parse_counts(per_class, "--per-class")
    test_each = parse_counts(test_per_class, "--test-per-class")
    slants, thicknesses = parse_bounds(slant, "--slant"), parse_bounds(thickness, "--thickness")
    lengths, gaps = parse_span(length, "--length", "-"), parse_span(spacing, "--spacing", ":")

    from inkgan.cli.view import stages
    from inkgan.synthesis.synth import synth as draw

    with stages() as progress:
        made = draw(
            out,
            source=source,
            per_class=each,
            test_per_class=test_each,
            format=format,
            plain=plain,
            seed=seed,
            min_confidence=min_confidence,
            dedupe=dedupe,
            slant=slants,
            thickness=thicknesses,
            sequences=sequences,
            length=lengths,
            spacing=gaps,
            license=license,
            checkpoint=checkpoint,
            device=device,
            force=force,
            progress=progress,
        )
    from inkgan.synthesis.data_card import summarize

    typer.echo(summarize(made.manifest, made.already), err=True)
    typer.echo(out)
