"""Drawn images with what is known of each, and the files that keep them until the set is whole."""

import io
import math
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inkgan import files
from inkgan.errors import ArtifactError
from inkgan.synthesis.shards import Shard
from inkgan.types import Float32, Int64, UInt8

NOT_PREDICTED = -1  # the predicted class of images that the classifier cannot read


@dataclass(frozen=True)
class ShardResult:
    """n drawn images with what is known of each.

    Attributes:
        pixels: uint8 (n, H, W), or (n, H, W, 3) for color.
        labels: class of each image.
        seeds: of the generator; label and seed together draw the same image again.
        predicted: the class that the classifier predicts, or NOT_PREDICTED.
        confidence: the probability that the classifier gives to the label, or NaN.
        slant: degrees from the vertical, or NaN where no criterion needs it.
        thickness: pixels of the stroke, or NaN where no criterion needs it.
    """

    pixels: UInt8
    labels: Int64
    seeds: Int64
    predicted: Int64
    confidence: Float32
    slant: Float32
    thickness: Float32

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: npt.NDArray[np.intp] | slice) -> "ShardResult":
        """Return some of the images."""
        return ShardResult(*(getattr(self, f.name)[rows] for f in fields(self)))

    def record(self, row: int) -> dict[str, Any]:
        """Return what manifest.jsonl says of one image; what was not measured is left out."""
        record: dict[str, Any] = {"label": int(self.labels[row]), "seed": int(self.seeds[row])}
        if self.predicted[row] != NOT_PREDICTED:
            record["predicted"] = int(self.predicted[row])
        for name in ("confidence", "slant", "thickness"):
            value = float(getattr(self, name)[row])
            if not math.isnan(value):
                record[name] = round(value, 4)
        return record


def concatenate(results: Sequence[ShardResult]) -> ShardResult:
    """Join several results into one."""
    names = [f.name for f in fields(ShardResult)]
    return ShardResult(*(np.concatenate([getattr(r, name) for r in results]) for name in names))


@dataclass(frozen=True)
class DrawCounts:
    """How many images were drawn, and why some were rejected.

    Attributes:
        drawn: number of images drawn, kept or not.
        rejected: number of images that were not kept, by reason.
    """

    drawn: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)

    def add(self, drawn: int, rejected: Mapping[str, int]) -> "DrawCounts":
        """Return the counts after more images; a reason with 0 images is left out."""
        merged = dict(self.rejected)
        for reason, count in rejected.items():
            if count:
                merged[reason] = merged.get(reason, 0) + count
        return DrawCounts(self.drawn + drawn, merged)


class ShardStore:
    """The results of shards on disk, one file each; only one of them is in memory at a time.

    Attributes:
        folder: that holds the files.
        shards: the plan, in order.
    """

    def __init__(self, folder: Path, shards: tuple[Shard, ...]) -> None:
        self.folder, self.shards = folder, shards

    def results(self, split: str | None = None) -> Iterator[tuple[Shard, ShardResult]]:
        """Yield the shards with their images: all of them, or those of one split."""
        for shard in self.shards:
            if split in (None, shard.split):
                yield shard, self.load(shard)

    def path(self, index: int) -> Path:
        """Return the file of a shard."""
        return self.folder / f"shard-{index:06d}.npz"

    def num_saved(self) -> int:
        """Count the saved shards, from the first on without a gap."""
        index = 0
        while self.path(index).is_file():
            index += 1
        return index

    def save(self, shard: Shard, result: ShardResult, counts: DrawCounts) -> None:
        """Write a shard, whole or not at all, and the counts up to its end."""
        arrays = {f.name: getattr(result, f.name) for f in fields(result)}
        arrays["reasons"] = np.array(list(counts.rejected), dtype=np.str_)
        arrays["counts"] = np.array([counts.drawn, *counts.rejected.values()], dtype=np.int64)
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        with files.atomic(self.path(shard.index)) as temporary:
            temporary.write_bytes(buffer.getbuffer())

    def load(self, shard: Shard) -> ShardResult:
        """Read the images of a shard.

        Raises:
            ArtifactError: it is missing or damaged.
        """
        return ShardResult(*self._read(shard.index, [f.name for f in fields(ShardResult)]))

    def counts(self, num_shards: int) -> DrawCounts:
        """Return the counts at the end of the first `num_shards` shards."""
        if num_shards == 0:
            return DrawCounts()
        reasons, counts = self._read(num_shards - 1, ["reasons", "counts"])
        drawn, *rejected = counts.tolist()
        return DrawCounts(drawn, dict(zip(reasons.tolist(), rejected, strict=True)))

    def _read(self, index: int, names: Sequence[str]) -> list[npt.NDArray[Any]]:
        path = self.path(index)
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
                arrays = migrate_shard(archive)
                return [arrays[name] for name in names]
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise ArtifactError(
                f"{path} is damaged ({error}); start over with `force=True`"
            ) from error


def migrate_shard(arrays: Mapping[str, npt.NDArray[Any]]) -> Mapping[str, npt.NDArray[Any]]:
    """Return the arrays of a shard under today's names: `predicted` was once called `read`."""
    if "read" not in arrays:
        return arrays
    return {{"read": "predicted"}.get(name, name): arrays[name] for name in arrays}
