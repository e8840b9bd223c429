"""Networks of one's own: constructed, checked, trained, stored and loaded again."""

import copy
import functools
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from inkgan.config import Recipe
from inkgan.config.serialize import from_toml, override, to_toml
from inkgan.data.batches import batches_for
from inkgan.data.dataset import load_dataset
from inkgan.errors import ConfigError
from inkgan.generation.load import load
from inkgan.images import Shape
from inkgan.io.bundle import Bundle, load_bundle
from inkgan.models.build import build_discriminator, build_generator
from inkgan.models.custom import CustomNetworks, class_name
from inkgan.training.loop import train
from inkgan.training.state import TrainState, new_state

CPU, SHAPE = torch.device("cpu"), Shape(1, 12, 12)
Same = Callable[[dict[str, torch.Tensor], dict[str, torch.Tensor]], bool]


class Painter(nn.Module):
    """A generator with a buffer that its constructor computes, and batch norm."""

    def __init__(self, latent_dim: int, image_shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        self.shape = image_shape
        self.layers = nn.Sequential(
            nn.Linear(latent_dim, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 144)
        )
        self.register_buffer("offsets", torch.linspace(-1, 1, 144), persistent=False)

    def forward(self, z: torch.Tensor, y: torch.Tensor | None = None) -> torch.Tensor:
        assert isinstance(self.offsets, torch.Tensor)
        pixels: torch.Tensor = torch.tanh(self.layers(z) + self.offsets)
        return pixels.view(-1, *self.shape)


class Critic(nn.Module):
    def __init__(self, image_shape: tuple[int, int, int], classes: int, width: int = 16) -> None:
        super().__init__()
        pixels = image_shape[0] * image_shape[1] * image_shape[2]
        self.layers = nn.Sequential(
            nn.Linear(pixels, width), nn.Dropout(0.3), nn.ReLU(), nn.Linear(width, 1)
        )

    def forward(self, images: torch.Tensor, y: torch.Tensor | None = None) -> torch.Tensor:
        logits: torch.Tensor = self.layers(images.flatten(1))
        return logits[:, 0]


NETWORKS = CustomNetworks(Painter, Critic)


@pytest.fixture
def own(tiny: Recipe) -> Recipe:
    names = {"generator": "Painter", "discriminator": "Critic"}
    return override(
        tiny, {f"model.{p}": {"family": "custom", "class_name": c} for p, c in names.items()}
    )


def begin(recipe: Recipe) -> TrainState:
    return new_state(recipe, SHAPE, CPU, NETWORKS)


def steps(recipe: Recipe, state: TrainState, last: int) -> None:
    batches = batches_for(recipe, load_dataset(recipe.data))
    for update in train(recipe, batches, state):
        if update.step == last:
            break


def test_it_resumes_to_the_bit(own: Recipe, same_weights: Same) -> None:
    whole, first, second = begin(own), begin(own), begin(own)
    steps(own, whole, 5)
    steps(own, first, 2)
    second.restore(*copy.deepcopy((first.tensors(), first.counters())))
    steps(own, second, 5)
    assert same_weights(whole.tensors(), second.tensors())
    assert not same_weights(whole.ema.state_dict(), whole.generator.state_dict())


def test_weights_belong_to_the_seed(own: Recipe, same_weights: Same) -> None:
    one, other = begin(own), begin(own)
    assert same_weights(one.tensors(), other.tensors())
    another = begin(override(own, ["seed=1"]))
    assert not same_weights(one.tensors(), another.tensors())


def test_penalties_and_spectral_norm_apply(own: Recipe) -> None:
    changes = ["objective.penalties.r1=1", "model.discriminator.spectral_norm=true"]
    recipe = override(own, changes)
    state = begin(recipe)
    steps(recipe, state, 2)
    assert any(key.endswith("._u") for key in state.discriminator.state_dict())


def test_a_bundle_names_its_class_and_needs_it(own: Recipe, tmp_path: Path) -> None:
    assert from_toml(to_toml(own)) == own
    state = begin(own)
    steps(own, state, 1)
    weights = state.ema.state_dict()
    Bundle(own, SHAPE, ("0",), weights, 64, "0" * 64).save(tmp_path / "a.safetensors")
    bundle = load_bundle(tmp_path / "a.safetensors")
    with pytest.raises(ConfigError, match=r"pass `generator=Painter`"):
        bundle.generator()
    with pytest.raises(ConfigError, match=r"pass `generator=Painter`"):
        load(tmp_path / "a.safetensors")
    loaded = load(tmp_path / "a.safetensors", generator=Painter)
    z = torch.randn(3, 8)
    with torch.no_grad():
        assert torch.equal(loaded.forward(z, torch.zeros(3, dtype=torch.int64)), state.ema(z))


def test_classes_that_do_not_fit_are_refused(own: Recipe) -> None:
    def build(generator: object = Painter, discriminator: object = Critic) -> None:
        build_generator(own.model, SHAPE, 0, generator)  # type: ignore[arg-type]
        build_discriminator(own.model, SHAPE, 0, discriminator)  # type: ignore[arg-type]

    build()
    with pytest.raises(ConfigError, match=r"pass `generator=Painter`"):
        build(generator=None)
    with pytest.raises(ConfigError, match=r"pass `discriminator=Critic`"):
        build(discriminator=None)
    with pytest.raises(ConfigError, match=r"not a `torch.nn.Module`"):
        build(generator=lambda *arguments: "networks")
    with pytest.raises(ConfigError, match=r"shape \(144,\), but the data's are \(1, 12, 12\)"):
        build(generator=lambda latent_dim, shape, classes: Flat())
    with pytest.raises(ConfigError, match=r"one logit per image"):
        build(discriminator=lambda shape, classes: Columns())


class Flat(nn.Module):
    def forward(self, z: torch.Tensor, y: torch.Tensor | None) -> torch.Tensor:
        return torch.zeros(len(z), 144)


def test_names_of_classes() -> None:
    assert class_name(Painter) == "Painter"
    assert class_name(functools.partial(Critic, width=4)) == "Critic"


class Columns(nn.Module):
    def forward(self, images: torch.Tensor, y: torch.Tensor | None) -> torch.Tensor:
        return torch.zeros(len(images), 1)
