"""Arrays that are kept in the user's cache, since they take long to compute."""

import contextlib
import warnings
from collections.abc import Mapping

import numpy as np

from inkgan import files
from inkgan.errors import ArtifactError
from inkgan.images import DAMAGED
from inkgan.npz import read_npz

Forms = Mapping[str, tuple[type[np.generic], tuple[int, ...]]]  # type and shape by name


def cached_arrays(name: str, forms: Forms) -> dict[str, np.ndarray] | None:
    """Read arrays from the cache; what is damaged, or not as expected, counts as missing.

    Args:
        name: path of the file in the cache, such as "features/1234.npz".
        forms: which arrays it has to have. All numbers have to be finite.
    """
    for cache in files.cache_folders():
        with contextlib.suppress(*DAMAGED):
            found = read_npz(cache / name)
            if found.keys() == forms.keys() and all(
                _is_like(array, *forms[key]) for key, array in found.items()
            ):
                return found
    return None


def _is_like(array: np.ndarray, kind: type[np.generic], shape: tuple[int, ...]) -> bool:
    return array.dtype == kind and array.shape == shape and bool(np.isfinite(array).all())


def cache_arrays(name: str, arrays: Mapping[str, np.ndarray], what: str) -> None:
    """Keep arrays in the cache; where it cannot be written, a CacheWarning says so.

    Args:
        name: as in `cached_arrays`.
        arrays: by name.
        what: they are, in the plural, for the warning.
    """
    try:
        with files.atomic(files.writable_cache_folder() / name) as path, path.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
    except ArtifactError as error:
        text = f"{error}; {what} are not kept; INKGAN_CACHE names another cache"
        warnings.warn(text, files.CacheWarning, stacklevel=3)
