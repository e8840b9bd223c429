"""Slant, thickness and width by measure; different draws of a class."""

import json
from collections.abc import Sequence
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
from inkgan.generation.style_control import diverse_subset as choose_module
from inkgan.generation.style_control.calibration import FEWEST, Calibration, fit_calibration
from inkgan.generation.style_control.calibration_cache import CalibrationCache
from inkgan.generation.style_control.diverse_subset import choose, farthest_points
from inkgan.generation.style_control.latent_search import settle
from inkgan.generation.style_control.measures import MEASURES, Style, measure_styles
from inkgan.generation.style_control.sample_request import Order, deliver
from inkgan.generation.style_control.sample_styled import StyleController, styled
from inkgan.handwriting.writer import Hand
from inkgan.handwriting.writer_style import styled_hand
from inkgan.metrics.strokes import measure
from inkgan.types import Float32, UInt8
from tests.fixtures.stroke_generator import StrokeGenerator

ASKED = (8.0, 2.7, 13.0)


def taught() -> Recipe:
    """Give a recipe whose generator has a coordinate for each style."""
    recipe = RECIPES["dcgan"]
    return recipe.model_copy(update={"model": recipe.model.model_copy(update={"style": MEASURES})})


SAMPLER = StrokeGenerator(taught())


@pytest.fixture(autouse=True)
def _keeps_calibrations(shared_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test use what another has calibrated."""
    monkeypatch.setenv("INKGAN_CACHE", str(shared_cache))


# --- what is asked


def test_targets_are_one_number_or_one_a_digit() -> None:
    table = Style(slant=3.0, width=[10.0, 12.0]).targets(2)
    assert np.array_equal(table, [[3, np.nan, 10], [3, np.nan, 12]], equal_nan=True)
    assert str(Style(slant=3.0, width=12.0)) == " with slant 3 degrees, width 12 pixels"
    assert str(Style()) == ""


@pytest.mark.parametrize(
    ("style", "words"),
    [
        (Style(slant=float("nan")), "--slant nan is no number"),
        (Style(width=[1.0, 2.0, 3.0]), "--width: 3 values for 2 digits"),
    ],
)
def test_impossible_requests_are_refused(style: Style, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        style.targets(2)


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
    assert calibration.taught.tolist() == [bool(names)] * 3
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
    latents = np.zeros((FEWEST * 2, 4), np.float32)
    with pytest.raises(ConfigError, match="only 0 of 100 draws for 7 could be measured"):
        fit_calibration(latents, np.full((len(latents), 3), np.nan), (), "7")


def test_calibrations_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INKGAN_CACHE", str(tmp_path))
    first = CalibrationCache(StrokeGenerator(taught())).of([7, 1])
    sampler = StrokeGenerator(taught())
    again = CalibrationCache(sampler).of([1])
    assert not sampler.asked
    assert np.array_equal(again[0].percentiles, first[1].percentiles)
    for damage in ("{", '{"version": "0", "classes": {}}', "[]"):
        for path in (files.cache_folder() / "styles").iterdir():
            path.write_text(damage, encoding="utf-8")
        sampler = StrokeGenerator(taught())
        found = CalibrationCache(sampler).of([1])[0]
        assert np.array_equal(found.percentiles, first[1].percentiles)
        assert sampler.asked


# --- settling


def test_settling_solves_a_bent_plane() -> None:
    """Latents are images here, and `measure` is told by a stand-in: closed forms throughout."""
    calibration, _, _ = linear(MEASURES)
    images: list[Float32] = []

    def draw(latents: Float32, rows: np.ndarray) -> UInt8:
        images.append(latents)
        slants, pens = 0.15 * latents[:, 0], 2.4 + 0.4 * latents[:, 1]
        return np.stack([bar(float(s), float(p)) for s, p in zip(slants, pens, strict=True)])

    targets = np.array([[12.0, 2.9, np.nan], [-9.0, 2.0, np.nan]])
    start = np.random.default_rng(1).standard_normal((2, 6)).astype(np.float32)
    settled = settle(draw, start, targets, [calibration] * 2)
    assert np.abs(settled.measured - targets)[:, 0].max() < 0.3
    assert np.abs(settled.measured - targets)[:, 1].max() < 0.06
    assert np.array_equal(settled.latents[:, 2:], start[:, 2:])  # what was not asked for stays
    assert np.array_equal(draw(settled.latents, np.arange(2)), settled.images)


def bar(slant: float, pen: float) -> UInt8:
    from tests.fixtures.stroke_generator import stroke

    return stroke([(13.5 + 9 * slant, 4.5), (13.5 - 9 * slant, 22.5)], pen)


@pytest.mark.parametrize("recipe", [taught(), RECIPES["dcgan"]], ids=["taught", "found"])
def test_styles_are_met(recipe: Recipe) -> None:
    sampler = StrokeGenerator(recipe)
    slant, pen, width = ASKED
    images = styled([7, 3, 0, 7], range(4), sampler, slant=slant, thickness=pen, width=width)
    strokes = measure(images)
    assert np.abs(strokes.slant - slant).max() < 1
    assert np.abs(strokes.thickness - pen).max() < 0.15
    assert np.abs(strokes.width - width).max() < 0.5
    alone = styled([3], [1], sampler, slant=slant, thickness=pen, width=width)
    assert np.array_equal(alone[0], images[1])  # in any company


def test_each_image_may_have_its_own_style() -> None:
    images = styled([4, 4, 4], range(3), SAMPLER, slant=[-10.0, 0.0, 10.0])
    assert measure(images).slant == pytest.approx([-10, 0, 10], abs=0.5)


def test_without_a_style_images_are_the_samplers() -> None:
    plain = styled([4, 2], [5, 6], SAMPLER)
    assert np.array_equal(plain, SAMPLER.render(SAMPLER.latents([5, 6]), [4, 2]))
    conditional = styled(None, [5, 6, 7], SAMPLER)
    assert conditional.shape == (3, 28, 28)


def test_out_of_reach_names_the_range() -> None:
    with pytest.raises(
        ConfigError, match=r"--slant 60 is out of reach for a 7: .* with -?\d+\.\d to \d+\.\d deg"
    ):
        styled([7], [0], SAMPLER, slant=60)
    with pytest.raises(ConfigError, match="only grey strokes"):
        StyleController(StrokeGenerator(channels=3)).check([7], Style(slant=1).targets(1))


class Misdrawn(StrokeGenerator):
    """Draws a 1 in place of every digit far from the middle of its class."""

    def _digit(self, name: str, latent: Float32) -> np.ndarray:
        far = np.abs(latent[5]) > 0.5
        return super()._digit("1" if far else name, latent)


def test_digits_that_are_read_as_others_are_drawn_nearer_to_their_class() -> None:
    sampler = Misdrawn(taught())
    latents = sampler.latents(range(6))
    latents[:, 5] = 0.6
    targets = Style(slant=5).targets(6)
    settled = StyleController(sampler).draw(latents, [0] * 6, targets)
    assert settled.latents[:, 5] == pytest.approx([0.7 * 0.6] * 6)
    assert np.abs(settled.measured[:, 0] - 5).max() < 0.5


# --- hands


def test_a_hand_in_a_style() -> None:
    hand = styled_hand(Hand(SAMPLER, 3), "0123456789", Style(-4.0, 2.6, 12.0))
    assert hand.render is not None
    strokes = measure(hand.render(np.tile(hand.latent, (10, 1)), list(range(10))))
    assert np.abs(strokes.slant + 4).max() < 1
    assert np.abs(strokes.thickness - 2.6).max() < 0.15
    assert strokes.width.mean() == pytest.approx(12, abs=0.3)
    assert strokes.width[1] < strokes.width[0] - 3  # a 1 stays narrow
    assert hand.pen.slant == pytest.approx(-4, abs=0.5)
    with pytest.raises(ConfigError, match=r"--width 30 .* ten digits of a hand are \d+\.\d to"):
        styled_hand(hand, "7", Style(width=30.0))
    assert styled_hand(hand, "7", Style()) is hand


def test_writing_in_a_style() -> None:
    upright, leaning = (inkgan.write("141", source=SAMPLER, slant=s, jitter=0) for s in (0, 12))
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
    chosen = choose(SAMPLER, 7, 5, Style())
    assert len(set(chosen.seeds)) == 5
    again = SAMPLER.render(SAMPLER.latents(chosen.seeds), [7] * 5)
    assert np.array_equal(again, chosen.images)
    random = [choose_at_random(seed) for seed in range(20)]
    flat = chosen.images.reshape(5, -1).astype(float)
    assert nearest(flat) > np.percentile(random, 90)
    assert chosen.apart > 0.2


def choose_at_random(seed: int) -> float:
    rows = SAMPLER.render(SAMPLER.latents(range(5 * seed, 5 * seed + 5)), [7] * 5)
    return nearest(rows.reshape(5, -1).astype(float))


def nearest(rows: np.ndarray) -> float:
    gaps = np.linalg.norm(rows[:, None] - rows, axis=-1)
    return float(gaps[~np.eye(len(rows), dtype=bool)].min())


def test_an_unconditional_generators_digits_are_what_the_judge_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(choose_module, "BATCH", 100)
    monkeypatch.setattr(choose_module, "POOL", 200)
    sampler = StrokeGenerator(conditional=False)  # draws nothing but 0
    delivery = deliver(sampler, Order("0", 3))
    assert delivery.labels == [0, 0, 0]
    assert "dcgan is unconditional: its digits are what the judge reads" in delivery.notes
    with pytest.raises(ConfigError, match=r"0 of 200 draws of dcgan are a 5"):
        deliver(Fewer(conditional=False), Order("5", 3))
    with pytest.raises(ConfigError, match="take --count in place of --seeds"):
        deliver(sampler, Order("0", seeds=[1]))


class Fewer(StrokeGenerator):
    """Draws the same 0 from every latent, at once."""

    def render(self, latents: Float32, labels: Sequence[int] | Float32 | None = None) -> UInt8:
        return np.repeat(super().render(latents[:1], labels), len(latents), axis=0)


def test_orders() -> None:
    rows = deliver(SAMPLER, Order("2-4,7", seeds=[5, 9]))
    assert rows.labels == [2, 2, 3, 3, 4, 4, 7, 7]
    assert rows.seeds == [5, 9] * 4
    plain = deliver(SAMPLER, Order(truncation=0.5, seeds=[1, 2]))
    assert plain.labels is not None
    shrunk = SAMPLER.render(SAMPLER.latents([1, 2]) * np.float32(0.5), plain.labels)
    assert np.array_equal(plain.images, shrunk)
    styled_ones = deliver(SAMPLER, Order("4", 3, style=Style(slant=6.0)))
    assert styled_ones.measured is not None
    assert styled_ones.measured[:, 0] == pytest.approx([6] * 3, abs=0.5)


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (Order(count=3), "--count needs a class"),
        (Order("7", count=3, seeds=[1]), "--count and --seeds"),
        (Order("7", count=0), "--count 0 is impossible; use 1 to 500"),
        (Order("9-7"), "--digit 9-7 runs backwards; write 7-9"),
        (Order("x"), "cannot draw 'x'"),
        (Order(truncation=0), "--truncation 0 is impossible"),
        (Order("7", 2, style=Style(thickness=40.0)), "--thickness 40 is out of reach for a 7"),
    ],
)
def test_impossible_orders_are_refused(order: Order, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        deliver(SAMPLER, order)


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inkgan.generation.load.load", lambda *_, **__: SAMPLER)
    monkeypatch.setattr("inkgan.generation.source.load", lambda *_, **__: SAMPLER)
    run = CliRunner().invoke
    out = tmp_path / "a.npz"
    arguments = [
        "sample",
        "any",
        "--digits",
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
    assert "3: --seeds " in done.output
    with np.load(out) as held:
        assert held["labels"].tolist() == [3, 3, 7, 7]
        assert held["measured"][:, 0] == pytest.approx([6] * 4, abs=0.5)
        assert np.allclose(measure_styles(held["images"]), held["measured"])
    grid = tmp_path / "a.png"
    assert (
        run(app, ["sample", "any", "--digits", "0-9", "--count", "1", "--out", str(grid)]).exit_code
        == 0
    )
    with Image.open(grid) as picture:
        assert picture.size[0] < picture.size[1]  # a digit a row
    folder = tmp_path / "folder"
    assert (
        run(app, ["sample", "any", "--digit", "7", "--seeds", "4", "--out", str(folder)]).exit_code
        == 0
    )
    assert [path.name for path in folder.iterdir()] == ["seed-000004-label-7.png"]
    page = tmp_path / "page.svg"
    assert run(app, ["write", "17", "--slant", "6", "--out", str(page)]).exit_code == 0
    assert "Hand 0 with slant 6 degrees of dcgan" in page.read_text(encoding="utf-8")


def test_the_flagship_obeys() -> None:
    images = styled([7] * 8, range(8), load("flagship"), slant=10, thickness=2.5)
    strokes = measure(images)
    assert np.abs(strokes.slant - 10).mean() < 2
    assert np.abs(strokes.thickness - 2.5).mean() < 0.3
