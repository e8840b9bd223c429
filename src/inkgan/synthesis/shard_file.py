"""Files that keep the finished parts of a data set: arrays in an npz file, of a strict schema.

Every part is a function of the request. So a damaged file is made again, with a warning.
"""

import io
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from inkgan import files
from inkgan.errors import ArtifactError
from inkgan.images import DAMAGED
from inkgan.npz import read_npz

Arrays = Mapping[str, npt.NDArray[Any]]
T = TypeVar("T")
TEXTS = "str"  # the dtype of texts of any length


@dataclass(frozen=True)
class ArrayType:
    """What an array must be.

    Attributes:
        dtype: numpy's name of it, or TEXTS.
        shape: length of each axis. A word stands for any length, the same in all arrays of a file.

    Example:
        >>> ArrayType("float32", ("n", 3))
    """

    dtype: str
    shape: tuple[int | str, ...]

    def fits(self, array: npt.NDArray[Any], lengths: dict[str, int]) -> bool:
        """Return whether an array is one, and add the lengths of its axes to those known."""
        name = TEXTS if array.dtype.kind == "U" else str(array.dtype)
        if name != self.dtype or array.ndim != len(self.shape):
            return False
        return all(
            length == (lengths.setdefault(axis, length) if isinstance(axis, str) else axis)
            for axis, length in zip(self.shape, array.shape, strict=True)
        )


Schema = Mapping[str, ArrayType]


def save_arrays(path: Path, arrays: Arrays) -> None:
    """Write arrays, whole or not at all."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    with files.atomic(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def load_arrays(path: Path, schema: Schema, renamed: Mapping[str, str] | None = None) -> Arrays:
    """Read arrays. The checksum that each of them has in an npz file is verified.

    Args:
        path: of the file.
        schema: of its arrays; there are no others.
        renamed: today's name of each array that older versions called otherwise.

    Raises:
        ArtifactError: the file is missing or damaged.
    """
    try:
        arrays = {(renamed or {}).get(name, name): each for name, each in read_npz(path).items()}
    except DAMAGED as error:
        raise damaged(path, str(error) or type(error).__name__) from error
    if arrays.keys() != schema.keys():
        raise damaged(path, f"its arrays are {', '.join(arrays) or 'missing'}")
    lengths: dict[str, int] = {}
    for name, kind in schema.items():
        if not kind.fits(arrays[name], lengths):
            found = f"{arrays[name].dtype} {arrays[name].shape}"
            raise damaged(path, f"{name} is {found}, not {kind.dtype} {kind.shape}")
    return arrays


def damaged(path: Path, reason: str) -> ArtifactError:
    """Return the error of a damaged file."""
    return ArtifactError(f"{path} is damaged ({reason}); start over with `force=True`")


def load_intact(path: Path, load: Callable[[], T]) -> T | None:
    """Return what a file holds; None if it is missing, and with a warning if it is damaged.

    Args:
        path: of the file; a damaged one is removed.
        load: reads it, and raises ArtifactError where it is damaged.
    """
    if not path.is_file():
        return None
    try:
        return load()
    except ArtifactError as error:
        reason = str(error).rpartition(";")[0]
        warnings.warn(f"{reason}; it is made again", files.DamagedFileWarning, stacklevel=2)
        path.unlink()
        return None
