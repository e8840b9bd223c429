"""inkgan imitate: more digits in the handwriting of those on a picture."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inkgan.cli.options import Device, Force, From, Ink, Jitter, Json, Paper, check_file

if TYPE_CHECKING:
    from inkgan.inversion.imitate import Imitation


def imitate(
    pictures: Annotated[
        list[str], typer.Argument(help="Pictures of a digit, or of several with paper between.")
    ],
    text: Annotated[
        str, typer.Option("--write", help="What to write: digits, spaces and . , - / :")
    ] = "0123456789",
    source: From = None,
    labels: Annotated[
        str | None,
        typer.Option(
            "--labels",
            "--label",
            help="The digits on the pictures in reading order, as 3141; recognized if left out.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="A .png or an .svg.")] = Path("imitation.png"),
    compare: Annotated[
        Path | None, typer.Option(help="A .png: the digits shown above those drawn for them.")
    ] = None,
    height: Annotated[int, typer.Option(help="Height of the picture in pixels.")] = 128,
    ink: Ink = "black",
    paper: Paper = "white",
    jitter: Jitter = 0.5,
    device: Device = "auto",
    force: Force = False,
    json: Json = False,
) -> None:
    """Read digits that someone wrote, and write others in the same handwriting.

    Example: inkgan imitate my3.png --write 2026 --out mine.png
    """
    check_file(out, (".png", ".svg"), force)
    if compare is not None:
        check_file(compare, (".png",), force, "--compare")
    from inkgan.cli.console import say, show, show_json
    from inkgan.cli.next_command import propose, unused
    from inkgan.cli.progress import stages
    from inkgan.device import compute_settings
    from inkgan.generation.load import open_generator
    from inkgan.handwriting.text import read_text
    from inkgan.handwriting.write import LineOptions
    from inkgan.inversion.imitate import imitate_digits
    from inkgan.inversion.recognize import read_digits, recognition_notes

    read_text(text)
    LineOptions(height, ink, paper, jitter).check()
    recognized = read_digits(pictures, labels and labels.replace(",", ""))
    for note in recognition_notes(recognized):
        say(note)
    # One thread costs no more processor time, and gives the same picture on any number of cores.
    with stages() as progress, compute_settings(threads=1):
        imitation = imitate_digits(
            recognized, open_generator(source or "flagship", device), progress
        )
        line = imitation.write(text, height=height, ink=ink, paper=paper, jitter=jitter)
    for note in imitation.error_notes:
        say(note)
    line.save(out)
    if compare is not None:
        from inkgan import images

        images.save_png(compare, imitation.comparison())
    found = findings(imitation)
    if json:
        show_json({"out": out, "compare": compare, "text": text, "digits": found})
        return
    for row in found:
        show(sentence(row))
    for path in (compare, out):
        if path is not None:
            show(path)
    hands = [word for picture in pictures for word in ("--hands", picture)]
    propose("synth", unused(Path("lines")), "--sequences", 100, *hands)


def findings(imitation: "Imitation") -> list[dict[str, Any]]:
    """Return for each digit what it is and how near its imitation comes."""
    from inkgan.inversion.error_percentiles import rank_error

    recognized, rows = imitation.recognized, []
    for digit, sure, error in zip(
        recognized.digits, recognized.confidence, imitation.inversion.errors, strict=True
    ):
        found = rank_error(imitation.generator, error)
        share = None if found is None else found.share
        rows.append({"digit": digit, "confidence": sure, "error": error, "worse_in_test": share})
    return rows


def sentence(row: dict[str, Any]) -> str:
    """Write one digit's findings as a line."""
    line = (
        f"{row['digit']}  recognized with {row['confidence']:.0%} confidence, "
        f"error {row['error']:.3f}"
    )
    if row["worse_in_test"] is not None:
        line += f"; {row['worse_in_test']:.0%} of MNIST's test digits come out worse"
    return line
