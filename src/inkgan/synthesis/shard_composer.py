"""Compose the sequences of one shard, and keep them in a file; in whichever process."""

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inkgan.printable import brief
from inkgan.synthesis.rendered_sequence import EncodedSequence, PictureFile, encode
from inkgan.synthesis.sequence_composer import SequenceComposer
from inkgan.synthesis.shard_file import Arrays, ArrayType, damaged, load_arrays, save_arrays
from inkgan.types import Int64


@dataclass(frozen=True)
class SequenceShard:
    """Sequences that are composed together.

    Attributes:
        number: over all splits.
        split: their split.
        first: index of the first one within the split.
        count: how many there are.
    """

    number: int
    split: str
    first: int
    count: int

    def path(self, folder: Path) -> Path:
        """Return the file of a folder that keeps the finished pictures."""
        return folder / f"sequences-{self.number:06d}.npz"


@dataclass(frozen=True)
class ShardComposer:
    """Composes and encodes shards; each is a pure function of the request and its place.

    Attributes:
        folder: that keeps a file for each shard.
        composer: of the single sequences.
        numbers: how often each image of a digit had been written before, (writers, 10, variants).
        polygons: whether the masks are needed as polygons, too.
        file: of the pictures.
    """

    folder: Path
    composer: SequenceComposer
    numbers: Int64
    polygons: bool
    file: PictureFile

    def __call__(self, shard: SequenceShard) -> None:
        """Make the file of a shard."""
        places = range(shard.first, shard.first + shard.count)
        save_shard(shard.path(self.folder), [self._encoded(shard.split, i) for i in places])

    def _encoded(self, split: str, index: int) -> EncodedSequence:
        rendered = self.composer.render(split, index)
        writer = rendered.composed.writer
        known = self.composer.pool.writers[writer], self.numbers[writer]
        return encode(rendered, (split, index), known, polygons=self.polygons, file=self.file)


SCHEMA = {
    "images": ArrayType("uint8", ("bytes",)),
    "lengths": ArrayType("int64", ("sequences",)),
    "lines": ArrayType("uint8", ("characters",)),
}


def save_shard(path: Path, encoded: list[EncodedSequence]) -> None:
    """Write the pictures and labels of a shard into one file."""
    images = b"".join(one.image for one in encoded)
    lines = b"\n".join(one.dumped() for one in encoded)
    arrays: Arrays = {
        "images": np.frombuffer(images, np.uint8),
        "lengths": np.array([len(one.image) for one in encoded], np.int64),
        "lines": np.frombuffer(lines, np.uint8),
    }
    save_arrays(path, arrays)


def load_shard(path: Path, shard: SequenceShard) -> list[EncodedSequence]:
    """Read what `save_shard` has written.

    Raises:
        ArtifactError: the file is missing or damaged, or of another shard.
    """
    arrays = load_arrays(path, SCHEMA)
    images, lines = arrays["images"].tobytes(), arrays["lines"].tobytes().split(b"\n")
    lengths = arrays["lengths"].tolist()
    if min(lengths, default=0) < 0 or sum(lengths) != len(images) or len(lengths) != len(lines):
        raise damaged(path, "its pictures and lines do not belong together")
    ends = list(itertools.accumulate(lengths))
    try:
        encoded = [
            EncodedSequence.restored(line, images[end - length : end])
            for line, length, end in zip(lines, lengths, ends, strict=True)
        ]
    except ValueError as error:
        raise damaged(path, f"a line is not that of a sequence: {brief(str(error))}") from error
    places = [(shard.split, shard.first + row) for row in range(shard.count)]
    if [(one.split, one.index) for one in encoded] != places:
        raise damaged(path, "its sequences are not those of the plan")
    return encoded
