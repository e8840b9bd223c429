"""Labels follow the geometry: against scikit-image, Pillow on the whole page, and the picture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.transform import ProjectiveTransform
from skimage.transform import warp as skimage_warp

from inkgan.synthesis.bounding_box import BoundingBox
from inkgan.synthesis.composition import Character, ComposedString, compose
from inkgan.synthesis.glyph_pool import INK, GlyphPool, pool_of_images
from inkgan.synthesis.paper.backgrounds import put_in_form
from inkgan.synthesis.paper.homography import Homography
from inkgan.synthesis.paper.warp import margins, warp
from inkgan.synthesis.sequence_layout import SequenceLayout
from inkgan.types import Bool, UInt8
from tests.fixtures.synthesis import real_digits

LAYOUT = SequenceLayout(touching=0.3, overlapping=0.3)


@pytest.fixture(scope="module")
def pool() -> GlyphPool:
    return pool_of_images(real_digits(), 4, 2)


def line(pool: GlyphPool, seed: int, text: str = "40.18-7") -> ComposedString:
    return compose(text, seed % 4, pool, LAYOUT, np.random.default_rng(seed))


def on_page(composed: ComposedString, character: Character) -> UInt8:
    page = np.zeros(composed.size, np.uint8)
    page[character.box.slices] = character.ink
    return page


def mask_of(composed: ComposedString, character: Character) -> Bool:
    mask = np.zeros(composed.size, np.bool_)
    mask[character.box.slices] = character.mask
    return mask


def test_a_camera_from_the_front_moves_nothing() -> None:
    view = Homography.of_camera((48, 200), roll=0, yaw=0, pitch=0)
    corners = np.array([[0.0, 0], [200, 0], [0, 48], [200, 48]])
    assert np.allclose(view.points(corners), corners, atol=1e-9)


def test_roll_is_a_rotation_about_the_middle() -> None:
    view = Homography.of_camera((40, 100), roll=90, yaw=0, pitch=0)
    assert np.allclose(view.points(np.array([[100.0, 20], [50, 0]])), [[50, -30], [30, 20]])


def test_what_is_further_away_is_smaller() -> None:
    """Thales: an edge at depth t is seen at d / (d + t) of its size."""
    view = Homography.of_camera((60, 80), roll=0, yaw=30, pitch=0)
    distance = 2.5 * 100
    right = view.points(np.array([[80.0, 0], [80, 60]]))
    depth = -40 * np.sin(np.radians(30))
    assert np.ptp(right[:, 1]) == pytest.approx(60 * distance / (distance + depth))
    assert right[0, 0] - 40 == pytest.approx(
        40 * np.cos(np.radians(30)) * distance / (distance + depth)
    )


@settings(max_examples=25, deadline=None)
@given(
    roll=st.floats(-12, 12),
    yaw=st.floats(-40, 40),
    pitch=st.floats(-40, 40),
    seed=st.integers(0, 50),
)
def test_masks_are_those_of_the_mapped_page(
    pool: GlyphPool, roll: float, yaw: float, pitch: float, seed: int
) -> None:
    """Each character's page is mapped as a whole, and the mask and the box are taken from it."""
    composed = line(pool, seed)
    turned, view = warp(
        composed, Homography.of_camera(composed.size, roll=roll, yaw=yaw, pitch=pitch)
    )
    for before, after in zip(composed.characters, turned.characters, strict=True):
        expected = view.image(on_page(composed, before), turned.size)
        found = mask_of(turned, after)
        # rounded coordinates may decide whether a pixel has the level INK or the one below
        differs = found != (expected >= INK)
        assert np.isin(expected[differs], (INK - 1, INK)).all()
        assert differs.sum() <= 3
        assert after.box == BoundingBox.around(found)
    assert margins(turned) == margins(composed)


def test_masks_agree_with_scikit_image(pool: GlyphPool) -> None:
    composed = line(pool, 5)
    turned, view = warp(composed, Homography.of_camera(composed.size, roll=6, yaw=25, pitch=-20))
    # scikit-image puts whole numbers in the middle of pixels
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    inverse = ProjectiveTransform(np.linalg.inv(half) @ view.inverse.matrix @ half)
    for before, after in zip(composed.characters, turned.characters, strict=True):
        page = on_page(composed, before).astype(np.float64)
        expected = skimage_warp(page, inverse, output_shape=turned.size, order=1) >= INK
        found = mask_of(turned, after)
        if expected.sum() > 40:
            assert (expected & found).sum() / (expected | found).sum() > 0.9
        box = BoundingBox.around(expected)
        assert box is not None
        assert np.abs(np.subtract(box, after.box)).max() <= 1


def test_boxes_lie_in_the_mapped_boxes(pool: GlyphPool) -> None:
    """The corners of the old box, mapped, contain the new box to the pixel."""
    composed = line(pool, 8)
    turned, view = warp(composed, Homography.of_camera(composed.size, roll=-5, yaw=10, pitch=30))
    for before, after in zip(composed.characters, turned.characters, strict=True):
        x, y, width, height = before.box
        corners = np.array([[x, y], [x + width, y], [x, y + height], [x + width, y + height]])
        mapped = view.points(corners.astype(float))
        low, high = np.floor(mapped.min(axis=0)) - 1, np.ceil(mapped.max(axis=0)) + 1
        assert after.box.x >= low[0]
        assert after.box.y >= low[1]
        assert after.box.x + after.box.width <= high[0]
        assert after.box.y + after.box.height <= high[1]


def test_no_turn_changes_no_ink(pool: GlyphPool) -> None:
    composed = line(pool, 2)
    turned, _ = warp(composed, Homography.of_camera(composed.size, roll=0, yaw=0, pitch=0))
    assert np.array_equal(turned.coverage, composed.coverage)


def test_a_mark_thinner_than_a_pixel_keeps_its_place() -> None:
    dot = Character(".", BoundingBox(9, 4, 1, 1), np.full((1, 1), 40, np.uint8))
    composed = ComposedString(".", 0, (12, 20), (dot,))
    turned, view = warp(composed, Homography.of_camera((12, 20), roll=45, yaw=0, pitch=0))
    (found,) = turned.characters
    assert found.mask.sum() == 1
    middle = view.points(np.array([9.5, 4.5]))
    assert np.abs(middle - (found.box.x + 0.5, found.box.y + 0.5)).max() <= 1


def test_cells_keep_the_ink_and_contain_it(pool: GlyphPool) -> None:
    """In a form each character lies in its own cell, the sequence in its field."""
    composed = compose("1984", 1, pool, SequenceLayout(), np.random.default_rng(0))
    frames = []
    for seed in range(20):
        moved, frame = put_in_form(composed, np.random.default_rng(seed))
        frames.append(frame)
        for before, after in zip(composed.characters, moved.characters, strict=True):
            assert np.array_equal(before.ink, after.ink)
        left, top, right, bottom = margins(moved)
        height, width = moved.size
        assert 0 < frame.left < left
        assert 0 < frame.top < top
        assert width > frame.right > width - right
        assert height > frame.bottom > height - bottom
        if frame.separators:
            assert len(frame.separators) == 3
            cells = [frame.left, *frame.separators, frame.right]
            for place, one in enumerate(moved.characters):
                assert cells[place] < one.box.x
                assert one.box.x + one.box.width < cells[place + 1]
    assert 4 <= sum(bool(frame.separators) for frame in frames) <= 16


def test_touching_digits_get_no_cells(pool: GlyphPool) -> None:
    layout = SequenceLayout(touching=1)
    composed = compose("1984", 1, pool, layout, np.random.default_rng(0))
    for seed in range(10):
        moved, frame = put_in_form(composed, np.random.default_rng(seed))
        assert not frame.separators
        shifts = {
            (after.box.x - before.box.x, after.box.y - before.box.y)
            for before, after in zip(composed.characters, moved.characters, strict=True)
        }
        assert len(shifts) == 1


def test_inverse_and_grid_agree_with_numpy() -> None:
    view = Homography.of_camera((40, 90), roll=7, yaw=-20, pitch=15).moved(3, -2)
    assert np.allclose(view.inverse.matrix, np.linalg.inv(view.matrix), rtol=1e-12)
    x, y = view.inverse.grid((5, 7))
    middles = np.array([[column + 0.5, row + 0.5] for row in range(5) for column in range(7)])
    expected = view.inverse.points(middles).reshape(5, 7, 2)
    assert np.allclose(np.stack([x, y], axis=-1), expected, rtol=1e-6)
