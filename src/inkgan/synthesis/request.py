"""The request for a synthetic data set: complete, frozen values, checked before any work."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from inkgan.errors import ConfigError, did_you_mean
from inkgan.images import Shape
from inkgan.io.bundle import check_license
from inkgan.synthesis.sequence_request import FILE_BLOCK, Sequences

Format = Literal["idx", "npz", "png", "imagefolder", "parquet", "webdataset"]
PACKED = ("parquet", "webdataset")  # files of many images, made apart from each other
Bounds = tuple[float, float]
DEFAULT_PER_CLASS = 6000
SEEDS_PER_SET = 2**32  # image k of the data set with seed s has the generator's seed s * 2^32 + k
MAX_IMAGES = 999_999_999  # per split: numpy draws without replacement from fewer than 10^9
BLOCK = 2000  # images drawn together
SHARD_SIZE = 100_000
MAX_SHARDS = 100_000  # files of one split: more are slow to list
ROW_BYTES = 140  # of an image's line in manifest.jsonl


@dataclass(frozen=True)
class LabeledImages:
    """Single images with a class each, as in MNIST.

    Attributes:
        train: number of images of each class.
        test: the same for a test split; empty for none.
        format: idx, npz, png, imagefolder, parquet or webdataset.
        plain: idx without gzip.
        shard_size: images in a file of parquet and webdataset.
    """

    train: tuple[int, ...]
    test: tuple[int, ...] = ()
    format: Format = "idx"
    plain: bool = False
    shard_size: int = SHARD_SIZE

    @property
    def is_packed(self) -> bool:
        """Whether the files hold many images each, and are made apart from each other."""
        return self.format in PACKED

    def splits(self) -> dict[str, tuple[int, ...]]:
        """Return the number of images of each class, by split."""
        return {"train": self.train} | ({"test": self.test} if sum(self.test) else {})

    @property
    def num_images(self) -> int:
        """The number of images written."""
        return sum(self.train) + sum(self.test)

    def check(self) -> None:
        """Raise ConfigError for impossible values."""
        if self.format not in get_args(Format):
            raise ConfigError(
                f"`format` {self.format!r} is unknown{did_you_mean(self.format, get_args(Format))}"
            )
        if self.plain and self.format != "idx":
            raise ConfigError(
                f"`plain` leaves out the gzip of `format='idx'`; `format={self.format!r}` has none"
            )
        self._check_shard_size()
        for name, counts in (("per_class", self.train), ("test_per_class", self.test)):
            wrong = next((count for count in counts if count < 0), None)
            if wrong is not None:
                raise ConfigError(f"`{name}` must be at least 0, not {wrong}")
            if sum(counts) > MAX_IMAGES:
                raise ConfigError(
                    f"`{name}` makes {sum(counts):,} images; the maximum is {MAX_IMAGES:,} per "
                    "split: make several data sets, each with another `seed`"
                )
        if not sum(self.train):
            raise ConfigError("`per_class` makes no image at all; use at least 1 for some class")

    def _check_shard_size(self) -> None:
        size, most = self.shard_size, max(sum(self.train), sum(self.test))
        if size != SHARD_SIZE and not self.is_packed:
            raise ConfigError(
                "`shard_size` is the number of images in a file of `format='parquet'` and "
                f"`format='webdataset'`; `format={self.format!r}` has no such files"
            )
        if size < BLOCK or size % BLOCK:
            raise ConfigError(f"`shard_size` must be a multiple of {BLOCK:,}, not {size}")
        if self.is_packed and -(-most // size) > MAX_SHARDS:
            raise ConfigError(
                f"`shard_size={size}` makes {-(-most // size):,} files; make at most "
                f"{MAX_SHARDS:,} larger ones"
            )

    def max_bytes(self, shape: Shape) -> int:
        """Return an upper bound of the finished files' size, as if nothing were compressed."""
        file_per_image = self.format in ("png", "imagefolder")
        pixels = math.prod(shape)
        image = max(FILE_BLOCK, 2 * pixels) if file_per_image else pixels + 1
        return self.num_images * (image + ROW_BYTES)


@dataclass(frozen=True)
class Criteria:
    """What every image must satisfy; None and False accept everything.

    Attributes:
        min_confidence: least probability in (0, 1) that the classifier gives to the label.
        dedupe: leave out near-copies of earlier images.
        slant: least and most degrees from the vertical, positive to the right.
        thickness: least and most pixels of the stroke.
    """

    min_confidence: float | None = None
    dedupe: bool = False
    slant: Bounds | None = None
    thickness: Bounds | None = None

    def check(self) -> None:
        """Raise ConfigError for impossible values."""
        least = self.min_confidence
        if least is not None and not 0 < least < 1:
            raise ConfigError(f"`min_confidence` must be between 0 and 1, not {least:g}")
        for name, bounds in (("slant", self.slant), ("thickness", self.thickness)):
            if bounds is not None and not -math.inf < bounds[0] < bounds[1] < math.inf:
                raise ConfigError(
                    f"`{name}` must be two finite numbers, the smaller first, not {bounds[0]:g} "
                    f"and {bounds[1]:g}"
                )


@dataclass(frozen=True)
class SynthesisRequest:
    """Everything that decides what is drawn and written, except for the generator itself.

    Attributes:
        content: single images or sequences.
        criteria: what every image must satisfy.
        seed: of the data set; two data sets with different seeds share no image's seed.
        license: of the data set, for its card: an identifier such as cc0-1.0.
    """

    content: LabeledImages | Sequences
    criteria: Criteria = Criteria()
    seed: int = 0
    license: str = "unknown"

    def check(self) -> None:
        """Refuse impossible values.

        Raises:
            ConfigError: names the parameter of `inkgan.synth` and its value.
        """
        self.content.check()
        self.criteria.check()
        if self.criteria.dedupe and isinstance(self.content, Sequences):
            raise ConfigError("`dedupe` is for single digits; a writer's digits are alike")
        if self.criteria.dedupe and self.is_packed:
            raise ConfigError(
                "`dedupe` compares each image with all earlier ones, and the files of "
                f"`format={self.content.format!r}` are made apart from each other; use another "
                "`format`"
            )
        if not 0 <= self.seed < 2**31:
            raise ConfigError(f"`seed` must be between 0 and {2**31 - 1}, not {self.seed}")
        check_license(self.license)

    @property
    def is_packed(self) -> bool:
        """Whether the files hold many images each, and are made apart from each other."""
        return isinstance(self.content, LabeledImages) and self.content.is_packed

    @property
    def first_seed(self) -> int:
        """The generator's seed of the first image that is drawn."""
        return self.seed * SEEDS_PER_SET

    def max_bytes(self, shape: Shape) -> int:
        """Return an upper bound of the disk space that is needed while the data set is made."""
        if isinstance(self.content, Sequences):
            return self.content.max_bytes(shape)
        if self.content.is_packed:
            return self.content.max_bytes(shape)
        shards = self.content.num_images * (math.prod(shape) + 64)
        return shards + self.content.max_bytes(shape)

    def as_json(self) -> dict[str, Any]:
        """Return the request as JSON represents it: lists for tuples."""
        if isinstance(self.content, Sequences):
            content = self.content.as_json()
        else:
            content = {"kind": "images", **asdict(self.content)}
            if not self.content.is_packed:  # of data sets made before there were such files
                del content["shard_size"]
        values = {
            "content": content,
            "criteria": asdict(self.criteria),
            "seed": self.seed,
            "license": self.license,
        }
        return {key: _without_tuples(value) for key, value in values.items()}


def labeled_images_from_json(values: Mapping[str, Any]) -> SynthesisRequest:
    """Return the request for single images that `SynthesisRequest.as_json` has written."""
    content = {key: value for key, value in values["content"].items() if key != "kind"}
    content |= {split: tuple(content[split]) for split in ("train", "test")}
    bounds: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in values["criteria"].items()
    }
    return SynthesisRequest(
        LabeledImages(**content), Criteria(**bounds), values["seed"], values["license"]
    )


def counts_per_class(
    counts: int | Sequence[int], classes: Sequence[str], parameter: str
) -> tuple[int, ...]:
    """Return the number of images of each class.

    Args:
        counts: one for all classes, or one for each.
        classes: the generator's.
        parameter: named in the error.

    Raises:
        ConfigError: the number of counts is not the number of classes.
    """
    if isinstance(counts, int):
        return (counts,) * len(classes)
    if len(counts) != len(classes):
        raise ConfigError(
            f"`{parameter}` has {len(counts)} counts, but the generator has {len(classes)} "
            "classes: give one count for all of them, or one for each"
        )
    return tuple(counts)


def _without_tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_tuples(item) for key, item in value.items()}
    return list(value) if isinstance(value, tuple) else value
