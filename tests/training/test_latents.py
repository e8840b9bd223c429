"""The latents of training."""

import pytest
import torch

from inkgan import rng
from inkgan.config.recipes import RECIPES
from inkgan.config.serialize import override
from inkgan.training import latents
from inkgan.training.latents import Latents

RECIPE = override(RECIPES["mlp"], ["schedule.batch_size=8", "model.latent_dim=5", "seed=3"])
CPU = torch.device("cpu")


def test_the_latents_of_a_step_belong_to_its_seed_and_number() -> None:
    drawn = Latents(RECIPE, CPU)
    for step in (0, 1, 10**6, 7):
        expected = rng.normal([3], 2 * 8 * 5, "latent", counter=step).view(2, 8, 5)
        assert torch.equal(drawn.at(step), expected)


@pytest.mark.parametrize("at_once", [1, 240, 10**5])
def test_how_many_are_drawn_at_once_changes_nothing(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [Latents(RECIPE, CPU).at(step) for step in range(7)]
    monkeypatch.setattr(latents, "NUMBERS_AT_ONCE", at_once)
    drawn = Latents(RECIPE, CPU)
    for step in (6, 0, 1, 2, 3, 4, 5):
        assert torch.equal(drawn.at(step), expected[step])


def test_steps_differ() -> None:
    drawn = torch.stack([Latents(RECIPE, CPU).at(step) for step in range(50)])
    assert len(drawn.unique()) > 0.999 * drawn.numel()
