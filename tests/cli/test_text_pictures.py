"""Pictures as text, decoded again by a reader of one's own."""

import base64
import io
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from inkgan.cli.terminal_graphics import BAND, LEVELS, gray_levels, kitty, sixel
from inkgan.cli.text_pictures import (
    BARS,
    BRAILLE,
    ColorSystem,
    braille,
    half_blocks,
    is_ink,
    shrink,
    sparkline,
)
from inkgan.cli.tile_layout import arrange, cut, fit_tiles

PIECES = re.compile("\x1b\\[([0-9;]*)m|([ ▀])")
BRAILLE_DOTS = ((0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1), (3, 0), (3, 1))  # (y, x) of dot 1-8
XTERM_CUBE = (0, 95, 135, 175, 215, 255)

gray = st.tuples(st.integers(1, 7), st.integers(1, 9)).flatmap(
    lambda size: arrays(np.uint8, (4 * size[0], 2 * size[1]))
)
color = st.tuples(st.integers(1, 4), st.integers(1, 5)).flatmap(
    lambda size: arrays(np.uint8, (4 * size[0], 2 * size[1], 3))
)


def color_of(number: int) -> tuple[int, ...]:
    """Return the color of one of 256, as xterm defines them."""
    if number >= 232:
        return (8 + 10 * (number - 232),) * 3
    rest = number - 16
    return tuple(XTERM_CUBE[rest // unit % 6] for unit in (36, 6, 1))


def read_half_blocks(lines: list[str]) -> np.ndarray:
    """Read the pixels (H, W, 3) of half blocks, as a terminal would show them."""
    rows: list[list[tuple[int, ...]]] = []
    for line in lines:
        assert line.endswith("\x1b[0m")
        upper: list[tuple[int, ...]] = []
        lower: list[tuple[int, ...]] = []
        colors: dict[int, tuple[int, ...]] = {}
        for codes, character in PIECES.findall(line):
            if codes and codes != "0":
                ground, kind, *values = map(int, codes.split(";"))
                assert len(values) == {2: 3, 5: 1}[kind]
                colors[ground] = tuple(values) if kind == 2 else color_of(values[0])
            elif character:
                upper.append(colors[38 if character == "▀" else 48])
                lower.append(colors[48])
        rows += [upper, lower]
    return np.array(rows, np.uint8)


def as_color(picture: np.ndarray) -> np.ndarray:
    return picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=-1)


@given(picture=gray | color)
def test_half_blocks_show_the_very_picture(picture: np.ndarray) -> None:
    shown = read_half_blocks(half_blocks(picture, "truecolor"))
    assert np.array_equal(shown, as_color(picture))


@given(picture=gray | color)
def test_half_blocks_of_256_colors_are_near(picture: np.ndarray) -> None:
    shown = read_half_blocks(half_blocks(picture, "256")).astype(int)
    limit = 9 if picture.ndim == 2 else 48  # half of the widest gap of the ramp, of the cube
    assert np.abs(shown - as_color(picture)).max() <= limit


@given(picture=gray | color)
def test_braille_shows_the_ink(picture: np.ndarray) -> None:
    lines = braille(picture)
    dots = np.zeros(picture.shape[:2], bool)
    for y, line in enumerate(lines):
        for x, character in enumerate(line):
            bits = ord(character) - BRAILLE
            for place, (down, right) in enumerate(BRAILLE_DOTS):
                dots[4 * y + down, 2 * x + right] = bits >> place & 1
    assert np.array_equal(dots, is_ink(picture))
    if picture.ndim == 2:
        assert np.array_equal(dots, picture >= 96)


@given(picture=gray | color, scale=st.integers(1, 3))
def test_sixels_show_the_levels_of_gray(picture: np.ndarray, scale: int) -> None:
    text = sixel(picture, scale)
    size = re.match(r'\x1bP[0-9;]*q"1;1;(\d+);(\d+)', text)
    assert size is not None
    assert text.endswith("\x1b\\")
    width, height = int(size[1]), int(size[2])
    shown = np.full((height + BAND, width), -1)
    x = y = level = 0
    defined = {}
    for mark, values, run, character, move in re.findall(
        r"#(\d+)((?:;\d+)*)|!?(\d*)([?-~])|([$-])", text[size.end() : -2]
    ):
        if mark:
            level = int(mark)
            if values:
                defined[level] = int(values.split(";")[2])
        elif move:
            x, y = 0, y + (BAND if move == "-" else 0)
        else:
            count = int(run or 1)
            for place in range(BAND):
                if (ord(character) - 63) >> place & 1:
                    shown[y + place, x : x + count] = level
            x += count
    expected = gray_levels(picture).repeat(scale, axis=0).repeat(scale, axis=1)
    assert np.array_equal(shown[:height], expected)
    assert (shown[height:] == -1).all()
    assert defined == {k: round(100 * k / (LEVELS - 1)) for k in range(LEVELS)}


@given(picture=gray | color)
def test_kitty_gets_the_very_picture_in_chunks(picture: np.ndarray) -> None:
    text = kitty(picture, 5, 3, number=7)
    chunks = re.findall("\x1b_G([^;]*);([A-Za-z0-9+/=]*)\x1b\\\\", text)
    assert "".join(f"\x1b_G{head};{data}\x1b\\" for head, data in chunks) == text
    assert "a=T,f=100,q=2,C=1,i=7,p=1,c=5,r=3" in chunks[0][0]
    assert [head[-3:] for head, _ in chunks] == ["m=1"] * (len(chunks) - 1) + [chunks[-1][0][-3:]]
    assert chunks[-1][0].endswith("m=0")
    assert all(len(data) <= 4096 for _, data in chunks)
    data = base64.b64decode("".join(data for _, data in chunks))
    with Image.open(io.BytesIO(data)) as image:
        assert np.array_equal(np.asarray(image), picture)


@given(picture=arrays(np.uint8, (28, 28)))
def test_a_smaller_picture_has_the_means(picture: np.ndarray) -> None:
    means = picture.reshape(14, 2, 14, 2).mean(axis=(1, 3))
    assert np.abs(shrink(picture, 14, 14) - means).max() <= 1.0  # rounded along x, then along y


@given(
    room=st.tuples(st.integers(1, 320), st.integers(1, 90)),
    rows=st.integers(1, 4),
    in_row=st.integers(1, 16),
    tile=st.tuples(st.integers(6, 64), st.integers(6, 64)),
)
def test_every_layout_fits(
    room: tuple[int, int], rows: int, in_row: int, tile: tuple[int, int]
) -> None:
    layout = fit_tiles(room, rows * in_row, in_row, tile)
    if layout is None:
        assert room[0] < 6 or room[1] < -(-6 * tile[1] // (2 * tile[0]))
        return
    assert layout.total_width <= room[0]
    assert layout.total_height <= room[1]
    assert 6 <= layout.width <= tile[0]
    assert abs(2 * layout.height * tile[0] / tile[1] - layout.width) < 2 * tile[0] / tile[1] + 1
    assert (layout.rows - 1) * layout.columns < rows * in_row  # no empty row


@pytest.mark.parametrize(
    ("room", "expected"),
    [
        ((80, 15), (5, 2, 14, 7)),  # an image of each digit
        ((60, 13), (5, 2, 11, 6)),
        ((160, 40), (5, 2, 28, 14)),
        ((300, 40), (10, 2, 28, 14)),
        ((20, 8), (1, 1, 16, 8)),  # not each digit, but one
    ],
)
def test_layouts_of_ten_digits(room: tuple[int, int], expected: tuple[int, ...]) -> None:
    layout = fit_tiles(room, 40, 10, (28, 28))
    assert layout is not None
    assert (layout.columns, layout.rows, layout.width, layout.height) == expected


@pytest.mark.parametrize("system", ["truecolor", "256"])
def test_a_sheet_shows_the_tiles_in_order(system: ColorSystem) -> None:
    tiles = np.random.default_rng(0).integers(0, 24, (40, 28, 28), dtype=np.uint8) * 10 + 8
    picture = np.swapaxes(tiles.reshape(4, 10, 28, 28), 1, 2).reshape(4 * 28, 280)
    assert np.array_equal(cut(picture, 10, (28, 28)), tiles)
    layout = fit_tiles((160, 40), 40, 10, (28, 28))
    assert layout is not None
    strips = arrange(tiles, layout, (1, 2))
    shown = np.concatenate([read_half_blocks(half_blocks(s, system)) for s in strips])[..., 0]
    for place in range(10):
        y, x = place // 5 * 28, place % 5 * 29
        assert np.array_equal(shown[y : y + 28, x : x + 28], tiles[place])


@given(
    values=st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=60),
    width=st.integers(0, 40),
)
def test_sparklines_of_any_values(values: list[float], width: int) -> None:
    line = sparkline(values, width)
    assert len(line) == min(width, len(values))
    assert set(line) <= {*BARS, " "}


def test_sparklines_keep_the_order() -> None:
    assert sparkline(range(8), 8) == BARS
    assert sparkline([0.0, float("nan"), 1.0], 3) == "▁ █"
    assert sparkline([0.5] * 3, 3, 0.0, 1.0) == "▅▅▅"
    assert sparkline([1e308, -1e308], 2) == "█▁"
