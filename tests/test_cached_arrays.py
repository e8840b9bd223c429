"""Arrays come back from the cache as they were put there, or not at all."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from inkgan import files
from inkgan.cached_arrays import Forms, cache_arrays, cached_arrays

NAME = "things/1.npz"
ARRAYS: dict[str, np.ndarray] = {
    "one": np.arange(6, dtype=np.float32).reshape(2, 3),
    "two": np.ones(4),
}
FORMS: Forms = {"one": (np.float32, (2, 3)), "two": (np.float64, (4,))}


def shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-50])


def change_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[150] ^= 1
    path.write_bytes(bytes(data))


def put(**changes: np.ndarray) -> Callable[[Path], None]:
    return lambda path: np.savez(path, allow_pickle=False, **{**ARRAYS, **changes})


def test_arrays_come_back() -> None:
    assert cached_arrays(NAME, FORMS) is None
    cache_arrays(NAME, ARRAYS, "the things")
    found = cached_arrays(NAME, FORMS)
    assert found is not None
    assert list(found) == list(ARRAYS)
    for key, array in ARRAYS.items():
        np.testing.assert_array_equal(found[key], array)


@pytest.mark.parametrize(
    "damage",
    [
        shorten,
        change_a_bit,
        lambda path: path.write_bytes(b""),
        put(one=np.zeros((3, 2), np.float32)),
        put(one=np.zeros((2, 3))),
        put(two=np.array([1, np.nan, 1, 1])),
        put(three=np.zeros(1)),
        lambda path: np.savez(path, one=ARRAYS["one"]),
        lambda path: np.savez(path, one=ARRAYS["one"], two=np.array([None] * 4)),
    ],
    ids=["short", "bit", "empty", "shape", "type", "nan", "more", "fewer", "objects"],
)
def test_what_is_not_as_expected_counts_as_missing(damage: Callable[[Path], None]) -> None:
    cache_arrays(NAME, ARRAYS, "the things")
    damage(files.cache_folder() / NAME)
    assert cached_arrays(NAME, FORMS) is None


def test_a_cache_that_cannot_be_written_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "things").write_text("a file where the folder would be")
    monkeypatch.setenv("INKGAN_CACHE", str(tmp_path))
    with pytest.warns(files.CacheWarning, match="the things are not kept; INKGAN_CACHE"):
        cache_arrays(NAME, ARRAYS, "the things")
