"""Finished pictures on disk, a file for each shard, until the data set's own files are written."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inkgan import files
from inkgan.errors import ArtifactError
from inkgan.synthesis.pool_store import DrawnPool
from inkgan.synthesis.rendered_sequence import EncodedSequence, encode
from inkgan.synthesis.sequence_composer import SequenceComposer
from inkgan.types import Progress, silent

SEQUENCES_PER_SHARD = 500  # the most that an interruption can cost


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


@dataclass(frozen=True)
class EncodedStore:
    """The pictures of a data set; those of one shard are in memory at a time.

    Attributes:
        folder: that keeps a file for each shard.
        splits: number of sequences of each split.
    """

    folder: Path
    splits: dict[str, int]

    def shards(self) -> Iterator[SequenceShard]:
        """Yield the shards in order."""
        number = 0
        for split, total in self.splits.items():
            for first in range(0, total, SEQUENCES_PER_SHARD):
                yield SequenceShard(number, split, first, min(SEQUENCES_PER_SHARD, total - first))
                number += 1

    def fill(
        self,
        composer: SequenceComposer,
        drawn: DrawnPool,
        polygons: bool,
        jpeg: bool,
        progress: Progress = silent,
    ) -> None:
        """Compose and encode the shards that are not there yet."""
        done, total = 0, sum(self.splits.values())
        for shard in self.shards():
            path = self._path(shard)
            if not path.is_file():
                places = range(shard.first, shard.first + shard.count)
                encoded = []
                for index in places:
                    rendered = composer.render(shard.split, index)
                    writer = rendered.composed.writer
                    encoded.append(
                        encode(
                            rendered,
                            (shard.split, index),
                            (drawn.pool.writers[writer], drawn.numbers[writer]),
                            polygons=polygons,
                            jpeg=jpeg,
                        )
                    )
                _save(path, encoded)
            done += shard.count
            progress("composing", done, total)

    def lines(self, split: str) -> Iterator[EncodedSequence]:
        """Yield the sequences of a split in order.

        Raises:
            ArtifactError: a shard is damaged.
        """
        for shard in self.shards():
            if shard.split == split:
                yield from _load(self._path(shard))

    def _path(self, shard: SequenceShard) -> Path:
        return self.folder / f"sequences-{shard.number:06d}.npz"


def _save(path: Path, encoded: list[EncodedSequence]) -> None:
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


def _load(path: Path) -> list[EncodedSequence]:
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
