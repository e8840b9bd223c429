"""inkgan evaluate: scores, a verdict and a report for a generator or for images."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from inkgan.cli.command import all_cores
from inkgan.cli.options import Checkpoint, DataDir, Device, Json
from inkgan.errors import ConfigError
from inkgan.printable import path_line, printable

if TYPE_CHECKING:
    from inkgan.evaluation.report_document import Report
    from inkgan.types import Progress

RECORD_SECONDS = 0.5  # between two notes of how far the evaluation is


def evaluate(
    source: Annotated[
        str,
        typer.Argument(
            help="A run, a bundle, an .onnx, .npz, .npy or .csv, a folder of pictures, "
            "data:mnist, or a Parquet or WebDataset of inkgan synth. Also: --from SOURCE."
        ),
    ],
    quick: Annotated[
        bool, typer.Option("--quick", help="10,000 images, the main scores, under a minute.")
    ] = False,
    stream: Annotated[
        bool,
        typer.Option("--stream", help="Any number of images in constant memory; see --images."),
    ] = False,
    images: Annotated[
        int | None,
        typer.Option(help="Images to stream. [default: all, or a million of a generator]"),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(help="Processes that share a stream. [default: one for each core]"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the report. [default: the run's own folder]")
    ] = None,
    checkpoint: Checkpoint = "last",
    reference: Annotated[
        str | None,
        typer.Option(
            help="Data set to compare with. [default: mnist, or the set of a generator of others]"
        ),
    ] = None,
    stacked: Annotated[
        bool, typer.Option("--stacked", help="The images are three digits stacked as colors.")
    ] = False,
    latent_dim: Annotated[
        int | None,
        typer.Option(help="Size of the latents of an .onnx file that leaves it open."),
    ] = None,
    data_dir: DataDir = None,
    device: Device = "auto",
    inception: Annotated[
        bool, typer.Option("--inception", help="Add Inception's FID (an extra, slow).")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Evaluate again what has been evaluated before.")
    ] = False,
    json: Json = False,
) -> None:
    """Evaluate images: good, varied, collapsed, copied? With baselines and error bars.

    Example: inkgan evaluate runs/dcgan --quick
    """
    from inkgan.cli.console import show_json
    from inkgan.cli.progress import download_report, stages
    from inkgan.evaluation.evaluate import evaluate as evaluate_source

    protocol: Literal["quick", "full", "stream"] = "quick" if quick else "full"
    if stream:
        if quick:
            raise ConfigError("`quick` and `stream` are two ways to evaluate: use one")
        protocol = "stream"
    with all_cores(), download_report() as download, stages() as progress:
        report = evaluate_source(
            source,
            protocol=protocol,
            images=images,
            workers=workers,
            out=out,
            reference=reference,
            checkpoint=checkpoint,
            stacked=stacked,
            latent_dim=latent_dim,
            data_dir=data_dir,
            device=device,
            fresh=fresh,
            inception=inception,
            progress=_recorded(source, "quick" if quick else "full", progress),
            download=download,
        )
    if json:
        paths = {"page": report.page_path, "json": report.json_path}
        show_json(report.to_dict() | {"cached": report.cached, "written": paths})
    else:
        from inkgan.cli.next_command import after_evaluate

        _show(report)
        after_evaluate(source)


def _recorded(source: str, protocol: str, progress: "Progress") -> "Progress":
    """Record in a run's folder how far its evaluation is, for those who watch it."""
    from inkgan.evaluation.stage_progress import OverallProgress
    from inkgan.io.live_folder import LiveFolder
    from inkgan.io.run_paths import RunPaths

    run = Path(source)
    if not RunPaths(run).recipe_path.is_file():
        return progress
    overall, live, recorded_at = OverallProgress(protocol, progress), LiveFolder(run), 0.0

    def record(what: str, done: int, total: int) -> None:
        nonlocal recorded_at
        is_new = what != overall.stage
        overall(what, done, total)
        if is_new or time.monotonic() - recorded_at > RECORD_SECONDS:
            recorded_at = time.monotonic()
            live.write_evaluation(overall.share, what)

    return record


def _show(report: "Report") -> None:
    from inkgan.cli.console import say, show, show_table

    for sentence in report.verdict:
        show(f"- {sentence}")
    show()
    show_table(score_table(report.to_dict()))
    if consistency := report.to_dict().get("style_consistency"):
        show()
        show_table(consistency_table(consistency))
    for note in report.to_dict()["notes"]:
        show(f"Note: {note}")
    if report.cached:
        say("Evaluated before and kept; --fresh evaluates again.")
    show(f"Written: {path_line(report.page_path)} and {report.json_path.name}")


def score_table(document: dict[str, Any]) -> Any:
    """Lay scores out as a table that fits 60 columns; none without its baseline."""
    from rich import box
    from rich.table import Table

    from inkgan.evaluation.score import Score
    from inkgan.evaluation.verdict import in_classes
    from inkgan.generation.protocols import DIGITS

    names = document.get("class_names", DIGITS)
    table = Table(box=box.SIMPLE, padding=(0, 1), show_edge=False, pad_edge=False)
    table.add_column("metric", overflow="fold")
    for heading in ("value", "± 95 %", "baseline", "z"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.caption_justify = "left"
    table.caption = (
        "z: standard deviations of the baseline by which a score is worse than that of real "
        "images; from -3 to 3 it is like real."
    )
    for row in document["scores"]:
        score = Score.from_dict(row)
        z = "-" if row["z"] is None else f"{row['z']:+.{int(abs(row['z']) < 10)}f}"
        if row["z"] is not None and abs(row["z"]) > 100:
            z = "> +100" if row["z"] > 0 else "< -100"
        table.add_row(
            printable(in_classes(score.spec.title, names)),
            score.spec.format(score.value),
            score.spec.format(score.margin),
            score.spec.format(score.baseline.mean),
            z,
        )
    return table


def consistency_table(document: dict[str, Any]) -> Any:
    """Lay out how far the ten digits of one latent share a style, as a table of 60 columns."""
    from rich import box
    from rich.table import Table

    table = Table(
        box=box.SIMPLE,
        padding=(0, 1),
        show_edge=False,
        title_justify="left",
        title_style="",
        title=f"Style consistency: {document['latents']:,} latents, drawn as every digit",
    )
    table.add_column("style")
    for heading in ("ICC", "95 %", "one-way", "baseline"):
        table.add_column(heading, justify="right", no_wrap=True)
    for style, shared in document["styles"].items():
        values = [_two(shared[name]["value"]) for name in ("consistency", "one_way", "permuted")]
        ends = f"{_two(shared['consistency']['low'])} to {_two(shared['consistency']['high'])}"
        table.add_row(printable(style), values[0], ends, *values[1:])
    if document["blank"]:
        table.caption = f"{document['blank']:,} latents with a blank image were left out"
    return table


def _two(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
