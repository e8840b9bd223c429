"""Data sets of one's own, names that are nearly right, and plain names from Python."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import inkgan
from inkgan.config import Data, Recipe
from inkgan.config.serialize import override
from inkgan.data import registry
from inkgan.data.dataset_spec import DatasetSpec, ReadRequest
from inkgan.data.registry import DATASETS, get_dataset_spec, register_dataset
from inkgan.errors import ConfigError, DataError, DataFormatError


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "DATASETS", dict(DATASETS))


def read_runes(request: ReadRequest) -> tuple[Any, Any]:
    """Return 40 training and 20 test images, each of the level of its place."""
    count = 40 if request.split == "train" else 20
    images = np.zeros((count, 28, 28), np.uint8) + np.arange(count, dtype=np.uint8)[:, None, None]
    return images, np.arange(count) % 2


RUNES = DatasetSpec("runes", read_runes, classes=("fe", "ur"))


def test_a_set_of_ones_own_is_loaded_by_name() -> None:
    register_dataset(RUNES)
    train = inkgan.load_dataset("runes", holdout=10)
    assert (len(train), train.shape, train.classes) == (30, (1, 28, 28), ("fe", "ur"))
    validation = inkgan.load_dataset("runes", "validation", holdout=10, size=14, channels=3)
    assert validation.images[0].unique().tolist() == [4]
    assert validation.shape == (3, 14, 14)
    assert len(inkgan.load_dataset(Data(name="runes", holdout=3), "test")) == 20


def test_a_set_of_ones_own_is_trained(tiny: Recipe, tmp_path: Path) -> None:
    register_dataset(RUNES)
    changes = {"data.name": "runes", "schedule.batch_size": 20, "schedule.epochs": 1}
    run = inkgan.train(override(tiny, changes), out=tmp_path / "run")
    assert run.bundle_path.exists()
    registry.DATASETS.pop("runes")
    assert inkgan.load(tmp_path / "run").sample(seeds=range(2)).shape == (2, 12, 12)
    with pytest.raises(ConfigError, match="unknown data set 'runes'"):
        inkgan.load_dataset("runes")


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        ((np.zeros((2, 28, 28)), [0, 1]), r"uint8 images .*not float64 \(2, 28, 28, 1\)"),
        ((np.zeros((2, 28, 28, 4), np.uint8), [0, 1]), "1 or 3 channels"),
        ((np.zeros((2, 28, 28), np.uint8), [0]), "for each of its 2 images"),
        ((np.zeros((0, 28, 28), np.uint8), []), "for each of its 0 images"),
        ((np.zeros((2, 28, 28), np.uint8), [0.0, 1.0]), "whole number"),
        ((np.zeros((2, 28, 28), np.uint8), [0, 2]), "labels 0 to 2; 0 to 1 are possible"),
        ((np.zeros((2, 28, 28), np.uint8), [-1, 0]), "labels -1 to 0"),
        ((np.zeros((2, 28, 29), np.uint8), [0, 1]), "28x29 gray images, not 28x28 gray"),
    ],
)
def test_what_a_reader_must_not_return(returned: Any, words: str) -> None:
    reader: Callable[[ReadRequest], Any] = lambda request: returned  # noqa: E731
    register_dataset(DatasetSpec("runes", reader, ("fe", "ur"), shape=registry.GRAY_28))
    with pytest.raises(DataFormatError, match=words):
        inkgan.load_dataset("runes")


def test_names_are_taken_once() -> None:
    register_dataset(RUNES)
    with pytest.raises(ConfigError, match="there is a data set 'runes' already"):
        register_dataset(RUNES)
    register_dataset(RUNES, replace=True)
    for name in ("", "My Set", "npz:x", "folder:x"):
        with pytest.raises(ConfigError, match="must be lower case letters"):
            register_dataset(DatasetSpec(name, read_runes, ("fe", "ur")))


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("mnits", "mnist"),
        ("MNIST", "mnist"),
        ("Fashion_MNIST", "fashion-mnist"),
        ("fashion", "fashion-mnist"),
        ("emnist", "emnist-digits"),
        ("cifar", "cifar10"),
        ("digits", "uci-digits"),
    ],
)
def test_nearly_right_names(wrong: str, right: str) -> None:
    with pytest.raises(ConfigError, match=f"unknown data set {wrong!r}; did you mean {right!r}"):
        get_dataset_spec(wrong)


def test_impossible_values_from_python() -> None:
    with pytest.raises(ConfigError, match=r"`data\.size` = 2: should be greater"):
        inkgan.load_dataset("uci-digits", size=2)
    with pytest.raises(ConfigError, match=r"`data\.channels` = 2"):
        inkgan.load_dataset("uci-digits", channels=2)
    with pytest.raises(DataError, match=r"`data\.holdout=1500` leaves nothing"):
        inkgan.load_dataset("uci-digits", holdout=1500)
    with pytest.raises(DataError, match=r"`data\.holdout=0` leaves no validation"):
        inkgan.load_dataset("uci-digits", "validation")


@pytest.mark.parametrize("name", ["uci-digits"])
def test_counts_and_shapes_are_those_of_the_record(name: str) -> None:
    spec = DATASETS[name]
    train, test = inkgan.load_dataset(name), inkgan.load_dataset(name, "test")
    assert (len(train), len(test)) == (spec.train_images, spec.test_images)
    assert train.shape == test.shape == spec.shape
