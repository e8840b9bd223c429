"""Measures of strokes: drawn bars and rings, invariances, and published numbers of one digit."""

import math
import os
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from inkgan.config import Data
from inkgan.data.dataset import load_dataset
from inkgan.metrics.strokes import Strokes, enlarge, measure
from inkgan.types import UInt8
from tests.fixtures.strokes import bar, ring

SOFT = 2.0  # pixels that the soft edges add to width and height, at most


def measures(*pictures: UInt8) -> Strokes:
    return measure(np.stack(pictures))


@pytest.mark.parametrize("degrees", [-40, -20, 0, 10, 30, 45])
def test_slant_of_a_bar_is_its_angle_and_its_size_that_of_the_upright_one(degrees: float) -> None:
    found = measures(bar(degrees, 3))
    cos = math.cos(math.radians(degrees))
    assert found.slant[0] == pytest.approx(degrees, abs=1)
    assert 3 / cos < found.width[0] < 3 / cos + SOFT
    assert 16 * cos < found.height[0] < 16 * cos + SOFT


@pytest.mark.parametrize("thickness", [2, 3, 4.5])
def test_thickness_and_area_of_an_upright_bar(thickness: float) -> None:
    found = measures(bar(0, thickness), bar(0, thickness).T.copy())
    assert found.thickness == pytest.approx([thickness] * 2, abs=0.25)
    assert found.area == pytest.approx([16 * thickness] * 2, rel=0.03)
    assert found.slant == pytest.approx([0, 0], abs=1e-6)
    assert found.width == pytest.approx(found.height[::-1], abs=1e-4)


@pytest.mark.parametrize(("radius", "thickness"), [(5, 2), (6, 2.5), (8, 3)])
def test_thickness_and_length_of_a_ring(radius: float, thickness: float) -> None:
    found = measures(ring(radius, thickness))
    assert found.thickness[0] == pytest.approx(thickness, abs=0.15)
    # a chain of steps along and across the raster is up to 8 % longer than the curve it follows
    assert 1 < found.length[0] / (2 * math.pi * radius) < 1.09
    assert found.area[0] == pytest.approx(2 * math.pi * radius * thickness, rel=0.02)
    assert found.slant[0] == pytest.approx(0, abs=1e-3)


def test_length_of_a_bar_ends_half_a_stroke_before_its_ends() -> None:
    lengths = measures(bar(0, 2, length=10), bar(0, 2, length=14), bar(0, 2, length=20)).length
    assert np.diff(lengths) == pytest.approx([4, 6], abs=0.01)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(-4, 4),
    st.integers(-4, 4),
    st.floats(-30, 30),
    st.floats(1.5, 4),
    st.integers(8, 14),
)
def test_nothing_changes_where_the_digit_stands(
    right: int, down: int, degrees: float, thickness: float, length: int
) -> None:
    here = bar(degrees, thickness, length)
    there = np.roll(here, (down, right), (0, 1))
    found = measures(here, there)
    for one, other in (found.slant, found.width, found.height):
        assert one == pytest.approx(other, abs=0.01)
    # A pixel whose gray is half the range may fall on either side of the cut.
    for one, other in (found.thickness, found.area, found.length):
        assert one == pytest.approx(other, rel=0.1)


@settings(max_examples=20, deadline=None)
@given(st.floats(-25, 25), st.floats(2, 4))
def test_a_sheared_stroke_slants_as_much_more(degrees: float, thickness: float) -> None:
    upright, sheared = measures(bar(0, thickness), bar(degrees, thickness)).slant
    assert math.tan(math.radians(sheared)) - math.tan(math.radians(upright)) == pytest.approx(
        math.tan(math.radians(degrees)), abs=0.02
    )


@settings(max_examples=20, deadline=None)
@given(arrays.arrays(np.uint8, (28, 28)))
def test_any_image_that_is_not_of_one_gray_has_finite_measures(image: UInt8) -> None:
    plain = np.ptp(image) == 0
    for value in astuple(measures(image)):
        assert np.isnan(value[0]) if plain else np.isfinite(value[0])


@settings(max_examples=15, deadline=None)
@given(st.floats(-35, 35), st.floats(1.5, 4), st.integers(-3, 3))
def test_a_mirrored_digit_leans_to_the_other_side(
    degrees: float, thickness: float, right: int
) -> None:
    image = np.roll(bar(degrees, thickness, 14), right, axis=1)
    here, there = astuple(measures(image, image[:, ::-1].copy()))[0]
    assert here == pytest.approx(-there, abs=1e-3)


def test_a_stroke_on_the_border_is_as_thick_as_elsewhere() -> None:
    inside = bar(0, 4)
    at_border = np.roll(inside, -12, axis=1)
    assert at_border[:, 0].any()
    found = measures(inside, at_border)
    assert found.thickness[1] == pytest.approx(found.thickness[0], abs=0.3)


def test_images_of_one_gray_are_nan_and_change_nothing_for_the_others() -> None:
    blank, full = np.zeros((28, 28), np.uint8), np.full((28, 28), 200, np.uint8)
    together = measures(blank, bar(10, 3), full)
    alone = measures(bar(10, 3))
    for values, value in zip(astuple(together), astuple(alone), strict=True):
        assert np.isnan(values[[0, 2]]).all()
        assert values[1] == value[0]
    assert measure(np.zeros((0, 28, 28), np.uint8)).slant.shape == (0,)


def test_faint_ink_is_measured_as_dark_ink_is() -> None:
    dark, faint = (
        values for values in zip(*astuple(measures(bar(15, 3), bar(15, 3) // 4)), strict=True)
    )
    assert dark == pytest.approx(faint, rel=0.03)


def test_enlarging_keeps_the_gray_of_a_plain_image_and_stays_in_range() -> None:
    plain = enlarge(np.full((1, 28, 28), 77, np.uint8))
    assert plain.shape == (1, 112, 112)
    assert np.allclose(plain, 77, atol=1e-3)
    edges = enlarge(np.stack([bar(0, 4), ring(7, 3)]))
    assert edges.min() >= -1e-3
    assert edges.max() <= 255.001


def test_progress_is_told_and_bad_input_is_refused() -> None:
    told: list[tuple[str, int, int]] = []
    measure(np.repeat(bar(0, 3)[None], 65, axis=0), lambda *step: told.append(step))
    assert told == [("measuring strokes", 64, 65), ("measuring strokes", 65, 65)]
    with pytest.raises(ValueError, match=r"needs uint8 images \(n, H, W\), got float64"):
        measure(np.zeros((1, 28, 28)))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"got uint8 \(28, 28\)"):
        measure(bar(0, 3))


@pytest.mark.skipif(
    not (Path(os.environ.get("INKGAN_DATA", "nowhere")) / "mnist").is_dir(), reason="needs MNIST"
)
def test_the_first_training_digit_measures_what_its_authors_published() -> None:
    """The row of Morpho-MNIST's own table, which its tests hold as well."""
    digits = load_dataset(Data(name="mnist", holdout=0), "train").images[:1, 0].numpy()
    found = measure(digits)
    assert found.slant[0] == pytest.approx(math.degrees(0.23107446620980754), abs=0.1)
    assert found.width[0] == pytest.approx(14.539571782767355, abs=0.05)
    assert found.height[0] == pytest.approx(19.849053691610763, abs=0.1)
    assert found.area[0] == pytest.approx(107.3125, abs=0.5)
    # along the medial axis, and its spurs
    assert found.thickness[0] == pytest.approx(2.4606583773939543, abs=0.15)
    assert found.length[0] == pytest.approx(50.26650429449552, rel=0.15)
