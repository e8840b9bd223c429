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
    from inkgan.evaluation.report.compare import compare as write_comparison
    from inkgan.evaluation.report.comparison_table import contests
    from inkgan.io.run_dir import Run

    written = write_comparison(runs, out)
    found = contests([(str(path), Run.open(path)) for path in runs])
    if json:
        comparisons = [
            {
                "first": contest.one,
                "second": contest.other,
                "sentence": contest.sentence,
                "metrics": [] if contest.missing else contest.rows(),
            }
            for contest in found
        ]
        show_json({"written": written, "comparisons": comparisons})
        return
    for contest in found:
        show(contest.sentence)
    for path in written:
        show(path)
