"""Data sets of one's own, by their path."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from inkgan.data.dataset_spec import LoadedSplit
from inkgan.data.readers.array_set import read_npz, read_table
from inkgan.data.readers.folder import is_idx_name, read_folder
from inkgan.data.readers.idx_folder import read_idx_folder
from inkgan.errors import ConfigError, DataError

PATH_READERS: dict[str, Callable[[Path, str, int | None], LoadedSplit]] = {
    "folder": read_folder,
    "npz": lambda path, split, size: read_npz(path, split),
    "csv": lambda path, split, size: read_table(path, split),
    "idx": lambda path, split, size: read_idx_folder(path, split),
}
SUFFIX_PREFIXES = {  # of the files that a path alone may name
    ".npz": "npz",
    ".npy": "npz",
    ".csv": "csv",
    ".csv.gz": "csv",
    ".tsv": "csv",
}


def names_path(name: str) -> bool:
    """Return whether a name has the prefix of a path, or is a path at which something lies."""
    return (name.partition(":")[0] in PATH_READERS and ":" in name) or Path(
        name
    ).expanduser().exists()


def read_path(name: str, split: str, size: int | None = None) -> LoadedSplit:
    """Read one split of what lies at a path.

    Args:
        name: folder:, npz:, csv: or idx: with a path, or a path alone, which is taken by what lies
            there.
        split: train, validation or test.
        size: to which the pictures of a folder are resized.

    Raises:
        ConfigError: nothing at the path is a data set.
        DataError: it cannot be read.
    """
    prefix, path, notes = find_path(name)
    loaded = PATH_READERS[prefix](path, split, size)
    return replace(loaded, notes=(*notes, *loaded.notes))


def find_path(name: str) -> tuple[str, Path, tuple[str, ...]]:
    """Return the prefix of a name without its colon, the path, and a note if it was inferred."""
    prefix, colon, rest = name.partition(":")
    if colon and prefix in PATH_READERS:
        path = Path(rest).expanduser()
        if prefix == "npz" and path.is_dir():
            raise DataError(f"{name} is a folder; use `data.name=folder:{rest}`")
        return prefix, path, ()
    path = Path(name).expanduser()
    if path.is_dir():
        raw = path / "raw"  # of torchvision
        files = [*path.iterdir(), *(raw.iterdir() if raw.is_dir() else ())]
        files = [place for place in files if place.is_file()]
        inferred = "idx" if any(is_idx_name(place) for place in files) else "folder"
    else:
        endings = "".join(path.suffixes[-2:]).lower(), path.suffix.lower()
        inferred = next((SUFFIX_PREFIXES[e] for e in endings if e in SUFFIX_PREFIXES), "")
        if not inferred and is_idx_name(path):
            inferred = "idx"
    if not inferred:
        raise ConfigError(
            f"`data.name`: {name} is no kind of file that holds a data set; those are "
            f"{', '.join(SUFFIX_PREFIXES)}, IDX files, and folders of pictures"
        )
    return inferred, path, (f"{name} is read as {inferred}:{name}.",)
