"""inkgan.stream: images with labels for a training loop, without files."""

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import distributed
from torch.utils.data import IterableDataset, get_worker_info

from inkgan import rng
from inkgan.config.recipe import Precision
from inkgan.device import choose_device, compute_settings
from inkgan.errors import ConfigError, DataError
from inkgan.generation.light_on_dark import light_on_dark
from inkgan.generation.load import Checkpoint, load
from inkgan.generation.protocols import GeneratorLike
from inkgan.synthesis.dataset_sampler import check_generator, check_style, criteria_tests, examine
from inkgan.synthesis.pool_store import draw_pool
from inkgan.synthesis.request import Bounds, Criteria, LabeledImages, SynthesisRequest
from inkgan.synthesis.sequence_composer import SequenceComposer
from inkgan.synthesis.sequence_plan import SequencePlan
from inkgan.synthesis.sequence_request import MAX_SEQUENCES, Sequences
from inkgan.synthesis.writer_set import choose_writers, imitated_writers
from inkgan.types import Int64, Progress, UInt8, silent

Item = tuple[UInt8, int | str]
BLOCK = 256  # digits drawn at once
ATTEMPTS = 200  # at each digit, before the criteria count as too strict
ENDLESS = 2**32  # images: the counter of the random numbers has 32 bits


def stream(
    sequences: int | Sequences | None = None,
    *,
    source: str = "flagship",
    length: int | None = None,
    split: str = "train",
    seed: int = 0,
    min_confidence: float | None = None,
    slant: Bounds | None = None,
    thickness: Bounds | None = None,
    transform: Callable[[UInt8], Any] | None = None,
    rank: int | None = None,
    world_size: int | None = None,
    checkpoint: Checkpoint = "last",
    device: str = "cpu",
    precision: Precision = "float32",
    progress: Progress = silent,
) -> "ImageStream":
    """Return images with labels for a training loop; item k depends on the seed and k alone.

    A `torch.utils.data.IterableDataset`: workers of a DataLoader and ranks of
    `torch.distributed` share the items, each item once. Nothing is written to disk.

    Args:
        sequences: numbers, dates and amounts instead of single digits, as for `inkgan.synth`:
            a count, or an `inkgan.Sequences`; without a count it never ends. The digits of all
            writers are drawn first, by this call.
        source: a run folder, a bundle, or a run's name.
        length: number of items of all ranks and workers together; None means the count of
            `sequences`, or 2^32, which no training reaches.
        split: of `sequences`: train, validation or test; no two have a writer in common.
        seed: another seed is another stream, 0 to 2^31 - 1.
        min_confidence: of single digits and of those in sequences, as for `inkgan.synth`.
        slant: least and most degrees.
        thickness: least and most pixels.
        transform: is applied to each image.
        rank: of this process; by default that of `torch.distributed`, or 0.
        world_size: number of processes; by default that of `torch.distributed`, or 1.
        checkpoint: of a run folder, its last generator or the best-scored one.
        device: that draws; workers of a DataLoader need cpu.
        precision: in which images are drawn, float32 or bfloat16; see `inkgan.load`.
        progress: called as `progress("drawing", done, total)` while writers' digits are drawn.

    Returns:
        An iterable of (image, label): uint8 (H, W) or (H, W, 3), and the number of the class or
        the text. Digits are light on dark, as in MNIST; sequences are ink on paper.

    Raises:
        ConfigError: an impossible value.
        ArtifactError: there is no such generator.
        DataError: too few of the generator's images satisfy the criteria.

    Example:
        >>> digits = inkgan.stream(seed=1)
        >>> loader = torch.utils.data.DataLoader(digits, batch_size=128, num_workers=2)
        >>> images, labels = next(iter(loader))  # uint8 (128, 28, 28), int64 (128,)
    """
    generator = light_on_dark(
        load(source, device=device, checkpoint=checkpoint, precision=precision)
    )
    criteria = Criteria(min_confidence, False, slant, thickness)
    drawing = open_source(generator, sequences, split, criteria, seed, progress)
    if length is None:
        length = min(drawing.length, ENDLESS)
    on_cpu = sequences is not None or choose_device(device).type == "cpu"
    return ImageStream(drawing, length, transform, rank, world_size, shareable=on_cpu)


class StreamSource(Protocol):
    """What a stream takes its items from."""

    @property
    def length(self) -> int:
        """The number of items."""

    def draw(self, numbers: Iterator[int]) -> Iterator[Item]:
        """Yield the items with these numbers."""


class ImageStream(IterableDataset[Any]):
    """Images with labels, the same for the same seed.

    Args:
        source: of the items.
        length: number of items of all ranks and workers together.
        transform: is applied to each image.
        rank: as for `stream`.
        world_size: as for `stream`.
        shareable: whether workers of a DataLoader can draw, too.
    """

    def __init__(
        self,
        source: StreamSource,
        length: int,
        transform: Callable[[UInt8], Any] | None = None,
        rank: int | None = None,
        world_size: int | None = None,
        shareable: bool = True,
    ) -> None:
        if not 1 <= length <= ENDLESS:
            raise ConfigError(f"`length` must be from 1 to 2^32, not {length}")
        if (rank is None) != (world_size is None):
            raise ConfigError("`rank` and `world_size` belong together; give both or neither")
        if rank is not None and world_size is not None and not 0 <= rank < world_size:
            raise ConfigError(f"`rank` must be from 0 to {world_size - 1}, not {rank}")
        self.length = length
        self._source, self._transform = source, transform
        self._rank, self._world_size = rank, world_size
        self._shareable, self._epoch = shareable, 0

    def set_epoch(self, epoch: int) -> None:
        """Continue with other items: those of epoch e follow those of epoch e - 1.

        Call it before the DataLoader is iterated, as for torch's DistributedSampler.
        """
        if not 0 <= epoch < ENDLESS // self.length:
            raise ConfigError(
                f"`epoch` must be from 0 to {ENDLESS // self.length - 1}, not {epoch}; a stream of "
                f"{self.length:,} items has no more before 2^32"
            )
        self._epoch = epoch

    def numbers(self, shard: int, num_shards: int) -> range:
        """Return the numbers of the items of one of several shards: every n-th one."""
        first = self._epoch * self.length
        return range(first + shard, first + self.length, num_shards)

    def __iter__(self) -> Iterator[tuple[Any, int | str]]:
        rank, world_size = self._place()
        worker = get_worker_info()
        workers, own = (1, 0) if worker is None else (worker.num_workers, worker.id)
        if worker is not None and not self._shareable:
            raise ConfigError(
                "workers of a DataLoader cannot draw on another device; use `device='cpu'`, or "
                "`num_workers=0` of the DataLoader"
            )
        numbers = self.numbers(rank * workers + own, world_size * workers)
        for image, label in self._source.draw(iter(numbers)):
            yield (image if self._transform is None else self._transform(image)), label

    def _place(self) -> tuple[int, int]:
        if self._rank is not None and self._world_size is not None:
            return self._rank, self._world_size
        if distributed.is_available() and distributed.is_initialized():
            return distributed.get_rank(), distributed.get_world_size()
        return 0, 1

    @staticmethod
    def collate(items: Sequence[tuple[UInt8, Any]]) -> tuple[torch.Tensor, list[Any]]:
        """Make a batch of images of different sizes, for `collate_fn` of a DataLoader.

        Smaller images continue with the paper at their right and lower edge.

        Returns:
            uint8 (n, channels, H, W), and the labels.
        """
        height = max(image.shape[0] for image, _ in items)
        width = max(image.shape[1] for image, _ in items)
        batch = []
        for image, _ in items:
            more = [(0, height - image.shape[0]), (0, width - image.shape[1])]
            padded = np.pad(image, more + [(0, 0)] * (image.ndim - 2), mode="edge")
            batch.append(padded[None] if image.ndim == 2 else padded.transpose(2, 0, 1))
        return torch.from_numpy(np.stack(batch)), [label for _, label in items]


@dataclasses.dataclass(frozen=True)
class DigitSource:
    """Single images of all classes alike; label and seed of item k follow from k.

    Attributes:
        generator: draws them.
        criteria: that each image satisfies.
        seed: of the stream.
        length: number of items.
    """

    generator: GeneratorLike
    criteria: Criteria
    seed: int
    length: int = ENDLESS

    def draw(self, numbers: Iterator[int]) -> Iterator[Item]:
        """Yield the items with these numbers."""
        while block := list(itertools.islice(numbers, BLOCK)):
            images, labels = self._block(np.array(block, np.int64))
            yield from zip(images, labels.tolist(), strict=True)

    def _block(self, numbers: Int64) -> tuple[UInt8, Int64]:
        images, labels = self._attempt(numbers, 0)
        rejected = np.flatnonzero(~self._accepted(images, labels))
        for attempt in range(1, ATTEMPTS):
            if not len(rejected):
                return images, labels
            again, labels[rejected] = self._attempt(numbers[rejected], attempt)
            images[rejected] = again
            rejected = rejected[~self._accepted(again, labels[rejected])]
        raise DataError(
            f"the generator does not deliver an image in {ATTEMPTS} attempts that satisfies the "
            "criteria; relax `min_confidence`, `slant` or `thickness`, or use another generator"
        )

    def _attempt(self, numbers: Int64, attempt: int) -> tuple[UInt8, Int64]:
        """Draw one image for each number; an attempt changes its seed, not its label."""
        labels, seeds = self.labels_and_seeds(numbers, attempt)
        conditional = self.generator.conditional
        # the last bits of a sum depend on the number of threads, which workers reduce to one
        with compute_settings(threads=1):
            drawn = self.generator.sample(
                labels.tolist() if conditional else None, seeds=seeds.tolist()
            )
            if not conditional:
                labels = examine(drawn, labels, seeds, self.generator, Criteria()).labels
        return drawn, labels

    def labels_and_seeds(self, numbers: Int64, attempt: int = 0) -> tuple[Int64, Int64]:
        """Return the label and the generator's seed of each item, int64 (n,) each."""
        keys, counter = torch.full((len(numbers),), self.seed), torch.from_numpy(numbers)
        (words,) = rng.words(keys, 1, "stream", "label", counter=counter).numpy().T
        labels: Int64 = (words * len(self.generator.bundle.classes)) >> 32
        high, low = rng.words(keys, 2, "stream", "seed", attempt, counter=counter).numpy().T
        seeds: Int64 = (high << 30) ^ low
        return labels, seeds

    def _accepted(self, images: UInt8, labels: Int64) -> Any:
        accepted = np.ones(len(images), np.bool_)
        if self.criteria != Criteria():
            with compute_settings(threads=1):
                result = examine(images, labels, labels, self.generator, self.criteria)
            for passes in criteria_tests(self.criteria, result).values():
                accepted &= passes
        return accepted


@dataclasses.dataclass(frozen=True)
class SequenceSource:
    """The sequences of a split: item k is sequence number k of the data set.

    Attributes:
        composer: composes them.
        split: train, validation or test.
        length: number of sequences.
    """

    composer: SequenceComposer
    split: str
    length: int

    def draw(self, numbers: Iterator[int]) -> Iterator[Item]:
        """Yield the items with these numbers."""
        for number in numbers:
            rendered = self.composer.render(self.split, number)
            # Pillow lends memory that may not be written, which torch refuses
            yield np.array(rendered.image), rendered.composed.text


def open_source(
    generator: GeneratorLike,
    sequences: int | Sequences | None,
    split: str,
    criteria: Criteria,
    seed: int,
    progress: Progress = silent,
) -> DigitSource | SequenceSource:
    """Check a request and return what a stream takes its items from.

    Raises:
        ConfigError: an impossible value.
        DataError: too few of the generator's images satisfy the criteria.
    """
    content = _content(sequences, generator)
    request = SynthesisRequest(content, criteria, seed)
    request.check()
    check_generator(generator, request)
    check_style(generator, request, progress)
    if isinstance(content, LabeledImages):
        if split != "train":
            raise ConfigError("`split` is for `sequences`; for other digits use another `seed`")
        return DigitSource(generator, criteria, seed)
    if split not in content.splits():
        splits = ", ".join(content.splits())
        raise ConfigError(f"`split` {split!r} has no sequences; there are some for {splits}")
    if content.hands:
        writers = imitated_writers(generator, content, progress)
    else:
        writers = choose_writers(generator, content, criteria, seed)
    drawn = draw_pool(None, generator, request, writers, content.num_variants(), None, progress)
    composer = SequenceComposer(SequencePlan(content, writers.splits, seed), drawn.pool)
    return SequenceSource(composer, split, content.splits()[split])


def _content(
    sequences: int | Sequences | None, generator: GeneratorLike
) -> LabeledImages | Sequences:
    if sequences is None:
        return LabeledImages((1,) * len(generator.bundle.classes), format="png")
    content = Sequences(sequences) if isinstance(sequences, int) else sequences
    if content.count is None:
        content = dataclasses.replace(content, count=MAX_SEQUENCES)
    return content.resolved()
