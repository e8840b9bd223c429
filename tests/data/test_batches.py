"""Batches: addressed by step, full, and without replacement inside an epoch."""

import pytest
import torch

from inkgan import rng
from inkgan.config import Augment
from inkgan.config.recipes import get_recipe
from inkgan.config.serialize import override
from inkgan.data.batches import Batches
from inkgan.data.dataset import Dataset
from inkgan.errors import ConfigError

COUNT, BATCH = 103, 10  # ten full batches and three images that fill none


@pytest.fixture
def numbered() -> Dataset:
    """Give images that carry their own number as gray level and as label."""
    numbers = torch.arange(COUNT)
    pixels = numbers.to(torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 6, 4)
    return Dataset("numbered", pixels.contiguous(), numbers, tuple(map(str, range(COUNT))))


def epoch_of(batches: Batches, epoch: int) -> list[int]:
    steps = range(epoch * batches.per_epoch, (epoch + 1) * batches.per_epoch)
    return [label for step in steps for label in batches.at(step).labels.tolist()]


def test_an_epoch_is_full_batches_without_replacement(numbered: Dataset) -> None:
    batches = Batches(numbered, BATCH, 0, Augment())
    assert batches.per_epoch == COUNT // BATCH
    for step in range(batches.per_epoch):
        assert batches.at(step).images.shape == (BATCH, 1, 6, 4)
        assert batches.at(step).labels.shape == (BATCH,)
    drawn = epoch_of(batches, 0)
    assert len(set(drawn)) == len(drawn) == batches.per_epoch * BATCH


def test_images_belong_to_their_labels_and_lie_in_range(numbered: Dataset) -> None:
    batch = Batches(numbered, BATCH, 0, Augment()).at(3)
    assert batch.images.dtype == torch.float32
    assert batch.labels.dtype == torch.int64
    levels = (batch.images[:, 0, 0, 0] + 1) * 127.5
    torch.testing.assert_close(levels, batch.labels.float())


def test_the_ends_of_the_range_are_exact() -> None:
    images = torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1)
    dataset = Dataset("ends", images, torch.tensor([0, 1]), ("black", "white"))
    batch = Batches(dataset, 2, 0, Augment()).at(0)
    assert sorted(batch.images.flatten().tolist()) == [-1.0, 1.0]


def test_random_access_equals_sequence(numbered: Dataset) -> None:
    distortion = Augment(rotate=20, shift=1, elastic=1)
    sequential, random = (Batches(numbered, BATCH, 5, distortion) for _ in range(2))
    expected = [sequential.at(step) for step in range(35)]
    for step in torch.randperm(35, generator=torch.Generator().manual_seed(0)).tolist():
        batch = random.at(step)
        assert torch.equal(batch.images, expected[step].images)
        assert torch.equal(batch.labels, expected[step].labels)


def test_the_global_generator_is_neither_read_nor_moved(numbered: Dataset) -> None:
    batches = Batches(numbered, BATCH, 0, Augment(rotate=20))
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = batches.at(17)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert torch.equal(Batches(numbered, BATCH, 0, Augment(rotate=20)).at(17).images, first.images)


def test_epochs_and_seeds_shuffle_differently(numbered: Dataset) -> None:
    orders = [
        epoch_of(Batches(numbered, BATCH, seed, Augment()), epoch)
        for seed in (0, 1)
        for epoch in (0, 1, 2)
    ]
    assert len({tuple(order) for order in orders}) == 6


def test_every_image_is_seen_within_a_few_epochs(numbered: Dataset) -> None:
    """Three of 103 images are left out of each epoch, but not always the same ones."""
    batches = Batches(numbered, BATCH, 0, Augment())
    seen = set(epoch_of(batches, 0)) | set(epoch_of(batches, 1)) | set(epoch_of(batches, 2))
    assert seen == set(range(COUNT))


def test_distortion_is_fresh_at_every_step() -> None:
    """The same picture everywhere, so that only the distortion can differ."""
    picture = torch.arange(100, dtype=torch.uint8).view(1, 1, 10, 10)
    dataset = Dataset("alike", picture.repeat(8, 1, 1, 1), torch.zeros(8).long(), ("all",))
    batches = Batches(dataset, 8, 0, Augment(rotate=30))
    other = Batches(dataset, 8, 1, Augment(rotate=30))
    assert torch.equal(
        batches.at(0).images, Batches(dataset, 8, 0, Augment(rotate=30)).at(0).images
    )
    assert not torch.allclose(batches.at(0).images, batches.at(1).images)
    assert not torch.allclose(batches.at(0).images, other.at(0).images)


def test_distortion_leaves_choice_and_labels_alone(numbered: Dataset) -> None:
    plain = Batches(numbered, BATCH, 0, Augment()).at(4)
    bent = Batches(numbered, BATCH, 0, Augment(rotate=30, elastic=2)).at(4)
    assert torch.equal(plain.labels, bent.labels)
    assert bent.images.shape == plain.images.shape
    assert bent.images.abs().max() <= 1 + 1e-6


def test_a_batch_may_be_the_whole_set_but_not_more(numbered: Dataset) -> None:
    whole = Batches(numbered, COUNT, 0, Augment())
    assert whole.per_epoch == 1
    assert sorted(whole.at(0).labels.tolist()) == list(range(COUNT))
    message = (
        r"`schedule\.batch_size=104` is more than the 103 images of numbered; "
        r"use `schedule\.batch_size=12`"
    )
    with pytest.raises(ConfigError, match=message):
        Batches(numbered, COUNT + 1, 0, Augment())


@pytest.fixture
def stacked() -> Dataset:
    """Give color images whose channels carry number, number + 100 and 255 - number."""
    numbers = torch.arange(COUNT)
    levels = torch.stack([numbers, numbers + 100, 255 - numbers], dim=1).to(torch.uint8)
    pixels = levels[:, :, None, None].expand(-1, -1, 6, 4).contiguous()
    return Dataset("stacked", pixels, numbers, tuple(map(str, range(COUNT))))


def numbers_of(images: torch.Tensor) -> torch.Tensor:
    """Read the numbers (..., 3) of the channels of `stacked` images."""
    levels = ((images[..., 0, 0] + 1) * 127.5).round().long()
    first, second, third = levels.unbind(-1)
    return torch.stack([first, second - 100, 255 - third], dim=-1)


def test_channels_are_stacked_anew_in_every_epoch(stacked: Dataset) -> None:
    plain = Batches(stacked, BATCH, 0, Augment())
    batches = Batches(stacked, BATCH, 0, Augment(), restack=True)
    epochs = []
    for epoch in (0, 1):
        steps = range(epoch * batches.per_epoch, (epoch + 1) * batches.per_epoch)
        drawn = torch.cat([numbers_of(batches.at(step).images) for step in steps])
        assert drawn[:, 0].tolist() == epoch_of(batches, epoch) == epoch_of(plain, epoch)
        for channel in drawn.T:
            assert len(set(channel.tolist())) == len(channel)  # without replacement
        assert (drawn[:, 0] == drawn[:, 1]).sum() < 10  # one is expected
        assert (drawn[:, 1] == drawn[:, 2]).sum() < 10
        epochs.append(drawn)
    pairs = [set(map(tuple, drawn[:, :2].tolist())) for drawn in epochs]
    assert len(pairs[0] & pairs[1]) < 10
    assert (numbers_of(plain.at(0).images).amin(1) == plain.at(0).labels).all()


@pytest.mark.parametrize("distortion", [Augment(), Augment(shift=1)])
def test_restacked_batches_are_the_same_in_blocks_and_parts(
    stacked: Dataset, distortion: Augment
) -> None:
    whole = Batches(stacked, BATCH, 3, distortion, restack=True)
    block = whole.block(8, 5)  # beyond the end of an epoch
    for place in range(5):
        assert torch.equal(block.images[place], whole.at(8 + place).images)
        assert torch.equal(block.labels[place], whole.at(8 + place).labels)
    parts = [
        Batches(stacked, BATCH, 3, distortion, part=rng.BatchPart(rank, 2), restack=True).at(4)
        for rank in (0, 1)
    ]
    assert torch.equal(torch.cat([part.images for part in parts]), whole.at(4).images)


@pytest.mark.parametrize(
    "changes", [{}, {"model.classes": 0}, {"model.classes": 0, "model.style_measures": []}]
)
def test_restacked_images_have_no_labels_styles_or_codes(changes: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"`data\.restack` makes images that no label"):
        override(get_recipe("flagship"), {"data.restack": True, **changes})


def test_a_single_channel_is_not_restacked(numbered: Dataset) -> None:
    with pytest.raises(ConfigError, match="numbered has 6x4 gray images"):
        Batches(numbered, BATCH, 0, Augment(), restack=True)
