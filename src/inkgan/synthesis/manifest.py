"""What is told of a data set: a line for each image, and what was measured of all."""

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from inkgan import files
from inkgan.images import Shape
from inkgan.synthesis.formats.digits import file_of, numbered
from inkgan.synthesis.formats.sequences import each_string, text_of
from inkgan.synthesis.request import Digits, Request
from inkgan.synthesis.shard_result import UNREAD, Drawn, Shards, Tally
from inkgan.synthesis.shards import Part

KIND = "synthetic-data"
HEAD = "manifest.json"  # its presence says that the set is whole
ROWS = "manifest.jsonl"
CARD = "README.md"
Row = dict[str, Any]


@dataclass
class Measured:
    """Sums over the digits of a data set, by class.

    Attributes:
        images: how many digits there are.
        agreed: how many the judge reads as their label.
        confidence: the sum of the probabilities that it gives the labels.
        splits: digits of each class, by split.
    """

    classes: tuple[str, ...]
    images: np.ndarray = field(init=False)
    agreed: np.ndarray = field(init=False)
    confidence: np.ndarray = field(init=False)
    splits: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count = len(self.classes)
        self.images, self.agreed = np.zeros(count, np.int64), np.zeros(count, np.int64)
        self.confidence = np.zeros(count)

    def add(self, part: Part, drawn: Drawn) -> None:
        """Add a shard."""
        size = len(self.classes)
        counts = np.bincount(drawn.labels, minlength=size)
        self.images += counts
        self.splits[part.split] = self.splits.get(part.split, np.zeros_like(counts)) + counts
        self.agreed += np.bincount(drawn.labels[drawn.read == drawn.labels], minlength=size)
        confidence = drawn.confidence.astype(np.float64)
        self.confidence += np.bincount(drawn.labels, confidence, minlength=size)

    def as_json(self) -> Row:
        """Return counts, and the judge's reading where it reads the images: shares in 0..1."""
        counts = {
            split: dict(zip(self.classes, c.tolist(), strict=True))
            for split, c in self.splits.items()
        }
        if not math.isfinite(self.confidence.sum()):
            return {"digits": counts, "agreement": None, "confidence": None, "classes": {}}
        rows = zip(self.classes, self.images, self.agreed, self.confidence, strict=True)
        return {
            "digits": counts,
            "agreement": _share(self.agreed.sum(), self.images.sum()),
            "confidence": _share(self.confidence.sum(), self.images.sum()),
            "classes": {
                name: {"agreement": _share(agreed, n), "confidence": _share(confidence, n)}
                for name, n, agreed, confidence in rows
                if n
            },
        }


def write_manifest(
    folder: Path, plan: Row, shards: Shards, shape: Shape, classes: tuple[str, ...], tally: Tally
) -> Row:
    """Write manifest.jsonl and manifest.json into a folder whose other files all stand.

    Returns:
        What manifest.json holds: the plan, and what came of it.
    """
    measured = Measured(classes)
    with (
        files.atomic(folder / ROWS) as temporary,
        temporary.open("w", encoding="utf-8", newline="\n") as stream,
    ):
        for part, drawn in shards.each():
            measured.add(part, drawn)
            for row in _rows(shards.request, part, drawn, classes):
                stream.write(json.dumps(row, ensure_ascii=False) + "\n")
    written = sorted(folder.iterdir())
    head = plan | {
        "shape": list(shape),
        "classes": list(classes),
        "images": shards.request.content.images(),
        "drawn": tally.drawn,
        "rejected": tally.rejected,
        "measured": measured.as_json(),
        "sha256": {path.name: _digest(path) for path in written if path.is_file()},
        "entries": sorted([*(path.name for path in written), HEAD, CARD]),
    }
    files.write_json(folder / HEAD, head)
    return head


def _rows(request: Request, part: Part, drawn: Drawn, classes: tuple[str, ...]) -> Iterator[Row]:
    content = request.content
    if isinstance(content, Digits):
        for row in range(len(drawn)):
            index = part.first + row
            name = file_of(content, part.split, index, classes[drawn.labels[row]])
            yield {"split": part.split, "index": index, "file": name} | _digit(drawn, row)
        return
    for index, canvas, digits in each_string(request, [(part, drawn)]):
        described = [
            _digit(digits, row) | {"box": list(box)} for row, box in enumerate(canvas.boxes)
        ]
        yield {
            "split": part.split,
            "index": index,
            "file": f"images/{numbered(index)}.png",
            "text": text_of(digits),
            "digits": described,
        }


def _digit(drawn: Drawn, row: int) -> Row:
    """Describe one drawn digit; what was not measured is left out."""
    described: Row = {"label": int(drawn.labels[row]), "seed": int(drawn.seeds[row])}
    if drawn.read[row] != UNREAD:
        described["read"] = int(drawn.read[row])
    for name in ("confidence", "slant", "thickness"):
        value = float(getattr(drawn, name)[row])
        if not math.isnan(value):
            described[name] = round(value, 4)
    return described


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _share(part: float, whole: float) -> float:
    return round(float(part) / float(whole), 6)
