"""Shape codes are fitted once for a data set; what the cache holds is checked."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import inkgan
from inkgan import files
from inkgan.config import Model, Recipe
from inkgan.config.recipes import RECIPES
from inkgan.config.serialize import override
from inkgan.data import known_coordinates as module
from inkgan.data.dataset import load_dataset
from inkgan.data.known_coordinates import known_coordinates, must_fit
from inkgan.runs.events import Preparing, Started

DIGITS = load_dataset("uci-digits")


def coded(**changes: object) -> Model:
    fields = {f"model.{name}": value for name, value in {"shape_codes": 4, **changes}.items()}
    return override(RECIPES["flagship"], {"data.name": "uci-digits", **fields}).model


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[int]:
    """Count the fits, each of which gives other codes, with a cache of the test's own."""
    monkeypatch.setenv("INKGAN_CACHE", str(tmp_path / "own-cache"))
    counted: list[int] = []

    def fit(images: torch.Tensor, labels: torch.Tensor, styles: object, count: int) -> torch.Tensor:
        counted.append(count)
        return torch.full((len(images), count), float(len(counted)))

    monkeypatch.setattr(module, "shape_codes", fit)
    return counted


def kept_file() -> Path:
    (path,) = (files.cache_folder() / module.KEPT).iterdir()
    return path


def test_codes_are_fitted_once(fits: list[int]) -> None:
    model = coded()
    assert must_fit(DIGITS, model)
    first = known_coordinates(DIGITS, model)
    assert not must_fit(DIGITS, model)
    assert torch.equal(known_coordinates(DIGITS, model), first)
    assert first.shape == (len(DIGITS), 7)
    assert fits == [4]


@pytest.mark.parametrize(
    "other",
    [
        {"shape_codes": 5},
        {"style_measures": ("slant",)},
        {"style_measures": ("width", "thickness", "slant")},
        {"classes": 0},
    ],
)
def test_other_coordinates_are_fitted_anew(fits: list[int], other: dict[str, object]) -> None:
    known_coordinates(DIGITS, coded())
    assert must_fit(DIGITS, coded(**other))
    known_coordinates(DIGITS, coded(**other))
    assert len(fits) == 2


def test_other_images_are_fitted_anew(fits: list[int]) -> None:
    known_coordinates(DIGITS, coded())
    assert must_fit(load_dataset("uci-digits", holdout=100), coded())


def shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def put(values: np.ndarray) -> Callable[[Path], None]:
    return lambda path: np.savez(path, coordinates=values)


@pytest.mark.parametrize(
    "damage",
    [
        shorten,
        lambda path: path.write_bytes(b""),
        put(np.zeros((3, 7), np.float32)),
        put(np.full((len(DIGITS), 7), np.nan, np.float32)),
        put(np.zeros((len(DIGITS), 7))),
        lambda path: np.savez(path, other=np.zeros(2)),
    ],
    ids=["shortened", "empty", "other shape", "not numbers", "float64", "other name"],
)
def test_damaged_codes_are_fitted_again(fits: list[int], damage: Callable[[Path], None]) -> None:
    known_coordinates(DIGITS, coded())
    damage(kept_file())
    assert must_fit(DIGITS, coded())
    assert known_coordinates(DIGITS, coded())[0, -1] == 2
    assert known_coordinates(DIGITS, coded())[0, -1] == 2


def test_a_cache_that_cannot_be_written_is_said(
    fits: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / module.KEPT).write_text("a file where the folder would be")
    monkeypatch.setenv("INKGAN_CACHE", str(folder))
    with pytest.warns(files.CacheWarning, match="shape codes are not kept; INKGAN_CACHE"):
        assert known_coordinates(DIGITS, coded()).shape == (len(DIGITS), 7)


def test_styles_alone_need_no_fit(fits: list[int]) -> None:
    model = coded(shape_codes=0)
    assert not must_fit(DIGITS, model)
    assert known_coordinates(DIGITS, model).shape == (len(DIGITS), 3)
    assert fits == []


def test_a_run_says_that_codes_are_fitted_the_first_time(
    fits: list[int], tiny: Recipe, tmp_path: Path
) -> None:
    changes = {"model.shape_codes": 4, "model.latent_dim": 16, "data.augment": {}}
    recipe = override(tiny, changes)
    first = list(inkgan.train_iter(recipe, out=tmp_path / "a", images=64))
    assert isinstance(first[0], Preparing)
    assert re.match(r"fitting 4 shape codes to \d[\d,]* images, once for this data", first[0].what)
    assert isinstance(first[1], Started)
    assert isinstance(next(iter(inkgan.train_iter(recipe, out=tmp_path / "b"))), Started)
    assert fits == [4]
