"""Tests for inkgan.npz: no damage of an archive changes a value without an error."""

import io
import zipfile
from random import Random

import numpy as np
import pytest

from inkgan.images import DAMAGED
from inkgan.npz import read_npz

ARRAYS = {"x": np.arange(600, dtype=np.int64).reshape(20, 30) % 7, "y": np.ones((2, 0, 3))}


def test_arrays_are_as_numpy_wrote_them() -> None:
    for save in (np.savez, np.savez_compressed):
        file = io.BytesIO()
        save(file, allow_pickle=False, **ARRAYS)
        found = read_npz(file)
        assert found.keys() == ARRAYS.keys()
        for name, array in ARRAYS.items():
            assert found[name].dtype == array.dtype
            assert np.array_equal(found[name], array)


def test_values_behind_those_of_the_header_are_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive, archive.open("x.npy", "w") as stream:
        np.lib.format.write_array(stream, ARRAYS["x"][:10])
        stream.write(ARRAYS["x"][10:].tobytes())
    with pytest.raises(ValueError, match="more values than it says"):
        read_npz(file)
    assert len(np.load(io.BytesIO(file.getvalue()))["x"]) == 10  # numpy does not notice


def test_python_objects_are_refused() -> None:
    file = io.BytesIO()
    np.savez(file, x=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        read_npz(file)


def test_a_flipped_bit_is_an_error_or_changes_nothing() -> None:
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **ARRAYS)
    intact, chance = file.getvalue(), Random(0)
    for bit in chance.sample(range(8 * len(intact)), 1500):
        damaged = bytearray(intact)
        damaged[bit // 8] ^= 1 << (bit % 8)
        try:
            found = read_npz(io.BytesIO(bytes(damaged)))
        except DAMAGED:
            continue
        for name in ARRAYS.keys() & found.keys():  # the bit may be one of a name
            assert np.array_equal(found[name], ARRAYS[name]), bit
