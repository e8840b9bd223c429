"""Distances by float32 against float64, where float32 is enough and where it is not."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from inkgan.metrics import distance_blocks
from inkgan.metrics.distance_blocks import DistanceBlocks, nearest_others
from inkgan.metrics.validation import gaps_at
from inkgan.types import Bool, Float64


def exact(one: Float64, other: Float64) -> Float64:
    rows, columns = np.indices((len(one), len(other))).reshape(2, -1)
    return gaps_at(one, other, rows, columns).reshape(len(one), len(other))


def below(one: Float64, other: Float64, limits: Float64) -> Bool:
    distances = DistanceBlocks(one, other)
    wide = np.broadcast_to(limits, (len(one), len(other)))
    return np.concatenate([distances.below(b, wide[b.rows]) for b in distances.blocks()])


@pytest.fixture(autouse=True)
def always_rounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distance_blocks, "LEAST_ROUNDED", 0)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distance_blocks, "BLOCK_ELEMENTS", 700)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1000),
    spread=st.sampled_from([0.0, 1e-9, 1e-4, 1.0]),
    offset=st.sampled_from([0.0, 3.0, 1e5]),
    scale=st.sampled_from([1e-30, 1.0, 1e25]),
    outlier=st.booleans(),
)
def test_are_those_of_float64(
    seed: int, spread: float, offset: float, scale: float, outlier: bool
) -> None:
    """Points apart, in a heap, or far from zero: every limit is decided as float64 does."""
    random = np.random.default_rng(seed)
    one, other = (offset + spread * random.normal(size=(n, 7)) for n in (30, 25))
    other[:5] = one[:5]
    if outlier:
        other[-1] += 1000
    one, other = scale * one, scale * other
    measured = exact(one, other)
    for limits in (
        measured,  # of an open ball, so not below
        np.nextafter(measured, np.inf),
        measured[:, 6:7],
        measured[3:4],
    ):
        np.testing.assert_array_equal(below(one, other, limits), measured < limits)
    found = nearest_others(other, 4)
    own = exact(other, other)
    np.testing.assert_array_equal(
        np.take_along_axis(own, found.indices, 1), found.distances, strict=True
    )
    assert (found.indices != np.arange(25)[:, None]).all()
    np.fill_diagonal(own, np.inf)
    rounding = 1e-7 * scale * (offset * 1e-8 + spread + 1000 * outlier)
    np.testing.assert_allclose(
        found.distances, np.sort(own, axis=1)[:, :4], rtol=1e-12, atol=rounding
    )


@pytest.mark.usefixtures("small_blocks")
def test_many_blocks_and_neighbors() -> None:
    random = np.random.default_rng(0)
    one, other = random.normal(size=(90, 12)), random.normal(size=(110, 12))
    measured = cdist(one, other)
    for limit in np.quantile(measured, [0.01, 0.5]):
        np.testing.assert_array_equal(below(one, other, np.array([[limit]])), measured < limit)
    for k in (1, 5, 88, 89):
        expected = np.sort(cdist(one, one), axis=1)[:, 1 : k + 1]
        np.testing.assert_allclose(nearest_others(one, k).distances, expected, rtol=1e-12)


def test_a_heap_far_from_a_point_is_told_apart() -> None:
    """Float32 sees one point there: neighbors are searched again in float64."""
    random = np.random.default_rng(1)
    heap = np.concatenate([1e-3 * random.normal(size=(60, 5)), np.full((1, 5), 1e4)])
    distances = DistanceBlocks(heap, heap)
    rounded = (distances.at(slice(0, 60)).squares[:, :60] <= 0).float().mean()
    assert rounded > 0.1
    expected = np.sort(cdist(heap, heap), axis=1)[:, 1:6]
    np.testing.assert_allclose(nearest_others(heap, 5).distances, expected, rtol=1e-5)


@pytest.mark.parametrize("precision", ["medium", "high"])
def test_coarser_products_of_torch_change_nothing(precision: str) -> None:
    """A caller may allow bfloat16 in float32 products, or compute under autocast."""
    random = np.random.default_rng(2)
    one, other = random.normal(size=(200, 64)), random.normal(size=(300, 64))
    limits = np.sort(cdist(one, other), axis=1)[:, 9:10]
    expected = below(one, other, limits), nearest_others(one, 5)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        with torch.autocast("cpu", torch.bfloat16):
            found = below(one, other, limits), nearest_others(one, 5)
    finally:
        torch.set_float32_matmul_precision(before)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1].distances, expected[1].distances)
    with torch.autocast("cpu", torch.bfloat16):
        np.testing.assert_array_equal(below(one, other, limits), expected[0])
