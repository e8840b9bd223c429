"""Digits on pictures, the latents that draw them, and more digits in that hand."""

import contextlib
import io
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from scipy import ndimage
from torch.distributions import MultivariateNormal
from typer.testing import CliRunner

import inkgan
from inkgan.cli.main import app
from inkgan.config import Data
from inkgan.data.dataset import load_dataset
from inkgan.device import compute_settings
from inkgan.errors import ConfigError, DataError, DataFormatError
from inkgan.generation.load import load
from inkgan.handwriting.layout import lay_out
from inkgan.images import to_array, to_uint8
from inkgan.inversion import error_percentiles as reference
from inkgan.inversion import imitate as imitate_module
from inkgan.inversion.components import find_marks
from inkgan.inversion.imitate import Imitation, imitate, shared_latent
from inkgan.inversion.ink import find_ink
from inkgan.inversion.mnist_format import THINNEST, to_mnist_format
from inkgan.inversion.optimize import invert, joint_prior
from inkgan.inversion.picture import LEAST_SIDE, Picture, read_brightness
from inkgan.inversion.recognize import RecognizedDigits, read_digits, recognition_notes
from inkgan.metrics.features.extractors import extract_features
from inkgan.types import Float32, UInt8
from tests.fixtures.stroke_generator import SHAPES, StrokeGenerator

SIZE = 300


def drawn(text: str, pen: float = 26.0, cell: int = SIZE, across: int = 10) -> np.ndarray:
    """Draw digits as ink in [0, 1], `across` to a row."""
    rows = -(-len(text) // across)
    sheet = Image.new("L", (cell * min(len(text), across), cell * rows))
    canvas = ImageDraw.Draw(sheet)
    for index, digit in enumerate(text):
        x, y = cell * (index % across + 0.5), cell * (index // across + 0.5)
        points = [(x + 0.2 * cell * a, y - 0.32 * cell * b) for a, b in SHAPES[digit]]
        for start, end in itertools.pairwise(points):
            canvas.line((*start, *end), fill=255, width=round(pen))
        for a, b in points:
            canvas.ellipse((a - pen / 2, b - pen / 2, a + pen / 2, b + pen / 2), fill=255)
    return np.asarray(sheet) / 255


def photographed(ink: np.ndarray, *, light_on_dark: bool = False, noise: float = 0.02) -> UInt8:
    """Put ink on paper that a lamp lights from the left, with the edge of a shadow across it."""
    height, width = ink.shape
    y, x = np.mgrid[:height, :width] / np.array([height, width])[:, None, None]
    paper = 0.85 * (1 - 0.4 * x) * np.where(x + y > 1.3, 0.7, 1.0)
    seen = paper * (1 - 0.75 * ndimage.gaussian_filter(ink, 1))
    seen += np.random.default_rng(0).normal(0, noise, seen.shape)
    seen = 1 - seen if light_on_dark else seen
    picture: UInt8 = np.rint(255 * seen.clip(0, 1)).astype(np.uint8)
    return picture


# --- pictures


def test_arrays_and_files_are_read_alike(tmp_path: Path) -> None:
    picture = photographed(drawn("3"))
    Image.fromarray(picture).save(tmp_path / "a.png")
    assert np.array_equal(read_brightness(picture), read_brightness(tmp_path / "a.png"))
    color = np.stack([picture] * 3, axis=-1)
    assert np.allclose(read_brightness(color), read_brightness(picture), atol=0.01)


def test_a_cameras_orientation_is_obeyed(tmp_path: Path) -> None:
    picture = Image.fromarray(photographed(drawn("7")))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to see it upright
    picture.rotate(90, expand=True).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(read_brightness(tmp_path / "a.png"), read_brightness(np.asarray(picture)))


@pytest.mark.parametrize("ink", [0, 255])
def test_transparent_paper(ink: int, tmp_path: Path) -> None:
    picture = np.full((SIZE, SIZE, 4), ink, np.uint8)
    picture[..., 3] = 255 * drawn("3")
    assert read_digits([picture]).digits == "3"


def test_sixteen_bits_are_not_clipped(tmp_path: Path) -> None:
    deep = (40_000 * (1 - 0.8 * drawn("4"))).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "a.png")
    assert read_digits([tmp_path / "a.png"]).digits == "4"


def test_pictures_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "noise.png").write_bytes(b"\x89PNG\r\n" + b"\xff" * 400)
    whole = io.BytesIO()
    Image.fromarray(photographed(drawn("3"))).save(whole, "PNG")
    (tmp_path / "cut.png").write_bytes(whole.getvalue()[:2000])
    for name, error, words in (
        ("none.png", DataError, "none.png does not exist"),
        ("noise.png", DataFormatError, "noise.png cannot be read as a picture"),
        ("cut.png", DataFormatError, "cut.png cannot be read as a picture"),
        ("", DataError, "is no file"),
        ("x" * 300, DataError, "File name too long"),
    ):
        with pytest.raises(error, match=words):
            read_digits([tmp_path / name])
    small = np.zeros((LEAST_SIDE - 1, 40), np.uint8)
    with pytest.raises(DataError, match="too small: 40x15 pixels; a digit needs 16"):
        read_digits([small])
    with pytest.raises(DataFormatError, match=r"uint8 or of floats in \[0, 1\], not float64"):
        read_digits([np.full((40, 40), 2.0)])


def test_pictures_of_any_kind_are_read_alike(tmp_path: Path) -> None:
    pixels = photographed(drawn("7"))
    Image.fromarray(pixels).save(tmp_path / "a.png")
    pictures: list[Picture] = [pixels, pixels / 255, Image.fromarray(pixels)]
    pictures += [tmp_path / "a.png", str(tmp_path / "a.png")]
    brightness = [read_brightness(picture) for picture in pictures]
    assert all(np.array_equal(one, brightness[0]) for one in brightness)


# --- ink


@pytest.mark.parametrize("level", [0, 128, 255])
def test_blank_pictures_are_refused(level: int) -> None:
    with pytest.raises(DataError, match="the picture is blank: it has one brightness"):
        read_digits([np.full((80, 60), level, np.uint8)])


def test_mere_noise_and_mere_shadow_are_blank() -> None:
    for picture in (
        photographed(np.zeros((SIZE, SIZE))),
        photographed(np.zeros((90, 70)), noise=0),
    ):
        with pytest.raises(DataError, match=r"blank|no mark"):
            read_digits([picture])


@settings(max_examples=25, deadline=None)
@given(
    st.integers(16, 60),
    st.integers(16, 60),
    st.integers(0, 2**32 - 1),
    st.sampled_from([2, 9, 256]),
)
def test_any_picture_is_read_or_refused(height: int, width: int, seed: int, levels: int) -> None:
    random = np.random.default_rng(seed)
    picture = (random.integers(0, levels, (height, width)) * (255 // (levels - 1))).astype(np.uint8)
    with contextlib.suppress(DataError):
        assert read_digits([picture]).images.shape[1:] == (28, 28)


@pytest.mark.parametrize("light_on_dark", [False, True])
def test_ink_on_uneven_paper(light_on_dark: bool) -> None:
    truth = drawn("8")
    ink = find_ink(read_brightness(photographed(truth, light_on_dark=light_on_dark)))
    overlap = (ink.mask & (truth > 0.5)).sum() / (ink.mask | (truth > 0.5)).sum()
    assert overlap > 0.85
    assert ink.amount[truth > 0.9].mean() > 0.95
    assert ink.amount[ndimage.distance_transform_edt(truth < 0.5) > 8].mean() < 0.02


# --- components


def test_sheets_are_read_in_order() -> None:
    seen = read_digits([photographed(drawn("0123456789271", across=5, cell=200, pen=18))])
    assert seen.digits == "0123456789271"
    assert (seen.confidence > 0.5).all()


def test_parts_of_a_digit_are_one_mark() -> None:
    ink = drawn("5")
    ink[: int(0.28 * SIZE)] = np.roll(ink[: int(0.28 * SIZE)], -14, axis=0)  # its bar, lifted
    found = find_ink(read_brightness(photographed(ink)))
    assert len(find_marks(found).digits) == 1


def test_what_is_no_digit_is_left_out() -> None:
    line, blot = np.zeros((SIZE, SIZE)), np.zeros((SIZE, SIZE))
    line[150:160, 20:280] = 1
    blot[110:190, 110:190] = 1
    for picture in (line, blot):
        with pytest.raises(DataError, match="no mark that looks like a digit"):
            read_digits([photographed(picture)])
    dirty = drawn("73")
    dirty[20:24, 300:304] = 1  # a speck between them
    dirty[:, :12] = 1  # the edge of the table
    assert read_digits([photographed(dirty)]).digits == "73"


# --- MNIST's form


@given(st.sampled_from("0123456789"), st.floats(18, 40))
@settings(max_examples=12, deadline=None)
def test_normal_form(digit: str, pen: float) -> None:
    ink = find_ink(read_brightness(photographed(drawn(digit, pen))))
    image, thickness = to_mnist_format(ink, find_marks(ink).digits[0])
    assert image.shape == (28, 28)
    rows, columns = (np.flatnonzero(image.max(axis=axis)) for axis in (1, 0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    assert ndimage.center_of_mass(image) == pytest.approx((14, 14), abs=0.51)
    # the middle lines of these digits are 0.64 SIZE high
    expected = 20 * pen / (0.64 * SIZE + pen)
    assert thickness == pytest.approx(expected, rel=0.25)
    # a stroke thinner than two pixels that lies between them covers half its thickness of each
    assert image.max() > 240 * min(1, expected / 2, thickness / 2)


def test_thin_strokes_are_thickened() -> None:
    ink = find_ink(read_brightness(photographed(drawn("7", pen=5, cell=600))))
    image, thickness = to_mnist_format(ink, find_marks(ink).digits[0])
    assert thickness < 0.5
    assert inkgan_thickness(image) == pytest.approx(THINNEST, abs=0.6)
    seen = RecognizedDigits(image[None], "7", np.array([0.4]), np.array([thickness]))
    assert "recognized with 40% confidence only" in recognition_notes(seen)[0]
    assert "thickened to 1.7 of 20 pixels" in recognition_notes(seen)[1]


def inkgan_thickness(image: UInt8) -> float:
    from inkgan.metrics.strokes import measure

    return float(measure(image[None]).thickness[0])


def test_mnist_is_read_as_it_is(digits: Data) -> None:
    """What is enlarged, photographed and read again is nearly the same image."""
    if digits.name != "mnist":
        pytest.skip("INKGAN_DATA names no folder with MNIST")
    test = load_dataset(digits, "test", None)
    images, labels = test.images[:20, 0].numpy(), test.labels[:20].numpy()
    read = []
    for place, image in enumerate(images):
        large = Image.fromarray(image).resize((168, 168), Image.Resampling.BICUBIC)
        picture = photographed(np.asarray(large) / 255, light_on_dark=place % 2 == 1)
        read.append(max(read_digits([picture]).images, key=np.sum))
    again = np.stack(read)
    right = extract_features(again).predicted == labels
    gaps = np.sqrt(((again.astype(float) - images) ** 2).mean(axis=(1, 2))) / 255
    for first in (0, 1):  # dark on light, then light on dark
        assert right[first::2].mean() >= 0.9  # nine of ten
        assert np.median(gaps[first::2]) < 0.09  # half a pixel's shift makes more
    assert right.mean() >= 0.95


def test_digits_that_are_told() -> None:
    picture = photographed(drawn("71"))
    assert read_digits([picture], "11").digits == "11"
    with pytest.raises(ConfigError, match="`digits` 7 has 1 digits, but 2 marks were found"):
        read_digits([picture], "7")
    with pytest.raises(ConfigError, match="`digits` 'x'"):
        read_digits([picture], "x")
    with pytest.raises(ConfigError, match="`pictures` is empty"):
        read_digits([])


# --- latents


class BarGenerator(StrokeGenerator):
    """Draws a bar for every class, through torch: slant, thickness and place are coordinates."""

    def forward(self, latents: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        y, x = torch.meshgrid(torch.arange(28.0), torch.arange(28.0), indexing="ij")
        slant, pen, place = (latents[:, i, None, None] for i in range(3))
        middle = 13.5 + 2 * place + 0.15 * slant * (13.5 - y)
        ink = torch.sigmoid(2 * (1.5 + 0.3 * pen - (x - middle).abs()))
        ink = ink * torch.sigmoid(9 - (y - 13.5).abs())
        return (2 * ink - 1)[:, None]

    def render(self, latents: Float32, labels: Sequence[int] | Float32 | None = None) -> UInt8:
        if labels is None or np.ndim(labels) == 2:
            raise ValueError("a label for each")
        with torch.no_grad():
            drawn = self.forward(torch.from_numpy(latents), torch.zeros(len(latents)))
        return to_array(to_uint8(drawn))


BARS = BarGenerator()


def test_latents_are_found_again() -> None:
    latents = np.zeros((3, 6), np.float32)
    latents[:, :3] = [[1.0, -0.5, 0.3], [-1.2, 0.8, -0.4], [0.2, 0.1, 1.5]]
    images = BARS.render(latents, [1, 1, 1])
    unknown = np.full((3, 6), np.nan)
    found = invert(BARS, images, [1, 1, 1], unknown, together=False)
    assert np.abs(found.latents[:, :3] - latents[:, :3]).max() < 0.1
    assert np.abs(found.latents[:, 3:]).max() < 0.1  # what the image does not tell is 0
    assert found.errors.max() < 0.01
    assert np.array_equal(found.drawn, BARS.render(found.latents, [1, 1, 1]))
    gaps = (found.drawn.astype(float) - images) / 255
    assert found.errors == pytest.approx(np.sqrt((gaps**2).mean(axis=(1, 2))))


def test_the_digits_of_a_hand_draw_each_other_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inkgan.inversion.optimize.SIGMA", 8.0)  # images that tell little
    latents = np.zeros((2, 6), np.float32)
    latents[:, 0] = [-1.0, 1.0]
    images, unknown = BARS.render(latents, [1, 1]), np.full((2, 6), np.nan)
    alone, joint = (invert(BARS, images, [1, 1], unknown, t).latents for t in (False, True))
    assert abs(np.diff(joint[:, 0])[0]) < 0.9 * abs(np.diff(alone[:, 0])[0])


@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_joint_prior_is_the_normal_distribution(count: int) -> None:
    z, shared = torch.randn(count, 3), torch.tensor([0.0, 0.5, 0.9])
    expected = torch.tensor(0.0)
    for column, r in zip(z.T, shared, strict=True):
        covariance = (1 - r) * torch.eye(count) + r * torch.ones(count, count)
        normal = MultivariateNormal(torch.zeros(count), covariance)
        expected -= normal.log_prob(column) - normal.log_prob(torch.zeros(count))
    assert joint_prior(z, shared).item() == pytest.approx(expected.item(), rel=1e-4)


def test_the_latent_of_a_hand() -> None:
    latents = np.array([[9, 0, 3, 4], [9, 0, 3, 4]], np.float32)
    scores = np.full((2, 4), np.nan)
    scores[:, 0] = [1.0, 2.0]
    latent = shared_latent(latents, scores)
    assert latent[0] == 1.5  # the style that was measured
    assert latent[1:] == pytest.approx(np.sqrt(3) * np.array([0, 0.6, 0.8]))
    unknown = shared_latent(latents[:1], np.full((1, 4), np.nan))
    assert np.linalg.norm(unknown) == pytest.approx(2)


def test_shape_codes_are_no_longer_than_typical_ones() -> None:
    """A digit that decides its codes and little else does not draw the others with larger ones."""
    latents = np.array([[9, 3, -4, 0.1, 0.0, 0.0]], np.float32)
    scores = np.full((1, 6), np.nan)
    scores[:, 0] = 1.0
    latent = shared_latent(latents, scores, codes=slice(1, 3))
    assert latent[1:3] == pytest.approx(np.sqrt(2) * np.array([0.6, -0.8]))
    assert latent[3:] == pytest.approx([np.sqrt(3), 0, 0])


# --- imitating


@pytest.fixture
def bar() -> UInt8:
    """Give a picture of a slanted 1."""
    ink = np.zeros((SIZE, SIZE))
    y, x = np.mgrid[:SIZE, :SIZE]
    ink[(np.abs(x - 150 - 0.2 * (150 - y)) < 14) & (np.abs(y - 150) < 100)] = 1
    return photographed(ink)


def test_imitating(bar: UInt8) -> None:
    found = imitate(bar, BARS)
    assert isinstance(found, Imitation)
    assert found.recognized.digits == "1"
    assert found.inversion.latents[0, 0] == pytest.approx(0.2 / 0.15, abs=0.25)
    assert found.inversion.errors[0] < 0.12
    assert found.write("2026", height=40).to_array().shape[0] == 40
    values = found.to_dict()
    assert [row["digit"] for row in values["digits"]] == ["1"]
    page = found._repr_html_()
    assert "Recognized: 1; mean reconstruction error 0." in page
    assert "data:image/png;base64," in page
    assert found.comparison().ndim == 2
    line = lay_out("121", found.writer, jitter=0.5)
    assert line.text == "121"
    assert np.array_equal(found.writer.digit_latents["1"][0], found.inversion.latents[0])
    several = imitate([bar, bar], BARS, digits="11")
    assert len(several.writer.digit_latents["1"]) == 2
    assert "Handwriting on a picture, imitated by dcgan" in several.write("7").to_svg()


def test_each_of_several_digits_shown_is_written_in_turn(bar: UInt8) -> None:
    writer = imitate([bar, bar], BARS, digits="17").writer
    asked = [writer.place(digit, number, 0.3) for digit, number in (("1", 0), ("7", 0), ("3", 0))]
    assert np.array_equal(asked[0], writer.digit_latents["1"][0])
    assert np.array_equal(asked[1], writer.digit_latents["7"][0])
    assert np.array_equal(asked[2], writer.latent)
    again = writer.place("1", 1, 0.3)
    assert 0 < np.linalg.norm(again - asked[0]) < 2


@pytest.mark.parametrize(
    ("generator", "words"),
    [
        (BarGenerator(conditional=False), "dcgan cannot imitate: that needs a conditional"),
        (BarGenerator(classes="abcdefghij"), "of the digits 0 to 9"),
        (StrokeGenerator(), "dcgan gives no gradients"),
    ],
)
def test_generators_that_cannot_imitate_are_refused(
    generator: StrokeGenerator, words: str, bar: UInt8
) -> None:
    with pytest.raises(ConfigError, match=words):
        imitate(bar, generator)


def test_errors_are_held_against_those_of_test_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    assert reference.rank_error(BARS, 0.05) is None
    held = {BARS.bundle.digest[:16]: {"percentiles": np.linspace(0, 1, 101).tolist()}}
    monkeypatch.setattr(reference, "shipped_percentiles", lambda: held)
    assert reference.rank_error(BARS, 0.25) == pytest.approx((0.75, 0.5))
    images = BARS.render(np.zeros((2, 6), np.float32), [1, 1])
    assert reference.measure_errors(BARS, images, [1, 1]).max() < 0.02


def test_what_is_shipped_is_whole() -> None:
    for entry in reference.shipped_percentiles().values():
        assert len(entry["percentiles"]) == 101
        assert np.all(np.diff(entry["percentiles"]) >= 0)
        assert entry["date"]


def test_the_number_of_threads_changes_nothing() -> None:
    """Another rounding of sums would, after 115 steps."""
    picture, generator = photographed(drawn("7")), load("flagship")
    found = []
    for threads in (1, 2):
        with compute_settings(threads=threads):
            found.append(imitate(picture, generator).inversion)
            assert torch.get_num_threads() == threads
    assert np.array_equal(found[0].latents, found[1].latents)
    assert np.array_equal(found[0].drawn, found[1].drawn)
    assert np.array_equal(found[0].errors, found[1].errors)


def test_the_command_imitates_in_one_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(photographed(drawn("7"))).save(tmp_path / "a.png")
    threads = []

    def stop(*_: object) -> Imitation:
        threads.append(torch.get_num_threads())
        raise ConfigError("enough")

    monkeypatch.setattr(imitate_module, "imitate_digits", stop)
    with compute_settings(threads=2):
        CliRunner().invoke(app, ["imitate", str(tmp_path / "a.png")])
        assert torch.get_num_threads() == 2
    assert threads == [1]


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bar: UInt8) -> None:
    monkeypatch.setattr("inkgan.generation.load.load", lambda *_, **__: BARS)
    Image.fromarray(bar).save(tmp_path / "mine.png")
    run, out, seen = CliRunner().invoke, tmp_path / "a.svg", tmp_path / "seen.png"
    arguments = ["imitate", str(tmp_path / "mine.png"), "--write", "31", "--out", str(out)]
    done = run(app, [*arguments, "--compare", str(seen)])
    assert done.exit_code == 0, done.exception
    lines = done.stdout.splitlines()
    assert lines[0].startswith("1  recognized with")
    assert lines[1:] == [str(seen), str(out)]
    assert "<title>31</title>" in out.read_text(encoding="utf-8")
    with Image.open(seen) as picture:
        assert picture.size[1] > picture.size[0]
    again = run(app, arguments)
    assert "--force" in str(again.exception)
    blank = tmp_path / "blank.png"
    Image.new("L", (100, 100), 255).save(blank)
    refused = run(app, ["imitate", str(blank), "--out", str(tmp_path / "b.png")])
    assert "blank.png is blank" in str(refused.exception)
    wrong = run(app, ["imitate", str(blank), "--write", "x", "--out", str(tmp_path / "b.png")])
    assert "cannot write 'x'" in str(wrong.exception)


def test_it_is_public() -> None:
    assert inkgan.imitate is imitate_module.imitate


def test_the_flagship_imitates() -> None:
    found = imitate(photographed(drawn("3")), load("flagship"))
    assert found.recognized.digits == "3"
    assert found.inversion.errors[0] < 0.12
    drawn_digits = found.generator.render(np.tile(found.writer.latent, (10, 1)), range(10))
    assert (extract_features(drawn_digits).predicted == np.arange(10)).sum() >= 9
