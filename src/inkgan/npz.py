"""Arrays of .npz files, read so that damage is found.

An archive has a checksum of each array and compares it at the array's end. numpy stops reading
before that end where a damaged header or stream says so, and then nothing is compared.
"""

import zipfile
from pathlib import Path
from typing import IO

import numpy as np


def read_npz(source: Path | IO[bytes]) -> dict[str, np.ndarray]:
    """Read every array of an .npz file; none may have Python objects.

    Raises:
        ValueError: a member is no array, or has more values than it says. Other damage raises
            what zipfile and numpy do (`inkgan.images.DAMAGED`).
    """
    with zipfile.ZipFile(source) as archive:
        return {
            name.removesuffix(".npy"): read_member(archive, name) for name in archive.namelist()
        }


def read_member(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """Read one array of an archive; errors as above."""
    with archive.open(name) as stream:
        array: np.ndarray = np.lib.format.read_array(stream, allow_pickle=False)
        require_end(stream)
    return array


def require_end(stream: IO[bytes]) -> None:
    """Refuse what follows the values of an array.

    Raises:
        ValueError: something does.
    """
    if stream.read(1):
        raise ValueError("an array has more values than it says")
