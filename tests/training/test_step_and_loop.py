"""The loop: exact resumption, the textbook's mathematics, the averaged generator."""

import copy
import dataclasses
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from inkgan import rng
from inkgan.config import Data, Recipe
from inkgan.config.recipes import RECIPES
from inkgan.config.serialize import override
from inkgan.data.batches import Batches
from inkgan.data.dataset import Dataset, load_dataset
from inkgan.errors import ArtifactError, ConfigError
from inkgan.training.factors import ema_decay
from inkgan.training.loop import WINDOW, total_steps, train
from inkgan.training.losses import LOSSES
from inkgan.training.state import METRICS, EmaUpdate, MetricAverager, new_state
from inkgan.training.step import num_latent_batches, train_step
from tests.fixtures.training import prepare

CPU = torch.device("cpu")
Same = Callable[[dict[str, torch.Tensor], dict[str, torch.Tensor]], bool]


@pytest.mark.parametrize("name", RECIPES)
def test_each_recipe_resumes_to_the_bit(name: str, digits: Data, same_weights: Same) -> None:
    """Three steps in one go equal one step, a save, a fresh start from it, and two more."""
    recipe = RECIPES[name]
    images = 12 * recipe.schedule.d_steps
    changes = [f"schedule.images={images}", "schedule.batch_size=4", "data.holdout=0"]
    if recipe.data.name in ("stacked-mnist", "cifar10"):
        digits = digits.model_copy(update={"channels": 3})
    recipe = override(
        recipe,
        [*changes, f'data.name="{digits.name}"', f"data.channels={digits.channels or 'none'}"],
    )
    dataset = load_dataset(recipe.data)
    some = slice(0, 500)  # of which few are ranked by slant and thickness
    dataset = dataclasses.replace(dataset, images=dataset.images[some], labels=dataset.labels[some])
    batches, whole = prepare(recipe, dataset)
    list(train(recipe, batches, whole))
    assert whole.step == 3

    batches, first = prepare(recipe, dataset)
    next(train(recipe, batches, first))
    saved = copy.deepcopy((first.tensors(), first.counters()))
    torch.manual_seed(99)  # whatever else the process draws must not matter
    batches, second = prepare(recipe, dataset)
    second.restore(*saved)
    list(train(recipe, batches, second))
    assert same_weights(whole.tensors(), second.tensors())
    assert whole.counters() | {"seconds": 0} == second.counters() | {"seconds": 0}


@pytest.mark.parametrize("limit", [None, 1e-4])
@pytest.mark.parametrize("scheme", ["fresh", "reused", "simultaneous"])
def test_steps_equal_plain_pytorch(tiny: Recipe, scheme: str, limit: float | None) -> None:
    """The same networks and noise, with each update scheme written out in plain PyTorch."""
    recipe = override(
        tiny,
        {
            "model.discriminator.dropout": 0,
            "schedule.ema_half_life": 0,
            "optim.update_scheme": scheme,
            "optim.max_grad_norm": limit,
        },
    )
    batches, state = prepare(recipe)
    state.generator.double(), state.discriminator.double()  # Adam magnifies float32's noise
    generator, discriminator = copy.deepcopy(state.generator), copy.deepcopy(state.discriminator)
    options: dict[str, Any] = {"lr": 2e-4, "betas": (0.5, 0.999)}
    g_adam = torch.optim.Adam(generator.parameters(), **options)
    d_adam = torch.optim.Adam(discriminator.parameters(), **options)
    entropy = nn.BCEWithLogitsLoss()
    ones, zeros = torch.ones(64).double(), torch.zeros(64).double()

    def clip(network: nn.Module) -> torch.Tensor:
        return nn.utils.clip_grad_norm_(network.parameters(), limit or math.inf)

    for step in range(3):
        real = batches.at(step)
        real = real._replace(images=real.images.double())
        count = num_latent_batches(recipe)
        z = torch.randn(count, 64, 8, generator=rng.generator(recipe.seed, "z", step)).double()
        metrics = dict(zip(METRICS, train_step(state, recipe, real, z), strict=True))

        fakes = generator(z[0])
        if scheme == "simultaneous":
            d_loss = entropy(discriminator(real.images), ones)
            fake_logits = discriminator(fakes)
            d_loss = d_loss + entropy(fake_logits, zeros)
            g_loss = entropy(fake_logits, ones)
            d_gradients = torch.autograd.grad(
                d_loss, [*discriminator.parameters()], retain_graph=True
            )
            g_gradients = torch.autograd.grad(g_loss, [*generator.parameters()])
            for network, gradients in ((discriminator, d_gradients), (generator, g_gradients)):
                for parameter, gradient in zip(network.parameters(), gradients, strict=True):
                    parameter.grad = gradient
            norms = clip(discriminator), clip(generator)
            d_adam.step()
            g_adam.step()
            assert_norms(metrics, norms, limit)
            continue
        d_adam.zero_grad()
        d_loss = entropy(discriminator(real.images), ones)
        (d_loss + entropy(discriminator(fakes.detach()), zeros)).backward()
        d_norm = clip(discriminator)
        d_adam.step()
        g_adam.zero_grad()
        if scheme == "fresh":
            fakes = generator(z[1])
        entropy(discriminator(fakes), ones).backward()
        norms = d_norm, clip(generator)
        g_adam.step()
        assert_norms(metrics, norms, limit)
    for ours, theirs in ((state.generator, generator), (state.discriminator, discriminator)):
        for name, tensor in ours.state_dict().items():
            torch.testing.assert_close(tensor, theirs.state_dict()[name], rtol=1e-9, atol=1e-12)


def assert_norms(
    metrics: dict[str, torch.Tensor], norms: tuple[torch.Tensor, torch.Tensor], limit: float | None
) -> None:
    """The metrics are the norms before clipping, and a limit would clip here."""
    for name, norm in zip(("d_grad_norm", "g_grad_norm"), norms, strict=True):
        assert float(metrics[name]) == pytest.approx(float(norm))
        assert limit is None or norm > limit


def test_simultaneous_updates_take_one_batch_of_fakes(tiny: Recipe) -> None:
    changes = ["optim.update_scheme=simultaneous", "schedule.d_steps=2"]
    with pytest.raises(ConfigError, match=r"schedule\.d_steps=1"):
        override(tiny, changes)


def test_metrics_are_means_over_windows(tiny: Recipe) -> None:
    batches, state = prepare(tiny)
    updates = list(train(tiny, batches, state))
    closing = [update for update in updates if update.metrics is not None]
    assert [update.step for update in updates] == list(range(1, total_steps(tiny, 23) + 1))
    assert [update.step for update in closing] == [WINDOW, 69]
    for update in closing:
        assert update.metrics is not None
        assert 0 <= update.metrics["d_real_accuracy"] <= 1
        assert update.metrics["real_pixel_std"] > 0.1
        assert update.images == update.step * 64
    assert updates[22].epoch == 1.0


def test_an_event_follows_the_update(tiny: Recipe) -> None:
    batches, state = prepare(tiny)
    before = copy.deepcopy(state.generator.state_dict())
    next(train(tiny, batches, state))
    after = state.generator.state_dict()
    assert any(not torch.equal(before[name], after[name]) for name in before)


def test_length_is_the_shorter_of_epochs_and_images(tiny: Recipe) -> None:
    assert total_steps(tiny, 23) == 69
    assert total_steps(override(tiny, ["schedule.images=65"]), 23) == 2
    assert total_steps(override(tiny, ["schedule.images=9999999"]), 23) == 69


def test_generator_step_leaves_no_gradient_on_the_discriminator(tiny: Recipe) -> None:
    """What D's optimiser would find must come from D's own step alone."""
    batches, state = prepare(override(tiny, ["model.discriminator.dropout=0"]))
    real, z = batches.at(0), torch.randn(2, 64, 8)
    train_step(state, tiny, real, z)
    held = [p.grad.clone() for p in state.discriminator.parameters() if p.grad is not None]
    _, other = prepare(override(tiny, ["model.discriminator.dropout=0"]))
    with torch.no_grad():
        fakes = other.generator(z[0])
    loss = LOSSES["non-saturating"].d(other.discriminator(real.images), other.discriminator(fakes))
    loss.mean().backward()
    for gradient, parameter in zip(held, other.discriminator.parameters(), strict=True):
        torch.testing.assert_close(gradient, parameter.grad)


def test_ema_closed_form() -> None:
    average, network = nn.Linear(1, 1), nn.Linear(1, 1)
    nn.init.constant_(average.weight, 0.0)
    nn.init.constant_(network.weight, 1.0)
    decay = ema_decay(images_seen=10**9, batch_size=100, half_life=1000)
    update_ema = EmaUpdate(average, network)
    for _ in range(10):  # 1000 images, one half-life
        update_ema(1 - decay)
    assert average.weight.item() == pytest.approx(0.5, rel=1e-5)
    assert ema_decay(10**9, 100, 0) == 0.0
    assert ema_decay(1000, 50, 10**6) == pytest.approx(0.5)  # ramp: 5 % of 1000 is 50


def test_metrics_are_means_of_the_steps_that_have_them(tiny: Recipe) -> None:
    """Steps 0 and 5 of a window of 7 have all metrics; a sampled step computes what others omit."""
    batches, state = prepare(tiny)
    rows = []
    averager = MetricAverager(torch.device("cpu"))
    for step in range(7):
        assert averager.samples_next == (step in (0, 5))
        real, z = batches.at(step), torch.randn(num_latent_batches(tiny), 64, 8)
        rows.append(train_step(state, tiny, real, z, sampled=averager.samples_next))
        averager.update(rows[-1])
    assert [len(row) for row in rows] == [8, 4, 4, 4, 4, 8, 4]
    every = torch.stack([row[:4] for row in rows]).mean(0)
    some = torch.stack([rows[0], rows[5]])[:, 4:].mean(0)
    expected = torch.cat([every, some])
    torch.testing.assert_close(torch.tensor([*averager.compute().values()]), expected)
    assert averager.count == 0


def test_sampled_metrics_change_no_weight(tiny: Recipe, same_weights: Same) -> None:
    states = []
    for sampled in (True, False):
        batches, state = prepare(tiny)
        torch.manual_seed(0)
        z = torch.randn(num_latent_batches(tiny), 64, 8)
        train_step(state, tiny, batches.at(0), z, sampled=sampled)
        states.append(state)
    assert same_weights(states[0].tensors(), states[1].tensors())


def test_ema_averages_batch_statistics_and_copies_counters(tiny: Recipe) -> None:
    batches, state = prepare(tiny)
    next(train(tiny, batches, state))
    averaged = state.ema.state_dict()
    counter = next(name for name in averaged if name.endswith("num_batches_tracked"))
    assert averaged[counter] == state.generator.state_dict()[counter] > 0


def test_checkpoint_of_another_recipe_is_refused(tiny: Recipe) -> None:
    _, state = prepare(tiny)
    _, other = prepare(override(tiny, ["model.latent_dim=9"]))
    with pytest.raises(ArtifactError, match="does not fit"):
        other.restore(state.tensors(), state.counters())
    with pytest.raises(ArtifactError, match="does not fit"):
        state.restore({}, {})


def test_training_learns(tiny: Recipe) -> None:
    """After a few hundred steps on two kinds of image the fakes' mean approaches the real one."""
    left = torch.zeros(64, 1, 12, 12, dtype=torch.uint8)
    left[:, :, :, :6] = 255
    pictures = torch.cat([left, left.flip(3)])
    dataset = Dataset("halves", pictures, torch.zeros(128, dtype=torch.long), ("all",))
    networks = (
        'model.generator={family="mlp", widths=[64]}',
        'model.discriminator={family="mlp", widths=[64]}',
    )
    changes = ["optim.lr=2e-3", "schedule.epochs=200", "data.augment.rotate=0", "model.init=torch"]
    recipe = override(tiny, [*changes, *networks])
    batches = Batches(dataset, 64, 0, recipe.data.augment)
    state = new_state(recipe, dataset.shape, CPU)
    list(train(recipe, batches, state))
    with torch.no_grad():
        fakes = state.ema(torch.randn(256, 8, generator=rng.generator(0, "test")))
    contrast = (fakes[..., :6].mean((1, 2, 3)) - fakes[..., 6:].mean((1, 2, 3))).abs()
    assert contrast.mean() > 1.0  # 2 for real images, 0 for noise
