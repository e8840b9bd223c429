"""Writing single digits in the formats that others read: IDX, npz, and folders of PNG."""

import contextlib
import csv
import gzip
import io
import struct
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from PIL import Image

from inkgan import files
from inkgan.images import Shape
from inkgan.synthesis.request import Digits
from inkgan.synthesis.shard_result import Shards
from inkgan.types import UInt8

IDX_PREFIXES = {"train": "train", "test": "t10k"}  # as MNIST's own files are called
IN_FOLDER = 10_000  # pictures; more are slow to list
EPOCH = (1980, 1, 1, 0, 0, 0)  # the date of zip members: the same request gives the same bytes
Step = Callable[[int], None]  # told after so many more images are written


def write_digits(
    folder: Path, shards: Shards, digits: Digits, shape: Shape, classes: Sequence[str], step: Step
) -> None:
    """Write the data set's images and labels into a folder, in the format asked for."""
    if digits.format == "idx":
        write_idx(folder, shards, digits, shape, step)
    elif digits.format == "npz":
        write_npz(folder / "data.npz", shards, digits, shape, step)
    else:
        write_pictures(folder, shards, digits, classes, step)


def file_of(digits: Digits, split: str, index: int, class_name: str) -> str:
    """Name the file that holds an image, relative to the data set's folder."""
    if digits.format == "idx":
        return idx_name(digits, split, "images-idx3")
    if digits.format == "npz":
        return "data.npz"
    if digits.format == "png":
        return f"{split}/{numbered(index)}.png"
    divided = f"{split}/" if len(digits.splits()) > 1 else ""
    return f"{divided}{class_name.replace('/', '-')}/{index:08d}.png"


def numbered(index: int) -> str:
    """Name the place of picture `index` in folders of bounded size."""
    return f"{index // IN_FOLDER:04d}/{index:08d}"


# --- IDX ---


def idx_name(digits: Digits, split: str, what: str) -> str:
    """Name an IDX file as MNIST does; `what` is images-idx3 or labels-idx1."""
    return f"{IDX_PREFIXES[split]}-{what}-ubyte{'' if digits.plain else '.gz'}"


def write_idx(folder: Path, shards: Shards, digits: Digits, shape: Shape, step: Step) -> None:
    """Write the files of MNIST: big-endian headers, then images and labels as bytes."""
    for split, counts in digits.splits().items():
        total = sum(counts)
        images = folder / idx_name(digits, split, "images-idx3")
        labels = folder / idx_name(digits, split, "labels-idx1")
        with _stream(images, digits.plain) as pixels, _stream(labels, digits.plain) as numbers:
            pixels.write(struct.pack(">HBB3I", 0, 8, 3, total, shape.height, shape.width))
            numbers.write(struct.pack(">HBBI", 0, 8, 1, total))
            for _, drawn in shards.each(split):
                pixels.write(drawn.pixels.tobytes())
                numbers.write(drawn.labels.astype(np.uint8).tobytes())
                step(len(drawn))


@contextlib.contextmanager
def _stream(path: Path, plain: bool) -> Iterator[IO[bytes]]:
    """Open a file, gzip or not, that appears whole; gzip without name and date."""
    with files.atomic(path) as temporary, temporary.open("wb") as raw:
        if plain:
            yield raw
            return
        with gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=6, mtime=0) as zipped:
            yield cast(IO[bytes], zipped)


# --- npz ---


def write_npz(path: Path, shards: Shards, digits: Digits, shape: Shape, step: Step) -> None:
    """Write x_train, y_train, x_test and y_test, as Keras names them, a shard at a time."""
    tail = () if shape.channels == 1 else (shape.channels,)
    size = (shape.height, shape.width, *tail)
    with (
        files.atomic(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for split, counts in digits.splits().items():
            total = sum(counts)
            with _member(archive, f"x_{split}", (total, *size)) as stream:
                for _, drawn in shards.each(split):
                    stream.write(drawn.pixels.tobytes())
                    step(len(drawn))
            with _member(archive, f"y_{split}", (total,)) as stream:
                for part in shards.parts(split):
                    stream.write(part.labels.astype(np.uint8).tobytes())


@contextlib.contextmanager
def _member(archive: zipfile.ZipFile, name: str, shape: Sequence[int]) -> Iterator[IO[bytes]]:
    """Open an array of uint8 inside an .npz, its header written."""
    member = zipfile.ZipInfo(f"{name}.npy", EPOCH)
    member.compress_type = zipfile.ZIP_DEFLATED
    header: dict[str, Any] = {"descr": "|u1", "fortran_order": False, "shape": tuple(shape)}
    with archive.open(member, "w", force_zip64=True) as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        yield stream


# --- folders of PNG ---


def write_pictures(
    folder: Path, shards: Shards, digits: Digits, classes: Sequence[str], step: Step
) -> None:
    """Write a PNG for each image, and for `png` a metadata.csv beside them in each split.

    metadata.csv follows Hugging Face's ImageFolder: file_name relative to it, then columns.
    """
    for split in digits.splits():
        records = folder / split / "metadata.csv" if digits.format == "png" else None
        with _table(records, ("file_name", "label", "class", "seed")) as add:
            for part, drawn in shards.each(split):
                for row, label in enumerate(drawn.labels.tolist()):
                    name = file_of(digits, split, part.first + row, classes[label])
                    save_picture(folder / name, drawn.pixels[row])
                    relative = name.removeprefix(f"{split}/")
                    add((relative, label, classes[label], int(drawn.seeds[row])))
                step(len(drawn))


def save_picture(path: Path, pixels: UInt8) -> None:
    """Write one PNG of many; the folder as a whole appears when all are there."""
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    path.write_bytes(buffer.getbuffer())


@contextlib.contextmanager
def _table(path: Path | None, head: Sequence[str]) -> Iterator[Callable[[Iterable[object]], None]]:
    """Open a CSV file, or none at all."""
    if path is None:
        yield lambda row: None
        return
    with (
        files.atomic(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as stream,
    ):
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(head)
        yield writer.writerow
