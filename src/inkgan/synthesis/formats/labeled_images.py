"""Write single images in formats that others read: IDX, npz, and folders of PNG files."""

import contextlib
import csv
import gzip
import io
import struct
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from PIL import Image

from inkgan import files
from inkgan.images import Shape
from inkgan.synthesis.formats.background_writer import BackgroundWriter, in_background
from inkgan.synthesis.formats.files_of_pictures import numbered, save_bytes
from inkgan.synthesis.request import LabeledImages
from inkgan.synthesis.shard_store import ShardResult, ShardStore
from inkgan.synthesis.shards import Shard
from inkgan.types import UInt8

IDX_PREFIXES = {"train": "train", "test": "t10k"}  # the names of MNIST's own files
ZIP_DATE = (1980, 1, 1, 0, 0, 0)  # of all members: the same request gives the same bytes


class Written(NamedTuple):
    """One shard after its images were written.

    Attributes:
        shard: its place in the plan.
        result: its images.
        records: what manifest.jsonl says of each image.
    """

    shard: Shard
    result: ShardResult
    records: list[dict[str, Any]]


def write_labeled_images(
    folder: Path, store: ShardStore, images: LabeledImages, shape: Shape, classes: Sequence[str]
) -> Iterator[Written]:
    """Write the images and labels of a data set, and yield each shard when it is written."""
    if images.format == "idx":
        written = write_idx(folder, store, images, shape)
    elif images.format == "npz":
        written = write_npz(folder / "data.npz", store, images, shape)
    else:
        written = write_pictures(folder, store, images, classes)
    for shard, result in written:
        yield Written(shard, result, _records(images, shard, result, classes))


def _records(
    images: LabeledImages, shard: Shard, result: ShardResult, classes: Sequence[str]
) -> list[dict[str, Any]]:
    records = []
    folders = class_folders(classes)
    for row, label in enumerate(result.labels.tolist()):
        index = shard.first + row
        file = file_of(images, shard.split, index, folders[label])
        place = {"split": shard.split, "index": index, "file": file}
        records.append(place | result.record(row))
    return records


def class_folders(classes: Sequence[str]) -> tuple[str, ...]:
    """Return the folder of each class: its name, or its number where a name cannot be a folder's.

    Where two names would be one folder, as "a" and "A" are on some systems, all are numbers.

    Example:
        >>> class_folders(["cat", "..", "a/b"])
        ('cat', 'class-1', 'a-b')
    """
    numbered_names = tuple(f"class-{label}" for label in range(len(classes)))
    names = tuple(
        name if _can_be_folder(name) else numbered_names[label]
        for label, name in enumerate(each.replace("/", "-") for each in classes)
    )
    different = len({name.casefold() for name in names}) == len(names)
    return names if different else numbered_names


def _can_be_folder(name: str) -> bool:
    """Return whether a folder can have a name on any system, and a terminal can show it."""
    if not name.isprintable() or set(name) & set('\\:*?"<>|') or len(name.encode()) > 200:
        return False
    return bool(name) and name == name.strip(" .")


def file_of(images: LabeledImages, split: str, index: int, class_folder: str) -> str:
    """Return the file that holds an image, relative to the data set's folder."""
    if images.format == "idx":
        return idx_name(images, split, "images-idx3")
    if images.format == "npz":
        return "data.npz"
    if images.format == "png":
        return f"{split}/{numbered(index)}.png"
    split_folder = f"{split}/" if len(images.splits()) > 1 else ""
    return f"{split_folder}{class_folder}/{index:08d}.png"


# --- IDX ---


def idx_name(images: LabeledImages, split: str, what: str) -> str:
    """Return the name of an IDX file, as MNIST has it; `what` is images-idx3 or labels-idx1."""
    return f"{IDX_PREFIXES[split]}-{what}-ubyte{'' if images.plain else '.gz'}"


def write_idx(
    folder: Path, store: ShardStore, images: LabeledImages, shape: Shape
) -> Iterator[tuple[Shard, ShardResult]]:
    """Write MNIST's files: big-endian headers, then images and labels as bytes."""
    for split, counts in images.splits().items():
        total = sum(counts)
        image_file = folder / idx_name(images, split, "images-idx3")
        label_file = folder / idx_name(images, split, "labels-idx1")
        with (
            _idx_stream(image_file, images.plain) as pixels,
            _idx_stream(label_file, images.plain) as labels,
        ):
            pixels.write(struct.pack(">HBB3I", 0, 8, 3, total, shape.height, shape.width))
            labels.write(struct.pack(">HBBI", 0, 8, 1, total))
            for shard, result in store.results(split):
                pixels.write(result.pixels.tobytes())
                labels.write(result.labels.astype(np.uint8).tobytes())
                yield shard, result


@contextlib.contextmanager
def _idx_stream(path: Path, plain: bool) -> Iterator[IO[bytes] | BackgroundWriter]:
    """Open a file, gzip or not, that appears whole; the gzip header has no name and no date."""
    with files.atomic(path) as temporary, temporary.open("wb") as raw:
        if plain:
            yield raw
            return
        with (
            gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=6, mtime=0) as zipped,
            in_background(zipped) as stream,
        ):
            yield stream


# --- npz ---


def write_npz(
    path: Path, store: ShardStore, images: LabeledImages, shape: Shape
) -> Iterator[tuple[Shard, ShardResult]]:
    """Write x_train, y_train, x_test and y_test, as Keras names them, a shard at a time."""
    colors = () if shape.channels == 1 else (shape.channels,)
    size = (shape.height, shape.width, *colors)
    with (
        files.atomic(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for split, counts in images.splits().items():
            total = sum(counts)
            with _npz_member(archive, f"x_{split}", (total, *size)) as stream:
                for shard, result in store.results(split):
                    stream.write(result.pixels.tobytes())
                    yield shard, result
            with _npz_member(archive, f"y_{split}", (total,)) as stream:
                for shard in store.shards:
                    if shard.split == split:
                        stream.write(shard.labels.astype(np.uint8).tobytes())


@contextlib.contextmanager
def _npz_member(
    archive: zipfile.ZipFile, name: str, shape: Sequence[int]
) -> Iterator[BackgroundWriter]:
    """Open an array of uint8 inside an .npz, its header written."""
    member = zipfile.ZipInfo(f"{name}.npy", ZIP_DATE)
    member.compress_type = zipfile.ZIP_DEFLATED
    header: dict[str, Any] = {"descr": "|u1", "fortran_order": False, "shape": tuple(shape)}
    with archive.open(member, "w", force_zip64=True) as raw:
        np.lib.format.write_array_header_1_0(raw, header)
        with in_background(raw) as stream:
            yield stream


# --- folders of PNG files ---


def write_pictures(
    folder: Path, store: ShardStore, images: LabeledImages, classes: Sequence[str]
) -> Iterator[tuple[Shard, ShardResult]]:
    """Write a PNG for each image, and for `png` a metadata.csv beside them in each split.

    metadata.csv follows the ImageFolder of Hugging Face: file_name relative to it, then columns.
    """
    folders = class_folders(classes)
    for split in images.splits():
        table = folder / split / "metadata.csv" if images.format == "png" else None
        with _csv_table(table, ("file_name", "label", "class", "seed")) as add_row:
            for shard, result in store.results(split):
                for row, label in enumerate(result.labels.tolist()):
                    name = file_of(images, split, shard.first + row, folders[label])
                    save_picture(folder / name, result.pixels[row])
                    relative = name.removeprefix(f"{split}/")
                    add_row((relative, label, classes[label], int(result.seeds[row])))
                yield shard, result


def save_picture(path: Path, pixels: UInt8) -> None:
    """Write one PNG of many."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    save_bytes(path, buffer.getvalue())


@contextlib.contextmanager
def _csv_table(
    path: Path | None, head: Sequence[str]
) -> Iterator[Callable[[Iterable[object]], object]]:
    """Open a CSV file and yield a function that adds a row; without a path, rows are ignored."""
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
