"""Numbers in one hand: outlines, spacing, pictures."""

import datetime
import io
import itertools
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import distance_transform_edt
from typer.testing import CliRunner

import inkgan
from inkgan.cli.main import app
from inkgan.config import Data
from inkgan.config.recipes import RECIPES
from inkgan.data.dataset import load_dataset
from inkgan.errors import ArtifactError, ConfigError
from inkgan.generation import load as load_module
from inkgan.handwriting.colors import parse_colors
from inkgan.handwriting.layout import LineLayout, lay_out
from inkgan.handwriting.outline import Bounds, Outline, signed_area
from inkgan.handwriting.punctuation import STROKES, Pen, draw_punctuation
from inkgan.handwriting.raster import coverage
from inkgan.handwriting.spacing import CLOSEST, GAP, SPACE, Spacer
from inkgan.handwriting.text import DIGITS, MAX_CHARACTERS, PUNCTUATION, read_text
from inkgan.handwriting.trace import trace, trace_field
from inkgan.handwriting.write import HEIGHT, write
from inkgan.handwriting.writer import LATENT_STEP, Writer
from inkgan.types import Float64, UInt8
from tests.fixtures.stroke_generator import SHAPES, StrokeGenerator

TEXTS = ["3141592653", "2026-11-21", "1,299.50", "17:45 7/4", "77417.4", "-1.5"]
SVG = "{http://www.w3.org/2000/svg}"


def rectangle(left: float, top: float, right: float, bottom: float) -> Outline:
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    following = np.roll(corners, -1, axis=0)
    sides = [corners + (following - corners) * share for share in (0, 1 / 3, 2 / 3, 1)]
    return Outline((np.stack(sides, axis=1),))


def disc(radius: float, hole: float = 0.0) -> Outline:
    y, x = np.mgrid[:240, :240] / 8 + 1 / 16
    distance = np.hypot(x - 15, y - 15)
    field = np.clip(0.5 + np.minimum(radius - distance, distance - hole), 0, 1)
    outline = trace_field(field, 8)
    assert outline is not None
    return outline


# --- what can be written


@given(st.text(DIGITS + PUNCTUATION + " ", max_size=MAX_CHARACTERS))
def test_possible_texts_pass(text: str) -> None:
    if text.strip(" "):
        assert read_text(text) == text.strip(" ")
    else:
        with pytest.raises(ConfigError, match="nothing to write"):
            read_text(text)


@given(st.text(min_size=1, max_size=30))
def test_other_characters_are_named(text: str) -> None:
    strange = sorted(set(text.strip(" ")) - set(DIGITS + PUNCTUATION + " "))
    if strange:
        with pytest.raises(ConfigError, match=re.escape(f"cannot write {strange[0]!r}")):
            read_text(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("12a4", r"cannot write 'a'; possible are the digits 0 to 9, the space and \. , - / :"),
        ("٣", "cannot write '٣'"),
        ("1\n2", r"cannot write '\\n'"),
        ("1" * 201, "201 characters; at most 200"),
    ],
)
def test_impossible_texts_are_refused(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        inkgan.write(text, source=StrokeGenerator())


def test_colors() -> None:
    assert parse_colors("navy", "#fffdf5").ink == (0, 0, 128)
    assert parse_colors("rgb(1, 2, 3)", "transparent").paper is None
    ramp = np.arange(256, dtype=np.uint8)[None]
    black = parse_colors("black", "white").paint(ramp)
    assert black.shape == (1, 256)
    assert np.array_equal(black, 255 - ramp)
    blue = parse_colors("#1a2b6d", "#fffdf5").paint(ramp)
    assert blue[0, 0].tolist() == [0xFF, 0xFD, 0xF5]
    assert blue[0, -1].tolist() == [0x1A, 0x2B, 0x6D]
    clear = parse_colors("#1a2b6d", "transparent").paint(ramp)
    assert clear[0, 9].tolist() == [0x1A, 0x2B, 0x6D, 9]


@pytest.mark.parametrize(
    ("ink", "paper", "words"),
    [
        ("nonsense", "white", "`ink` 'nonsense' is no color; give a name such as navy"),
        ("black", "#12", "`paper` '#12' is no color.*or transparent"),
        ("#11223344", "white", "`ink` '#11223344' is partly transparent"),
        ("transparent", "white", "`ink` 'transparent' is no color"),
    ],
)
def test_impossible_colors_are_refused(ink: str, paper: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_colors(ink, paper)


# --- outlines and pixels


def test_outlines_of_discs_and_rings_have_their_area() -> None:
    assert disc(9).area == pytest.approx(np.pi * 81, rel=0.005)
    ring = disc(9, hole=5)
    assert len(ring.curves) == 2
    assert ring.area == pytest.approx(np.pi * (81 - 25), rel=0.005)
    assert ring.bounds == pytest.approx((6, 6, 24, 24), abs=0.1)


def test_outlines_are_closed_and_smooth() -> None:
    for curve in disc(9, hole=5).curves:
        ahead = np.roll(curve, -1, axis=0)
        assert np.allclose(curve[:, 3], ahead[:, 0])
        leaving, arriving = ahead[:, 1] - ahead[:, 0], curve[:, 3] - curve[:, 2]
        cosine = (leaving * arriving).sum(1) / np.prod(
            [np.linalg.norm(v, axis=1) for v in (leaving, arriving)], axis=0
        )
        assert cosine.min() > 0.9999


def ratio_of_ink(image: UInt8) -> float:
    outline = trace(image)
    assert outline is not None
    return outline.area / float(image.sum() / 255)


def test_outlines_hold_as_much_ink_as_the_gray_image() -> None:
    images = StrokeGenerator().render(np.zeros((10, 6), np.float32), range(10))
    ratios = [ratio_of_ink(image) for image in images]
    assert ratios == pytest.approx([1] * 10, abs=0.1)  # worst for a bar along the pixels
    assert np.mean(ratios) == pytest.approx(1, abs=0.03)


def test_outlines_hold_the_ink_of_real_digits(digits: Data) -> None:
    images = load_dataset(digits, "train").images[:60, 0].numpy()
    enlarged = images if images.shape[1] == 28 else images.repeat(3, 1).repeat(3, 2)
    ratios = [ratio_of_ink(image) for image in enlarged]
    assert np.median(ratios) == pytest.approx(1, abs=0.05)


def test_ink_at_the_border_is_closed_and_faint_ink_is_none() -> None:
    full = trace(np.full((28, 28), 255, np.uint8))
    assert full is not None
    assert full.area == pytest.approx(28 * 28, rel=0.02)
    assert trace(np.full((28, 28), 100, np.uint8)) is None


def test_maps_are_exact() -> None:
    ring = disc(9, hole=5)
    sheared = ring.mapped(np.array([[2, 0.5], [0, 2]]), (3, -1))
    assert sheared.area == pytest.approx(4 * ring.area, rel=1e-3)
    assert ring.moved(3, -1).bounds == pytest.approx((9, 5, 27, 23), abs=0.1)


def test_pixels_hold_the_share_that_ink_covers() -> None:
    picture = coverage([rectangle(2.25, 2.5, 6, 5)], Bounds(0, 0, 10, 10), 10)
    assert picture[3, 2] == pytest.approx(0.75 * 255, abs=2)
    assert picture[2, 4] == pytest.approx(0.5 * 255, abs=2)
    assert picture[2, 2] == pytest.approx(0.375 * 255, abs=2)
    assert picture[3, 4] == 255
    assert picture[5].max() == picture[:, 6].max() == picture[:, 1].max() == 0


@pytest.mark.parametrize("height", [12, 64, 500])
def test_pictures_hold_as_much_ink_as_their_outlines(height: int) -> None:
    ring, page = disc(9, hole=5), Bounds(0, 0, 30, 30)
    picture = coverage([ring], page, height)
    scale = height / page.height
    assert picture.sum() / 255 == pytest.approx(ring.area * scale**2, rel=0.01)
    assert picture[height // 2, height // 2] == 0


# --- marks


def test_marks_have_the_strokes_of_the_hand() -> None:
    pen = Pen(height=20, thickness=3, slant=0)
    drawn = {mark: draw_punctuation(mark, pen) for mark in PUNCTUATION}
    assert set(STROKES) == set(PUNCTUATION)
    assert all(outline.bounds.left == pytest.approx(0, abs=0.05) for outline in drawn.values())
    assert drawn["-"].bounds.height == pytest.approx(3, abs=0.6)
    assert drawn["-"].bounds.bottom < -5
    assert drawn["."].bounds.bottom == pytest.approx(0, abs=0.4)
    assert drawn["."].bounds.width == pytest.approx(3.6, abs=0.6)
    assert drawn[","].bounds.bottom > 2
    assert drawn["/"].bounds.height > 20
    assert len(drawn[":"].curves) == 2
    dot = drawn["."]
    assert dot.area == pytest.approx(np.pi * 1.8**2 + 3.6 * 0.02 * 20, rel=0.05)  # a capsule


def test_marks_lean_with_the_hand() -> None:
    upright, leaning = (draw_punctuation("/", Pen(20, 3, slant)).bounds.width for slant in (0, 30))
    assert leaning - upright == pytest.approx(1.16 * 20 * np.tan(np.radians(30)), rel=0.02)


# --- spacing


def test_bars_stand_a_gap_apart() -> None:
    spacer = Spacer(20)
    bar = rectangle(0, -20, 3, 0)
    assert spacer.place(bar) == pytest.approx(0, abs=1e-9)
    assert spacer.place(bar) == pytest.approx(3 + GAP * 20, abs=0.01)


def test_round_sides_come_closer_than_straight_ones() -> None:
    ring = disc(10).moved(-5, -25)  # its box is 0..20, -20..0
    spacer = Spacer(20)
    spacer.place(ring)
    nearest = spacer.place(ring) - 20
    assert CLOSEST * 20 - 0.1 <= nearest < GAP * 20


def test_a_dot_does_not_hide_under_an_arm() -> None:
    spacer = Spacer(20)
    arm, stem = rectangle(0, -20, 14, -17), rectangle(0, -17, 3, 0)
    seven = Outline(arm.curves + stem.curves)
    spacer.place(seven)
    shift = spacer.place(rectangle(0, -3, 3, 0), is_punctuation=True)
    assert shift - 3 >= GAP * 20 - 0.1
    bar = rectangle(0, -20, 3, 0)
    following = spacer.place(bar)
    assert following - 14 >= CLOSEST * 20 - 0.3  # from the arm, though the dot is the neighbour


def written(text: str, seed: int = 3, **options: float) -> LineLayout:
    return lay_out(text, Writer(StrokeGenerator(), seed), **options)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_ink_touches_its_neighbours(text: str, seed: int) -> None:
    line = written(text, seed, jitter=1.0)
    page, height = line.page, 160
    inks = [coverage([outline], page, height) > 127 for _, outline in line.characters]
    for index, ink in enumerate(inks):
        others = np.logical_or.reduce([other for i, other in enumerate(inks) if i != index])
        away = distance_transform_edt(~others)[ink].min() * page.height / height
        assert away >= CLOSEST * line.height - 0.3  # rows and pixels are that coarse


@pytest.mark.parametrize("text", TEXTS)
def test_gaps_are_even(text: str) -> None:
    """Neighbouring digits have the gap in the mean, or are as close as may be."""
    line = written(text, jitter=0.0)
    spacer = Spacer(line.height)
    profiles = [(c, spacer.profile(outline)) for c, outline in line.characters]
    for (one, before), (other, after) in itertools.pairwise(profiles):
        if one in PUNCTUATION or other in PUNCTUATION or f"{one} {other}" in text:
            continue
        gaps = after.left - before.right
        mean = np.minimum(gaps[np.isfinite(gaps)], 0.44 * line.height).mean()
        assert mean >= GAP * line.height - 0.05
        if mean > GAP * line.height + 0.05:
            spacer.behind = before.right
            assert spacer.least_shift(after) == pytest.approx(0, abs=0.05)


def test_digits_stand_on_the_baseline() -> None:
    for character, outline in written("0123456789", jitter=0.0).characters:
        assert outline.bounds.bottom == pytest.approx(0, abs=1e-3), character
    restless = written("0123456789", jitter=1.0)
    bottoms = np.array([outline.bounds.bottom for _, outline in restless.characters])
    assert 0.2 < bottoms.std() < 0.1 * restless.height


def test_a_space_is_so_much_wider() -> None:
    lefts = [
        written(text, jitter=0.0).characters[1][1].bounds.left for text in ("11", "1 1", "1  1")
    ]
    height = written("11").height
    assert np.diff(lefts) == pytest.approx([SPACE * height] * 2)


def test_slant_drift_shears_the_last_digit_by_so_much() -> None:
    first, _, last = (o for _, o in written("111", jitter=0.0, slant_drift=20).characters)
    sheared = first.mapped([[1, -np.tan(np.radians(20))], [0, 1]])
    moved = last.moved(sheared.bounds.left - last.bounds.left, 0)
    assert np.allclose(moved.polygons[0], sheared.polygons[0], atol=0.1)


# --- one hand


def test_the_same_hand_writes_the_same_and_another_one_differently() -> None:
    one, same, other = (
        inkgan.write("3141", hand, StrokeGenerator(), height=40).to_array() for hand in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert one.shape != other.shape or not np.array_equal(one, other)
    assert one.shape[0] == 40
    assert one.min() == 0
    assert one.max() == 255
    assert all((edge == 255).all() for edge in (one[0], one[-1], one[:, 0], one[:, -1]))


def shape_of(outline: Outline) -> tuple[float, float]:
    return outline.area / outline.bounds.height**2, outline.bounds.width / outline.bounds.height


def test_nobody_writes_the_same_digit_twice_but_at_jitter_0() -> None:
    shapes = [shape_of(outline) for _, outline in written("333", jitter=1.0).characters]
    assert len({tuple(np.round(shape, 4)) for shape in shapes}) == 3
    regular = [o.moved(-o.bounds.left, 0) for _, o in written("333", jitter=0.0).characters]
    assert all(np.allclose(o.polygons[0], regular[0].polygons[0]) for o in regular)


def test_repeated_digits_are_a_step_away_in_latent_space() -> None:
    generator = StrokeGenerator()
    generator.latent_dim = 20_000
    writer = Writer(generator, 5)
    writer.digits([("3", 0), ("3", 1), ("3", 2), ("4", 1)], jitter=1.0)
    places, labels = generator.asked[-1]
    assert labels == [3, 3, 3, 4]
    assert np.array_equal(places[0], writer.latent)
    table = np.atleast_2d(np.corrcoef(places))
    assert table[0, 1:] == pytest.approx([np.sqrt(1 - LATENT_STEP**2)] * 3, abs=0.01)
    assert table[1, 2] == pytest.approx(1 - LATENT_STEP**2, abs=0.02)  # each from a draw of its own
    assert places.std(axis=1) == pytest.approx([1] * 4, abs=0.02)


@pytest.mark.parametrize(
    ("generator", "words"),
    [
        (StrokeGenerator(conditional=False), "dcgan is unconditional.*as `source`"),
        (StrokeGenerator(channels=3), "draws in color"),
        (StrokeGenerator(ink=0.3), "`hand` 0 leaves no ink"),
    ],
)
def test_generators_that_cannot_write_are_refused(generator: StrokeGenerator, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        inkgan.write("12", source=generator)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"hand": -1}, "`hand` must be whole numbers from 0"),
        ({"height": 7}, "`height` must be from 8 to 4096, not 7"),
        ({"jitter": 1.5}, r"`jitter` must be from 0 .* to 1 .*, not 1.5"),
        ({"jitter": float("nan")}, "`jitter` must be .*, not nan"),
        ({"slant_drift": 60}, "`slant_drift` must be from -45 to 45 degrees, not 60"),
        ({"text": "1" * 200, "height": 4096}, "`height` 4096 makes a picture of .* at most"),
    ],
)
def test_impossible_values_are_refused(options: dict[str, object], words: str) -> None:
    arguments: Any = {"text": "12", "source": StrokeGenerator()} | options
    with pytest.raises(ConfigError, match=words):
        inkgan.write(**arguments).to_array()


# --- files


def curves_of(data: str) -> list[Float64]:
    """Read the closed curves of an SVG path that holds M, C and Z alone; return polygons."""
    polygons = []
    for part in data.split("Z")[:-1]:
        start, *segments = re.split("[MC]", part)[1:]
        place, points = np.array(start.split(), float), []
        for segment in segments:
            controls = np.vstack([place, np.array(segment.split(), float).reshape(3, 2)])
            t = np.linspace(0, 1, 20, endpoint=False)[:, None]
            basis = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3]
            points.append(sum(b * c for b, c in zip(basis, controls, strict=True)))
            place = controls[3]
        polygons.append(np.concatenate(points))
    return polygons


def test_svg_holds_the_ink_of_the_picture() -> None:
    recipe = RECIPES["dcgan"].model_copy(update={"name": "a<b&c"})
    page = write("1,299.50", 4, StrokeGenerator(recipe), height=200, ink="#1a2b6d")
    root = ElementTree.fromstring(page.to_svg())
    assert root.tag == f"{SVG}svg"
    assert root.findtext(f"{SVG}title") == "1,299.50"
    assert root.findtext(f"{SVG}desc", "").startswith("Hand 4 of a<b&c, 0 images seen, inkgan 0.")
    assert root.get("height") == "200"
    group = root.find(f"{SVG}g")
    assert group is not None
    assert (group.get("fill"), group.get("fill-rule")) == ("#1a2b6d", "evenodd")
    paths = [path.get("d", "") for path in group.findall(f"{SVG}path")]
    assert len(paths) == 8
    area = sum(abs(sum(map(signed_area, curves_of(data)))) for data in paths)
    left, top, width, height = map(float, root.get("viewBox", "").split())
    ink = inkgan.write("1,299.50", 4, StrokeGenerator(recipe), height=200).to_array()
    assert area * (200 / height) ** 2 == pytest.approx(
        (255 - ink.astype(int)).sum() / 255, rel=0.02
    )
    assert float(root.get("width", "")) == pytest.approx(ink.shape[1], abs=1)
    assert root.find(f"{SVG}rect") is not None
    points = np.concatenate([p for data in paths for p in curves_of(data)])
    assert (points > [left, top]).all()
    assert (points < [left + width, top + height]).all()


def test_transparent_paper(tmp_path: Path) -> None:
    page = write("12", 4, StrokeGenerator(), paper="transparent")
    assert ElementTree.fromstring(page.to_svg()).find(f"{SVG}rect") is None
    page.save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.mode == "RGBA"
        assert picture.info["Title"] == "12"
        assert picture.info["Description"].startswith("Hand 4 of dcgan")
        assert picture.getpixel((0, 0)) == (0, 0, 0, 0)


def test_a_line_shows_itself_and_gives_plain_values(tmp_path: Path) -> None:
    line = inkgan.write(2026, hand=np.int64(7), source=StrokeGenerator(), height=64)
    assert line.text == "2026"
    assert line._repr_svg_() == line.to_svg()
    with Image.open(io.BytesIO(line._repr_png_())) as picture:
        assert np.array_equal(np.asarray(picture), line.to_array())
    assert np.array_equal(np.asarray(line), line.to_array())
    values = line.to_dict()
    assert json.loads(json.dumps(values)) == values
    assert [row["character"] for row in values["characters"]] == list("2026")
    ink = line.to_array() < 128
    left, top, right, bottom = values["characters"][0]["box"]
    first = ink[:, : round(right) + 1]
    rows, columns = np.nonzero(first)
    assert [columns.min(), rows.min()] == pytest.approx([left, top], abs=1.5)
    assert rows.max() == pytest.approx(bottom, abs=1.5)
    line.to_array()[:] = 0  # a copy
    assert line.to_array().max() == 255
    with pytest.raises(ConfigError, match=r"`path` .*a.gif: the ending must be .png or .svg"):
        line.save(str(tmp_path / "a.gif"))


def test_numbers_and_dates_are_written_as_they_print() -> None:
    for value in (2026, 1.5, datetime.date(2026, 11, 26), "2026"):
        assert inkgan.write(value, source=StrokeGenerator()).text == str(value)


def test_defaults_are_those_of_the_command() -> None:
    assert inkgan.write("1", source=StrokeGenerator()).height == HEIGHT == 128


@pytest.fixture
def flagship(monkeypatch: pytest.MonkeyPatch) -> StrokeGenerator:
    """Let every source be the generator of strokes."""
    generator = StrokeGenerator()
    monkeypatch.setattr(load_module, "load", lambda source, device: generator)
    return generator


@pytest.mark.usefixtures("flagship")
def test_the_command_writes_and_overwrites_nothing(tmp_path: Path) -> None:
    out = str(tmp_path / "a.svg")
    run = CliRunner().invoke
    done = run(app, ["write", "--writer", "7", "--out", out, "--", "-1.50"])
    assert (done.exit_code, done.stdout) == (0, f"{out}\n")
    assert "<title>-1.50</title>" in Path(out).read_text(encoding="utf-8")
    again = run(app, ["write", "2", "--out", out])
    assert isinstance(again.exception, ArtifactError)
    assert "--force" in str(again.exception)
    assert run(app, ["write", "2", "--out", out, "--force"]).exit_code == 0
    assert "<title>2</title>" in Path(out).read_text(encoding="utf-8")
    wrong = run(app, ["write", "2", "--out", str(tmp_path / "a.jpg")])
    assert "the ending must be .png or .svg" in str(wrong.exception)
    folder = run(app, ["write", "2", "--out", str(tmp_path), "--force"])
    assert isinstance(folder.exception, (ArtifactError, ConfigError))


def test_all_shapes_are_digits() -> None:
    assert "".join(sorted(SHAPES)) == DIGITS


def test_the_text_decides_which_digits_are_needed() -> None:
    generator = StrokeGenerator(classes="147")
    assert write("147", 0, generator).text == "147"
    with pytest.raises(ConfigError, match="cannot draw '0', '2'; it draws 1, 4, 7"):
        write("1027", 0, generator)
    with pytest.raises(ConfigError, match="cannot draw '3'; it draws 1, 4, 7"):
        write("3", 0, generator, slant=5)
