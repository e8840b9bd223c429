"""inkgan imitate: more digits in the hand of those on a picture."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inkgan.cli.write_command import Device, Force, From, Ink, Paper, check_file

if TYPE_CHECKING:
    from inkgan.inversion.imitate import Imitation


def imitate(
    pictures: Annotated[
        list[str], typer.Argument(help="Pictures of a digit, or of several with paper between.")
    ],
    text: Annotated[
        str, typer.Option("--write", help="Digits, spaces and . , - / : to write in that hand.")
    ] = "0123456789",
    source: From = "flagship",
    digit: Annotated[
        str | None, typer.Option(help="What is shown, as 7 or 3141 for four marks; read if unsaid.")
    ] = None,
    out: Annotated[Path, typer.Option(help="A .png or an .svg.")] = Path("imitation.png"),
    compare: Annotated[
        Path | None, typer.Option(help="A .png: the digits shown above those drawn in their place.")
    ] = None,
    height: Annotated[int, typer.Option(help="Of the picture, in pixels.")] = 128,
    ink: Ink = "black",
    paper: Paper = "white",
    jitter: Annotated[float, typer.Option(help="0 is regular, 1 is restless.")] = 0.5,
    device: Device = "auto",
    force: Force = False,
) -> None:
    """Read digits that someone drew, and write others in that hand."""
    check_file(out, (".png", ".svg"), force)
    if compare is not None:
        check_file(compare, (".png",), force)
    from inkgan.cli.view import errors, results, stages
    from inkgan.generation.load import open_generator
    from inkgan.handwriting.write import check_page
    from inkgan.inversion.imitate import imitate_digits
    from inkgan.inversion.recognize import notes, read_digits

    check_page(text, height, ink, paper, jitter, 0.0)
    seen = read_digits(pictures, digit)
    for note in notes(seen):
        errors.print(note, markup=False)
    with stages() as progress:
        imitation = imitate_digits(seen, open_generator(source, device), progress)
        page = imitation.page(text, height=height, ink=ink, paper=paper, jitter=jitter)
    page.save(out)
    for line in report(imitation):
        results.print(line, markup=False)
    if compare is not None:
        save_comparison(compare, imitation)
        typer.echo(compare)
    typer.echo(out)


def report(imitation: "Imitation") -> list[str]:
    """Tell of each digit what it is and how near its imitation comes."""
    from inkgan.inversion.error_percentiles import place

    seen, lines = imitation.seen, []
    for digit, sure, error in zip(seen.digits, seen.confidence, imitation.fit.errors, strict=True):
        line = f"{digit}  judge's confidence {sure:.0%}  error {error:.3f}"
        if found := place(imitation.generator, error):
            line += f"; {found.share:.0%} of MNIST's test digits come out worse"
        lines.append(line)
    return lines


def save_comparison(path: Path, imitation: "Imitation") -> None:
    """Write a grid: the digits shown, and below them what the generator draws in their place."""
    import numpy as np

    from inkgan import images

    rows = np.concatenate([imitation.seen.images, imitation.fit.drawn])
    images.save_png(path, images.grid(rows, len(imitation.seen.digits), scale=4))
