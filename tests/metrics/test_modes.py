"""Stacked MNIST's modes against closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from inkgan.metrics.modes import stacked_modes


def test_uniform_draws_score_the_known_floor() -> None:
    draws = [
        stacked_modes(np.random.default_rng(seed).integers(0, 10, (26_000, 3)))
        for seed in range(20)
    ]
    assert np.mean([found.kl for found in draws]) == pytest.approx(0.0193, abs=2e-4)
    assert all(found.kl == pytest.approx(0.0193, abs=3e-3) for found in draws)
    assert all(found.modes == 1000 for found in draws)
    assert draws[0].bias == pytest.approx(999 / 52_000)
    assert abs(np.mean([found.kl_debiased for found in draws])) < 5e-4


def test_every_mode_once_is_zero_and_one_mode_is_log_thousand() -> None:
    every = np.stack(np.meshgrid(*[np.arange(10)] * 3), axis=-1).reshape(-1, 3)
    assert stacked_modes(every)[:2] == (1000, 0)
    single = stacked_modes(np.tile([3, 1, 4], (500, 1)))
    assert single.modes == 1
    assert single.kl == pytest.approx(math.log(1000))
    assert single.kl_debiased == pytest.approx(math.log(1000) - 0.999)


def test_channels_are_told_apart() -> None:
    assert stacked_modes([[1, 2, 3], [3, 2, 1], [2, 1, 3], [1, 2, 3]]).modes == 3


@given(st.lists(st.tuples(*[st.integers(0, 2)] * 3), min_size=1, max_size=60))
def test_equals_scipy_and_ignores_order(rows: list[tuple[int, int, int]]) -> None:
    labels = np.array(rows)
    found = stacked_modes(labels, classes=3)
    counts = np.bincount(labels @ [9, 3, 1], minlength=27)
    assert found.modes == len(set(rows))
    assert found.kl == pytest.approx(entropy(counts, np.ones(27)), abs=1e-9)
    assert stacked_modes(labels[::-1], classes=3) == found


def test_bad_labels_are_refused() -> None:
    with pytest.raises(ValueError, match=r"integers \(n, 3\), got float64 \(2, 3\)"):
        stacked_modes(np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"got int64 \(0, 3\)"):
        stacked_modes(np.zeros((0, 3), dtype=np.int64))
    with pytest.raises(ValueError, match=r"got int64 \(3,\)"):
        stacked_modes([1, 2, 3])
    with pytest.raises(ValueError, match=r"lie in 0\.\.10, not in 0\.\.9"):
        stacked_modes([[0, 0, 10]])
    with pytest.raises(ValueError, match=r"lie in -1\.\.2, not in 0\.\.2"):
        stacked_modes([[-1, 0, 2]], classes=3)
