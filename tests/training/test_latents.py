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


def test_paired_latents_begin_like_the_real_images_of_their_batch() -> None:
    recipe = override(RECIPE, ["schedule.d_steps=2"])
    drawn = Latents(recipe, CPU)
    z, real = drawn.at(4), torch.arange(2 * 8 * 3.0).view(16, 3)
    assert torch.equal(drawn.paired(z, real, 0.0), z)
    paired = drawn.paired(z, real, 0.4)
    # three of eight; the generator's own latents, the last ones, meet the second batch again
    expected = (real[:3], real[8:11], real[8:11])
    for found, before, coordinates in zip(paired, z, expected, strict=True):
        assert torch.equal(found[:3, :3], coordinates)
        assert torch.equal(found[:, 3:], before[:, 3:])
        assert torch.equal(found[3:], before[3:])
    assert torch.equal(drawn.paired(z, real, 1.0)[0, :, :3], real[:8])
    assert torch.equal(drawn.paired(z, torch.zeros(16, 0), 1.0), z)


@pytest.mark.parametrize("share", [0.3, 0.5, 1.0])
def test_several_processes_pair_the_same_images(share: float) -> None:
    real = torch.arange(8 * 2.0).view(8, 2)
    whole = Latents(RECIPE, CPU).paired(Latents(RECIPE, CPU).at(1), real, share)
    for rank in (0, 1):
        part = rng.BatchPart(rank, 2)
        drawn = Latents(RECIPE, CPU, part)
        paired = drawn.paired(drawn.at(1), part.of(real), share)
        assert torch.equal(paired, part.of(whole, dim=1))
