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
    """Put runs side by side: pictures, curves and settings, as a page and a picture."""
    from inkgan.report.compare import compare as write_comparison

    for path in write_comparison(runs, out):
        typer.echo(path)
