"""Codes of shapes are standard normal in each class, and tell what an image looks like."""

import os
from pathlib import Path

import pytest
import torch

from inkgan.config import Recipe
from inkgan.config.recipes import RECIPES
from inkgan.config.serialize import override
from inkgan.data.batches import batches_for
from inkgan.data.dataset import load_dataset
from inkgan.data.shape_codes import shape_codes
from inkgan.data.stroke_ranks import stroke_ranks
from inkgan.errors import ConfigError

COUNT = 6


def digits() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    dataset = load_dataset("uci-digits")
    return dataset.images, dataset.labels, stroke_ranks(dataset.images, dataset.labels)


def test_codes_are_normal_in_each_class_and_tell_nothing_of_the_style() -> None:
    images, labels, styles = digits()
    codes = shape_codes(images, labels, styles, COUNT)
    assert codes.shape == (len(images), COUNT)
    assert codes.dtype == torch.float32
    for label in labels.unique():
        of_class = torch.cat([styles[labels == label], codes[labels == label]], dim=1)
        assert of_class.std(dim=0) == pytest.approx([1] * (3 + COUNT), abs=0.1)
        shared = torch.corrcoef(of_class.T)[:3, 3:]
        assert shared.abs().max() < 0.35  # of some 150 images
    assert torch.corrcoef(torch.cat([styles, codes], dim=1).T)[:3, 3:].abs().max() < 0.1


def test_codes_tell_what_an_image_looks_like() -> None:
    images, labels, styles = digits()
    codes = shape_codes(images, labels, styles, COUNT)
    one = labels == 4
    pixels, known = images[one].flatten(1).double(), codes[one].double()
    pixels = pixels - pixels.mean(0)
    guess = known @ torch.linalg.lstsq(known, pixels).solution
    explained = 1 - (pixels - guess).square().sum() / pixels.square().sum()
    shuffled = known[torch.randperm(len(known), generator=torch.Generator().manual_seed(0))]
    by_chance = shuffled @ torch.linalg.lstsq(shuffled, pixels).solution
    chance = 1 - (pixels - by_chance).square().sum() / pixels.square().sum()
    assert explained > 0.3
    assert explained > 5 * chance


def test_codes_hardly_depend_on_the_order_of_the_images() -> None:
    images, labels, styles = digits()
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    expected = shape_codes(images, labels, styles, COUNT)[order]
    found = shape_codes(images[order], labels[order], styles[order], COUNT)
    assert torch.corrcoef(torch.stack([found.flatten(), expected.flatten()]))[0, 1] > 0.9


def test_classes_of_one_image_and_of_none_but_equal_ones_have_codes() -> None:
    images = torch.zeros(5, 1, 4, 4, dtype=torch.uint8)
    images[0] += 100
    codes = shape_codes(images, torch.tensor([0, 1, 1, 1, 1]), torch.zeros(5, 0), 2)
    assert torch.equal(codes, torch.zeros(5, 2))


def test_more_codes_than_pixels_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"`model\.shape_codes=17` is more than the 16 pixels"):
        shape_codes(torch.zeros(3, 1, 4, 4).byte(), torch.zeros(3).long(), torch.zeros(3, 0), 17)


def coded(changes: dict[str, object]) -> Recipe:
    base = {"data.name": "uci-digits", "model.shape_codes": COUNT, "schedule.batch_size": 32}
    return override(RECIPES["flagship"], {**base, **changes})


def test_batches_carry_the_codes_behind_the_styles() -> None:
    recipe = coded({})
    dataset = load_dataset(recipe.data)
    batch = batches_for(recipe, dataset).at(0)
    assert batch.coordinates.shape == (32, 3 + COUNT)
    plain = batches_for(coded({"model.shape_codes": 0}), dataset).at(0)
    assert torch.equal(batch.coordinates[:, :3], plain.coordinates)
    free = coded({"model.classes": 0, "model.style_measures": ()})
    batches = batches_for(free, dataset)
    whole = torch.cat([batches.at(step).coordinates for step in range(40)])
    assert whole.shape[1] == COUNT
    assert whole.std(dim=0) == pytest.approx([1] * COUNT, abs=0.1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model.shape_codes": 61}, "need a `model.latent_dim` above 64"),
        ({"data.augment.shift": 0.1}, "`data.augment` would change the images"),
    ],
)
def test_impossible_recipes_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        coded(changes)


@pytest.mark.skipif(
    not (Path(os.environ.get("INKGAN_DATA", "nowhere")) / "mnist").is_dir(), reason="needs MNIST"
)
def test_codes_of_mnist_are_those_of_a_normal_distribution() -> None:
    dataset = load_dataset("mnist")
    chosen = dataset.labels < 2
    images, labels = dataset.images[chosen], dataset.labels[chosen]
    codes = shape_codes(images, labels, torch.zeros(len(images), 0), 16)
    squares = codes.square().sum(dim=1)
    assert squares.mean().item() == pytest.approx(16, rel=0.05)
    assert squares.var().item() == pytest.approx(32, rel=0.25)
