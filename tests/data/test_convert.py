"""Images and labels of every common type, range and layout."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from inkgan.data.readers.convert import as_labels, as_uint8_images
from inkgan.errors import DataFormatError
from tests.fixtures.references import small_reference

COUNT = 40
UNIT = np.float32(255)


@pytest.fixture
def digits() -> np.ndarray:
    return small_reference().train[:COUNT]


@pytest.mark.parametrize(
    "make",
    [
        lambda x: x,
        lambda x: x[..., None],
        lambda x: x[:, None],
        lambda x: x.reshape(len(x), -1),
        lambda x: x.reshape(len(x), 1, -1),
        lambda x: x.astype(np.int64),
        lambda x: x.astype(np.float64),
        lambda x: x / UNIT,
        lambda x: (x / UNIT).astype(np.float64)[:, None],
        lambda x: x / UNIT * 2 - 1,
        lambda x: x.astype(np.uint16) * 257,
        torch.from_numpy,
        lambda x: torch.from_numpy(x / UNIT * 2 - 1)[:, None].requires_grad_(),
        lambda x: [Image.fromarray(image) for image in x],
        list,
        lambda x: [torch.from_numpy(image) for image in x],
        lambda x: x.astype(object),
        lambda x: np.array([*x, None], object)[:-1],
    ],
)
def test_equal_images_in_many_forms(digits: np.ndarray, make: Callable[[Any], Any]) -> None:
    pixels, _ = as_uint8_images(make(digits))
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    assert np.array_equal(pixels[..., 0], digits)


def test_what_was_converted_is_told(digits: np.ndarray) -> None:
    assert as_uint8_images(digits)[1] == ()
    notes = as_uint8_images((digits / UNIT * 2 - 1)[:, None])[1]
    assert notes == (
        "Channels come first in (40, 1, 28, 28): put last.",
        "float32 in [-1, 1]: mapped to 0 to 255.",
    )


def test_black_and_white(digits: np.ndarray) -> None:
    ink = digits > 127
    for given in (ink, ink.astype(np.uint8), ink.astype(float), np.where(ink, 1, -1)):
        pixels, notes = as_uint8_images(given)
        assert np.array_equal(pixels[..., 0], np.where(ink, 255, 0))
        assert len(notes) == 1


def test_twelve_bits_are_scaled_by_the_range_of_the_set(digits: np.ndarray) -> None:
    deep = (digits.astype(np.float64) * 4095 / 255).astype(np.uint16)
    assert np.abs(as_uint8_images(deep)[0][..., 0].astype(int) - digits).max() <= 1


def test_color_in_both_layouts() -> None:
    color = np.random.default_rng(0).integers(0, 256, (5, 8, 9, 3), dtype=np.uint8)
    assert np.array_equal(as_uint8_images(color)[0], color)
    assert np.array_equal(as_uint8_images(color.transpose(0, 3, 1, 2))[0], color)


@pytest.mark.parametrize(
    ("given", "way_out"),
    [
        (np.zeros((28, 28), np.uint8), r"images\[None\]"),
        (np.zeros((28, 28, 1), np.uint8), r"images\[None\]"),
        (np.zeros((28, 28, 500), np.uint8), "transpose"),
        (np.zeros((9, 785), np.uint8), r"images\[:, 1:\]"),
        (np.zeros((9, 3072), np.uint8), r"reshape\(-1, 32, 32, 3\)"),
        (np.zeros((9, 28, 28, 4), np.uint8), "4 channels"),
        (np.zeros((2, 9, 1, 28, 28), np.uint8), r"\(n, H, W, C\)"),
        (np.zeros((0, 28, 28), np.uint8), "nothing"),
        (np.full((9, 8, 8), 16.0), "255 / 16"),
        (np.linspace(-0.4242, 2.8215, 784).reshape(1, 28, 28), "0.3081"),
        (np.linspace(-3, 3, 784).reshape(1, 28, 28), "tanh"),
        (np.full((1, 28, 28), np.nan), "NaN"),
        (np.full((1, 28, 28), "a"), "numbers"),
        ([np.zeros((28, 28)), np.zeros((30, 28))], "one size"),
        ("digits.npz", "shape"),
        ({"images": 1}, "shape"),
    ],
)
def test_what_has_two_meanings_names_the_way_out(given: Any, way_out: str) -> None:
    with pytest.raises(DataFormatError, match=way_out) as caught:
        as_uint8_images(given, "mine.npz: images")
    assert str(caught.value).startswith("mine.npz: images")


@pytest.mark.parametrize(
    "make",
    [
        lambda y: y,
        lambda y: y.tolist(),
        lambda y: y[:, None],
        lambda y: y.astype(np.float32),
        lambda y: y.astype(np.uint8),
        lambda y: np.eye(10)[y],
        lambda y: np.eye(10, dtype=bool)[y],
        lambda y: y.astype(str),
        lambda y: y.astype(object),
        torch.from_numpy,
    ],
)
def test_equal_labels_in_many_forms(make: Callable[[Any], Any]) -> None:
    numbers = np.random.default_rng(0).integers(0, 10, 50)
    labels, _ = as_labels(make(numbers), 50)
    assert labels.dtype == np.int64
    assert np.array_equal(labels, numbers)


@pytest.mark.parametrize(
    "given",
    [
        np.zeros(49, int),
        np.full(50, 0.5),
        np.full(50, np.nan),
        np.full(50, -1),
        np.zeros((50, 10)),
        np.full((50, 10), 0.1),
        ["seven"] * 50,
        [None] * 50,
        7,
    ],
)
def test_labels_that_are_none(given: Any) -> None:
    with pytest.raises(DataFormatError, match="labels"):
        as_labels(given, 50)
