"""inkgan synth: a labeled data set from a trained generator."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from inkgan.cli.command import all_cores
from inkgan.cli.options import SOURCE_HELP, Checkpoint, Device, From, Json, one_source
from inkgan.cli.parse import parse_bounds, parse_counts, parse_span

FileFormat = Annotated[
    Literal["idx", "npz", "png", "imagefolder"] | None,
    typer.Option(help="idx is the format of MNIST's own files. [default: idx]"),
]
SlantRange = Annotated[
    str | None, typer.Option(help='Least and most degrees, positive for "/": -10:10.')
]
ThicknessRange = Annotated[
    str | None, typer.Option(help="Least and most pixels of stroke width: 2:3.")
]


def synth(
    out: Annotated[Path, typer.Argument(help="Folder to make; it appears when it is complete.")],
    source: Annotated[
        str | None, typer.Argument(help=f"{SOURCE_HELP} Also: --from SOURCE.", show_default=False)
    ] = None,
    from_: From = None,
    per_class: Annotated[
        str | None, typer.Option(help="Images of each class, or a count,for,each. [default: 6000]")
    ] = None,
    test_per_class: Annotated[str, typer.Option(help="The same for a test split.")] = "0",
    format: FileFormat = None,
    plain: Annotated[bool, typer.Option("--plain", help="idx without gzip.")] = False,
    seed: Annotated[int, typer.Option(help="Another seed is another data set.")] = 0,
    min_confidence: Annotated[
        float | None, typer.Option(help="Least probability of the label by the classifier E2.")
    ] = None,
    dedupe: Annotated[
        bool, typer.Option("--dedupe", help="Leave out near-copies of earlier images.")
    ] = False,
    slant: SlantRange = None,
    thickness: ThicknessRange = None,
    sequences: Annotated[
        int | None, typer.Option(help="Draw this many numbers with boxes (COCO, YOLO) instead.")
    ] = None,
    length: Annotated[str, typer.Option(help="Fewest and most digits of a number.")] = "1-6",
    spacing: Annotated[str, typer.Option(help="Least and most pixels between digits.")] = "1:8",
    license: Annotated[str, typer.Option(help="For the data card: cc0-1.0, ...")] = "unknown",
    checkpoint: Checkpoint = "last",
    device: Device = "auto",
    force: Annotated[
        bool, typer.Option("--force", help="Start over, and replace a data set that is there.")
    ] = False,
    json: Json = False,
) -> None:
    """Draw a labeled data set; the same command again continues where it was stopped.

    Example: inkgan synth digits --per-class 1000 --format png
    """
    origin = one_source(source, from_)
    each = None if per_class is None else parse_counts(per_class, "--per-class")
    test_each = parse_counts(test_per_class, "--test-per-class")
    slants, thicknesses = parse_bounds(slant, "--slant"), parse_bounds(thickness, "--thickness")
    lengths, gaps = parse_span(length, "--length", "-"), parse_span(spacing, "--spacing", ":")

    from inkgan.cli.console import say, show, show_json
    from inkgan.cli.progress import stages
    from inkgan.synthesis.data_card import summarize
    from inkgan.synthesis.synth import synth as draw

    with all_cores(), stages() as progress:
        made = draw(
            out,
            source=origin,
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
    say(summarize(made.manifest, made.already))
    if json:
        show_json({"out": out, "already": made.already, "manifest": made.manifest})
    else:
        show(out)
