"""The captured step with the seam to CUDA replaced: what is around a recording is right."""

from collections.abc import Callable

import pytest
import torch

from inkgan.config import Recipe
from inkgan.training import cuda_graph as capture
from inkgan.training.cuda_graph import WARM_UP, CapturedStep
from inkgan.training.distributed import World
from inkgan.training.step import train_step
from tests.fixtures.training import prepare

Same = Callable[[dict[str, torch.Tensor], dict[str, torch.Tensor]], bool]


@pytest.fixture
def recordings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand in for CUDA: recording does nothing, replaying repeats it on the same tensors."""
    made: list[str] = []

    def record(function: Callable[[], torch.Tensor], several: bool) -> capture.Recorded:
        made.append("recorded beside others" if several else "recorded")
        result = torch.zeros(8)

        def replay() -> None:
            result.copy_(function())

        return replay, result

    monkeypatch.setattr(capture, "record", record)
    return made


def latents(recipe: Recipe, step: int) -> torch.Tensor:
    noise = torch.Generator().manual_seed(step)
    return torch.randn(2, recipe.schedule.batch_size, recipe.model.latent_dim, generator=noise)


def test_replaying_is_training(tiny: Recipe, recordings: list[str], same_weights: Same) -> None:
    (batches, plain), (_, captured) = prepare(tiny), prepare(tiny)
    stepper = CapturedStep(captured, tiny)
    for step in range(WARM_UP + 5):
        rows = []
        for state, advance in ((plain, None), (captured, stepper)):
            torch.manual_seed(step)
            batch, noise = batches.at(step), latents(tiny, step)
            inputs = (batch, noise, 1.0, step % 2 == 0)
            metrics = train_step(state, tiny, *inputs) if advance is None else advance(*inputs)
            rows.append(metrics.clone())
        assert torch.equal(*rows)
        assert captured.step == plain.step == step + 1
    assert same_weights(plain.tensors(), captured.tensors())
    assert recordings == ["recorded"] * 2  # with and without the sampled metrics


def test_a_restored_state_is_recorded_anew(tiny: Recipe, recordings: list[str]) -> None:
    batches, state = prepare(tiny)
    stepper = CapturedStep(state, tiny)
    saved = None
    for step in range(2 * WARM_UP + 4):
        if step == 2:
            saved = {k: t.clone() for k, t in state.tensors().items()}, state.counters()
        if step == WARM_UP + 2:
            assert saved is not None
            state.restore(*saved)
        stepper(batches.at(step), latents(tiny, step))
    assert len(recordings) == 2


class Twin(World):
    """Two processes that compute the same, so that nothing has to be exchanged."""


def test_the_recording_of_one_of_several_processes_allows_for_their_exchange(
    tiny: Recipe, recordings: list[str]
) -> None:
    batches, state = prepare(tiny)
    state.world = Twin(rank=0, size=2)
    stepper = CapturedStep(state, tiny)
    for step in range(WARM_UP + 1):
        stepper(batches.at(step), latents(tiny, step))
    assert recordings == ["recorded beside others"]
