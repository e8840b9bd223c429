"""Streams: the same items for the same seed, each once over workers and ranks."""

import itertools
import pickle
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import inkgan
from inkgan.config.recipe import Precision
from inkgan.errors import ConfigError, DataError
from inkgan.images import read_picture
from inkgan.synthesis.paper.paper import Paper
from inkgan.synthesis.request import Criteria, SynthesisRequest
from inkgan.synthesis.sequence_request import Sequences
from inkgan.synthesis.streaming import DigitSource, ImageStream, open_source
from tests.fixtures.synthesis import FakeGenerator, HandGenerator, Unconditional, make

Item = tuple[Any, Any]


def digits(seed: int = 0, length: int = 40, **more: Any) -> ImageStream:
    source = open_source(FakeGenerator(), None, "train", Criteria(), seed)
    return ImageStream(source, length, **more)


def lines(length: int = 12, **more: Any) -> ImageStream:
    content = Sequences(12, writers=3, paper=Paper("scan"))
    source = open_source(HandGenerator(), content, "train", Criteria(), 1)
    return ImageStream(source, length, **more)


def keys(items: Any) -> list[tuple[bytes, str]]:
    return [(np.asarray(image).tobytes(), str(label)) for image, label in items]


def test_the_same_sequence_for_the_same_seed() -> None:
    assert keys(digits(3)) == keys(digits(3))
    assert keys(digits(3)) != keys(digits(4))
    assert keys(digits(3, length=10)) == keys(digits(3))[:10]
    assert len(set(keys(digits(3)))) > 30


@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")  # on small machines
@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("make_stream", [digits, lines])
def test_workers_share_the_items(make_stream: Any, workers: int) -> None:
    """Together they give each item of the single process once."""
    loader = DataLoader(make_stream(), batch_size=None, num_workers=workers)
    found = keys(loader)
    assert Counter(found) == Counter(keys(make_stream()))
    assert keys(loader) == found


@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")
def test_ranks_and_workers_share_the_items() -> None:
    found = []
    for rank in range(2):
        part = digits(rank=rank, world_size=2)
        found += keys(DataLoader(part, batch_size=None, num_workers=2))
    assert Counter(found) == Counter(keys(digits()))


def test_the_order_of_one_rank_is_every_other_item() -> None:
    everything = keys(digits())
    for rank in range(2):
        assert keys(digits(rank=rank, world_size=2)) == everything[rank::2]


def test_epochs_follow_each_other() -> None:
    stream = digits(length=15)
    first = keys(stream)
    assert keys(stream) == first
    stream.set_epoch(1)
    assert first + keys(stream) == keys(digits(length=30))
    with pytest.raises(ConfigError, match="`epoch` must be from 0"):
        stream.set_epoch(-1)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = keys(digits())
    monkeypatch.setattr("inkgan.synthesis.streaming.BLOCK", 7)
    assert keys(digits()) == expected


def test_labels_are_those_of_the_images_and_all_alike() -> None:
    generator = FakeGenerator()
    source = DigitSource(generator, Criteria(), seed=5)
    labels, seeds = source.labels_and_seeds(np.arange(20_000))
    for number, (image, label) in enumerate(itertools.islice(source.draw(iter(range(20))), 20)):
        assert label == labels[number]
        drawn = generator.sample([int(label)], seeds=[int(seeds[number])])
        assert np.array_equal(image, drawn[0])
    assert len(np.unique(seeds)) == 20_000
    counts = np.bincount(labels, minlength=10)
    assert ((counts - 2000) ** 2 / 2000).sum() < 33.7  # chi-squared, 9 degrees, one in 10,000


def test_a_stream_of_sequences_is_the_data_set(tmp_path: Any) -> None:
    content = Sequences(6, test=3, writers=4, format="coco", paper=Paper("photo")).resolved()
    made = make(tmp_path / "a", SynthesisRequest(content, seed=2))
    for split in ("train", "test"):
        source = open_source(HandGenerator(), content, split, Criteria(), 2)
        items = list(ImageStream(source, source.length))
        assert len(items) == {"train": 6, "test": 3}[split]
        for place, (image, _) in enumerate(items):
            (path,) = (made.path / "images" / split).rglob(f"*{place:08d}.jpg")
            assert np.array_equal(image, read_picture(path))


def test_criteria_hold() -> None:
    source = open_source(FakeGenerator(), None, "train", Criteria(min_confidence=0.5), 0)
    easy = list(itertools.islice(source.draw(iter(range(60))), 60))
    from inkgan.metrics.features.extractors import extract_features

    features = extract_features(np.stack([image for image, _ in easy]))
    labels = np.array([label for _, label in easy])
    assert (features.probabilities[np.arange(60), labels] >= 0.5).all()


def test_impossible_criteria_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inkgan.synthesis.streaming.ATTEMPTS", 3)
    source = DigitSource(FakeGenerator(), Criteria(thickness=(40, 50)), seed=0)
    with pytest.raises(DataError, match="in 3 attempts"):
        next(source.draw(iter(range(4))))


def test_images_without_requested_labels_are_classified() -> None:
    source = open_source(Unconditional(), None, "train", Criteria(), 0)
    images, labels = zip(*itertools.islice(source.draw(iter(range(40))), 40), strict=True)
    from inkgan.metrics.features.extractors import extract_features

    assert extract_features(np.stack(images)).predicted.tolist() == list(labels)


def test_collate_continues_the_paper() -> None:
    items = [(np.full((4, 6), 9, np.uint8), "1"), (np.full((5, 3), 7, np.uint8), "23")]
    batch, labels = ImageStream.collate(items)
    assert batch.shape == (2, 1, 5, 6)
    assert labels == ["1", "23"]
    assert (batch[0] == 9).all()
    assert (batch[1] == 7).all()
    color, _ = ImageStream.collate([(np.zeros((4, 6, 3), np.uint8), "1")])
    assert color.shape == (1, 3, 4, 6)


def test_a_loader_makes_batches() -> None:
    images, labels = next(iter(DataLoader(digits(), batch_size=8)))
    assert images.shape == (8, 28, 28)
    assert images.dtype == torch.uint8
    assert labels.dtype == torch.int64
    loader = DataLoader(lines(), batch_size=4, collate_fn=ImageStream.collate)
    images, texts = next(iter(loader))
    assert images.shape[:2] == (4, 1)
    assert all(isinstance(text, str) for text in texts)


def test_the_public_call_with_the_flagship() -> None:
    stream = inkgan.stream(seed=3, length=20, transform=lambda image: image / 255)
    items = list(stream)
    assert len(items) == 20
    assert items[0][0].max() <= 1
    generator = inkgan.load("flagship")
    source = DigitSource(generator, Criteria(), seed=3)
    labels, seeds = source.labels_and_seeds(np.arange(20))
    drawn = generator.sample(labels.tolist(), seeds=seeds.tolist())
    assert np.abs(np.stack([image for image, _ in items]) * 255 - drawn).max() <= 1
    copy = pickle.loads(pickle.dumps(inkgan.stream(seed=3, length=2)))  # for spawned workers
    assert len(list(copy)) == 2


def test_bfloat16_draws_nearly_the_same_also_in_a_worker() -> None:
    def items(precision: Precision) -> list[tuple[np.ndarray, int]]:
        stream = inkgan.stream(seed=3, length=64, precision=precision)
        return list(pickle.loads(pickle.dumps(stream)))

    exact, rounded = items("float32"), items("bfloat16")
    assert [label for _, label in rounded] == [label for _, label in exact]
    images = [np.stack([image for image, _ in drawn]) for drawn in (exact, rounded)]
    errors = np.abs(images[0].astype(int) - images[1])
    assert errors.max() > 0
    assert errors.mean() < 2


def test_impossible_streams_are_refused() -> None:
    with pytest.raises(ConfigError, match="`length` must be from 1"):
        digits(length=0)
    with pytest.raises(ConfigError, match="`rank` must be from 0 to 1, not 2"):
        digits(rank=2, world_size=2)
    with pytest.raises(ConfigError, match="belong together"):
        digits(rank=0)
    with pytest.raises(ConfigError, match="`split` is for `sequences`"):
        open_source(FakeGenerator(), None, "test", Criteria(), 0)
    with pytest.raises(ConfigError, match="`split` 'test' has no sequences"):
        open_source(HandGenerator(), 5, "test", Criteria(), 0)
    with pytest.raises(ConfigError, match="`seed`"):
        open_source(FakeGenerator(), None, "train", Criteria(), -1)
    loader = DataLoader(digits(shareable=False), batch_size=None, num_workers=1)
    with pytest.raises(ConfigError, match="workers of a DataLoader"):
        next(iter(loader))
