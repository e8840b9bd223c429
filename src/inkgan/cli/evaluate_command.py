"""inkgan evaluate: judge a generator or images."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from inkgan.evaluation.report_document import Report


def evaluate(
    source: Annotated[
        str,
        typer.Argument(help="A run, a bundle, an .npz, a folder of pictures, or data:mnist."),
    ],
    quick: Annotated[
        bool, typer.Option("--quick", help="10,000 images, the main scores, under a minute.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the report; a run's own if left out.")
    ] = None,
    checkpoint: Annotated[
        Literal["last", "best"], typer.Option(help="Of a run: its last or its best generator.")
    ] = "last",
    reference: Annotated[
        str, typer.Option(help="The real digits to hold the images against.")
    ] = "mnist",
    stacked: Annotated[
        bool, typer.Option("--stacked", help="A file's images are three digits stacked as colour.")
    ] = False,
    data_dir: Annotated[Path | None, typer.Option(help="Where to look for data first.")] = None,
    device: Annotated[str, typer.Option(help="That draws the images.")] = "auto",
    inception: Annotated[
        bool, typer.Option("--inception", help="Add Inception's FID (an extra, slow).")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Judge again what has been judged before.")
    ] = False,
) -> None:
    """Judge images: are they good, varied, collapsed, copied? With floors and error bars."""
    from inkgan.cli.view import download_report, stages
    from inkgan.evaluation.evaluate import evaluate as judge

    with download_report() as download, stages() as progress:
        judged = judge(
            source,
            protocol="quick" if quick else "full",
            out=out,
            reference=reference,
            checkpoint=checkpoint,
            stacked=stacked,
            data_dir=data_dir,
            device=device,
            fresh=fresh,
            inception=inception,
            progress=progress,
            download=download,
        )
    _show(judged)


def _show(judged: "Report") -> None:
    from inkgan.cli.view import results

    for sentence in judged.verdict:
        results.print(f"- {sentence}", markup=False)
    results.print()
    results.print(score_table(judged.to_dict()))
    if hand := judged.to_dict().get("style_consistency"):
        results.print()
        results.print(hand_table(hand))
    for note in judged.to_dict()["notes"]:
        results.print(f"Note: {note}", markup=False)
    if judged.cached:
        results.print("Report before and kept; --fresh judges again.")
    results.print(f"Written: {judged.page_path} and {judged.json_path.name}", markup=False)


def score_table(document: dict[str, Any]) -> Any:
    """Lay scores out as a table that fits 60 columns; none without its floor."""
    from rich import box
    from rich.table import Table

    from inkgan.evaluation.score import Score

    table = Table(box=box.SIMPLE, padding=(0, 1), show_edge=False)
    table.add_column("metric", overflow="fold")
    for heading in ("value", "± 95 %", "floor", "z"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in document["scores"]:
        score = Score.from_dict(row)
        z = "-" if row["z"] is None else f"{row['z']:+.{int(abs(row['z']) < 10)}f}"
        table.add_row(
            score.spec.title,
            score.spec.format(score.value),
            score.spec.format(score.margin),
            score.spec.format(score.baseline.mean),
            z,
        )
    return table


def hand_table(hand: dict[str, Any]) -> Any:
    """Lay out how far the ten digits of one latent share a style, as a table of 60 columns."""
    from rich import box
    from rich.table import Table

    table = Table(
        box=box.SIMPLE,
        padding=(0, 1),
        show_edge=False,
        title_justify="left",
        title_style="",
        title=f"One hand: {hand['latents']:,} latents, each drawn as every digit",
    )
    table.add_column("style")
    for heading in ("ICC", "95 %", "absolute", "floor"):
        table.add_column(heading, justify="right", no_wrap=True)
    for style, shared in hand["styles"].items():
        values = [_two(shared[name]["value"]) for name in ("consistency", "one_way", "permuted")]
        ends = f"{_two(shared['consistency']['low'])} to {_two(shared['consistency']['high'])}"
        table.add_row(style, values[0], ends, *values[1:])
    if hand["blank"]:
        table.caption = f"{hand['blank']:,} latents with a blank image were left out"
    return table


def _two(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
