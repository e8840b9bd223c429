"""A GPU trains as a CPU does, captured or not; where there is none, the CPU is held to the same."""

import unittest.mock
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch

from inkgan.config import Recipe
from inkgan.config.recipes import RECIPES
from inkgan.config.serialize import override
from inkgan.data.batches import Batch, batches_for
from inkgan.data.dataset import load_dataset
from inkgan.device import own_stream
from inkgan.evaluation.benchmark_plan import mnist_recipes
from inkgan.training import cuda_graph, loop
from inkgan.training import state as training_state
from inkgan.training.latents import Latents
from inkgan.training.loop import train
from inkgan.training.state import TrainState, new_state
from inkgan.training.step import train_step

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

    Without what each kind of device draws by a generator of its own: dropout, unless it is wanted,
    and WGAN-GP's points; and without rotation, where rounding chooses between two pixels.
    """
    recipe = RECIPES[name]
    changes = {
        "data.name": "uci-digits",
        "data.holdout": 0,
        "data.augment.rotate": 0.0,
        "schedule.batch_size": 16,
        "schedule.images": STEPS * 16 * recipe.schedule.d_steps,
        "schedule.epochs": 1,
        "optim.precision": "float32",
    }
    if getattr(recipe.model.discriminator, "dropout", 0) and not dropout:
        changes["model.discriminator.dropout"] = 0.0
    if recipe.objective.penalties.wgan_gp:
        changes |= {"objective.penalties.wgan_gp": 0.0, "objective.penalties.r1": 1.0}
    return override(recipe, changes)


@pytest.fixture
def in_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train in float64, in which rounding is too small for Adam to make steps of it."""

    def wide_step(
        state: TrainState, recipe: Recipe, real: Batch, latents: torch.Tensor, *others: Any
    ) -> torch.Tensor:
        wide = real._replace(images=real.images.double(), coordinates=real.coordinates.double())
        return train_step(state, recipe, wide, latents.double(), *others)

    def wide_state(*arguments: Any) -> TrainState:
        state = training_state.new_state(*arguments)
        for network in (state.generator, state.discriminator, state.ema):
            network.double()
        return state

    for module in (loop, cuda_graph):
        monkeypatch.setattr(module, "train_step", wide_step)
    monkeypatch.setattr(f"{__name__}.new_state", wide_state)


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


def assert_close(found: TrainState, expected: TrainState) -> None:
    """Demand the same networks but for rounding in float64; factors are rounded to float32."""
    others = expected.tensors()
    for key, tensor in found.tensors().items():
        if key.startswith(("generator", "discriminator", "ema")):
            torch.testing.assert_close(tensor.cpu(), others[key].cpu(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", mnist_recipes())
def test_captured_steps_and_plain_ones_train_as_a_cpu_does(
    name: str, device: str, in_float64: None
) -> None:
    recipe = small(name)
    expected = trained(recipe, "cpu", capture=False)
    for capture in (False, True):
        assert_close(trained(recipe, device, capture), expected)


@pytest.mark.parametrize("device", DEVICES)
def test_captured_steps_and_plain_ones_drop_the_same_values(device: str, in_float64: None) -> None:
    recipe = small("dcgan", dropout=True)
    plain, captured = (trained(recipe, device, capture) for capture in (False, True))
    assert_close(captured, plain)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", ["dcgan", "flagship"])
def test_runs_in_threads_train_as_runs_alone(name: str, device: str, in_float64: None) -> None:
    recipes = [override(small(name, dropout=True), {"seed": seed}) for seed in range(4)]
    expected = [trained(recipe, device, capture=True) for recipe in recipes]

    def train_beside(recipe: Recipe) -> TrainState:
        with own_stream(device):
            return trained(recipe, device, capture=True)

    with ThreadPoolExecutor(len(recipes)) as threads:
        for found, alone in zip(threads.map(train_beside, recipes), expected, strict=True):
            assert_close(found, alone)


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
def test_a_run_that_is_rolled_back_goes_on(device: str, in_float64: None) -> None:
    recipe = small("mlp")
    expected = trained(recipe, device, capture=True)
    dataset, place = load_dataset(recipe.data), torch.device(device)
    state = new_state(recipe, dataset.shape, place)
    saved = {key: tensor.clone() for key, tensor in state.tensors().items()}, state.counters()
    rolled_back = False
    for update in train(recipe, batches_for(recipe, dataset.to(place)), state):
        if update.step == STEPS - 2 and not rolled_back:
            with unittest.mock.patch.object(training_state, "check_tensors"):  # allows no float64
                state.restore(*saved)
            rolled_back = True
    assert rolled_back
    assert_close(state, expected)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", ["mlp", "wgan", "flagship"])
def test_latents_are_the_same_bits_on_every_device(name: str, device: str) -> None:
    recipe = small(name)
    expected, found = (Latents(recipe, torch.device(place)) for place in ("cpu", device))
    for step in (0, 1, 5, 10**6):
        assert torch.equal(found.at(step).cpu(), expected.at(step))
