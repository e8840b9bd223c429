"""Strangers' photographs: sheets on tables, forms, ruled paper, tilted and small lines."""

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from inkgan.errors import DataError, DataFormatError
from inkgan.inversion.imitate import Imitation, imitate
from inkgan.inversion.ink import _broadly_blurred
from inkgan.inversion.optimize import InversionResult
from inkgan.inversion.picture import read_gray
from inkgan.inversion.reading_order import in_reading_order, line_tilt
from inkgan.inversion.recognize import RecognizedDigits, read_digits, recognition_notes
from inkgan.types import Float64
from tests.fixtures import photographs as made
from tests.fixtures.stroke_generator import StrokeGenerator

SHEET = (300, 520)


def read(seen: Float64, digits: str | None = None) -> RecognizedDigits:
    return read_digits([made.pixels(seen)], digits)


def page(text: str = "2026") -> Float64:
    return made.photographed(made.page([text], height=70, shape=SHEET))


@pytest.mark.parametrize(
    ("brightness", "texture", "degrees", "perspective", "margin"),
    [
        (0.2, "plain", 0, 0, 0.2),
        (0.35, "wood", 5, 0, 0.2),
        (0.4, "cloth", -8, 0, 0.2),
        (0.3, "wood", 0, 0.2, 0.2),
        (0.3, "plain", 12, 0, 0.6),
        (0.6, "wood", 3, 0, 0.1),
    ],
)
def test_a_sheet_on_a_table(
    brightness: float, texture: str, degrees: float, perspective: float, margin: float
) -> None:
    seen = made.on_table(page(), brightness, texture, margin, degrees, perspective)
    assert read(seen).digits == "2026"


def test_a_blank_sheet_on_a_table_is_blank() -> None:
    seen = made.on_table(made.photographed(np.zeros(SHEET)), 0.35, "wood")
    with pytest.raises(DataError, match=r"blank|no mark|edges alone"):
        read(seen)


def test_writing_half_in_shadow_is_read_whole() -> None:
    seen = made.photographed(made.page(["2026", "1130"], height=70, shape=(400, 520)))
    seen[200:] *= 0.5
    assert read(seen).digits == "20261130"


@pytest.mark.parametrize(("gap", "width", "height"), [(0, 3, 76), (20, 3, 76), (0, 6, 76)])
def test_boxes_of_a_form(gap: int, width: int, height: int) -> None:
    found = read(made.photographed(made.form("1809", width=width, gap=gap, height=height)))
    assert found.digits == "1809"


def test_ruled_squares_as_dark_as_the_pencil() -> None:
    lines = made.ruled((400, 700), 40, 3, squared=True)
    ink = np.maximum(made.page(["2026"], height=110, shape=(400, 700)), 0.6 * lines)
    found = read(made.photographed(ink, pen=0.45))
    assert found.digits == "2026"


def test_one_large_digit_on_squares_as_dark_as_the_pencil() -> None:
    """All lines and the digit hang together, and fill the picture."""
    lines = made.ruled((500, 500), 60, 2, squared=True)
    ink = np.maximum(made.page(["4"], height=200, shape=(500, 500)), 0.9 * lines)
    found = read(made.photographed(ink, pen=0.45))
    assert found.digits == "4"
    assert any("printed lines are taken out" in remark for remark in found.remarks)


@pytest.mark.parametrize(("pitch", "width", "pen", "dark"), [(70, 4, 0.8, 0.9), (64, 3, 0.4, 1)])
def test_thick_lines_through_digits_are_never_misread_in_silence(
    pitch: int, width: int, pen: float, dark: float
) -> None:
    lines = made.ruled((400, 700), pitch, width)
    ink = np.maximum(made.page(["35"], height=120, shape=(400, 700)), dark * lines)
    try:
        found = read(made.photographed(ink, pen=pen))
        said = " ".join(found.remarks) if found.digits != "35" else ""
    except DataError as error:
        said = str(error)
    assert not said or "check that no digit is missing" in said or "no digit that I know" in said


PAPERS = {
    "blue ink on ruled paper": ((235, 235, 230), (30, 50, 150)),
    "red ink": ((235, 235, 230), (190, 30, 40)),
    "yellow paper": ((250, 232, 140), (30, 40, 120)),
    "chalk on a green board": ((45, 85, 65), (235, 235, 230)),
}


@pytest.mark.parametrize("name", PAPERS)
def test_ink_and_paper_of_any_color(name: str) -> None:
    ink = made.page(["207"], height=70, shape=(180, 320))
    lines = made.ruled(ink.shape, 40, 2) if "ruled" in name else None
    assert read_digits([made.colored(ink, *PAPERS[name], lines)]).digits == "207"


@pytest.mark.parametrize("is_ruled", [False, True])
def test_a_seven_with_a_bar(is_ruled: bool) -> None:
    ink = made.crossed_seven()
    lines = made.ruled(ink.shape, 40, 2) if is_ruled else None
    seen = made.colored(ink, *PAPERS["blue ink on ruled paper"], lines)
    assert read_digits([seen]).digits == "7"


def test_the_rest_of_a_line_at_the_border_is_no_digit() -> None:
    seen = np.full((106, 54), 120.0) - np.arange(54) / 2
    seen[77:80] = 240
    seen[0:5, 31:40] = 150
    seen[98:105, 28:38] -= 8
    with pytest.raises(DataError, match="no mark that looks like a digit"):
        read_digits([seen.astype(np.uint8)])


def test_digits_that_touch_are_cut_apart_and_told() -> None:
    found = read(made.photographed(made.touching("25")))
    assert found.digits == "25"
    assert any("digits touch" in remark for remark in found.remarks)


def test_digits_that_cannot_be_cut_apart_name_a_way_out() -> None:
    seen = made.photographed(made.touching("2553"))
    for digits, way_out in ((None, "or give `digits`"), ("2553", "or leave paper between them")):
        with pytest.raises(DataError, match=rf"crop the picture to the digits, {way_out}"):
            read(seen, digits)


@pytest.mark.parametrize("degrees", [-6, -4, 4, 6, 10])
def test_tilted_lines_are_read_in_order(degrees: float) -> None:
    ink = made.page(["0123456789", "5678901234"], height=50, shape=(420, 800))
    expected = "01234567895678901234"
    assert read(made.photographed(made.tilted(ink, degrees))).digits == expected


class Box:
    """A mark without ink."""

    def __init__(self, top: float, left: float) -> None:
        self.box = (round(top), round(left), round(top) + 40, round(left) + 25)


@pytest.mark.parametrize("degrees", [-12, -5, -3, 0, 3, 5, 12])
@pytest.mark.parametrize("rows", [1, 3])
def test_reading_order(degrees: float, rows: int) -> None:
    slope = np.tan(np.deg2rad(degrees))
    boxes = [Box(500 + 80 * row - slope * 45 * i, 45 * i) for row in range(rows) for i in range(9)]
    mixed = [boxes[i] for i in np.random.default_rng(0).permutation(len(boxes))]
    assert in_reading_order(mixed) == boxes
    assert line_tilt(boxes) == pytest.approx(degrees, abs=1)


def test_small_writing_on_a_large_picture() -> None:
    ink = made.page(["2026", "1130"], height=33, shape=(900, 1300))
    found = read(made.photographed(ink, blur=0.8))
    assert found.digits == "20261130"
    assert any("writing is small" in remark for remark in found.remarks)


def test_what_is_too_small_is_to_be_cropped() -> None:
    ink = made.page(["2026"], height=7, shape=(900, 1250))
    with pytest.raises(DataError, match="if the writing is small, crop the picture to it"):
        read(made.photographed(ink, blur=0.5))


def test_marks_that_are_left_out_are_told() -> None:
    ink = made.page(["206"], height=110, shape=(300, 700))
    made.put(ink, made.digit("5", 110), 100, 660)
    made.put(ink, made.digit("3", 24), 250, 100)
    found = read(made.photographed(ink))
    assert found.digits == "206"
    assert any("cut by the picture's border" in remark for remark in found.remarks)
    assert any("too small beside the others" in remark for remark in found.remarks)


def test_a_mark_with_many_holes_is_no_digit() -> None:
    ink = np.zeros((300, 300))
    ink[60:240, 80:220] = made.ruled((180, 140), 44, 6, squared=True)
    with pytest.raises(DataError, match=r"mark 1 is no digit that I know|no mark"):
        read(made.photographed(ink))


def test_digits_given_against_what_is_seen() -> None:
    found = read(page("57"), "07")
    assert found.digits == "07"
    assert recognition_notes(found) == ["mark 1 looks like a 5, `digits` says 0"]


def test_errors_above_the_documented_one_are_told() -> None:
    images = np.zeros((2, 28, 28), np.uint8)
    seen = RecognizedDigits(images, "17", np.ones(2), np.full(2, 3.0), places=("here", "there"))
    errors = np.array([0.05, 0.12])
    inversion = InversionResult(np.zeros((2, 6), np.float32), images, errors)
    found = Imitation(StrokeGenerator(), seen, inversion, np.zeros((2, 6)))
    (note,) = found.notes
    assert "mark 2 is no digit that I know" in note
    assert "error 0.120, above 0.08 (there)" in note
    assert note in found._repr_html_()


@pytest.mark.parametrize("seed", range(12))
def test_drawn_pictures_are_read_or_refused(seed: int) -> None:
    """`python -m tests.fuzz imitated-drawing --inputs 1300 --minutes 60` tries more of them."""
    picture = made.random_drawing(np.random.default_rng(seed))
    with contextlib.suppress(DataError):
        assert read_digits([picture]).images.shape[1:] == (28, 28)


def test_a_mark_fainter_than_half_ink_is_read_or_refused() -> None:
    picture = made.random_drawing(np.random.default_rng(603685665))
    with contextlib.suppress(DataError):
        assert read_digits([picture]).images.any()


def test_a_faint_mark_alone_is_read_or_refused() -> None:
    """A line that is cut by the border, and far fainter a small square."""
    seen = np.full((106, 54), 120.0)
    seen[77:80] = 230
    seen[1:4, 30:40] = 150
    seen[100:106, 28:38] = 95
    with contextlib.suppress(DataError):
        assert read_digits([seen.astype(np.uint8)]).images.any()


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (None, "not NoneType"),
        (7, "not"),
        (np.zeros((3, 40, 50), np.uint8), r"transpose\(1, 2, 0\)"),
        (np.zeros((5, 28, 28), np.uint8), "several pictures as a list"),
        (np.zeros(784, np.uint8), r"reshape\(28, 28\)"),
        (np.full((40, 40), 200.0), "divide by 255"),
        (np.full((40, 40), np.nan), "from nan to nan"),
        (np.zeros((40, 0), np.uint8), "holds no pixels"),
        (np.array([["a"]]), "not ndarray"),
        ({"a": 1}, "not dict"),
    ],
)
def test_wrong_arrays_are_refused_with_a_way_out(picture: object, words: str) -> None:
    with pytest.raises(DataFormatError, match=words):
        imitate(picture, StrokeGenerator())  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(300, 520), (131, 480), (40, 50)])
def test_a_broad_blur_is_a_gaussian(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).random(shape) ** 4
    picture[: shape[0] // 3] *= 0.3
    sigma = min(shape) / 4
    expected = gaussian_filter(picture, sigma)
    np.testing.assert_allclose(_broadly_blurred(picture, sigma), expected, rtol=0, atol=3e-3)


def test_arrays_of_other_types_are_read() -> None:
    pixels = made.pixels(page("7"))
    expected = np.asarray(read_gray(pixels))
    arrays: list[Any] = [pixels[..., None], pixels[None], pixels.astype(np.int64), pixels / 255]
    for array in arrays:
        assert np.array_equal(np.asarray(read_gray(array)), expected)
    binary: Any = pixels > 128
    assert read_digits([binary]).digits == "7"
    assert read_digits([Image.fromarray((pixels / 255).astype(np.float32))]).digits == "7"


def test_very_large_pictures_are_reduced_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inkgan.inversion.picture.MANY_PIXELS", 60_000)
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = Image.fromarray(made.pixels(page("7")))
    upright.rotate(90, expand=True).save(tmp_path / "a.png", exif=exif)
    gray = read_gray(tmp_path / "a.png")
    assert gray.width * gray.height <= 60_000
    assert gray.width > gray.height
    monkeypatch.setattr("inkgan.inversion.picture.MOST_PIXELS", 100_000)
    with pytest.raises(DataError, match="at most 100,000 can be read: crop it to the digits"):
        read_gray(tmp_path / "a.png")
