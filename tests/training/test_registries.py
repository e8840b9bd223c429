"""Losses, penalties and augmentations of one's own: registered, validated, trained with."""

from collections.abc import Iterator

import pytest
import torch

from inkgan.config import Recipe, names
from inkgan.config.serialize import from_toml, override, parse_recipe, to_toml
from inkgan.data.batches import batches_for
from inkgan.data.dataset import load_dataset
from inkgan.errors import ConfigError
from inkgan.training import diffaug, penalties
from inkgan.training.loop import train
from inkgan.training.losses import LOSSES, Loss, register_loss
from inkgan.training.penalties import register_penalty
from inkgan.training.state import new_state
from tests.fixtures.registries import own_registrations


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """Leave the registries as they were."""
    with own_registrations():
        yield


def weights(recipe: Recipe, steps: int = 2) -> torch.Tensor:
    dataset = load_dataset(recipe.data)
    state = new_state(recipe, dataset.shape, torch.device("cpu"))
    for update in train(recipe, batches_for(recipe, dataset), state):
        if update.step == steps:
            break
    return torch.cat([p.detach().flatten() for p in state.discriminator.parameters()])


def test_a_registered_loss_trains_as_the_built_in_one(tiny: Recipe) -> None:
    hinge = LOSSES["hinge"]
    register_loss("my-hinge", Loss(d=hinge.d, g=hinge.g, threshold=0.0))
    mine = override(tiny, ["objective.loss=my-hinge"])
    assert torch.equal(weights(mine), weights(override(tiny, ["objective.loss=hinge"])))


def test_a_registered_penalty_trains_as_the_built_in_one(tiny: Recipe) -> None:
    register_penalty("my-r1", penalties.PENALTIES["r1"][0])
    mine = override(tiny, ["objective.penalties.custom={my-r1 = 0.5}"])
    assert from_toml(to_toml(mine)) == mine
    assert torch.equal(weights(mine), weights(override(tiny, ["objective.penalties.r1=0.5"])))
    with pytest.raises(ConfigError, match="batch normali"):
        override(mine, ["model.discriminator.norm={}"])
    with pytest.raises(ConfigError, match=r"built in: use `objective\.penalties\.r2`"):
        override(tiny, ["objective.penalties.custom={r2 = 1}"])


def test_a_registered_augmentation_trains_as_the_built_in_one(tiny: Recipe) -> None:
    diffaug.register_augmentation("holes", diffaug.AUGMENTATIONS["cutout"])
    mine = override(tiny, ["objective.augment=translation,holes"])
    other = override(tiny, ["objective.augment=translation,cutout"])
    assert torch.equal(weights(mine), weights(other))


def test_unknown_names_are_refused_but_where_nothing_is_trained(tiny: Recipe) -> None:
    register_loss("squared", LOSSES["least-squares"])
    with pytest.raises(ConfigError, match="'squarde' is unknown; did you mean 'squared'"):
        override(tiny, ["objective.loss=squarde"])
    values = override(tiny, ["objective.loss=squared"]).model_dump(mode="json")
    names.LOSSES._registered.clear()
    with pytest.raises(ConfigError, match="'squared' is unknown"):
        parse_recipe(values, "a recipe")
    assert parse_recipe(values, "a bundle", unregistered=True).objective.loss == "squared"


@pytest.mark.parametrize("name", ["hinge", "", "two words", "7th"])
def test_names_that_cannot_be_registered(name: str) -> None:
    with pytest.raises(ConfigError, match=r"`name`"):
        register_loss(name, LOSSES["hinge"])


def test_a_name_can_be_registered_again() -> None:
    for built_in in ("hinge", "minimax"):
        register_loss("again", LOSSES[built_in])
    assert LOSSES["again"] is LOSSES["minimax"]
    assert names.LOSSES.names.count("again") == 1
