"""Write a data set of sequences: its files, its records, its writers and a contact sheet."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from inkgan import files, images
from inkgan.handwriting.text import DIGITS
from inkgan.synthesis.encoded_store import EncodedStore
from inkgan.synthesis.formats.files_of_pictures import text_file
from inkgan.synthesis.formats.sequence_formats import SequenceFormatSpec
from inkgan.synthesis.pool_store import DrawnPool
from inkgan.synthesis.records import RECORDS, to_line
from inkgan.synthesis.rendered_sequence import EncodedSequence
from inkgan.synthesis.writer_set import WriterSet
from inkgan.types import Progress, UInt8, silent

WRITERS, PREVIEW = "writers.csv", "preview.png"
PREVIEW_SEQUENCES, PREVIEW_WIDTH = 48, 1200
GAP = 8  # pixels between the pictures of the contact sheet


class SequenceStatistics:
    """Counts of characters, and the classifier's view of the digits, by split.

    Attributes:
        characters: number of each character, by split.
    """

    def __init__(self, drawn: DrawnPool) -> None:
        self.characters: dict[str, dict[str, int]] = {}
        names = {name: row for row, name in enumerate(drawn.pool.writers)}
        self._rows, self._drawn = names, drawn
        self._totals, self._correct, self._confidence = np.zeros((3, 10))

    def add(self, line: EncodedSequence) -> None:
        """Add a sequence."""
        counts = self.characters.setdefault(line.split, dict.fromkeys(DIGITS, 0))
        row = self._rows[line.writer]
        for one in line.characters:
            counts[one.character] = counts.get(one.character, 0) + 1
            if one.number is not None:
                digit = DIGITS.index(one.character)
                numbers = self._drawn.numbers[row, digit]
                variant = int(np.flatnonzero(numbers == one.number)[0])
                self._totals[digit] += 1
                self._correct[digit] += self._drawn.predicted[row, digit, variant] == digit
                self._confidence[digit] += self._drawn.confidence[row, digit, variant]

    def as_json(self) -> dict[str, Any]:
        """Return the counts; shares lie in 0..1, and are None without a classifier."""
        found: dict[str, Any] = {
            "digits": {
                split: {name: counts[name] for name in DIGITS}
                for split, counts in self.characters.items()
            },
            "marks": {
                split: {name: count for name, count in sorted(counts.items()) if name not in DIGITS}
                for split, counts in self.characters.items()
            },
        }
        total = self._totals.sum()
        if not total or not np.isfinite(self._confidence.sum()):
            return found | {"label_accuracy": None, "confidence": None, "classes": {}}
        return found | {
            "label_accuracy": round(self._correct.sum() / total, 6),
            "confidence": round(self._confidence.sum() / total, 6),
            "classes": {
                name: {
                    "label_accuracy": round(self._correct[digit] / self._totals[digit], 6),
                    "confidence": round(self._confidence[digit] / self._totals[digit], 6),
                }
                for digit, name in enumerate(DIGITS)
                if self._totals[digit]
            },
        }


def write_sequences(
    folder: Path,
    store: EncodedStore,
    spec: SequenceFormatSpec,
    statistics: SequenceStatistics,
    progress: Progress = silent,
) -> None:
    """Write the files of a format and manifest.jsonl, a sequence at a time.

    Args:
        folder: of the data set.
        store: holds all sequences.
        spec: the format.
        statistics: every sequence is added to them.
        progress: called as `progress("writing", done, total)`.
    """
    done, total = 0, sum(store.splits.values())
    first: list[EncodedSequence] = []
    with text_file(folder / RECORDS) as records:
        for split, count in store.splits.items():
            for line, file in spec.write(folder, split, count, store.lines(split)):
                statistics.add(line)
                records.write(to_line(line.as_json(file)))
                if len(first) < PREVIEW_SEQUENCES:
                    first.append(line)
                done += 1
                if done % 500 == 0 or done == total:
                    progress("writing", done, total)
    spec.finish(folder, list(store.splits))
    images.save_png(folder / PREVIEW, contact_sheet(first))


def write_writers(folder: Path, writers: WriterSet, drawn: DrawnPool) -> None:
    """Write writers.csv: each writer's name, split, stroke thickness and slant."""
    with (
        files.atomic(folder / WRITERS) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as stream,
    ):
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(("writer", "split", "thickness", "slant"))
        for split, (start, end) in writers.splits.items():
            for row in range(start, end):
                thickness, slant = drawn.pool.pens[row].tolist()
                table.writerow((writers.names[row], split, f"{thickness:.2f}", f"{slant:.1f}"))


def contact_sheet(lines: list[EncodedSequence]) -> UInt8:
    """Return the pictures of some sequences, in rows as wide as a page allows."""
    rows: list[list[UInt8]] = [[]]
    for line in lines:
        with Image.open(io.BytesIO(line.image)) as opened:
            picture = np.asarray(opened.convert("RGB"))
        used = sum(one.shape[1] + GAP for one in rows[-1])
        if rows[-1] and used + picture.shape[1] + GAP > PREVIEW_WIDTH:
            rows.append([])
        rows[-1].append(picture)
    return np.concatenate(list(_strips(rows)))


def _strips(rows: list[list[UInt8]]) -> Iterator[UInt8]:
    widths = [sum(one.shape[1] + GAP for one in row) + GAP for row in rows]
    for row in rows:
        height = max(one.shape[0] for one in row)
        strip = np.full((height + GAP, max(widths), 3), 208, np.uint8)
        left = GAP
        for one in row:
            strip[GAP : GAP + one.shape[0], left : left + one.shape[1]] = one
            left += one.shape[1] + GAP
        yield strip
    yield np.full((GAP, max(widths), 3), 208, np.uint8)
