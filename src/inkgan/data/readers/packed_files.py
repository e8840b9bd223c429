"""Files of many images that `inkgan synth` writes: Parquet, and WebDataset with packed arrays."""

import gzip
import hashlib
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from PIL import Image
from pydantic import ConfigDict, Field

from inkgan.documents import Document, FileName, Sha256, ShortText, check_document
from inkgan.errors import ArtifactError, DataError, DataFormatError
from inkgan.files import parse_json
from inkgan.images import DAMAGED
from inkgan.optional_imports import import_extra
from inkgan.storage import is_url, storage_at
from inkgan.types import Int64, UInt8

MANIFEST = "manifest.json"
SPLIT = "train"


class _Shard(Document):
    """What is needed of a file; its name stays inside the data set."""

    model_config = ConfigDict(extra="ignore")

    split: ShortText
    file: FileName
    images: Annotated[int, Field(ge=1, lt=2**31)]
    sha256: Sha256


class _Manifest(Document):
    """What is needed of the data set's description."""

    model_config = ConfigDict(extra="ignore")

    shards: list[_Shard]
    classes: Annotated[list[ShortText], Field(min_length=1, max_length=10_000)]


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
            read = _read_parquet if name.endswith(".parquet") else _read_webdataset
            return self._checked(*read(content))
        except (tarfile.TarError, *DAMAGED) as error:
            raise DataFormatError(f"{self.place}: {name} is damaged ({error})") from error

    def _checked(self, pixels: np.ndarray, labels: np.ndarray) -> tuple[UInt8, Int64]:
        """Refuse what are no images with a class each."""
        if pixels.dtype != np.uint8 or pixels.ndim not in (3, 4):
            raise ValueError(f"its images are {pixels.dtype} {pixels.shape}")
        if labels.shape != (len(pixels),) or labels.dtype.kind not in "iu":
            raise ValueError(f"its labels are {labels.dtype} {labels.shape}")
        if labels.size and not 0 <= labels.min() <= labels.max() < len(self.classes):
            raise ValueError(f"a label is not one of its {len(self.classes)} classes")
        return pixels, labels.astype(np.int64)


def find_packed(place: str | Path) -> PackedFiles | None:
    """Return the files of a folder or an address with such a data set; None where there is none.

    Raises:
        DataError: the data set at an address is not complete, or the manifest is damaged.
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
    except ValueError as error:
        raise DataFormatError(f"{place}: {MANIFEST} is damaged: {error}") from error
    if not isinstance(manifest, dict) or not manifest.get("shards"):
        return None  # of a data set of another kind
    try:
        values = check_document(_Manifest, manifest, f"{place}: {MANIFEST}")
    except ArtifactError as error:
        raise DataFormatError(str(error)) from error
    shards = [shard for shard in values.shards if shard.split == SPLIT]
    return PackedFiles(
        str(place),
        tuple(shard.file for shard in shards),
        tuple(shard.images for shard in shards),
        tuple(shard.sha256 for shard in shards),
        tuple(values.classes),
    )


def _is_folder(place: str | Path) -> bool:
    try:
        return Path(place).is_dir()
    except OSError:  # a text that is too long for a name
        return False


def _read_parquet(content: bytes) -> tuple[np.ndarray, np.ndarray]:
    parquet = import_extra("pyarrow.parquet", "parquet", "a data set of Parquet files")
    table: Any = parquet.read_table(io.BytesIO(content), columns=["image", "label"])
    pictures = table["image"].combine_chunks().field("bytes")
    pixels = [np.asarray(Image.open(io.BytesIO(each.as_py()))) for each in pictures]
    return np.stack(pixels), table["label"].to_numpy()


def _read_webdataset(content: bytes) -> tuple[np.ndarray, np.ndarray]:
    pixels: list[np.ndarray] = []
    labels: list[np.ndarray] = []
    with gzip.open(io.BytesIO(content)) as unzipped, tarfile.open(fileobj=unzipped) as archive:
        for member in archive:
            stream = archive.extractfile(member)
            if stream is None or member.name.endswith(".seed.npy"):
                continue
            array = np.lib.format.read_array(io.BytesIO(stream.read()), allow_pickle=False)
            (pixels if member.name.endswith(".x.npy") else labels).append(array)
    return np.concatenate(pixels), np.concatenate(labels)
