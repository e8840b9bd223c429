"""Drawn images with what is known of each, and the files that keep them until the set is whole."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inkgan.images import Shape
from inkgan.synthesis.shard_file import (
    TEXTS,
    Arrays,
    ArrayType,
    damaged,
    load_arrays,
    load_intact,
    save_arrays,
)
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

    def as_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays `reasons` and `counts`, which begin with the number drawn."""
        return {
            "reasons": np.array(list(self.rejected), dtype=np.str_),
            "counts": np.array([self.drawn, *self.rejected.values()], dtype=np.int64),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays, path: Path) -> "DrawCounts":
        """Return what `as_arrays` has made; `path` is the file that they come from.

        Raises:
            ArtifactError: they are not counts.
        """
        reasons, counts = arrays["reasons"].tolist(), arrays["counts"].tolist()
        if len(counts) != 1 + len(reasons) or min(counts) < 0:
            raise damaged(path, f"its counts are {counts}")
        return cls(counts[0], dict(zip(reasons, counts[1:], strict=True)))


SCHEMA = {
    "labels": ArrayType("int64", ("images",)),
    "seeds": ArrayType("int64", ("images",)),
    "predicted": ArrayType("int64", ("images",)),
    "confidence": ArrayType("float32", ("images",)),
    "slant": ArrayType("float32", ("images",)),
    "thickness": ArrayType("float32", ("images",)),
    "reasons": ArrayType(TEXTS, ("reasons",)),
    "counts": ArrayType("int64", ("counts",)),
}
RENAMED = {"read": "predicted"}  # by version 0.1.0


class ShardStore:
    """The results of shards on disk, one file each; only one of them is in memory at a time.

    Attributes:
        folder: that holds the files.
        shards: the plan, in order.
        shape: of the images.
    """

    def __init__(self, folder: Path, shards: tuple[Shard, ...], shape: Shape) -> None:
        self.folder, self.shards, self.shape = folder, shards, shape

    def results(self, split: str | None = None) -> Iterator[tuple[Shard, ShardResult]]:
        """Yield the shards with their images: all of them, or those of one split.

        Raises:
            ArtifactError: one is missing or damaged.
        """
        for shard in self.shards:
            if split in (None, shard.split):
                yield shard, self._load(shard)[0]

    def path(self, index: int) -> Path:
        """Return the file of a shard."""
        return self.folder / f"shard-{index:06d}.npz"

    def save(self, shard: Shard, result: ShardResult, counts: DrawCounts) -> None:
        """Write a shard, whole or not at all, and the counts up to its end."""
        arrays = {f.name: getattr(result, f.name) for f in fields(result)}
        save_arrays(self.path(shard.index), arrays | counts.as_arrays())

    def load_intact(self, shard: Shard) -> tuple[ShardResult, DrawCounts] | None:
        """Return a shard and the counts up to its end; None if it has to be drawn (again)."""
        return load_intact(self.path(shard.index), lambda: self._load(shard))

    def _load(self, shard: Shard) -> tuple[ShardResult, DrawCounts]:
        path = self.path(shard.index)
        channels, height, width = self.shape
        size = ("images", height, width, *((channels,) if channels > 1 else ()))
        arrays = load_arrays(path, SCHEMA | {"pixels": ArrayType("uint8", size)}, RENAMED)
        result = ShardResult(*(arrays[f.name] for f in fields(ShardResult)))
        if not np.array_equal(result.labels, shard.labels):
            raise damaged(path, "its labels are not those of the plan")
        return result, DrawCounts.from_arrays(arrays, path)
