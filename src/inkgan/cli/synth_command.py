"""inkgan synth: a labeled data set from a trained generator."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inkgan.cli.command import all_cores
from inkgan.cli.options import SOURCE_HELP, Address, Checkpoint, Device, From, Json, On, one_source
from inkgan.cli.parse import parse_bounds, parse_counts, parse_lengths
from inkgan.printable import path_line

if TYPE_CHECKING:
    from inkgan.synthesis.synthesis_result import SynthesisResult

Out = Annotated[
    str,
    typer.Argument(
        help="Folder to make; it appears when it is complete. Of parquet and webdataset also an "
        "address: s3://bucket/name."
    ),
]
Source = Annotated[
    str | None, typer.Argument(help=f"{SOURCE_HELP} Also: --from SOURCE.", show_default=False)
]
PerClass = Annotated[
    str | None, typer.Option(help="Images of each class, or a count,for,each; 6000 if left out.")
]
TestPerClass = Annotated[str, typer.Option(help="The same for a test split.")]
ShardSize = Annotated[
    int, typer.Option(help="Images in a file of parquet and webdataset; a multiple of 2,000.")
]
Plain = Annotated[bool, typer.Option("--plain", help="idx without gzip.")]
Seed = Annotated[int, typer.Option(help="Another seed is another data set.")]
MinConfidence = Annotated[
    float | None, typer.Option(help="Least probability of the label by the classifier E1.")
]
Dedupe = Annotated[bool, typer.Option("--dedupe", help="Leave out near-copies of earlier images.")]
License = Annotated[str, typer.Option(help="For the data card: cc0-1.0, ...")]
Force = Annotated[
    bool, typer.Option("--force", help="Start over, and replace a data set that is there.")
]
FileFormat = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="idx, npz, png or imagefolder; for very many images parquet or webdataset; of "
        "sequences: coco, yolo, yolo-seg, voc, lmdb, "
        "paddleocr, easyocr, tesseract, parquet, webdataset or detection (COCO and YOLO). "
        "idx or detection if left out.",
    ),
]
SEQUENCES = "Sequences of characters"
SlantRange = Annotated[
    str | None, typer.Option(help='Least and most degrees, positive for "/": -10:10.')
]
ThicknessRange = Annotated[
    str | None, typer.Option(help="Least and most pixels of stroke width: 2:3.")
]


Precision = Annotated[
    str,
    typer.Option(
        help="float32, or bfloat16: twice as fast on a processor with units for it (AMX), gray "
        "values differ a little."
    ),
]


def _sequence_option(help: str, **more: Any) -> Any:
    return typer.Option(help=help, rich_help_panel=SEQUENCES, **more)


Count = Annotated[
    int | None,
    _sequence_option("Draw this many numbers instead of single digits."),
]
ValidationCount = Annotated[int, _sequence_option("The same for a validation split.")]
TestCount = Annotated[int, _sequence_option("The same for a test split.")]
Texts = Annotated[Path | None, _sequence_option("A file with a text on each line.")]
Pattern = Annotated[
    list[str] | None,
    _sequence_option(
        '"[0-9]{4,8}", "date:%d.%m.%Y", "amount:#,##0.00", "phone:0## ### ####", luhn:16, '
        "mod11:10 or mod97:12; may be repeated, PATTERN@3 is used three times as often."
    ),
]
Length = Annotated[
    str, _sequence_option("Fewest and most random digits: 1-6; or a weight for each: 4=1,6=3.")
]
Writers = Annotated[int, _sequence_option("Number of handwritings, one for each sequence.")]
Hands = Annotated[
    list[Path] | None,
    _sequence_option("A picture of digits whose handwriting is imitated; may be repeated."),
]
Height = Annotated[int, _sequence_option("Height of the pictures in pixels.")]
Spacing = Annotated[
    str, _sequence_option("Least and most pixels between ink: 1:8; or tight, normal, loose.")
]
Touching = Annotated[float, _sequence_option("Share of neighboring digits that touch.")]
Overlapping = Annotated[float, _sequence_option("Share of neighboring digits that overlap.")]
Drift = Annotated[float, _sequence_option("Drift of the baseline, in heights of a digit.")]
Tilt = Annotated[str, _sequence_option("Least and most degrees of the line, positive: it rises.")]
SizeJitter = Annotated[float, _sequence_option("Variation of size and lean.")]
PaperPreset = Annotated[
    str,
    _sequence_option("clean (black on white), scan (gray) or photo (in color).", metavar="NAME"),
]
PaperStrength = Annotated[
    float, _sequence_option("How far the effects of scan and photo go, 0 to 2.")
]
PaperKinds = Annotated[
    str, _sequence_option("One or more of plain, ruled, grid and form, with commas.")
]
Workers = Annotated[
    int | None,
    typer.Option(
        help="Most processes that compose sequences, or draw parquet and webdataset; one for each "
        "core if left out."
    ),
]
Backgrounds = Annotated[
    Path | None, _sequence_option("A folder of images that serve scan and photo as paper.")
]


def synth(
    out: Out,
    source: Source = None,
    from_: From = None,
    per_class: PerClass = None,
    test_per_class: TestPerClass = "0",
    format: FileFormat = None,
    plain: Plain = False,
    shard_size: ShardSize = 100_000,
    seed: Seed = 0,
    min_confidence: MinConfidence = None,
    dedupe: Dedupe = False,
    slant: SlantRange = None,
    thickness: ThicknessRange = None,
    sequences: Count = None,
    validation_sequences: ValidationCount = 0,
    test_sequences: TestCount = 0,
    texts: Texts = None,
    pattern: Pattern = None,
    length: Length = "1-6",
    writers: Writers = 500,
    hands: Hands = None,
    height: Height = 48,
    spacing: Spacing = "normal",
    touching: Touching = 0.0,
    overlapping: Overlapping = 0.0,
    drift: Drift = 0.03,
    tilt: Tilt = "-2:2",
    size_jitter: SizeJitter = 0.05,
    paper: PaperPreset = "clean",
    paper_strength: PaperStrength = 1.0,
    paper_kinds: PaperKinds = "plain,ruled,grid,form",
    backgrounds: Backgrounds = None,
    workers: Workers = None,
    on: On = "local",
    address: Address = None,
    license: License = "unknown",
    checkpoint: Checkpoint = "last",
    device: Device = "auto",
    precision: Precision = "float32",
    force: Force = False,
    json: Json = False,
) -> None:
    """Draw a labeled data set; the same command again continues where it was stopped.

    Example: inkgan synth digits --per-class 1000 --format png
    """
    lengths, tilts = parse_lengths(length, "--length"), parse_bounds(tilt, "--tilt") or (0.0, 0.0)

    from inkgan.cli.progress import stages
    from inkgan.synthesis.paper.paper import Paper
    from inkgan.synthesis.sequence_layout import SPACINGS, SequenceLayout
    from inkgan.synthesis.sequence_request import Sequences
    from inkgan.synthesis.synth import synth as draw

    gaps = SPACINGS.get(spacing) or parse_bounds(spacing, "--spacing") or (0.0, 0.0)
    layout = SequenceLayout(height, gaps, touching, overlapping, drift, tilts, size_jitter)
    counts = sequences, validation_sequences, test_sequences
    several, pictures = tuple(pattern or ()), tuple(hands or ())
    kinds = tuple(paper_kinds.split(","))
    page = Paper(paper, paper_strength, backgrounds, kinds)  # type: ignore[arg-type]
    request = Sequences(*counts, texts, several, lengths, writers, pictures, layout, paper=page)
    with all_cores(), stages() as progress:
        made = draw(
            out,
            source=one_source(source, from_),
            per_class=None if per_class is None else parse_counts(per_class, "--per-class"),
            test_per_class=parse_counts(test_per_class, "--test-per-class"),
            format=format,  # type: ignore[arg-type]  # the library refuses others
            plain=plain,
            shard_size=shard_size,
            seed=seed,
            min_confidence=min_confidence,
            dedupe=dedupe,
            slant=parse_bounds(slant, "--slant"),
            thickness=parse_bounds(thickness, "--thickness"),
            sequences=None if request == Sequences() else request,
            license=license,
            checkpoint=checkpoint,
            device=device,
            precision=precision,  # type: ignore[arg-type]  # the library refuses others
            workers=workers,
            on=on,
            address=address,
            force=force,
            progress=progress,
        )
    _report(out, made, json)


def _report(out: str, made: "SynthesisResult", json: bool) -> None:
    from inkgan.cli.console import say, show, show_json
    from inkgan.cli.next_command import after_synth
    from inkgan.synthesis.data_card import summarize

    say(summarize(made.manifest, made.already))
    if json:
        show_json({"out": out, "already": made.already, "manifest": made.manifest})
    else:
        show(path_line(out))
        after_synth(out, made.manifest["request"]["content"]["format"])
