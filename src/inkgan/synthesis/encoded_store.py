"""Finished pictures on disk, a file for each shard, until the data set's own files are written."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from inkgan.device import default_threads
from inkgan.execution.worker_processes import completed
from inkgan.synthesis.rendered_sequence import EncodedSequence
from inkgan.synthesis.shard_composer import SequenceShard, ShardComposer, load_shard
from inkgan.synthesis.shard_file import load_intact
from inkgan.types import Progress

SEQUENCES_PER_SHARD = 500  # the most that an interruption can cost
SHARDS_PER_PROCESS = 4  # at least: to start a process takes as long as two or three shards


@dataclass(frozen=True)
class EncodedStore:
    """The pictures of a data set; each process has those of one shard in memory.

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

    def fill(self, composer: ShardComposer, workers: int | None, progress: Progress) -> None:
        """Compose and encode the shards that are not there yet, or damaged.

        Args:
            composer: of the shards.
            workers: the most processes at a time, as `inkgan.synth` has it.
            progress: called as `progress("composing", done, total)`.
        """
        total = sum(self.splits.values())
        missing = [shard for shard in self.shards() if self._load_intact(shard) is None]
        done = total - sum(shard.count for shard in missing)
        progress("composing", done, total)
        worthwhile = max(1, len(missing) // SHARDS_PER_PROCESS)
        processes = min(default_threads() if workers is None else workers, worthwhile)
        with contextlib.closing(completed(composer, iter(missing), processes)) as shards:
            for shard in shards:
                done += shard.count
                progress("composing", done, total)

    def lines(self, split: str) -> Iterator[EncodedSequence]:
        """Yield the sequences of a split in order.

        Raises:
            ArtifactError: a shard is damaged.
        """
        for shard in self.shards():
            if shard.split == split:
                yield from load_shard(shard.path(self.folder), shard)

    def _load_intact(self, shard: SequenceShard) -> list[EncodedSequence] | None:
        path = shard.path(self.folder)
        return load_intact(path, lambda: load_shard(path, shard))
