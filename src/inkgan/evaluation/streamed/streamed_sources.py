"""Streams of images that can be had in any order: of generators, and of data sets of many files."""

import functools
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from inkgan.data.readers.packed_files import PackedFiles
from inkgan.evaluation.digit_images import as_digit_images
from inkgan.evaluation.generator_sources import FIRST_SEED, generator_labels, generator_source
from inkgan.evaluation.reference import ReferenceImages
from inkgan.evaluation.source_spec import DrawnImages, Source
from inkgan.evaluation.streamed.streamed_sums import ImagePart, matched_rows, part_size
from inkgan.generation.generator import Generator
from inkgan.generation.load import Checkpoint, load
from inkgan.generation.sampling import CHUNK
from inkgan.types import Int64, UInt8


class NumberedStream(Protocol):
    """A stream whose parts can be had in any order, in any process."""

    @property
    def name(self) -> str:
        """What it is called in titles."""

    @property
    def digest(self) -> str:
        """The digest of all that decides the images."""

    @property
    def total(self) -> int:
        """The number of images."""

    @property
    def travels(self) -> bool:
        """Whether other processes can have the same images."""

    def num_parts(self, size: int) -> int:
        """Return the number of parts, for sets of `size` images."""

    def part(self, index: int, size: int, reference: ReferenceImages) -> ImagePart:
        """Return the images of a part."""

    def classes(self) -> tuple[str, ...] | None:
        """Return the names of the classes that can be among the images; None for all."""

    def source(self) -> Source:
        """Return what is known of the images."""


@dataclass(frozen=True)
class GeneratorStream:
    """The images of a generator with the seeds from 1,000,000 on.

    Attributes:
        name: of the source; by it another process loads the generator.
        digest: of the generator.
        total: number of images.
        checkpoint: of a run, its last or its best generator; `device` draws.
        given: the generator itself, where no name leads to it.
    """

    name: str
    digest: str
    total: int
    checkpoint: Checkpoint = "last"
    device: str = "auto"
    given: Generator | None = field(default=None, compare=False, repr=False)

    @property
    def travels(self) -> bool:
        """Whether the name leads to the generator."""
        return self.given is None

    def num_parts(self, size: int) -> int:
        """Return the number of parts."""
        return -(-self.total // part_size(size, self.total))

    def part(self, index: int, size: int, reference: ReferenceImages) -> ImagePart:
        """Draw the images of a part."""
        first = index * part_size(size, self.total)
        count = min(part_size(size, self.total), self.total - first)
        places, labels = self._labels(first, count, size, reference)
        drawn = []
        for start in range(0, count, CHUNK):
            end = min(start + CHUNK, count)
            seeds = range(FIRST_SEED + first + start, FIRST_SEED + first + end)
            given = None if labels is None else labels[start:end].tolist()
            drawn.append(self.generator().sample(labels=given, seeds=seeds))
        pixels, changes = as_digit_images(np.concatenate(drawn)[..., None], self.name)
        return ImagePart(first, pixels, places, changes=changes)

    def generator(self) -> Generator:
        """Return the generator; loaded once in each process."""
        return self.given or _loaded(self.name, self.checkpoint, self.device)

    def classes(self) -> tuple[str, ...] | None:
        """Return the names of the generator's classes."""
        return self.generator().bundle.classes

    def source(self) -> Source:
        """Return what is known of the generator."""
        return generator_source(self.name, self.generator(), None, self.checkpoint)

    def _labels(
        self, first: int, count: int, size: int, reference: ReferenceImages
    ) -> tuple[Int64 | None, Int64 | None]:
        """Return the classes to request and the generator's labels for them."""
        if not self.generator().conditional:
            return None, None
        starts = range(first, first + count, size)
        places = np.concatenate(
            [reference.labels_of_set(s, min(size, first + count - s)) for s in starts]
        )
        labels = generator_labels(reference, self.generator().bundle.classes, places)
        return (None, None) if labels is None else (places, labels)


@functools.lru_cache(maxsize=1)
def _loaded(name: str, checkpoint: Checkpoint, device: str) -> Generator:
    return load(name, device=device, checkpoint=checkpoint)


@dataclass(frozen=True)
class PackedStream:
    """The training images of a data set of many files, such as `inkgan synth` makes.

    Attributes:
        files: of the data set.
        total: number of images.
    """

    files: PackedFiles
    total: int

    @property
    def name(self) -> str:
        """The place of the data set."""
        return self.files.place

    @property
    def digest(self) -> str:
        """The digest of its files."""
        return self.files.digest

    @property
    def travels(self) -> bool:
        """Whether other processes can read the files."""
        return True

    def num_parts(self, size: int) -> int:
        """Return the number of parts."""
        return len(self._groups(size))

    def part(self, index: int, size: int, reference: ReferenceImages) -> ImagePart:
        """Read the images of a part, and choose those that have the shares of the reference."""
        first, names = self._groups(size)[index]
        read = [self.files.read(name) for name in names]
        count = min(sum(len(labels) for _, labels in read), self.total - first)
        pixels, changes = as_digit_images(
            _channels(np.concatenate([part for part, _ in read])[:count]), self.name
        )
        own = np.concatenate([labels for _, labels in read])[:count]
        table = np.array(reference.places(self.files.classes))
        places: Int64 = table[own]
        return ImagePart(first, pixels, places, matched_rows(places, reference, first), changes)

    def classes(self) -> tuple[str, ...] | None:
        """Return the names of the classes."""
        return self.files.classes

    def source(self) -> Source:
        """Return how many images there are."""
        facts = {"images": f"{sum(self.files.counts):,} in {len(self.files.files):,} files"}
        return Source(self.name, self.digest, not_drawn, None, facts, classes=self.files.classes)

    def _groups(self, size: int) -> list[tuple[int, tuple[str, ...]]]:
        """Join files until they make a part; return each part's first number and its files."""
        groups: list[tuple[int, tuple[str, ...]]] = []
        first = count = 0
        names: tuple[str, ...] = ()
        for name, number in zip(self.files.files, self.files.counts, strict=True):
            if first + count >= self.total:
                break
            names, count = (*names, name), count + number
            if count >= part_size(size, self.total):
                groups.append((first, names))
                first, count, names = first + count, 0, ()
        return [*groups, (first, names)] if names else groups


def not_drawn(*_: object) -> DrawnImages:
    """Refuse to draw: a stream is never in memory as a whole."""
    raise RuntimeError("a stream is read part by part, never as a whole")


def possible_reference(reference: ReferenceImages, stream: NumberedStream) -> ReferenceImages:
    """Return the real images of the classes that can be among the images of a stream."""
    return only_classes(reference, stream.classes())


def only_classes(reference: ReferenceImages, classes: tuple[str, ...] | None) -> ReferenceImages:
    """Return the real images of some classes; all where these are no classes of the reference."""
    if classes is None or not set(classes) <= set(reference.classes):
        return reference
    return reference.only(reference.places(classes))


def _channels(pixels: UInt8) -> UInt8:
    return pixels[..., None] if pixels.ndim == 3 else pixels
