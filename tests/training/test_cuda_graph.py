"""Captured steps with the seam to CUDA replaced: what is around a recording is right."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from inkgan import rng
from inkgan.config import Recipe
from inkgan.config.serialize import override
from inkgan.data.batches import Batches
from inkgan.errors import ConfigError
from inkgan.training import cuda_graph, loop
from inkgan.training.cuda_graph import WARM_UP, CapturedSteps, Replay
from inkgan.training.latents import Latents
from inkgan.training.loop import train
from inkgan.training.state import EmaUpdate, TrainState
from inkgan.training.step import train_step
from tests.fixtures.training import prepare

CPU = torch.device("cpu")
LAST = 40


@pytest.fixture
def recordings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand in for CUDA: recording does nothing, replaying repeats it on the same tensors."""
    made: list[str] = []

    def record(function: Callable[[], None], device: torch.device, pool: object) -> Replay:
        made.append("recorded")

        def replay(seed: int) -> None:
            with torch.random.fork_rng(devices=[]), rng.global_generators():
                torch.manual_seed(seed)
                function()

        return replay

    monkeypatch.setattr(cuda_graph, "record", record)
    return made


def captured(recipe: Recipe, batches: Batches, state: TrainState) -> CapturedSteps:
    """Return what trains from recordings, also on a CPU."""
    latents, update_ema = Latents(recipe, CPU), EmaUpdate(state.ema, state.generator)
    updates = train(recipe, batches, state, capture=False)

    def plain() -> None:
        next(updates)

    return CapturedSteps(recipe, batches, state, latents, update_ema, LAST, plain)


@pytest.fixture
def longer(tiny: Recipe) -> Recipe:
    """Return a recipe of LAST steps over several epochs, with all that changes by step."""
    changes = {
        "schedule.images": LAST * tiny.schedule.batch_size,
        "schedule.epochs": 100,
        "data.augment.rotate": 20.0,
        "optim.final_factor": 0.1,
        "objective.penalties": {"r1": 0.5, "interval": 4, "final_factor": 0.2},
    }
    return override(tiny, changes)


@pytest.mark.parametrize("at_once", [1, 7, 64])
def test_replaying_is_training(
    longer: Recipe, recordings: list[str], at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cuda_graph, "STEPS_AT_ONCE", at_once)
    (batches, plain), (other_batches, replayed) = prepare(longer), prepare(longer)
    advance = captured(longer, other_batches, replayed)
    for update in train(longer, batches, plain, capture=False):
        advance()
        assert replayed.step == plain.step == update.step
        if update.metrics is not None:
            assert replayed.averager.compute() == pytest.approx(update.metrics, rel=1e-3)
        assert replayed.averager.count == plain.averager.count
    assert plain.step == LAST
    # the average moves in three roundings instead of one
    for (name, one), other in zip(
        plain.tensors().items(), replayed.tensors().values(), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5, msg=name)
    assert recordings == ["recorded"] * 4  # with and without penalties and sampled metrics


def test_replayed_steps_pair_the_same_images(
    longer: Recipe, recordings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {"data.augment.rotate": 0.0, "model.style_measures": ["slant"]}
    longer = override(longer, changes | {"objective.paired_share": 0.7})
    seen: list[torch.Tensor] = []

    def spy(*arguments: Any) -> torch.Tensor:
        seen.append(arguments[3].clone())
        return train_step(*arguments)

    for module in (loop, cuda_graph):
        monkeypatch.setattr(module, "train_step", spy)
    (batches, plain), (other_batches, replayed) = prepare(longer), prepare(longer)
    advance = captured(longer, other_batches, replayed)
    for _ in train(longer, batches, plain, capture=False):
        advance()
        assert torch.equal(*seen)
        seen.clear()
    assert plain.step == replayed.step == LAST


def test_a_restored_state_is_recorded_anew(longer: Recipe, recordings: list[str]) -> None:
    batches, state = prepare(longer)
    advance = captured(longer, batches, state)
    saved = None
    for step in range(WARM_UP + 13):
        if step == 2:
            saved = {k: t.clone() for k, t in state.tensors().items()}, state.counters()
        if step == WARM_UP + 3:
            assert saved is not None
            assert recordings == ["recorded"] * 3
            state.restore({k: t.clone() for k, t in saved[0].items()}, saved[1])
            state.lr_scale = 0.5  # as after a rollback
        advance()
    assert state.step == 12
    assert recordings == ["recorded"] * 6
    batches, plain = prepare(longer)
    assert saved is not None
    plain.restore(*saved)
    plain.lr_scale = 0.5
    for update in train(longer, batches, plain, capture=False):
        if update.step == state.step:
            break
    for (name, one), other in zip(plain.tensors().items(), state.tensors().values(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5, msg=name)


def test_few_large_images_lie_on_the_device_at_once(longer: Recipe) -> None:
    batches, state = prepare(longer)
    assert captured(longer, batches, state).at_once == cuda_graph.STEPS_AT_ONCE
    whole = batches.batch_size * batches.dataset.images[0].numel() * 4
    for allowed, expected in ((10 * whole, 10), (whole - 1, 1)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cuda_graph, "BYTES_AT_ONCE", allowed)
            assert captured(longer, batches, state).at_once == expected


def test_what_cannot_be_recorded_is_refused_with_the_way_out(
    tiny: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def record(function: Callable[[], None], device: torch.device, pool: object) -> Replay:
        raise RuntimeError("operation not permitted when stream is capturing\nmore lines")

    monkeypatch.setattr(cuda_graph, "record", record)
    batches, state = prepare(tiny)
    advance = captured(tiny, batches, state)
    for _ in range(WARM_UP):
        advance()
    with pytest.raises(
        ConfigError, match=r"\(operation not permitted .* capturing\).*capture=False"
    ):
        advance()
    assert state.step == WARM_UP
