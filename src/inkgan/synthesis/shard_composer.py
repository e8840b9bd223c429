"""Compose the sequences of one shard, and keep them in a file; in whichever process."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inkgan import files
from inkgan.errors import ArtifactError
from inkgan.synthesis.rendered_sequence import EncodedSequence, encode
from inkgan.synthesis.sequence_composer import SequenceComposer
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
        jpeg: JPEG files instead of PNG.
    """

    folder: Path
    composer: SequenceComposer
    numbers: Int64
    polygons: bool
    jpeg: bool

    def __call__(self, shard: SequenceShard) -> None:
        """Make the file of a shard."""
        places = range(shard.first, shard.first + shard.count)
        save_shard(shard.path(self.folder), [self._encoded(shard.split, i) for i in places])

    def _encoded(self, split: str, index: int) -> EncodedSequence:
        rendered = self.composer.render(split, index)
        writer = rendered.composed.writer
        known = self.composer.pool.writers[writer], self.numbers[writer]
        return encode(rendered, (split, index), known, polygons=self.polygons, jpeg=self.jpeg)


def save_shard(path: Path, encoded: list[EncodedSequence]) -> None:
    """Write the pictures and labels of a shard into one file."""
    images = b"".join(one.image for one in encoded)
    lines = b"\n".join(one.dumped() for one in encoded)
    buffer = io.BytesIO()
    np.savez(
        buffer,
        allow_pickle=False,
        images=np.frombuffer(images, np.uint8),
        lengths=np.array([len(one.image) for one in encoded], np.int64),
        lines=np.frombuffer(lines, np.uint8),
    )
    with files.atomic(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def load_shard(path: Path) -> list[EncodedSequence]:
    """Read what `save_shard` has written.

    Raises:
        ArtifactError: the file is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            images, lines = archive["images"].tobytes(), archive["lines"].tobytes().split(b"\n")
            ends = np.cumsum(archive["lengths"]).tolist()
    except (OSError, ValueError, KeyError) as error:
        raise ArtifactError(f"{path} is damaged ({error}); start over with `force=True`") from error
    starts = [0, *ends[:-1]]
    return [
        EncodedSequence.restored(line, images[start:end])
        for line, start, end in zip(lines, starts, ends, strict=True)
    ]
