"""Images in an .npy file, and tables of pixels such as Kaggle's train.csv."""

import csv
import gzip
import warnings
from pathlib import Path
from typing import IO, NamedTuple, cast

import numpy as np

from inkgan.data.readers.convert import as_labels, as_uint8_images, side_of_square, upright
from inkgan.errors import DataError, DataFormatError
from inkgan.images import DAMAGED
from inkgan.types import Float32, Int64, UInt8

LABEL_NAMES = ("label", "labels", "class", "target", "digit", "y")  # of a column, in any case
DELIMITERS = (",", ";", "\t", " ")
ENCODING = "utf-8-sig"  # spreadsheets begin a file with a byte order mark


class ArrayImages(NamedTuple):
    """All images of a file.

    Attributes:
        images: uint8 (n, H, W, C).
        labels: int64 (n,); None where the file has none.
        notes: what was converted, in words.
    """

    images: UInt8
    labels: Int64 | None
    notes: tuple[str, ...]


def read_npy(path: Path) -> ArrayImages:
    """Read images from an .npy file.

    Raises:
        DataError: the file is missing, is no .npy of numbers, or has no unambiguous layout.
    """
    try:
        array = np.load(path, allow_pickle=False)
    except DAMAGED as error:
        raise _failure(path, ".npy", error) from error
    if not isinstance(array, np.ndarray):
        raise DataFormatError(f"{path} is an .npz; give it that ending")
    images, notes = as_uint8_images(array, str(path))
    return ArrayImages(images, None, notes)


def read_csv(path: Path) -> ArrayImages:
    """Read a table with an image in each row, such as Kaggle's train.csv, also as .csv.gz.

    A column called "label" or "class" holds labels. Without names, the first or the last column
    beside a square number of pixels does: the one that varies, as a corner of an image seldom does.
    Files that are called emnist-... are turned upright.

    Raises:
        DataError: the file is missing, is no table of numbers, or its rows are no square images.
    """
    try:
        with _open(path) as stream:
            first = stream.readline()
        delimiter = max(DELIMITERS, key=first.count)
        names = next(csv.reader([first], delimiter=delimiter), [])
        numbered = names == [str(place) for place in range(len(names))]  # as pandas names columns
        headed = numbered or not all(_is_number(name) for name in names)
        with _open(path) as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an empty table is refused below
            table: Float32 = np.loadtxt(
                stream,
                dtype=np.float32,
                delimiter=None if delimiter == " " else delimiter,
                skiprows=int(headed),
                quotechar='"',
                comments=None,
                ndmin=2,
            )
    except (OSError, ValueError, EOFError, MemoryError, csv.Error) as error:
        raise _failure(path, "a table of numbers", error) from error
    names = names[: table.shape[1]] if not any(names[table.shape[1] :]) else names
    if headed and len(names) != table.shape[1]:
        raise DataFormatError(
            f"{path}: its first line names {len(names):,} columns, but its rows have "
            f"{table.shape[1]:,}"
        )
    place, told = _label_column(names if headed and not numbered else None, table)
    pixels = table if place is None else np.delete(table, place, axis=1)
    images, notes = as_uint8_images(pixels, str(path))
    images, turned = upright(path.name, images)
    labels, notes = None, (*told, *notes, *turned)
    if place is not None:
        labels, _ = as_labels(table[:, place], len(table), f"{path}: labels")
    return ArrayImages(images, labels, notes)


def _open(path: Path) -> IO[str]:
    with path.open("rb") as stream:
        zipped = stream.read(2) == b"\x1f\x8b"
    if zipped:
        return cast(IO[str], gzip.open(path, "rt", encoding=ENCODING))
    return path.open(encoding=ENCODING)


def _failure(path: Path, kind: str, error: BaseException) -> DataError:
    if isinstance(error, FileNotFoundError):
        return DataError(f"{path}: there is no such file")
    reason = str(error).partition("\n")[0]
    return DataFormatError(f"{path} cannot be read as {kind}: {reason}")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _label_column(names: list[str] | None, table: Float32) -> tuple[int | None, tuple[str, ...]]:
    """Find the column of labels, None where there is none, and say which one where it is a guess.

    Args:
        names: of the columns; None where they have none.
        table: the numbers (n, columns).
    """
    if names is not None:
        known = [name.strip().lower() for name in names]
        return next((known.index(name) for name in LABEL_NAMES if name in known), None), ()
    width = table.shape[1]
    if side_of_square(width) or not side_of_square(width - 1):
        return None, ()
    if not _may_be_labels(table[:, -1]):
        return 0, ()
    if not _may_be_labels(table[:, 0]):
        return width - 1, ("No column has a name: the last one is read as labels.",)
    return 0, (
        "No column has a name: the first one is read as labels, though the last one may hold them; "
        "name the column of the labels `label` in a first line.",
    )


def _may_be_labels(column: Float32) -> bool:
    """Tell whether a column holds several different whole numbers."""
    return not (column % 1).any() and bool((column != column[0]).any())
