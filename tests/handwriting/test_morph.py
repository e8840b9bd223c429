"""Morphs, walks and style axes."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageSequence
from typer.testing import CliRunner

from inkgan.cli.main import app
from inkgan.config.recipes import RECIPES
from inkgan.errors import ArtifactError, ConfigError
from inkgan.generation import load as load_module
from inkgan.generation.generator import Generator
from inkgan.generation.interpolation import path_length, plan_path, slerp
from inkgan.handwriting.animation import Animation
from inkgan.handwriting.latent_traversal import style_grid
from inkgan.handwriting.morph import morph
from inkgan.handwriting.writer import origin
from inkgan.images import Shape
from inkgan.io.bundle import Bundle
from inkgan.models.build import build_generator
from inkgan.types import Float32, UInt8
from tests.fixtures.stroke_generator import StrokeGenerator

seeds = st.integers(0, 1000)


def latent(seed: int) -> Float32:
    drawn: Float32 = StrokeGenerator().latents([seed])[0]
    return drawn


def angle(one: Float32, other: Float32) -> float:
    cosine = np.dot(one, other) / np.linalg.norm(one) / np.linalg.norm(other)
    return float(np.arccos(np.clip(cosine, -1, 1)))


@given(seeds, seeds, st.floats(0, 1))
def test_slerp_turns_evenly(first: int, second: int, share: float) -> None:
    start, end = (latent(s) / np.linalg.norm(latent(s)) for s in (first, second))
    between = slerp(start, end, share)
    assert np.linalg.norm(between) == pytest.approx(1, abs=1e-3)
    assert angle(start, between) == pytest.approx(share * angle(start, end), abs=2e-3)


@given(seeds, seeds)
def test_slerp_begins_and_ends_where_it_should(first: int, second: int) -> None:
    start, end = latent(first), latent(second)
    assert np.allclose(slerp(start, end, 0.0), start, atol=1e-5)
    assert np.allclose(slerp(start, end, 1.0), end, atol=1e-5)
    assert np.allclose(slerp(start, start, 0.3), start, atol=1e-5)
    assert np.isfinite(slerp(start, -start, 0.5)).all()


@given(st.integers(2, 6), st.integers(1, 8), st.booleans())
def test_paths_are_loops_of_small_steps(stops: int, frames: int, loop: bool) -> None:
    generator = StrokeGenerator()
    path = plan_path(generator, ["3"], range(stops), frames=frames, loop=loop)
    assert len(path.latents) == path_length(stops, frames, loop)
    ends = generator.latents(range(stops))
    legs = [angle(ends[i], ends[(i + 1) % stops]) for i in range(stops if loop else stops - 1)]
    for one, other in zip(path.latents, np.roll(path.latents, -1, axis=0), strict=True):
        assert angle(one, other) < 3 * max(legs) / frames + 0.01
    assert sum(path.stops) == (stops if loop else 2 * (stops - 1))
    at_stops = path.latents[[i for i, stop in enumerate(path.stops) if stop]]
    assert np.allclose(at_stops[:stops], ends, atol=1e-5)


def test_labels_take_the_straight_line() -> None:
    path = plan_path(StrokeGenerator(), ["3", "8"], [7], frames=4, loop=False)
    assert path.weights is not None
    assert path.weights[:, 3] == pytest.approx([1, 0.75, 0.5, 0.25, 0, 0.25, 0.5, 0.75])
    assert path.weights.sum(axis=1) == pytest.approx([1] * 8)
    assert (path.latents == path.latents[0]).all()
    assert path.stops == (True, False, False, False, True, False, False, False)


def test_a_walk_without_labels() -> None:
    path = plan_path(StrokeGenerator(conditional=False), [], [1, 2, 3], frames=5, loop=True)
    assert path.weights is None
    assert len(path.latents) == 15


@pytest.mark.parametrize(
    ("classes", "hands", "conditional", "words"),
    [
        ("3", [0], True, "`classes` and `hand` give one stop"),
        ("", [0], False, "`classes` and `hand` give one stop"),
        ("123", [0, 1], True, "`classes` has 3 values and `hand` has 2; give"),
        ("", [0, 1], True, "dcgan is conditional: name a class; it has 0, 1, 2"),
        ("38", [0], False, "dcgan is unconditional"),
        ("3x", [0], True, "cannot draw 'x'"),
        ("38", [-1], True, "`hand` must be whole numbers from 0"),
    ],
)
def test_impossible_paths_are_refused(
    classes: str, hands: list[int], conditional: bool, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        morph(classes, hands, StrokeGenerator(conditional=conditional))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"frames": 0}, "`frames` must be from 1 to 1000, not 0"),
        ({"seconds": 0.0}, "`seconds` must be from 0.02 to 60, not 0"),
        ({"height": 5}, "`height` must be from 8 to 4096, not 5"),
        ({"height": 4096}, "48 pictures of 4096 x 4096 pixels are too many"),
        ({"frames": 900}, "1,800 pictures"),
    ],
)
def test_impossible_animations_are_refused(options: dict[str, float], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        morph("38", source=StrokeGenerator(), **options)  # type: ignore[arg-type]


def test_morph_begins_with_one_digit_and_turns_at_the_other() -> None:
    pictures = morph("38", [7], StrokeGenerator(), frames=6, height=56).to_array()
    assert pictures.shape == (12, 56, 56)
    there, back = pictures[1:6], pictures[:6:-1]
    assert np.array_equal(there, back)
    other = morph(83, 7, StrokeGenerator(), height=56).to_array()
    assert np.array_equal(pictures[6], other[0])
    color = morph([3, "8"], 7, StrokeGenerator(), frames=2, height=56, ink="navy")
    assert color.to_array().shape == (4, 56, 56, 3)


def test_gray_keeps_the_levels_of_the_generator() -> None:
    generator = StrokeGenerator()
    gray = morph("38", [7], generator, frames=2, height=28, gray=True).to_array()
    assert np.array_equal(255 - gray[:1], generator.render(generator.latents([7]), [3]))


@pytest.fixture
def animation() -> Animation:
    return morph("38", [7], StrokeGenerator(), frames=5, seconds=0.5, height=32, ink="navy")


def frames_of(path: Path, mode: str) -> tuple[UInt8, list[int]]:
    with Image.open(path) as picture:
        frames, durations = [], []
        for frame in ImageSequence.Iterator(picture):
            frame.load()
            frames.append(np.asarray(frame.convert(mode)))
            durations.append(int(frame.info["duration"]))
        assert picture.info["loop"] == 0
    return np.stack(frames), durations


@pytest.mark.parametrize("ending", ["gif", "webp", "png"])
def test_animations_hold_every_picture_without_loss(
    animation: Animation, ending: str, tmp_path: Path
) -> None:
    path = tmp_path / f"a.{ending}"
    animation.save(path)
    pictures, durations = frames_of(path, "RGB")
    assert np.array_equal(pictures, animation.colors.paint(animation.coverage))
    assert durations == [600, 100, 100, 100, 100] * 2


@pytest.mark.parametrize("ending", ["webp", "png"])
def test_animations_may_be_transparent(ending: str, tmp_path: Path) -> None:
    animation = morph("38", [7], StrokeGenerator(), frames=3, height=32, paper="transparent")
    animation.save(tmp_path / f"a.{ending}")
    pictures, _ = frames_of(tmp_path / f"a.{ending}", "RGBA")
    assert np.array_equal(pictures[..., 3], animation.coverage)
    with pytest.raises(ConfigError, match=r"`paper` is transparent: a GIF.*write a \.webp"):
        animation.save(str(tmp_path / "a.gif"))
    assert not (tmp_path / "a.gif").exists()


def test_an_animation_shows_itself(animation: Animation) -> None:
    page = animation._repr_html_()
    assert page.startswith('<img alt="3 8" src="data:image/gif;base64,')
    with Image.open(io.BytesIO(base64.b64decode(page.split("base64,")[1][:-2]))) as picture:
        assert picture.n_frames == 10  # type: ignore[attr-defined]
    values = animation.to_dict()
    assert (values["pictures"], values["height"], values["title"]) == (10, 32, "3 8")
    with pytest.raises(ConfigError, match=r"`path` .*a.mp4: the ending must be .gif or .webp"):
        animation.save("a.mp4")


def test_a_grid_shows_itself(tmp_path: Path) -> None:
    grid = style_grid(("0", "1"), "4", 3, StrokeGenerator(), steps=2, height=64)
    with Image.open(io.BytesIO(grid._repr_png_())) as picture:
        assert np.array_equal(np.asarray(picture), grid.to_array())
    grid.save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.info["Axes"] == "across 0, down 1"
    assert grid.to_dict()["axes"] == ["0", "1"]


def test_a_grid_varies_two_coordinates_alone() -> None:
    generator = StrokeGenerator()
    picture = style_grid((0, "1"), 4, 3, generator, steps=5, height=200).to_array()
    assert picture.shape == (200, 200)
    latents, labels = generator.asked[-1]
    assert labels == [4] * 25
    assert latents[:5, 0] == pytest.approx([-2, -1, 0, 1, 2])
    assert latents[::5, 1] == pytest.approx([-2, -1, 0, 1, 2])
    assert (latents[:, 2:] == generator.latents([3])[0, 2:]).all()
    ink = (255 - picture.astype(int)).reshape(5, 40, 5, 40).sum(axis=(1, 2, 3))
    assert (np.diff(ink) > 0).all()  # down is thickness


@pytest.mark.parametrize(
    ("axes", "options", "words"),
    [
        (("0", "6"), {}, "`axes`: dcgan has no axis '6'; name a number from 0 to 5"),
        (("slope", "1"), {}, "no axis 'slope'"),
        (("1", "1"), {}, "`axes` names 1 twice"),
        (("0", "1"), {"steps": 1}, "`steps` must be from 2 to 25, not 1"),
        (("0", "1"), {"class_name": None}, "dcgan is conditional: name a class"),
    ],
)
def test_impossible_grids_are_refused(
    axes: tuple[str, str], options: dict[str, object], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        style_grid(axes, **({"class_name": "3", "source": StrokeGenerator()} | options))  # type: ignore[arg-type]


@pytest.fixture
def flagship(monkeypatch: pytest.MonkeyPatch) -> StrokeGenerator:
    """Let every source be the generator of strokes."""
    generator = StrokeGenerator()
    monkeypatch.setattr(load_module, "load", lambda source, device: generator)
    return generator


@pytest.mark.parametrize(
    ("arguments", "ending", "pictures"),
    [
        (["3", "8", "--frames", "4"], "gif", 8),
        (["3", "8", "1", "--writers", "1,2,3", "--frames", "2"], "webp", 8),
        (["5", "--walk", "--frames", "3"], "png", 18),
        (["5", "--walk", "--writers", "1,4", "--frames", "3", "--gray"], "gif", 6),
        (["5", "--grid", "0, 1"], "png", 1),
    ],
)
def test_the_command(
    arguments: list[str], ending: str, pictures: int, tmp_path: Path, flagship: StrokeGenerator
) -> None:
    out = tmp_path / f"a.{ending}"
    command = ["morph", *arguments, "--height", "64", "--out", str(out)]
    done = CliRunner().invoke(app, command)
    assert done.exception is None
    assert done.stdout == f"{out}\n"
    with Image.open(out) as picture:
        assert getattr(picture, "n_frames", 1) == pictures
        if ending != "webp":  # which holds no text
            told = picture.info.get("Description") or picture.info["comment"].decode()
            assert origin(flagship) in told
    again = CliRunner().invoke(app, command)
    assert isinstance(again.exception, ArtifactError)
    assert "--force" in str(again.exception)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["3", "8", "--out", "a.mp4"], "the ending must be .gif or .webp or .png"),
        (["3", "8", "--writers", "x"], "--writers 'x': write numbers and ranges"),
        (
            ["3", "--grid", "0,1", "--walk", "--out", "g.png"],
            "--walk and --grid exclude",
        ),
        (["3", "--grid", "0", "--out", "g.png"], "--grid '0': name two axes"),
        (["3", "8", "--grid", "0,1", "--out", "g.png"], "one digit of one writer"),
        (["3", "8", "--paper", "transparent", "--out", "g.gif"], "--paper is transparent"),
    ],
)
@pytest.mark.usefixtures("flagship")
def test_impossible_commands_are_refused(
    arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["morph", *arguments])
    assert isinstance(done.exception, ConfigError)
    assert words in str(done.exception)
    assert not list(tmp_path.iterdir())


def test_a_grid_knows_the_styles_that_a_generator_was_taught() -> None:
    model = RECIPES["dcgan"].model.model_copy(update={"style_measures": ("width", "slant")})
    generator = StrokeGenerator(RECIPES["dcgan"].model_copy(update={"model": model}))
    style_grid(("slant", "width"), "4", 3, generator, steps=2, height=64)
    latents, _ = generator.asked[-1]
    assert latents[:, 1] == pytest.approx([-2, 2, -2, 2])
    assert latents[:, 0] == pytest.approx([-2, -2, 2, 2])
    with pytest.raises(ConfigError, match="no axis 'slope'; name width, slant or a number from 0"):
        style_grid(("slope", "width"), "4", 3, generator)


@pytest.mark.parametrize("classes", [0, 10])
def test_real_generators_are_animated(classes: int) -> None:
    model = RECIPES["dcgan"].model.model_copy(update={"classes": classes})
    recipe, shape = RECIPES["dcgan"].model_copy(update={"model": model}), Shape(1, 28, 28)
    weights = build_generator(model, shape, seed=0).state_dict()
    generator = Generator(Bundle(recipe, shape, tuple("0123456789"), weights, 0, "none"))
    classes_drawn = "38" if classes else ""
    pictures = morph(classes_drawn, [1, 2], generator, frames=3, height=28, gray=True).to_array()
    labels = [3, 8] if classes else None
    assert np.array_equal(255 - pictures[[0, 3]], generator.sample(labels, seeds=[1, 2]))
