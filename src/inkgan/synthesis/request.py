"""What is asked of a synthetic data set: a complete, frozen value, checked before any work."""

import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from inkgan.errors import ConfigError, did_you_mean
from inkgan.images import Shape

Format = Literal["idx", "npz", "png", "imagefolder"]
Bounds = tuple[float, float]
DIGITS = tuple("0123456789")
SEEDS = 2**32  # seeds that belong to one --seed: image k of --seed s has seed s * 2^32 + k
MOST_IMAGES = 999_999_999  # of a split: numpy draws without replacement from fewer than 10^9
MOST_STRINGS = 100_000_000
MOST_DIGITS = 32  # of a string
BLOCK = 4096  # bytes that a small file takes on common file systems
ROW = 140  # bytes of an image's line in the manifest


@dataclass(frozen=True)
class Digits:
    """Single digits, as in MNIST.

    Attributes:
        train: how many of each class.
        test: the same for a test split; empty for none.
        format: idx, npz, png or imagefolder.
        plain: idx without gzip.
    """

    train: tuple[int, ...]
    test: tuple[int, ...] = ()
    format: Format = "idx"
    plain: bool = False

    def splits(self) -> dict[str, tuple[int, ...]]:
        """Return the number of images of each class, by split."""
        return {"train": self.train} | ({"test": self.test} if sum(self.test) else {})

    def images(self) -> int:
        """Count the files or rows that come out."""
        return sum(self.train) + sum(self.test)

    def digits(self) -> int:
        """Count the digits to draw, at most."""
        return self.images()

    def check(self) -> None:
        """Refuse what cannot be, by flag and value."""
        if self.format not in get_args(Format):
            raise ConfigError(
                f"--format {self.format!r} is unknown{did_you_mean(self.format, get_args(Format))}"
            )
        if self.plain and self.format != "idx":
            raise ConfigError(f"--plain leaves out idx's gzip; --format {self.format} has none")
        for flag, counts in (("--per-class", self.train), ("--test-per-class", self.test)):
            wrong = next((count for count in counts if count < 0), None)
            if wrong is not None:
                raise ConfigError(f"{flag} {wrong} is impossible; use counts from 0")
            if sum(counts) > MOST_IMAGES:
                raise ConfigError(
                    f"{flag} asks for {sum(counts):,} images; {MOST_IMAGES:,} a split at most: "
                    "make several sets with other --seed"
                )
        if not sum(self.train):
            raise ConfigError("--per-class asks for no image at all; use counts from 1")

    def bytes_needed(self, shape: Shape) -> int:
        """Estimate the finished files from above: gzip and npz as if nothing were saved."""
        folders = self.format in ("png", "imagefolder")
        each = max(BLOCK, 2 * math.prod(shape)) if folders else math.prod(shape) + 1
        return self.images() * (each + ROW)


@dataclass(frozen=True)
class Strings:
    """Numbers of several digits, side by side on one canvas.

    Attributes:
        count: how many.
        length: fewest and most digits of one.
        spacing: fewest and most blank pixels between the ink of neighbours.
    """

    count: int
    length: tuple[int, int] = (1, 6)
    spacing: tuple[int, int] = (1, 8)

    def splits(self) -> dict[str, tuple[int, ...]]:
        """Return the only split; its classes are as chance has them."""
        return {"train": ()}

    def images(self) -> int:
        """Count the pictures that come out."""
        return self.count

    def digits(self) -> int:
        """Count the digits to draw, at most."""
        return self.count * self.length[1]

    def check(self) -> None:
        """Refuse what cannot be, by flag and value."""
        if not 1 <= self.count <= MOST_STRINGS:
            raise ConfigError(
                f"--sequences {self.count} is impossible; use 1 to {MOST_STRINGS:,}, or leave it "
                "out for single digits"
            )
        fewest, most = self.length
        if not 1 <= fewest <= most <= MOST_DIGITS:
            raise ConfigError(
                f"--length {fewest}-{most} is impossible; use 1 to {MOST_DIGITS}, the smaller first"
            )
        least, widest = self.spacing
        if not 0 <= least <= widest <= 100:
            raise ConfigError(
                f"--spacing {least}:{widest} is impossible; use 0 to 100 pixels, the smaller first"
            )

    def bytes_needed(self, shape: Shape) -> int:
        """Estimate the finished files from above: a picture, a label file and the records."""
        digit = math.prod(shape) + 3 * ROW  # in the picture, the manifest and the annotations
        return self.images() * (2 * BLOCK + self.length[1] * digit + ROW)


@dataclass(frozen=True)
class Criteria:
    """What a drawn image must pass; None and False test nothing.

    Attributes:
        min_confidence: least probability that the judge gives the image's label.
        dedupe: near-copies of earlier images are left out.
        slant: degrees, positive to the right.
        thickness: of the stroke, in pixels.
    """

    min_confidence: float | None = None
    dedupe: bool = False
    slant: Bounds | None = None
    thickness: Bounds | None = None

    def check(self) -> None:
        """Refuse what cannot be, by flag and value."""
        least = self.min_confidence
        if least is not None and not 0 < least < 1:
            raise ConfigError(f"--min-confidence {least:g} is impossible; use a number in (0, 1)")
        for flag, bounds in (("--slant", self.slant), ("--thickness", self.thickness)):
            if bounds is not None and not -math.inf < bounds[0] < bounds[1] < math.inf:
                raise ConfigError(
                    f"{flag} {bounds[0]:g}:{bounds[1]:g} is impossible; write the smaller first, "
                    "for example 2:3"
                )


@dataclass(frozen=True)
class Request:
    """All that decides what is drawn and written, beside the generator itself.

    Attributes:
        content: single digits or strings of them.
        criteria: what an image must pass.
        seed: another one, another data set; no two share an image's seed.
        license: of the data set, for its card: an identifier such as cc0-1.0.
    """

    content: Digits | Strings
    criteria: Criteria = Criteria()
    seed: int = 0
    license: str = "unknown"

    def check(self) -> None:
        """Refuse what cannot be.

        Raises:
            ConfigError: names the flag and the value.
        """
        self.content.check()
        self.criteria.check()
        if not 0 <= self.seed < 2**31:
            raise ConfigError(f"--seed {self.seed} is impossible; use 0 to {2**31 - 1}")
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", self.license):
            raise ConfigError(
                f"--license {self.license!r} is no identifier; use one such as cc0-1.0 or unknown"
            )

    @property
    def first_seed(self) -> int:
        """The sampler's seed of the first image that is tried."""
        return self.seed * SEEDS

    def bytes_needed(self, shape: Shape) -> int:
        """Estimate from above what the disk must hold while the set is made."""
        kept_beside = self.content.digits() * (math.prod(shape) + 64)
        return kept_beside + self.content.bytes_needed(shape)

    def as_json(self) -> dict[str, Any]:
        """Return the request as JSON has it: lists for tuples."""
        described = asdict(self)
        kind = "strings" if isinstance(self.content, Strings) else "digits"
        described["content"] = {"kind": kind, **described["content"]}
        return {key: _listed(value) for key, value in described.items()}


def per_class(counts: int | Sequence[int], classes: Sequence[str], flag: str) -> tuple[int, ...]:
    """Return the number of images of each class: one for all, or one each.

    Raises:
        ConfigError: another number of counts than of classes.
    """
    if isinstance(counts, int):
        return (counts,) * len(classes)
    if len(counts) != len(classes):
        raise ConfigError(
            f"{flag} has {len(counts)} counts; the generator has {len(classes)} classes: write one "
            "count for all, or one for each"
        )
    return tuple(counts)


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return list(value) if isinstance(value, tuple) else value
