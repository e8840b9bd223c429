"""The style of training images: drawn bars, invariances, and normal scores against scipy."""

import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from inkgan.config import Data
from inkgan.data.dataset import load_dataset
from inkgan.data.stroke_ranks import measure_strokes, normal_scores, stroke_ranks
from inkgan.metrics.strokes import measure
from tests.fixtures.strokes import bar

SLANT, THICKNESS, WIDTH = range(3)


def styles_of(*pictures: np.ndarray) -> torch.Tensor:
    return measure_strokes(torch.from_numpy(np.stack(pictures))[:, None])


@pytest.mark.parametrize("degrees", [-40, -15, 0, 10, 35])
def test_slant_of_a_bar_is_the_tangent_of_its_angle(degrees: float) -> None:
    styles = styles_of(bar(degrees, 3))
    assert styles[0, SLANT] == pytest.approx(math.tan(math.radians(degrees)), abs=0.03)


@pytest.mark.parametrize("degrees", [0, 30, 45])
def test_thickness_of_a_bar_grows_as_it_is_drawn_whatever_its_direction(degrees: float) -> None:
    found = styles_of(*[bar(degrees, thickness) for thickness in (2, 3, 4)])[:, THICKNESS]
    assert found.diff().min() > 0.4
    # a bar of 16 pixels has two ends, which the formula for long strokes leaves out
    expected = [thickness / (1 + thickness / 16) for thickness in (2, 3, 4)]
    assert found.tolist() == pytest.approx(expected, rel=0.12)


def test_width_of_a_slanting_bar_is_that_of_the_upright_one() -> None:
    upright, slanting = styles_of(bar(0, 4), bar(30, 4))[:, WIDTH]
    assert upright == pytest.approx(4, abs=1)
    assert slanting == pytest.approx(4 / math.cos(math.radians(30)), abs=1)


def test_a_mirrored_image_leans_to_the_other_side() -> None:
    random = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
    one, other = styles_of(*random), styles_of(*random[:, :, ::-1].copy())
    assert torch.allclose(one[:, SLANT], -other[:, SLANT])
    assert torch.allclose(one[:, THICKNESS:], other[:, THICKNESS:], atol=0.5)


@settings(max_examples=25, deadline=None)
@given(st.integers(-3, 3), st.integers(-3, 3), st.floats(-30, 30), st.floats(1.5, 4))
def test_nothing_changes_where_the_digit_stands(
    right: int, down: int, degrees: float, thickness: float
) -> None:
    here = bar(degrees, thickness, length=12)
    there = np.roll(here, (down, right), (0, 1))
    one, other = styles_of(here, there)
    assert torch.allclose(one, other, atol=1e-9)


def test_a_blank_image_has_no_style_and_no_image_no_row() -> None:
    assert styles_of(np.zeros((28, 28), np.uint8)).tolist() == [[0, 0, 0]]
    assert measure_strokes(torch.zeros(0, 1, 28, 28, dtype=torch.uint8)).shape == (0, 3)


def test_colour_is_read_as_its_mean() -> None:
    gray = torch.from_numpy(bar(20, 3))[None, None]
    assert torch.equal(measure_strokes(gray.repeat(1, 3, 1, 1)), measure_strokes(gray))


@given(arrays.arrays(np.int64, st.integers(1, 30), elements=st.integers(0, 5)))
def test_normal_scores_equal_scipys_average_ranks(values: np.ndarray) -> None:
    expected = stats.norm.ppf((stats.rankdata(values) - 0.5) / len(values))
    assert np.allclose(normal_scores(torch.from_numpy(values)).numpy(), expected, atol=1e-12)


def test_ranks_are_within_the_class() -> None:
    pictures = [bar(degrees, 3) for degrees in (-20, 0, 20, 10, 30, 25)]
    images = torch.from_numpy(np.stack(pictures))[:, None]
    scores = stroke_ranks(images, torch.tensor([0, 0, 0, 7, 7, 3]))[:, SLANT]
    assert scores.dtype == torch.float32
    quarter, sixth = stats.norm.ppf(0.25), stats.norm.ppf(1 / 6)
    assert scores.tolist() == pytest.approx([sixth, 0, -sixth, quarter, -quarter, 0], abs=1e-6)


def test_bad_input_is_refused() -> None:
    images = torch.zeros(3, 1, 28, 28, dtype=torch.uint8)
    with pytest.raises(ValueError, match=r"needs uint8 images \(n, C, H, W\), got torch.float32"):
        measure_strokes(images.float())
    with pytest.raises(ValueError, match=r"got torch.uint8 \(3, 28, 28\)"):
        measure_strokes(images[:, 0])
    with pytest.raises(ValueError, match=r"3 images need as many labels, got \(2,\)"):
        stroke_ranks(images, torch.zeros(2, dtype=torch.int64))


@pytest.mark.skipif(
    not (Path(os.environ.get("INKGAN_DATA", "nowhere")) / "mnist").is_dir(), reason="needs MNIST"
)
def test_the_order_is_that_of_the_true_measures_on_mnist() -> None:
    dataset = load_dataset(Data(name="mnist", holdout=0), "test")
    images = dataset.images[:300]
    found, true = measure_strokes(images).numpy(), measure(images[:, 0].numpy())
    for column, exact in ((SLANT, true.slant), (THICKNESS, true.thickness), (WIDTH, true.width)):
        assert stats.spearmanr(found[:, column], exact).statistic > 0.97
