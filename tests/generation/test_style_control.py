"""Slant, thickness and width by measure; different draws of a class."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner

import inkgan
from inkgan import files
from inkgan.cli.main import app
from inkgan.config import Recipe
from inkgan.config.recipes import RECIPES
from inkgan.errors import ConfigError
from inkgan.generation.load import load
from inkgan.generation.sample_request import SampleRequest, run_request
from inkgan.generation.style_control import diverse_subset as diverse_subset_module
from inkgan.generation.style_control.calibration import (
    FEWEST_DRAWS,
    Calibration,
    CalibrationCache,
    fit_calibration,
)
from inkgan.generation.style_control.controller import StyleController
from inkgan.generation.style_control.diverse_subset import diverse_subset, farthest_points
from inkgan.generation.style_control.latent_search import search_latents
from inkgan.generation.style_control.sample import sample_styled
from inkgan.generation.style_control.style import MEASURES, Style, style_of
from inkgan.handwriting.writer import Writer
from inkgan.handwriting.writer_style import styled_writer
from inkgan.metrics.strokes import measure
from inkgan.types import Float32, UInt8
from tests.fixtures.stroke_generator import StrokeGenerator

ASKED = (8.0, 2.7, 13.0)


def taught() -> Recipe:
    """Give a recipe whose generator has a coordinate for each style."""
    recipe = RECIPES["dcgan"]
    return recipe.model_copy(
        update={"model": recipe.model.model_copy(update={"style_measures": MEASURES})}
    )


GENERATOR = StrokeGenerator(taught())


@pytest.fixture(autouse=True)
def _keeps_calibrations(shared_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test use what another has calibrated."""
    monkeypatch.setenv("INKGAN_CACHE", str(shared_cache))


# --- what is asked


def test_targets_are_one_number_or_one_a_digit() -> None:
    table, high = Style(slant=3.0, width=[10.0, 12.0]).bounds(2)
    assert np.array_equal(table, high, equal_nan=True)
    assert np.array_equal(table, [[3, np.nan, 10], [3, np.nan, 12]], equal_nan=True)
    assert str(Style(slant=3.0, width=12.0)) == " with slant 3 degrees, width 12 pixels"
    assert str(Style(slant=(-3.0, 3.0))) == " with slant -3 to 3 degrees"
    assert str(Style()) == ""
    low, high = Style(slant=(-3, 3.5)).bounds(2)
    assert low[:, 0].tolist() == [-3, -3]
    assert high[:, 0].tolist() == [3.5, 3.5]


@pytest.mark.parametrize(
    ("style", "words"),
    [
        (Style(slant=float("nan")), "`slant` must be a finite number, or a range .*, not nan"),
        (Style(slant="left"), "`slant` must be a finite number"),  # type: ignore[arg-type]
        (Style(slant=(5.0, -5.0)), "`slant`: the range .* runs backwards; give"),
        (Style(width=[1.0, 2.0, 3.0]), "`width` has 3 values for 2 images"),
    ],
)
def test_impossible_requests_are_refused(style: Style, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        style.bounds(2)


# --- calibration


def linear(names: Sequence[str], count: int = 2000) -> tuple[Calibration, Float32, np.ndarray]:
    """Calibrate measures that are linear in the latents, each along a direction of its own."""
    random = np.random.default_rng(0)
    latents = random.standard_normal((count, 6)).astype(np.float32)
    directions = np.eye(3, 6) if names else np.linalg.qr(random.standard_normal((6, 3)))[0].T
    measured = latents @ directions.T * [10, 0.5, 2] + [5, 3, 12]
    return fit_calibration(latents, measured, names, "7"), latents, directions


@pytest.mark.parametrize("names", [(), MEASURES])
def test_calibration_of_linear_measures(names: Sequence[str]) -> None:
    calibration, latents, directions = linear(names)
    assert np.allclose(calibration.axes, directions, atol=0.01)
    assert np.allclose(calibration.slopes, np.diag([10, 0.5, 2]), atol=0.1)
    assert calibration.is_coordinate.tolist() == [bool(names)] * 3
    places = latents[:200] @ directions.T
    inner = (np.abs(places) < 2).all(axis=1)
    measured = places * [10, 0.5, 2] + [5, 3, 12]
    assert np.allclose(calibration.scores(measured)[inner], places[inner], atol=0.25)
    # the percentiles 1 and 99 of a normal distribution
    assert calibration.ranges()[:, 1] == pytest.approx([5 + 23.3, 3 + 1.16, 12 + 4.65], rel=0.1)


@given(st.lists(st.floats(-60, 60), min_size=2, max_size=20))
def test_scores_grow_with_what_is_measured(slants: list[float]) -> None:
    calibration, _, _ = linear(MEASURES, 200)
    rows = np.array([[slant, 3.0, 12.0] for slant in sorted(slants)])
    scores = calibration.scores(rows)
    assert (np.diff(scores[:, 0]) >= 0).all()
    back = calibration.expected(scores)
    inside = (rows > calibration.percentiles[:, 1]) & (rows < calibration.percentiles[:, -2])
    assert np.allclose(back[inside], rows[inside], atol=1e-6)


def test_calibration_as_json() -> None:
    calibration, _, _ = linear(())
    again = Calibration.from_json(json.loads(json.dumps(calibration.as_json())))
    assert np.array_equal(again.percentiles, calibration.percentiles)
    assert np.array_equal(again.axes, calibration.axes)


def test_blank_draws_cannot_be_calibrated() -> None:
    latents = np.zeros((FEWEST_DRAWS * 2, 4), np.float32)
    with pytest.raises(ConfigError, match="only 0 of 100 draws for 7 could be measured"):
        fit_calibration(latents, np.full((len(latents), 3), np.nan), (), "7")


def test_calibrations_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INKGAN_CACHE", str(tmp_path))
    first = CalibrationCache(StrokeGenerator(taught())).of([7, 1])
    generator = StrokeGenerator(taught())
    again = CalibrationCache(generator).of([1])
    assert not generator.asked
    assert np.array_equal(again[0].percentiles, first[1].percentiles)
    for damage in ("{", '{"version": "0", "classes": {}}', "[]"):
        for path in (files.cache_folder() / "styles").iterdir():
            path.write_text(damage, encoding="utf-8")
        generator = StrokeGenerator(taught())
        found = CalibrationCache(generator).of([1])[0]
        assert np.array_equal(found.percentiles, first[1].percentiles)
        assert generator.asked


# --- search


def test_the_search_solves_a_bent_plane() -> None:
    """Latents are images here, and `measure` is told by a stand-in: closed forms throughout."""
    calibration, _, _ = linear(MEASURES)
    images: list[Float32] = []

    def draw(latents: Float32, rows: np.ndarray) -> UInt8:
        images.append(latents)
        slants, pens = 0.15 * latents[:, 0], 2.4 + 0.4 * latents[:, 1]
        return np.stack([bar(float(s), float(p)) for s, p in zip(slants, pens, strict=True)])

    targets = np.array([[12.0, 2.9, np.nan], [-9.0, 2.0, np.nan]])
    start = np.random.default_rng(1).standard_normal((2, 6)).astype(np.float32)
    found = search_latents(draw, start, targets, [calibration] * 2)
    assert np.abs(found.measured - targets)[:, 0].max() < 0.3
    assert np.abs(found.measured - targets)[:, 1].max() < 0.06
    assert np.array_equal(found.latents[:, 2:], start[:, 2:])  # what was not asked for stays
    assert np.array_equal(draw(found.latents, np.arange(2)), found.images)


def draw_styled(
    labels: list[int],
    seeds: Iterable[int],
    style: Style,
    generator: StrokeGenerator | None = None,
) -> UInt8:
    drawn, _ = sample_styled(generator or GENERATOR, labels, list(seeds), style)
    return drawn.images


def bar(slant: float, pen: float) -> UInt8:
    from tests.fixtures.stroke_generator import stroke

    return stroke([(13.5 + 9 * slant, 4.5), (13.5 - 9 * slant, 22.5)], pen)


@pytest.mark.parametrize("recipe", [taught(), RECIPES["dcgan"]], ids=["taught", "found"])
def test_styles_are_met(recipe: Recipe) -> None:
    generator = StrokeGenerator(recipe)
    slant, pen, width = ASKED
    images = draw_styled([7, 3, 0, 7], range(4), Style(slant, pen, width), generator)
    strokes = measure(images)
    assert np.abs(strokes.slant - slant).max() < 1
    assert np.abs(strokes.thickness - pen).max() < 0.15
    assert np.abs(strokes.width - width).max() < 0.5
    alone = draw_styled([3], [1], Style(slant, pen, width), generator)
    assert np.array_equal(alone[0], images[1])  # in any company


def test_each_image_may_have_its_own_style() -> None:
    images = draw_styled([4, 4, 4], range(3), Style([-10.0, 0.0, 10.0]))
    assert measure(images).slant == pytest.approx([-10, 0, 10], abs=0.5)


def test_in_a_range_images_move_to_its_nearest_bound_only() -> None:
    plain = GENERATOR.render(GENERATOR.latents(range(20)), [4] * 20)
    natural = measure(plain).slant
    images = draw_styled([4] * 20, range(20), Style(slant=(-2.0, 6.0)))
    inside = (natural >= -2) & (natural <= 6)
    assert 0 < inside.sum() < 20
    assert np.array_equal(images[inside], plain[inside])
    assert measure(images).slant == pytest.approx(natural.clip(-2, 6), abs=0.5)
    everything = draw_styled([4] * 20, range(20), Style(slant=(-90.0, 90.0)))
    assert measure(everything).slant == pytest.approx(natural, abs=6)  # but for the extremes
    with pytest.raises(ConfigError, match="`slant` 60 is out of reach"):
        draw_styled([4], [0], Style(slant=(60, 70)))


def test_out_of_reach_names_the_range() -> None:
    with pytest.raises(
        ConfigError, match=r"`slant` 60 is out of reach for a 7: .* with -?\d+\.\d to \d+\.\d deg"
    ):
        draw_styled([7], [0], Style(slant=60))
    with pytest.raises(ConfigError, match="only gray strokes"):
        StyleController(StrokeGenerator(channels=3)).check([7], *Style(slant=1).bounds(1))


class Misdrawn(StrokeGenerator):
    """Draws a 1 in place of every digit far from the middle of its class."""

    def _digit(self, name: str, latent: Float32) -> np.ndarray:
        far = np.abs(latent[5]) > 0.5
        return super()._digit("1" if far else name, latent)


def test_digits_that_are_read_as_others_are_drawn_nearer_to_their_class() -> None:
    generator = Misdrawn(taught())
    latents = generator.latents(range(6))
    latents[:, 5] = 0.6
    targets, _ = Style(slant=5).bounds(6)
    found = StyleController(generator).draw(latents, [0] * 6, targets)
    assert found.latents[:, 5] == pytest.approx([0.7 * 0.6] * 6)
    assert np.abs(found.measured[:, 0] - 5).max() < 0.5


class Stiff(StrokeGenerator):
    """Draws one style for every digit far from the middle of its class."""

    def _digit(self, name: str, latent: Float32) -> np.ndarray:
        stiff = np.where(np.arange(len(latent)) < len(MEASURES), 0, latent)
        return super()._digit(name, stiff if np.abs(latent[5]) > 0.5 else latent)


def test_digits_whose_shape_forbids_the_style_are_drawn_nearer_to_their_class() -> None:
    generator = Stiff(taught())
    latents = generator.latents(range(4))
    latents[:, 5] = [0.6, 0.6, 0.1, 9]
    targets, _ = Style(slant=12).bounds(4)
    found = StyleController(generator).draw(latents, [0] * 4, targets)
    # the last one stays stiff, however near: it keeps its handwriting
    assert found.latents[:, 5] == pytest.approx([0.7 * 0.6, 0.7 * 0.6, 0.1, 9])
    assert np.abs(found.measured[:3, 0] - 12).max() < 0.5
    assert found.meets(targets).tolist() == [True, True, True, False]


# --- hands


def test_a_hand_in_a_style() -> None:
    writer = styled_writer(Writer(GENERATOR, 3), "0123456789", Style(-4.0, 2.6, 12.0))
    assert writer.render is not None
    strokes = measure(writer.render(np.tile(writer.latent, (10, 1)), list(range(10))))
    assert np.abs(strokes.slant + 4).max() < 1
    assert np.abs(strokes.thickness - 2.6).max() < 0.15
    assert strokes.width.mean() == pytest.approx(12, abs=0.3)
    assert strokes.width[1] < strokes.width[0] - 3  # a 1 stays narrow
    assert writer.pen.slant == pytest.approx(-4, abs=0.5)
    with pytest.raises(ConfigError, match=r"`width` 30 .* the digits of a writer are \d+\.\d to"):
        styled_writer(writer, "7", Style(width=30.0))
    assert styled_writer(writer, "7", Style()) is writer


def test_writing_in_a_style() -> None:
    upright, leaning = (
        inkgan.write(141, source=GENERATOR, slant=slant, jitter=0).to_array() for slant in (0, 12)
    )
    assert upright.shape != leaning.shape or not np.array_equal(upright, leaning)


# --- different draws


def test_farthest_points_on_a_line() -> None:
    places = np.arange(11.0)[:, None]
    assert farthest_points(places, 1).tolist() == [5]
    chosen = farthest_points(places, 3)
    assert chosen[0] == 5
    assert set(chosen[1:]) <= {0, 1, 9, 10}  # one end may be the oddest tenth
    assert sorted(farthest_points(places, 11)) == list(range(11))


def test_chosen_draws_differ_and_can_be_had_again() -> None:
    chosen = diverse_subset(GENERATOR, 7, 5, Style())
    assert len(set(chosen.seeds)) == 5
    again = GENERATOR.render(GENERATOR.latents(chosen.seeds), [7] * 5)
    assert np.array_equal(again, chosen.images)
    random = [choose_at_random(seed) for seed in range(20)]
    flat = chosen.images.reshape(5, -1).astype(float)
    assert nearest(flat) > np.percentile(random, 90)
    assert chosen.spacing > 0.2


def choose_at_random(seed: int) -> float:
    rows = GENERATOR.render(GENERATOR.latents(range(5 * seed, 5 * seed + 5)), [7] * 5)
    return nearest(rows.reshape(5, -1).astype(float))


def nearest(rows: np.ndarray) -> float:
    gaps = np.linalg.norm(rows[:, None] - rows, axis=-1)
    return float(gaps[~np.eye(len(rows), dtype=bool)].min())


def test_an_unconditional_generators_digits_are_what_e1_predicts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(diverse_subset_module, "BATCH", 100)
    monkeypatch.setattr(diverse_subset_module, "POOL", 200)
    generator = StrokeGenerator(conditional=False)  # draws nothing but 0
    result = run_request(generator, SampleRequest("0", 3))
    assert result.labels == [0, 0, 0]
    assert "dcgan is unconditional: E1 has classified its images" in result.notes
    with pytest.raises(ConfigError, match=r"0 of 200 draws of dcgan are a 5"):
        run_request(Fewer(conditional=False), SampleRequest("5", 3))
    with pytest.raises(ConfigError, match="use `count` instead of `seeds`"):
        run_request(generator, SampleRequest("0", seeds=[1]))


class Fewer(StrokeGenerator):
    """Draws the same 0 from every latent, at once."""

    def render(self, latents: Float32, labels: Sequence[int] | Float32 | None = None) -> UInt8:
        return np.repeat(super().render(latents[:1], labels), len(latents), axis=0)


def test_requests_by_class_and_seed() -> None:
    rows = run_request(GENERATOR, SampleRequest("2-4,7", seeds=[5, 9]))
    assert rows.labels == [2, 2, 3, 3, 4, 4, 7, 7]
    assert rows.seeds == [5, 9] * 4
    plain = run_request(GENERATOR, SampleRequest(latent_scale=0.5, seeds=[1, 2]))
    assert plain.labels is not None
    shrunk = GENERATOR.render(GENERATOR.latents([1, 2]) * np.float32(0.5), plain.labels)
    assert np.array_equal(plain.images, shrunk)
    styled_ones = run_request(GENERATOR, SampleRequest("4", 3, style=Style(slant=6.0)))
    assert styled_ones.measured is not None
    assert styled_ones.measured[:, 0] == pytest.approx([6] * 3, abs=0.5)


@pytest.mark.parametrize(
    ("sample_request", "words"),
    [
        (SampleRequest(count=3), "`count` needs a class"),
        (SampleRequest("7", count=3, seeds=[1]), "`count` and `seeds`"),
        (SampleRequest("7", count=0), "`count` must be from 1 to 500 of a class, not 0"),
        (SampleRequest("9-7"), "`digit` 9-7 runs backwards; write 7-9"),
        (SampleRequest("x"), "cannot draw 'x'"),
        (SampleRequest(latent_scale=-1), "`latent_scale` must be from 0 to 2, not -1"),
        (
            SampleRequest("7", 2, style=Style(thickness=40.0)),
            "`thickness` 40 is out of reach for a 7",
        ),
    ],
)
def test_impossible_requests_name_the_parameter(sample_request: SampleRequest, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        run_request(GENERATOR, sample_request)


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inkgan.generation.load.load", lambda *_, **__: GENERATOR)
    monkeypatch.setattr("inkgan.generation.load.load", lambda *_, **__: GENERATOR)
    run = CliRunner().invoke
    out = tmp_path / "a.npz"
    arguments = [
        "sample",
        "any",
        "--labels",
        "3,7",
        "--count",
        "2",
        "--slant",
        "6",
        "--out",
        str(out),
    ]
    done = run(app, arguments)
    assert done.exit_code == 0, done.exception
    assert done.stdout.strip().splitlines()[-1] == str(out)
    assert "3: seeds " in done.output
    with np.load(out) as held:
        assert held["labels"].tolist() == [3, 3, 7, 7]
        assert held["measured"][:, 0] == pytest.approx([6] * 4, abs=0.5)
        assert np.allclose(style_of(held["images"]), held["measured"])
    grid = tmp_path / "a.png"
    assert (
        run(app, ["sample", "any", "--labels", "0-9", "--count", "1", "--out", str(grid)]).exit_code
        == 0
    )
    with Image.open(grid) as picture:
        assert picture.size[0] < picture.size[1]  # a digit a row
    folder = tmp_path / "folder"
    assert (
        run(app, ["sample", "any", "--labels", "7", "--seeds", "4", "--out", str(folder)]).exit_code
        == 0
    )
    assert [path.name for path in folder.iterdir()] == ["seed-000004-label-7.png"]
    page = tmp_path / "page.svg"
    assert run(app, ["write", "17", "--slant", "6", "--out", str(page)]).exit_code == 0
    assert "Hand 0 with slant 6 degrees of dcgan" in page.read_text(encoding="utf-8")


def test_the_flagship_obeys() -> None:
    images = load("flagship").sample([7] * 8, slant=10, thickness=2.5)
    strokes = measure(images)
    assert np.abs(strokes.slant - 10).mean() < 2
    assert np.abs(strokes.thickness - 2.5).mean() < 0.3
