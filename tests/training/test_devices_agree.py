"""A GPU trains as a CPU does, captured or not; where there is none, the CPU is held to the same."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from inkgan.config import Recipe
from inkgan.config.recipes import RECIPES
from inkgan.config.serialize import override
from inkgan.data.batches import batches_for
from inkgan.data.dataset import load_dataset
from inkgan.device import own_stream
from inkgan.evaluation.benchmark_plan import mnist_recipes
from inkgan.training.latents import Latents
from inkgan.training.loop import train
from inkgan.training.state import TrainState, new_state

STEPS = 8  # more than the three that a captured run takes first, and one penalized at every fourth
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.cuda)]


@pytest.fixture(autouse=True)
def full_precision() -> Iterator[None]:
    """Multiply in float32 on GPUs too, by algorithms that give the same bits each time."""
    cudnn, products = torch.backends.cudnn, torch.backends.cuda.matmul
    with cudnn.flags(allow_tf32=False, deterministic=True, benchmark=False):
        before, products.allow_tf32 = products.allow_tf32, False
        yield
        products.allow_tf32 = before


def small(name: str, dropout: bool = False) -> Recipe:
    """Return a recipe for a few steps.

    Without dropout, unless it is wanted: each kind of device draws it by a generator of its own.
    """
    changes = {
        "data.name": "uci-digits",
        "data.holdout": 0,
        "schedule.batch_size": 16,
        "schedule.images": None,
        "schedule.epochs": 1,
        "optim.precision": "float32",
    }
    recipe = RECIPES[name]
    if getattr(recipe.model.discriminator, "dropout", 0) and not dropout:
        changes["model.discriminator.dropout"] = 0.0
    images = STEPS * 16 * recipe.schedule.d_steps
    return override(recipe, {**changes, "schedule.images": images})


def trained(
    recipe: Recipe, device: str, capture: bool, state: TrainState | None = None, stop: int = STEPS
) -> TrainState:
    """Train up to a step; from `state`, or from the start."""
    dataset = load_dataset(recipe.data)
    place = torch.device(device)
    batches = batches_for(recipe, dataset.to(place))
    state = state or new_state(recipe, dataset.shape, place)
    for update in train(recipe, batches, state, capture):
        if update.step == stop:
            break
    return state


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", mnist_recipes())
def test_captured_steps_and_plain_ones_train_as_a_cpu_does(name: str, device: str) -> None:
    recipe = small(name)
    expected = trained(recipe, "cpu", capture=False).tensors()
    for capture in (False, True):
        found = trained(recipe, device, capture).tensors()
        assert found.keys() == expected.keys()
        for key, tensor in found.items():
            if key.startswith(("generator", "discriminator", "ema")):
                # Adam's first steps are as large for a gradient of rounding errors as for any other
                allowed = 2 * STEPS * recipe.schedule.d_steps * _largest_rate(recipe)
                worst = (tensor.cpu().double() - expected[key].double()).abs().max().item()
                assert worst <= max(allowed, 1e-3 * expected[key].abs().max().item()), key
                median = (tensor.cpu().double() - expected[key].double()).abs().median().item()
                assert median <= 1e-4, key


def _largest_rate(recipe: Recipe) -> float:
    return max(recipe.optim.lr, recipe.optim.d_lr or 0.0)


@pytest.mark.parametrize("device", DEVICES)
def test_captured_steps_and_plain_ones_drop_the_same_values(device: str) -> None:
    recipe = small("dcgan", dropout=True)
    plain, captured = (trained(recipe, device, capture).tensors() for capture in (False, True))
    largest = 2 * STEPS * _largest_rate(recipe)
    for key, tensor in captured.items():
        if key.startswith(("generator", "discriminator")):
            difference = (tensor.double() - plain[key].double()).abs()
            assert difference.max().item() <= largest, key
            assert difference.median().item() <= 1e-5, key


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", ["dcgan", "flagship"])
def test_runs_in_threads_have_the_bits_of_runs_alone(name: str, device: str) -> None:
    recipes = [override(small(name, dropout=True), {"seed": seed}) for seed in range(4)]
    expected = [trained(recipe, device, capture=True).tensors() for recipe in recipes]

    def train_beside(recipe: Recipe) -> TrainState:
        with own_stream(device):
            return trained(recipe, device, capture=True)

    with ThreadPoolExecutor(len(recipes)) as threads:
        found = [state.tensors() for state in threads.map(train_beside, recipes)]
    for one, other in zip(found, expected, strict=True):
        assert [key for key in one if not torch.equal(one[key], other[key])] == []


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", ["mlp", "dcgan-compact", "dcgan-tutorial", "flagship"])
def test_a_resumed_run_has_the_same_bits(name: str, device: str) -> None:
    recipe = small(name)
    expected = trained(recipe, device, capture=True).tensors()
    first = trained(recipe, device, capture=True, stop=STEPS // 2)
    again = new_state(recipe, load_dataset(recipe.data).shape, torch.device(device))
    again.restore(
        {key: tensor.clone() for key, tensor in first.tensors().items()}, first.counters()
    )
    found = trained(recipe, device, capture=True, state=again).tensors()
    assert found.keys() == expected.keys()
    assert [key for key in found if not torch.equal(found[key], expected[key])] == []


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", ["mlp", "wgan", "flagship"])
def test_latents_are_the_same_bits_on_every_device(name: str, device: str) -> None:
    recipe = small(name)
    expected, found = (Latents(recipe, torch.device(place)) for place in ("cpu", device))
    for step in (0, 1, 5, 10**6):
        assert torch.equal(found.at(step).cpu(), expected.at(step))
