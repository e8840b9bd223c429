"""The sliced Wasserstein distance against closed forms and scipy."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import wasserstein_distance

from inkgan.evaluation.distances import checkpoint_score, sliced_wasserstein

GENERATOR = torch.Generator().manual_seed(0)


def test_identical_sets_are_at_zero() -> None:
    points = torch.randn(50, 7, generator=GENERATOR)
    assert sliced_wasserstein(points, points[torch.randperm(50)], torch.randn(9, 7)) < 1e-12


def test_one_direction_equals_scipy() -> None:
    one, other = torch.randn(200, 5, generator=GENERATOR), torch.rand(200, 5, generator=GENERATOR)
    for axis in range(5):
        direction = torch.eye(5)[axis : axis + 1] * 3
        expected = wasserstein_distance(one[:, axis].numpy(), other[:, axis].numpy())
        assert sliced_wasserstein(one, other, direction) == pytest.approx(expected, rel=1e-6)


def test_shift_has_a_closed_form() -> None:
    """Moved by a vector v, the distance along a unit direction u is |u v|."""
    points, move = torch.randn(100, 3, generator=GENERATOR), torch.tensor([1.0, -2.0, 0.5])
    directions = torch.randn(64, 3, generator=GENERATOR)
    unit = directions / directions.norm(dim=1, keepdim=True)
    expected = (unit @ move).abs().mean().item()
    assert sliced_wasserstein(points, points + move, directions) == pytest.approx(
        expected, rel=1e-5
    )


def test_sets_of_different_size_agree_in_the_limit() -> None:
    one = torch.randn(4000, 2, generator=GENERATOR)
    other = torch.randn(1000, 2, generator=GENERATOR) * 2
    # |N(0,1) - N(0,2)| coupled: E|x| = sqrt(2/pi)
    value = sliced_wasserstein(one, other, torch.randn(50, 2, generator=GENERATOR))
    assert value == pytest.approx(math.sqrt(2 / math.pi), rel=0.1)


def test_empty_or_unequal_sets_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot compare"):
        sliced_wasserstein(torch.zeros(0, 3), torch.zeros(2, 3), torch.ones(1, 3))
    with pytest.raises(ValueError, match="cannot compare"):
        sliced_wasserstein(torch.zeros(2, 4), torch.zeros(2, 3), torch.ones(1, 3))


def test_checkpoint_score_ranks_real_noisy_collapsed_and_blank() -> None:
    from inkgan.config import Data
    from inkgan.data.dataset import load_dataset

    real = load_dataset(Data(name="uci-digits", holdout=0)).images
    noise = torch.from_numpy(np.random.default_rng(0).integers(0, 60, real.shape, dtype=np.uint8))
    noisy = (real[:700].int() + noise[:700].int()).clamp(max=255).to(torch.uint8)
    scores = [
        checkpoint_score(fakes, real[700:1400])
        for fakes in (real[:700], noisy, real[:1].repeat(700, 1, 1, 1), torch.zeros_like(noisy))
    ]
    assert scores == sorted(scores)
    assert scores[1] > 2 * scores[0]
