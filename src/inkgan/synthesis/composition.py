"""Compose one sequence: the ink of its characters on a line, each with its box and mask.

The composition is a pure function of a text, a writer and random numbers of the sequence's
address. What paper and camera do to it comes afterwards and moves boxes and masks along.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from inkgan.handwriting.punctuation import Pen, num_points
from inkgan.handwriting.spacing import REACH
from inkgan.handwriting.spacing import SPACE as SPACE_WIDTH
from inkgan.handwriting.text import DIGITS, SPACE
from inkgan.synthesis.bounding_box import BoundingBox
from inkgan.synthesis.glyph_pool import INK, GlyphPool
from inkgan.synthesis.glyph_raster import Glyph, Pose, digit_glyph, mark_glyph, pen_of
from inkgan.synthesis.row_profiles import RowProfile, contact_shift
from inkgan.synthesis.sequence_layout import SequenceLayout
from inkgan.types import Bool, Float32, UInt8

HEIGHT_SHARE = 0.6  # of a picture's height that a digit takes
MARGIN = 3  # least blank pixels around the ink
SIDE = 0.35  # most blank pixels at the left and the right, as a share of the height
LEAN_PER_JITTER = 40.0  # degrees of a character's lean at size_jitter 1
DEEPEST_OVERLAP = 0.15  # of two digits, as a share of a digit's height
MARK_GAP = 0.5  # the gap beside a mark, as a share of that between digits
GAP_DEVIATION = 0.2  # of a gap around the mean of its sequence, as a share of the spacing's range


@dataclass(frozen=True)
class Character:
    """One character of a sequence in its place.

    Attributes:
        character: a digit or a mark.
        box: tight around its ink.
        ink: uint8 (box height, box width), 0 for bare paper.
        variant: which image of the pool it is; None for a mark.
    """

    character: str
    box: BoundingBox
    ink: UInt8
    variant: int | None = None

    @cached_property
    def mask(self) -> Bool:
        """Which pixels of the box are ink, bool (box height, box width)."""
        mask: Bool = self.ink >= INK
        return mask


@dataclass(frozen=True)
class ComposedString:
    """A sequence as ink alone, without paper.

    Attributes:
        text: with its spaces.
        writer: whose handwriting it is, as a row of the pool.
        size: height and width in pixels.
        characters: from left to right; spaces have none.
    """

    text: str
    writer: int
    size: tuple[int, int]
    characters: tuple[Character, ...]

    @cached_property
    def coverage(self) -> UInt8:
        """How much ink covers each pixel, uint8 (H, W); where characters overlap, the darker."""
        picture = np.zeros(self.size, np.uint8)
        for character in self.characters:
            region = picture[character.box.slices]
            np.maximum(region, character.ink, out=region)
        return picture

    @property
    def ink(self) -> Float32:
        """The share of ink in each pixel, float32 (H, W) in [0, 1]."""
        return self.coverage.astype(np.float32) / np.float32(255)


def compose(
    text: str,
    writer: int,
    pool: GlyphPool,
    layout: SequenceLayout,
    random: np.random.Generator,
) -> ComposedString:
    """Write a text in the handwriting of one writer; the same arguments give the same sequence.

    Args:
        text: digits, spaces and . , - / : without spaces at its ends.
        writer: a row of the pool.
        pool: images of digits.
        layout: how the characters stand.
        random: of the sequence's own address.

    Example:
        >>> line = compose("12.5", 0, pool, SequenceLayout(), np.random.default_rng(7))
        >>> line.coverage.shape[0], [c.character for c in line.characters]
    """
    digit_height = HEIGHT_SHARE * layout.height
    scale = digit_height / pool.digit_height
    chosen, variants = _choose(len(text), pool.num_variants, layout, random)
    pen = None if all(c in DIGITS or c == SPACE for c in text) else pen_of(pool, writer, scale)
    line = _Line(scale, digit_height, chosen)
    for position, character in enumerate(text):
        if character == SPACE:
            line.blank()
        elif character in DIGITS:
            pose = chosen.pose(position, scale)
            place = writer, DIGITS.index(character), variants[position]
            line.add(character, digit_glyph(pool, place, pose), position, variants[position])
        else:
            moves = chosen.size_jitter * 10 * random.standard_normal((num_points(character), 2))
            pose = chosen.pose(position, scale)
            assert isinstance(pen, Pen)
            line.add(character, mark_glyph(character, pen, pose, moves), position, None)
    size, characters = _on_canvas(line.characters, layout.height, random)
    return ComposedString(text, writer, size, characters)


def digits_of(
    text: str, num_variants: int, layout: SequenceLayout, random: np.random.Generator
) -> list[tuple[int, int]]:
    """Return the digits of which `compose` makes a text: each one's class and its variant."""
    _, variants = _choose(len(text), num_variants, layout, random)
    digits = zip(text, variants, strict=True)
    return [(DIGITS.index(one), variant) for one, variant in digits if one in DIGITS]


def _choose(
    count: int, num_variants: int, layout: SequenceLayout, random: np.random.Generator
) -> tuple["_Choices", list[int]]:
    chosen = _Choices(count, layout, random)
    return chosen, random.integers(num_variants, size=count).tolist()


class _Choices:
    """The random choices of one sequence, all drawn before anything is placed."""

    def __init__(self, count: int, layout: SequenceLayout, random: np.random.Generator) -> None:
        self.size_jitter = layout.size_jitter
        self.tilt = float(random.uniform(*layout.tilt))
        least, most = layout.spacing
        mean = random.uniform(least, most)
        moved = mean + GAP_DEVIATION * (most - least) * random.standard_normal(count)
        self.gaps = moved.clip(least, most).tolist()
        contact = random.random(count)
        self.overlaps = (contact < layout.overlapping).tolist()
        self.touches = (contact < layout.overlapping + layout.touching).tolist()
        self.depths = random.random(count).tolist()
        steps = random.standard_normal(count)
        self.drifts = (layout.drift * _settling_walk(steps)).tolist()
        sizes, leans = layout.size_jitter * random.standard_normal((2, count))
        self.sizes = np.exp(sizes.clip(-1, 1)).tolist()
        self.leans = (LEAN_PER_JITTER * leans).clip(-20, 20).tolist()

    def pose(self, position: int, scale: float) -> Pose:
        return Pose(scale * self.sizes[position], self.leans[position], self.tilt)


def _settling_walk(steps: np.ndarray) -> np.ndarray:
    """Return a walk that half returns to the line at each step: a baseline wanders, not leaves."""
    walk = np.zeros_like(steps)
    height = 0.0
    for position, step in enumerate(steps.tolist()):
        height = height / 2 + step
        walk[position] = height
    return walk


class _Line:
    """Places one character after another; the baseline of the first is near y = 0."""

    def __init__(self, scale: float, digit_height: float, chosen: _Choices) -> None:
        self.scale, self.digit_height, self.chosen = scale, digit_height, chosen
        self.slope = float(np.tan(np.radians(chosen.tilt)))
        self.characters: list[Character] = []
        self._profiles: list[RowProfile] = []  # with the reach of marks
        self._masks: list[RowProfile] = []
        self._blank = 0.0

    def blank(self) -> None:
        """Leave room for a space."""
        self._blank += SPACE_WIDTH * self.digit_height

    def add(self, character: str, glyph: Glyph, position: int, variant: int | None) -> None:
        """Place a character at the right of those before it."""
        height, width = glyph.ink.shape
        end = self.characters[-1].box.x + self.characters[-1].box.width if self.characters else 0
        is_mark = variant is None
        beside_mark = is_mark or (self.characters and self.characters[-1].variant is None)
        gap = self.chosen.gaps[position] * self.scale * (MARK_GAP if beside_mark else 1.0)
        drift = self.chosen.drifts[position] * self.digit_height
        middle = end + (gap + width / 2 if self.characters else 0)
        top = round(drift - self.slope * middle) - glyph.rise
        mask = RowProfile.of(glyph.ink >= INK, top)
        reach = round(REACH * self.digit_height) if is_mark else 0
        profile = mask.widened(reach) if is_mark else mask
        x = self._place(mask, profile, position, gap, is_mark) if self.characters else 0
        self.characters.append(
            Character(character, BoundingBox(x, top, width, height), glyph.ink, variant)
        )
        self._profiles.append(profile.moved(x))
        self._masks.append(mask.moved(x))
        self._blank = 0.0

    def _place(
        self, mask: RowProfile, profile: RowProfile, position: int, gap: float, is_mark: bool
    ) -> int:
        digits = not is_mark and self.characters[-1].variant is not None and not self._blank
        if digits and self.chosen.touches[position]:
            x = self._touching(mask, position)
            if x is not None:
                return x
        shifts = [contact_shift(before, profile, diagonal=True) for before in self._profiles[-3:]]
        known = [shift for shift in shifts if shift is not None]
        last = self.characters[-1].box
        nearest = max(known, default=last.x + last.width)
        return nearest + max(1, round(gap)) + round(self._blank)

    def _touching(self, mask: RowProfile, position: int) -> int | None:
        """Return the place at which a digit touches the one before it, or lies over its ink."""
        before = self._masks[-1]
        if not self.chosen.overlaps[position]:
            return contact_shift(before, mask, diagonal=True)
        contact = contact_shift(before, mask, diagonal=False)
        if contact is None:
            return None
        deepest = DEEPEST_OVERLAP * self.digit_height
        depth: int = max(1, round(self.chosen.depths[position] * deepest))
        return contact - depth


def _on_canvas(
    characters: list[Character], height: int, random: np.random.Generator
) -> tuple[tuple[int, int], tuple[Character, ...]]:
    """Put a line into a picture with random margins."""
    boxes = [character.box for character in characters]
    left, top = min(box.x for box in boxes), min(box.y for box in boxes)
    right = max(box.x + box.width for box in boxes)
    bottom = max(box.y + box.height for box in boxes)
    rows = max(height, bottom - top + 2 * MARGIN)
    most = max(MARGIN + 1, round(SIDE * height))
    before, after = random.integers(MARGIN, most + 1, size=2).tolist()
    above = int(random.integers(MARGIN, rows - MARGIN - (bottom - top) + 1))
    moved = tuple(
        Character(one.character, one.box.moved(before - left, above - top), one.ink, one.variant)
        for one in characters
    )
    return (rows, right - left + before + after), moved
