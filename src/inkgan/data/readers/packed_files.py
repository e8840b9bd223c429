"""Files of many images that `inkgan synth` writes: Parquet, and WebDataset with packed arrays."""

import gzip
import hashlib
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from inkgan.errors import DataError, DataFormatError
from inkgan.files import parse_json
from inkgan.optional_imports import import_extra
from inkgan.storage import is_url, storage_at
from inkgan.types import Int64, UInt8

MANIFEST = "manifest.json"
SPLIT = "train"


@dataclass(frozen=True)
class PackedFiles:
    """The training images of a data set of many files.

    Attributes:
        place: its folder or address.
        files: their names, in order; `counts` the number of images and `sha256` the hash of each.
        classes: names of the classes; a label is a place among them.
    """

    place: str
    files: tuple[str, ...]
    counts: tuple[int, ...]
    sha256: tuple[str, ...]
    classes: tuple[str, ...]

    @property
    def digest(self) -> str:
        """The hash of the hashes."""
        return hashlib.sha256("\n".join(self.sha256).encode()).hexdigest()

    def read(self, name: str) -> tuple[UInt8, Int64]:
        """Read the images (n, H, W[, 3]) and labels (n,) of a file.

        Raises:
            DataFormatError: it is missing or damaged.
        """
        content = storage_at(self.place).read(name)
        if content is None:
            raise DataFormatError(f"{self.place}: {name} is missing")
        if hashlib.sha256(content).hexdigest() != self.sha256[self.files.index(name)]:
            raise DataFormatError(f"{self.place}: {name} is damaged: its SHA-256 is another one")
        try:
            if name.endswith(".parquet"):
                return _read_parquet(content)
            return _read_webdataset(content)
        except (OSError, EOFError, ValueError, KeyError, tarfile.TarError) as error:
            raise DataFormatError(f"{self.place}: {name} is damaged ({error})") from error


def find_packed(place: str | Path) -> PackedFiles | None:
    """Return the files of a folder or an address with such a data set; None where there is none.

    Raises:
        DataError: the data set at an address is not complete.
    """
    if not is_url(place) and not _is_folder(place):
        return None
    content = storage_at(place).read(MANIFEST)
    if content is None:
        if is_url(place):
            raise DataError(f"{place} has no {MANIFEST}: it is no complete data set of inkgan")
        return None
    try:
        manifest = parse_json(content)
        shards = [row for row in manifest["shards"] if row["split"] == SPLIT]
        return PackedFiles(
            str(place),
            tuple(str(row["file"]) for row in shards),
            tuple(int(row["images"]) for row in shards),
            tuple(str(row["sha256"]) for row in shards),
            tuple(map(str, manifest["classes"])),
        )
    except (ValueError, KeyError, TypeError):
        return None


def _is_folder(place: str | Path) -> bool:
    try:
        return Path(place).is_dir()
    except OSError:  # a text that is too long for a name
        return False


def _read_parquet(content: bytes) -> tuple[UInt8, Int64]:
    parquet = import_extra("pyarrow.parquet", "parquet", "a data set of Parquet files")
    table: Any = parquet.read_table(io.BytesIO(content), columns=["image", "label"])
    pictures = table["image"].combine_chunks().field("bytes")
    pixels = [np.asarray(Image.open(io.BytesIO(each.as_py()))) for each in pictures]
    return np.stack(pixels), table["label"].to_numpy().astype(np.int64)


def _read_webdataset(content: bytes) -> tuple[UInt8, Int64]:
    pixels: list[UInt8] = []
    labels: list[np.ndarray] = []
    with gzip.open(io.BytesIO(content)) as unzipped, tarfile.open(fileobj=unzipped) as archive:
        for member in archive:
            stream = archive.extractfile(member)
            if stream is None or member.name.endswith(".seed.npy"):
                continue
            array = np.lib.format.read_array(io.BytesIO(stream.read()), allow_pickle=False)
            (pixels if member.name.endswith(".x.npy") else labels).append(array)
    return np.concatenate(pixels), np.concatenate(labels).astype(np.int64)
