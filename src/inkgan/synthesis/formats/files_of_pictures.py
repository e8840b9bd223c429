"""What formats with a file for each picture share."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from inkgan import files
from inkgan.synthesis.rendered_sequence import EncodedSequence

FILES_PER_FOLDER = 10_000  # more are slow to list
Lines = Iterator[EncodedSequence]
Placed = Iterator[tuple[EncodedSequence, str]]
"""Each sequence, when it is written, with the file that holds it."""


def numbered(index: int) -> str:
    """Return the place of picture `index` in folders of limited size, without the ending."""
    return f"{index // FILES_PER_FOLDER:04d}/{index:08d}"


def save_bytes(path: Path, content: bytes) -> None:
    """Write one file of many; not synced, since the folder appears only when all are written."""
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True)
    path.write_bytes(content)


@contextlib.contextmanager
def text_file(path: Path) -> Iterator[IO[str]]:
    """Open a text file that appears whole, with the line ends of Unix."""
    with (
        files.atomic(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="\n") as stream,
    ):
        yield stream
