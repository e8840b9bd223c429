"""inkgan compare: runs side by side."""

from pathlib import Path
from typing import Annotated

import typer

from inkgan.cli.options import Json


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Two or more run folders.")],
    out: Annotated[Path, typer.Option(help="Folder for the page and the picture.")] = Path(
        "comparison"
    ),
    json: Json = False,
) -> None:
    """Compare runs on one page: pictures, curves, settings and scores.

    Runs that differ only in their seed count as one recipe and are paired seed by seed.

    Example: inkgan compare runs/dcgan runs/vanilla
    """
    from inkgan.cli.console import show, show_json
    from inkgan.cli.next_command import propose
    from inkgan.evaluation.report.compare import compare as compare_runs
    from inkgan.evaluation.report_document import REPORT

    comparison = compare_runs(runs)
    written = comparison.save(out)
    if json:
        show_json({"written": written, **comparison.to_dict()})
        return
    for sentence in (*comparison.sentences, *comparison.cautions):
        show(sentence)
    for path in written:
        show(path)
    without = [run for run in runs if not (run / REPORT).exists()]
    if without:  # the page has no scores of it
        propose("evaluate", without[0], "--quick")
    else:
        propose("studio", "--runs", runs[0].parent)
