"""Streams of whatever can be iterated: arrays of images one after the other, or a large .npz."""

import math
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from inkgan.data.readers.convert import as_labels, as_uint8_images
from inkgan.errors import DataError
from inkgan.evaluation.digit_images import as_digit_images
from inkgan.evaluation.image_sources import place_labels
from inkgan.evaluation.reference import ReferenceImages
from inkgan.evaluation.streamed.streamed_sums import ImagePart, matched_rows, part_size
from inkgan.images import DAMAGED
from inkgan.npz import require_end
from inkgan.types import Int64, UInt8

CHUNK = 10_000  # images that are converted together: their range is that of all of them
LARGEST_ROW = 1 << 20  # bytes of an image in a file: as float64, 360 pixels a side
Chunk = tuple[UInt8, Int64 | None]


@dataclass(frozen=True, eq=False)
class IterableStream:
    """Arrays of images one after the other, each with labels or without.

    Attributes:
        source: yields images, or pairs of images and labels: of one image or of many.
        name: for titles.
        most: number of images that are read; None for all.
    """

    source: Iterable[Any]
    name: str
    most: int | None = None

    def parts(self, size: int, reference: ReferenceImages) -> Iterator[ImagePart]:
        """Yield the images part by part.

        Raises:
            DataError: images of more than one kind, or labels of some images alone.
        """
        first, left, wanted = 0, self.most, part_size(size)
        waiting: list[Chunk] = []
        for pixels, labels in self._chunks():
            if left is not None:
                pixels, labels = pixels[:left], None if labels is None else labels[:left]
                left -= len(pixels)
            waiting.append((pixels, labels))
            while sum(len(each) for each, _ in waiting) >= wanted:
                joined, known = self._joined(waiting)
                yield self._part(first, joined[:wanted], _rows(known, slice(0, wanted)), reference)
                rest = slice(wanted, None)
                first, waiting = first + wanted, [(joined[rest], _rows(known, rest))]
            if left == 0:
                break
        if sum(len(each) for each, _ in waiting):
            yield self._part(first, *self._joined(waiting), reference)

    def _chunks(self) -> Iterator[Chunk]:
        """Yield uint8 images (n, H, W, C) with labels, some thousand at a time."""
        images: list[np.ndarray] = []
        labels: list[np.ndarray] = []
        for item in self.source:
            given, known = self._arrays(item)
            if images and (known is None) != (not labels):
                raise DataError(f"{self.name}: some images have labels and others have none")
            images.append(given)
            labels += [] if known is None else [known]
            if sum(map(len, images)) >= CHUNK:
                yield self._converted(images, labels)
                images, labels = [], []
        if images:
            yield self._converted(images, labels)

    def _arrays(self, item: Any) -> tuple[np.ndarray, np.ndarray | None]:
        """Take an item apart: images (n, ...), and their labels (n, ...) if it has any."""
        is_pair = isinstance(item, tuple | list) and len(item) == 2
        is_pair = is_pair and np.ndim(item[1]) < max(2, np.ndim(item[0]))
        try:
            given = np.asarray(item[0] if is_pair else item)
            known = np.asarray(item[1]) if is_pair else None
        except ValueError as error:
            raise DataError(f"{self.name}: an item is no array of images ({error})") from error
        if known is not None and known.ndim == 0:  # one image
            return given[None], known[None]
        if known is None and given.ndim == 2 and given.shape[0] == given.shape[1]:
            return given[None], None
        return given, known

    def _converted(self, images: list[np.ndarray], labels: list[np.ndarray]) -> Chunk:
        try:
            given = np.concatenate(images)
            known = np.concatenate(labels) if labels else None
        except ValueError as error:
            raise DataError(f"{self.name}: images of different shapes ({error})") from error
        raw, _ = as_uint8_images(given, f"{self.name}: images")
        if known is None:
            return raw, None
        return raw, as_labels(known, len(raw), f"{self.name}: labels")[0]

    def _joined(self, chunks: list[Chunk]) -> Chunk:
        known = [labels for _, labels in chunks if labels is not None]
        if known and len(known) < len(chunks):
            raise DataError(f"{self.name}: some images have labels and others have none")
        try:
            pixels = np.concatenate([each for each, _ in chunks])
        except ValueError as error:
            raise DataError(f"{self.name}: images of different shapes ({error})") from error
        return pixels, np.concatenate(known) if known else None

    def _part(
        self, first: int, raw: UInt8, labels: Int64 | None, reference: ReferenceImages
    ) -> ImagePart:
        """Bring images to what is measured; ink and paper are those of the whole part."""
        pixels, changes = as_digit_images(raw, self.name)
        if labels is None:
            return ImagePart(first, pixels, None, changes=changes)
        places = place_labels(labels, reference)
        return ImagePart(first, pixels, places, matched_rows(places, reference, first), changes)


def _rows(labels: Int64 | None, rows: slice) -> Int64 | None:
    return None if labels is None else labels[rows]


def is_iterable(source: Any) -> bool:
    """Return whether something yields arrays of images, and is no array itself."""
    if isinstance(source, str | bytes | Path | list | tuple | dict) or hasattr(source, "__array__"):
        return False
    return hasattr(source, "__iter__") and not callable(source)


@dataclass(frozen=True)
class NpzChunks:
    """The images and labels of an .npz with x_train and y_train, some thousand at a time.

    Attributes:
        path: of the file.
    """

    path: Path

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        try:
            with (
                zipfile.ZipFile(self.path) as archive,
                archive.open("x_train.npy") as x,
                archive.open("y_train.npy") as y,
            ):
                for images, labels in zip(_rows_of(x), _rows_of(y), strict=True):
                    if len(images) != len(labels):
                        raise ValueError("there are more images than labels, or fewer")
                    yield images, labels
        except DAMAGED as error:
            raise DataError(
                f"{self.path}: cannot be read as a stream of x_train and y_train ({error})"
            ) from error


def _rows_of(stream: IO[bytes]) -> Iterator[np.ndarray]:
    """Yield the rows of an .npy, some thousand at a time."""
    read = np.lib.format.read_array_header_1_0
    if np.lib.format.read_magic(stream) != (1, 0):
        read = np.lib.format.read_array_header_2_0
    shape, fortran, kind = read(stream)
    if fortran or kind.hasobject or not shape:
        raise ValueError("an array is not stored row by row")
    size = math.prod(shape[1:]) * kind.itemsize
    if not 0 < size <= LARGEST_ROW:
        raise ValueError(f"a row of it has {size:,} bytes")
    for start in range(0, shape[0], CHUNK):
        count = min(CHUNK, shape[0] - start)
        yield np.frombuffer(stream.read(count * size), kind).reshape(count, *shape[1:])
    require_end(stream)
