"""Strict reading of IDX files, the format of MNIST and its relatives.

Format: two zero bytes, a type code, the number of dimensions, each dimension as a big-endian
32-bit integer, then the values (Y. LeCun, "The MNIST database", file format section).
"""

import gzip
import math
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import numpy.typing as npt

from inkgan.errors import DataFormatError

TYPES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype("u1"),
    0x09: np.dtype("i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
MAX_BYTES = 1 << 30  # the largest known relative, emnist-digits, has 188 MB


def read_idx(path: Path, dimensions: int | None, max_bytes: int = MAX_BYTES) -> npt.NDArray[Any]:
    """Read one IDX file, plain or gzip.

    Never holds more than the header promises, so a gzip bomb costs nothing.

    Args:
        path: of the file.
        dimensions: that it must have; None allows 1 to 4.
        max_bytes: that its values may take.

    Raises:
        DataFormatError: not IDX, wrong type or number of dimensions, too large, truncated, surplus
            bytes or damaged gzip; the message names the file.
    """
    try:
        with _open(path) as stream:
            return _parse(stream, dimensions, max_bytes, lambda text: _fail(path, text))
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise _fail(path, f"is damaged gzip ({error})") from error
    except OSError as error:
        raise _fail(path, f"cannot be read ({error.strerror or error})") from error


def _open(path: Path) -> IO[bytes]:
    with path.open("rb") as stream:
        zipped = stream.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path, "rb")) if zipped else path.open("rb")


def _parse(
    stream: IO[bytes], wanted: int | None, max_bytes: int, fail: Callable[[str], DataFormatError]
) -> npt.NDArray[Any]:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in TYPES:
        raise fail(f"is no IDX file: it begins with bytes {magic.hex(' ')!r}")
    dimensions = magic[3]
    if dimensions != wanted and (wanted is not None or not 1 <= dimensions <= 4):
        expected_dimensions = "1 to 4" if wanted is None else wanted
        raise fail(f"has {dimensions} dimensions where {expected_dimensions} are expected")
    header = stream.read(4 * dimensions)
    if len(header) < 4 * dimensions:
        raise fail("is truncated inside its header")
    sizes = struct.unpack(f">{dimensions}I", header)
    dtype = TYPES[magic[2]]
    expected = math.prod(sizes) * dtype.itemsize
    if not 0 < expected <= max_bytes:
        shape = " x ".join(map(str, sizes))
        raise fail(f"promises {shape} values, outside 1 to {max_bytes:,} bytes")
    body = stream.read(expected)
    if len(body) < expected:
        raise fail(f"is truncated: {len(body):,} of {expected:,} bytes of values")
    if stream.read(1):
        raise fail(f"has surplus bytes after its {expected:,} bytes of values")
    return np.frombuffer(body, dtype=dtype).reshape(sizes)


def _fail(path: Path, text: str) -> DataFormatError:
    return DataFormatError(f"{path} {text}")
