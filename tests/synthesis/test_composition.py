"""One composed sequence: places, boxes and masks, and how often digits touch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from inkgan.errors import ConfigError
from inkgan.synthesis.bounding_box import BoundingBox
from inkgan.synthesis.composition import Character, ComposedString, compose
from inkgan.synthesis.glyph_pool import INK, GlyphPool, pool_of_images
from inkgan.synthesis.row_profiles import RowProfile, contact_shift
from inkgan.synthesis.sequence_layout import SequenceLayout
from inkgan.types import Bool
from tests.fixtures.synthesis import real_digits

POOL = pool_of_images(real_digits(), num_writers=10, variants=3)
REGULAR = SequenceLayout(drift=0, tilt=(0, 0), size_jitter=0)


def line(text: str, layout: SequenceLayout = REGULAR, seed: int = 0) -> ComposedString:
    return compose(text, seed % 10, POOL, layout, np.random.default_rng(seed))


def full_mask(composed: ComposedString, character: Character) -> Bool:
    mask = np.zeros(composed.size, np.bool_)
    mask[character.box.slices] = character.mask
    return mask


def next_to(composed: ComposedString, left: Character, right: Character) -> tuple[bool, bool]:
    """Return whether the ink of two characters touches (8 neighbors), and whether it overlaps."""
    first, second = full_mask(composed, left), full_mask(composed, right)
    grown = ndimage.binary_dilation(first, np.ones((3, 3)))
    return bool((grown & second).any()), bool((first & second).any())


texts = st.text("0123456789.,-/: ", min_size=1, max_size=12).map(str.strip).filter(bool)
layouts = st.builds(
    SequenceLayout,
    height=st.integers(16, 96),
    spacing=st.sampled_from([(0.0, 0.0), (1.0, 8.0), (6.0, 16.0)]),
    touching=st.floats(0, 0.5),
    overlapping=st.floats(0, 0.5),
    drift=st.floats(0, 0.5),
    tilt=st.sampled_from([(0.0, 0.0), (-5.0, 5.0), (20.0, 30.0)]),
    size_jitter=st.floats(0, 0.3),
)


@given(text=texts, layout=layouts, seed=st.integers(0, 10**6))
@settings(deadline=None, max_examples=60)
def test_boxes_are_tight_and_hold_all_ink(text: str, layout: SequenceLayout, seed: int) -> None:
    layout.check()
    composed = line(text, layout, seed)
    assert "".join(c.character for c in composed.characters) == text.replace(" ", "")
    rest = composed.coverage.copy()
    for character in composed.characters:
        assert BoundingBox.around(full_mask(composed, character)) == character.box
        rest[character.box.slices] = 0
        assert (composed.coverage[character.box.slices] >= character.ink).all()
    assert not rest.any()
    assert composed.size[0] >= layout.height
    again = line(text, layout, seed)
    assert np.array_equal(again.coverage, composed.coverage)
    assert 0 <= composed.ink.min() <= composed.ink.max() <= 1


@pytest.mark.parametrize(("touching", "overlapping"), [(0.0, 0.0), (0.3, 0.1), (0.0, 1.0)])
def test_rates_of_contact_hold(touching: float, overlapping: float) -> None:
    """Measured in the masks by morphology, which the placement does not use."""
    layout = SequenceLayout(touching=touching, overlapping=overlapping)
    pairs = touched = overlapped = 0
    for seed in range(60):
        composed = line(
            "".join(map(str, np.random.default_rng(seed).integers(0, 10, 8))), layout, seed
        )
        for left, right in zip(composed.characters, composed.characters[1:], strict=False):
            touches, overlaps = next_to(composed, left, right)
            pairs, touched, overlapped = pairs + 1, touched + touches, overlapped + overlaps
    for found, share in ((touched, touching + overlapping), (overlapped, overlapping)):
        deviation = (pairs * share * (1 - share)) ** 0.5
        assert abs(found - pairs * share) <= 4 * deviation


@pytest.mark.parametrize(("least", "most"), [(0, 0), (2, 2), (1, 8), (12, 30)])
def test_gaps_lie_in_the_spacing(least: int, most: int) -> None:
    """Row by row, with corners: at least one blank pixel, and the nearest rows are as far apart."""
    layout = SequenceLayout(height=33, spacing=(least, most), drift=0, tilt=(0, 0))
    scale = 0.6 * 33 / 20
    for seed in range(10):
        composed = line("7142", layout, seed)
        for left, right in zip(composed.characters, composed.characters[1:], strict=False):
            gap = nearest_gap(full_mask(composed, left), full_mask(composed, right))
            assert max(1, round(least * scale)) <= gap <= max(1, round(most * scale))


def nearest_gap(left: Bool, right: Bool) -> int:
    """Return how many pixels the right mask can move to the left before it touches the other."""
    grown = ndimage.binary_dilation(left, np.ones((3, 3)))
    moves = 0
    while not (grown & np.roll(right, -moves, axis=1)).any():
        moves += 1
    return moves


def test_regular_writing_stands_on_one_line() -> None:
    composed = line("305")
    assert len({c.box.y + c.box.height for c in composed.characters}) == 1
    tilted = line("1111111111", SequenceLayout(drift=0, tilt=(10, 10), size_jitter=0))
    first, last = tilted.characters[0].box, tilted.characters[-1].box
    rise = (first.y + first.height) - (last.y + last.height)
    assert rise / (last.x - first.x) == pytest.approx(np.tan(np.radians(10)), abs=0.02)


def test_a_space_leaves_room() -> None:
    without, with_space = line("11"), line("1 1")
    gaps = [c.characters[1].box.x - c.characters[0].box.x for c in (without, with_space)]
    assert gaps[1] - gaps[0] >= 10


@given(
    first=st.lists(st.integers(0, 255), min_size=3, max_size=9),
    second=st.lists(st.integers(0, 255), min_size=3, max_size=9),
    offset=st.integers(-10, 10),
    diagonal=st.booleans(),
)
def test_contact_is_that_of_sliding(
    first: list[int], second: list[int], offset: int, diagonal: bool
) -> None:
    """Rows of eight pixels; the reference slides one mask to the left, pixel by pixel."""
    masks = [
        np.array([[row >> bit & 1 for bit in range(8)] for row in rows]) for rows in (first, second)
    ]
    shift = contact_shift(
        RowProfile.of(masks[0] > 0), RowProfile.of(masks[1] > 0, offset), diagonal
    )
    canvas = np.zeros((50, 80), np.bool_)
    canvas[20 : 20 + len(first), 30:38] = masks[0] > 0
    structure = np.ones((3, 3)) if diagonal else np.array([[0, 0, 0], [1, 1, 1], [0, 0, 0]])
    grown = ndimage.binary_dilation(canvas, structure)
    found = None
    for x in range(20, -20, -1):
        other = np.zeros_like(canvas)
        other[20 + offset : 20 + offset + len(second), 30 + x : 38 + x] = masks[1] > 0
        if (grown & other).any():
            found = x
            break
    assert shift == found


def test_bounds_are_of_the_ink() -> None:
    for place in [(0, 3, 1), (7, 8, 2)]:
        ink = POOL.padded[place] >= INK
        left, top, right, bottom = POOL.bounds[place].tolist()
        assert BoundingBox.around(ink) == BoundingBox(left, top, right - left, bottom - top)


def test_pens_are_measured() -> None:
    bars = np.zeros((2, 10, 1, 28, 28), np.uint8)
    bars[0, :, :, 4:24, 12:15], bars[1, :, :, 4:24, 12:18] = 255, 255
    thickness = GlyphPool(bars, ("a", "b")).pens[:, 0]
    assert thickness == pytest.approx([3, 6], abs=0.6)


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        (SequenceLayout(height=15), "`height` must be from 16 to 512"),
        (SequenceLayout(spacing=(3, 2)), "`spacing` must be two numbers"),
        (SequenceLayout(spacing="loose"), "`spacing` must be two numbers, not 'loose'"),  # type: ignore[arg-type]
        (SequenceLayout(tilt=5), "`tilt` must be two numbers, not 5"),  # type: ignore[arg-type]
        (SequenceLayout(touching=1.1), "`touching` must be from 0 to 1, not 1.1"),
        (SequenceLayout(touching=0.6, overlapping=0.6), "make 1.2 together"),
        (SequenceLayout(tilt=(-40, 0)), "`tilt` must be two numbers from -30 to 30"),
        (SequenceLayout(drift=float("nan")), "`drift` must be from 0 to 0.5, not nan"),
    ],
)
def test_impossible_layouts(layout: SequenceLayout, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        layout.check()
