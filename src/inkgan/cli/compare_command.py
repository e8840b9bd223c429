"""inkgan compare: runs side by side."""

from pathlib import Path
from typing import Annotated

import typer


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Two or more run folders.")],
    out: Annotated[Path, typer.Option(help="Folder for the page and the picture.")] = Path(
        "comparison"
    ),
) -> None:
    """Put runs side by side: pictures, curves, settings and the judge's scores, on a page.

    Runs that differ only in their seed count as one recipe, and are paired seed by seed.
    """
    from inkgan.evaluation.report.compare import compare as write_comparison
    from inkgan.evaluation.report.comparison_table import contests
    from inkgan.io.run_dir import Run

    written = write_comparison(runs, out)
    for contest in contests([(str(path), Run.open(path)) for path in runs]):
        typer.echo(contest.sentence)
    for path in written:
        typer.echo(path)
