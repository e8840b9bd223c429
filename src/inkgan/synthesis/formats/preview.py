"""Read the first images of a finished data set, whatever its format."""

import gzip
import math
import zipfile
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np

from inkgan.images import read_picture
from inkgan.synthesis.records import RECORDS, read_records
from inkgan.types import UInt8

IDX_HEADER = 16  # bytes before the images


def read_first_images(folder: Path, manifest: Mapping[str, Any], count: int) -> UInt8:
    """Return the first images of the training split, uint8 (n, H, W[, 3]) with n <= `count`.

    Reads only as much of the files as is needed.

    Args:
        folder: of the data set.
        manifest: what its manifest.json holds.
        count: the largest number of images.
    """
    records = list(islice(read_records(folder / RECORDS), count))
    records = [record for record in records if record["split"] == "train"]
    path = folder / records[0]["file"]
    if path.suffix == ".png":
        return np.stack([read_picture(folder / record["file"]) for record in records])
    channels, height, width = manifest["shape"]
    shape = (len(records), height, width, *(() if channels == 1 else (channels,)))
    if path.suffix == ".npz":
        with zipfile.ZipFile(path) as archive, archive.open("x_train.npy") as member:
            np.lib.format.read_magic(member)
            np.lib.format.read_array_header_1_0(member)
            return _read_pixels(member, shape)
    if path.suffix == ".gz":
        with gzip.open(path) as unzipped:
            unzipped.read(IDX_HEADER)
            return _read_pixels(unzipped, shape)
    with path.open("rb") as plain:
        plain.read(IDX_HEADER)
        return _read_pixels(plain, shape)


def _read_pixels(stream: IO[bytes] | gzip.GzipFile, shape: tuple[int, ...]) -> UInt8:
    return np.frombuffer(stream.read(math.prod(shape)), np.uint8).reshape(shape)
