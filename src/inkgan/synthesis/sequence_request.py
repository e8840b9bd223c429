"""The request for sequences: numbers, dates and amounts, each in one handwriting."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

from inkgan.errors import ArtifactError, ConfigError, did_you_mean
from inkgan.images import Shape
from inkgan.synthesis.paper.paper import Paper
from inkgan.synthesis.sequence_layout import SequenceLayout, two_numbers
from inkgan.synthesis.texts.text_list import TextList
from inkgan.synthesis.texts.text_source import (
    Lengths,
    Patterns,
    RandomDigits,
    Shuffled,
    TextSource,
    check_lengths,
    mean_digits,
    read_patterns,
)

SequenceFormat = Literal[
    "detection",
    "coco",
    "yolo",
    "yolo-seg",
    "voc",
    "lmdb",
    "paddleocr",
    "easyocr",
    "tesseract",
    "parquet",
    "webdataset",
]
MAX_SEQUENCES = 100_000_000
MAX_WRITERS = 20_000
MOST_VARIANTS = 8  # images of each digit of a writer
FILE_BLOCK = 4096  # bytes that a small file takes on common file systems
CHARACTER_BYTES = 2500  # of a character's box, mask and outline in all files together
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Sequences:
    """Numbers, dates and amounts, each in one handwriting.

    Attributes:
        count: number of sequences for training; with `texts` alone, one for each text.
        validation: the same for a validation split.
        test: the same for a test split. No two splits have a writer in common.
        texts: texts of one's own: the path of a file with one on each line, or several texts;
            each is used equally often.
        pattern: one pattern or several, such as "[0-9]{4,8}", "date:%d.%m.%Y", "amount:#,##0.00",
            "phone:0## ### ####", "luhn:16", "mod11:10" or "mod97:12"; "PATTERN@3" is used three
            times as often.
        length: of random digits, where there are neither texts nor patterns: fewest and most, or
            a weight for each length.
        writers: number of handwritings, spread over slant and thickness.
        hands: pictures of digits, each of one writer whose handwriting is imitated; instead of
            `writers`.
        layout: how the characters stand beside each other.
        paper: what they are written on, and how the picture of it is taken.
        format: of the files, such as "coco", "lmdb" or "parquet".

    Example:
        >>> Sequences(10_000, test=1_000, pattern=("date:%Y-%m-%d", "[0-9]{4,8}@3"), writers=200)
    """

    count: int | None = None
    validation: int = 0
    test: int = 0
    texts: str | Path | Sequence[str] | TextList | None = None
    pattern: str | Sequence[str] = ()
    length: tuple[int, int] | Mapping[int, float] = (1, 6)
    writers: int = 500
    hands: Sequence[str | Path] = ()
    layout: SequenceLayout = field(default_factory=SequenceLayout)
    format: SequenceFormat = "detection"
    paper: Paper = field(default_factory=Paper)

    def resolved(self) -> "Sequences":
        """Return the request with its texts in memory and its count as a number.

        Raises:
            ArtifactError: the file of texts cannot be read.
            ConfigError: a text that cannot be written, or no count.
        """
        if self.texts is not None and self.patterns:
            raise ConfigError("`texts` and `pattern` both say what to write; give one of them")
        texts = self.texts
        if isinstance(texts, str | Path):
            texts = TextList.read(texts)
        elif texts is not None and not isinstance(texts, TextList):
            texts = TextList.of(texts)
        count = self.count
        if count is None:
            if texts is None:
                raise ConfigError("`sequences` is needed: how many to draw")
            count = len(texts) - self.validation - self.test
        return replace(self, texts=texts, count=count, pattern=self.patterns)

    @property
    def patterns(self) -> tuple[str, ...]:
        """The patterns, several or one."""
        return (self.pattern,) if isinstance(self.pattern, str) else tuple(self.pattern)

    @property
    def lengths(self) -> Lengths:
        """Each length of random digits with its weight."""
        if isinstance(self.length, Mapping):
            return tuple((length, float(weight)) for length, weight in self.length.items())
        two_numbers("length", self.length)
        shortest, longest = self.length
        return tuple((length, 1.0) for length in range(shortest, longest + 1))

    def splits(self) -> dict[str, int]:
        """Return the number of sequences of each split that has any."""
        counts = (self.count or 0, self.validation, self.test)
        return {name: count for name, count in zip(SPLITS, counts, strict=True) if count}

    @property
    def num_images(self) -> int:
        """The number of pictures written."""
        return sum(self.splits().values())

    @cached_property
    def patterns_read(self) -> Patterns:
        """The patterns, ready to draw texts."""
        return read_patterns(self.patterns)

    def source(self, seed: int) -> TextSource:
        """Return what the sequences say, in the data set with this seed."""
        if isinstance(self.texts, TextList):
            return Shuffled(self.texts, seed)
        return self.patterns_read if self.patterns else RandomDigits(self.lengths)

    def num_writers(self) -> dict[str, int]:
        """Return the number of writers of each split: shares of all, and at least one."""
        splits = self.splits()
        writers = len(self.hands) or min(self.writers, self.num_images)
        held_out = {
            name: max(1, writers * count // self.num_images)
            for name, count in splits.items()
            if name != "train"
        }
        train = {"train": writers - sum(held_out.values())} if "train" in splits else {}
        return train | held_out

    def num_digits(self) -> float:
        """Return how many digits the sequences have, on average."""
        return self.num_images * mean_digits(self.source(0))

    def num_variants(self) -> int:
        """Return how many images of each digit a writer needs, 2 to MOST_VARIANTS."""
        uses = self.num_digits() / (10 * sum(self.num_writers().values()))
        return max(2, min(MOST_VARIANTS, int(uses) + 1))

    def check(self) -> None:
        """Raise ConfigError for impossible values."""
        names = ("sequences", "validation_sequences", "test_sequences")
        for name, count in zip(names, (self.count, self.validation, self.test), strict=True):
            least = 1 if name == "sequences" else 0
            if not least <= (count or 0) <= MAX_SEQUENCES:
                raise ConfigError(
                    f"`{name}` must be between {least} and {MAX_SEQUENCES:,}, not {count}"
                )
        if self.format not in get_args(SequenceFormat):
            formats = get_args(SequenceFormat)
            raise ConfigError(
                f"`format` {self.format!r} is none of sequences"
                f"{did_you_mean(self.format, formats)}; these have {', '.join(formats)}"
            )
        if not self.lengths:
            if isinstance(self.length, Mapping):
                raise ConfigError("`length` is empty; give at least one length its weight")
            raise ConfigError(f"`length={tuple(self.length)}`: the smaller number comes first")
        check_lengths(self.lengths)
        if not 1 <= self.writers <= MAX_WRITERS:
            raise ConfigError(
                f"`writers` must be between 1 and {MAX_WRITERS:,}, not {self.writers}"
            )
        if min(self.num_writers().values()) < 1 or len(self.splits()) > self.num_images:
            raise ConfigError(
                f"`writers`: {len(self.splits())} splits share no writer, so they need at least "
                f"{len(self.splits())}"
            )
        _ = self.patterns_read if self.patterns else None
        self.layout.check()
        self.paper.check()

    def max_bytes(self, shape: Shape) -> int:
        """Return an upper bound of the bytes that are needed while the data set is made."""
        longest = self.source(0).longest
        height = self.layout.height
        width = longest * (height + self.layout.spacing[1] * height / 28) + 2 * height
        picture = self.paper.most_bytes(height, width) + FILE_BLOCK
        each = 2 * picture + 2 * FILE_BLOCK + longest * CHARACTER_BYTES
        pool = sum(self.num_writers().values()) * 10 * self.num_variants()
        return self.num_images * each + pool * (shape.height * shape.width + 64)

    def as_json(self) -> dict[str, Any]:
        """Return the request as JSON; texts and pictures are named by their digests."""
        texts = self.texts
        hands = [{"name": Path(path).name, "sha256": _sha256(path)} for path in self.hands]
        return {
            "kind": "sequences",
            **self.splits(),
            "format": self.format,
            "texts": {"count": len(texts), "sha256": texts.sha256}
            if isinstance(texts, TextList)
            else None,
            "pattern": list(self.patterns),
            "length": [list(pair) for pair in self.lengths],
            "writers": hands or self.writers,
            "layout": self.layout.as_json(),
            "paper": self.paper.as_json(),
        }


def _sha256(path: str | Path) -> str:
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError as error:
        raise ArtifactError(f"`hands` {path} cannot be read: {error.strerror}") from error
