"""The IDX reader: whole files round trip, everything else is one DataFormatError."""

import gzip
import struct
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from inkgan.data.readers.idx import MAX_BYTES, read_idx
from inkgan.errors import DataFormatError

PATIENT = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
MEGABYTE = 1 << 20
TYPE_CODES = {"u1": 0x08, "i4": 0x0C}

shapes = arrays.array_shapes(min_dims=1, max_dims=4, max_side=6)
idx_arrays = st.one_of(arrays.arrays(np.uint8, shapes), arrays.arrays(np.int32, shapes))


def idx_bytes(array: npt.NDArray[Any]) -> bytes:
    """Write an array as the format's description has it: big-endian throughout."""
    code = TYPE_CODES[array.dtype.str[1:]]
    header = struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


DIGITS = np.arange(3 * 28 * 28).reshape(3, 28, 28).astype(np.uint8)
CONTENT = idx_bytes(DIGITS)


def read(path: Path, content: bytes, dimensions: int = 3) -> npt.NDArray[Any]:
    path.write_bytes(content)
    return read_idx(path, dimensions)


def read_or_be_refused_by_name(
    path: Path, content: bytes, dimensions: int
) -> npt.NDArray[Any] | None:
    """Read a file; None where it is refused, in the one way it may be."""
    try:
        return read(path, content, dimensions)
    except DataFormatError as error:
        if str(path) not in str(error):
            raise AssertionError("the message does not name the file") from error
        return None


@PATIENT
@given(array=idx_arrays, zipped=st.booleans())
def test_arrays_round_trip(array: npt.NDArray[Any], zipped: bool, tmp_path: Path) -> None:
    content = idx_bytes(array)
    back = read(tmp_path / "values", gzip.compress(content) if zipped else content, array.ndim)
    np.testing.assert_array_equal(back, array)
    assert back.dtype.kind == array.dtype.kind


def test_gzip_is_told_by_its_bytes_not_by_the_name(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read(tmp_path / "plain.gz", CONTENT), DIGITS)
    np.testing.assert_array_equal(read(tmp_path / "zipped", gzip.compress(CONTENT)), DIGITS)


def test_published_example(tmp_path: Path) -> None:
    """The first bytes of MNIST's t10k labels: magic 0x00000801, then the count and 7 2 1 0."""
    content = bytes.fromhex("00000801 00000004 07020100")
    assert read(tmp_path / "labels", content, 1).tolist() == [7, 2, 1, 0]


@PATIENT
@given(content=st.binary(max_size=200), dimensions=st.integers(1, 4))
def test_arbitrary_bytes_never_crash(content: bytes, dimensions: int, tmp_path: Path) -> None:
    array = read_or_be_refused_by_name(tmp_path / "anything", content, dimensions)
    assert array is None or array.ndim == dimensions


@PATIENT
@given(content=st.binary(max_size=80))
def test_arbitrary_bytes_after_a_right_beginning_never_crash(
    content: bytes, tmp_path: Path
) -> None:
    for beginning in (b"\0\0\x08\x02", b"\0\0\x0c\x02", b"\x1f\x8b\x08", b"\x1f\x8b\x08\0" * 3):
        read_or_be_refused_by_name(tmp_path / "anything", beginning + content, 2)


@PATIENT
@given(data=st.data(), zipped=st.booleans())
def test_every_truncation_is_noticed(data: st.DataObject, zipped: bool, tmp_path: Path) -> None:
    whole = gzip.compress(CONTENT) if zipped else CONTENT
    cut = data.draw(st.integers(0, len(whole) - 1))
    path = tmp_path / "cut"
    with pytest.raises(DataFormatError, match=r"truncated|damaged gzip|no IDX file") as caught:
        read(path, whole[:cut])
    assert str(path) in str(caught.value)


@PATIENT
@given(data=st.data())
def test_every_damaged_byte_of_a_gzip_body_is_noticed(data: st.DataObject, tmp_path: Path) -> None:
    """Past its ten-byte header every byte of a gzip file is under a check of some kind."""
    whole = bytearray(gzip.compress(CONTENT))
    whole[data.draw(st.integers(10, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    array = read_or_be_refused_by_name(tmp_path / "damaged", bytes(whole), 3)
    if array is not None:  # unused padding bits at the end of the deflate stream carry nothing
        np.testing.assert_array_equal(array, DIGITS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"no IDX file"),
        (b"\0\0\x08", r"no IDX file"),
        (b"<!DOCTYPE html>", r"no IDX file: it begins with bytes '3c 21 44 4f'"),
        (b"\x89PNG" + CONTENT[4:], r"no IDX file"),
        (b"\0\1" + CONTENT[2:], r"no IDX file"),
        (b"\0\0\x0d\x03" + CONTENT[4:], r"truncated: 2,352 of 9,408"),  # float32
        (b"\0\0\x0a\x03" + CONTENT[4:], r"no IDX file"),  # a type that there is not
        (b"\0\0\x08\x01" + CONTENT[4:], r"has 1 dimensions where 3 are expected"),
        (b"\0\0\x08\xff" + CONTENT[4:], r"has 255 dimensions where 3 are expected"),
        (CONTENT[:4], r"truncated inside its header"),
        (CONTENT[:15], r"truncated inside its header"),
        (CONTENT[:16], r"truncated: 0 of 2,352 bytes"),
        (CONTENT[:-1], r"truncated: 2,351 of 2,352 bytes"),
        (CONTENT + b"\0", r"surplus bytes after its 2,352 bytes"),
        (gzip.compress(CONTENT + b"\0"), r"surplus bytes"),
        (struct.pack(">HBB3I", 0, 8, 3, 0, 28, 28), r"promises 0 x 28 x 28 values"),
        (gzip.compress(b"", mtime=0), r"no IDX file"),
    ],
)
def test_wrong_files_are_refused_by_name(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "t10k-images-idx3-ubyte"
    with pytest.raises(DataFormatError, match=message) as caught:
        read(path, content)
    assert str(caught.value).startswith(str(path))


def test_int32_labels_count_four_bytes_each(tmp_path: Path) -> None:
    labels = np.array([[-1, 2], [2**31 - 1, -(2**31)]], np.int32)
    content = idx_bytes(labels)
    np.testing.assert_array_equal(read(tmp_path / "labels", content, 2), labels)
    with pytest.raises(DataFormatError, match=r"truncated: 15 of 16 bytes"):
        read(tmp_path / "labels", content[:-1], 2)


@pytest.mark.parametrize(("from_end", "message"), [(8, "CRC"), (4, "length")])
def test_damaged_gzip_trailer(from_end: int, message: str, tmp_path: Path) -> None:
    """The trailer is the CRC-32, then the length (RFC 1952, section 2.3.1)."""
    whole = bytearray(gzip.compress(CONTENT))
    whole[-from_end] ^= 0xFF
    with pytest.raises(DataFormatError, match=rf"damaged\.gz is damaged gzip.*{message}"):
        read(tmp_path / "damaged.gz", bytes(whole))


def test_missing_file_and_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(DataFormatError, match=r"cannot be read") as caught:
            read_idx(path, 3)
        assert str(path) in str(caught.value)


def bomb(content: bytes, blocks: int) -> bytes:
    """Zip content followed by `blocks` megabytes of zeros, without ever holding them."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    start = deflate.compress(content) + deflate.flush(zlib.Z_FULL_FLUSH)
    block = deflate.compress(bytes(MEGABYTE)) + deflate.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08" + bytes(7) + start + block * blocks + deflate.flush() + bytes(8)


def peak_while_refused(path: Path, message: str) -> int:
    tracemalloc.start()
    try:
        with pytest.raises(DataFormatError, match=message):
            read_idx(path, 3)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_bomb_of_these_tests_is_a_sound_stream(tmp_path: Path) -> None:
    inflate = zlib.decompressobj(31)
    assert len(inflate.decompress(bomb(CONTENT, 2)[:-8])) == len(CONTENT) + 2 * MEGABYTE


def test_gzip_bomb_behind_an_honest_header_costs_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(bomb(CONTENT, 500))
    assert path.stat().st_size < MEGABYTE
    assert peak_while_refused(path, r"surplus bytes") < 4 * MEGABYTE


@pytest.mark.parametrize("sizes", [(1 << 21, 28, 28), (2**32 - 1,) * 3, (1 << 30, 1, 2)])
def test_header_that_promises_more_than_the_limit(
    sizes: tuple[int, int, int], tmp_path: Path
) -> None:
    path = tmp_path / "huge.gz"
    path.write_bytes(bomb(struct.pack(">HBB3I", 0, 8, 3, *sizes), 2))
    assert peak_while_refused(path, rf"outside 1 to {MAX_BYTES:,} bytes") < 4 * MEGABYTE


def test_the_limit_is_inclusive(tmp_path: Path) -> None:
    path = tmp_path / "values"
    path.write_bytes(CONTENT)
    assert read_idx(path, 3, max_bytes=DIGITS.nbytes).shape == DIGITS.shape
    with pytest.raises(DataFormatError, match=r"promises 3 x 28 x 28 values"):
        read_idx(path, 3, max_bytes=DIGITS.nbytes - 1)
