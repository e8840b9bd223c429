"""Users' own pictures: a folder of files, whose sub-folders are classes or splits."""

import csv
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from inkgan.data.dataset_spec import LoadedSplit
from inkgan.data.readers.picture_file import picture_suffixes
from inkgan.data.readers.picture_set import left_out, read_picture_files
from inkgan.data.stratified_split import stratified_part
from inkgan.errors import DataError
from inkgan.plural import counted
from inkgan.printable import utf8
from inkgan.types import Int64, UInt8

ROLES = {  # names of folders that hold a split, in lower case
    **dict.fromkeys(("train", "training", "trainset", "train_images"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "testset", "test_images", "t10k"), "test"),
}
JUNK = {"__macosx", "thumbs.db", "desktop.ini", "@eadir", "$recycle.bin"}  # of file managers
WITHOUT_CLASSES = ("all",)  # the class of loose pictures
ARRAYS = {".npz": "npz", ".npy": "npz", ".csv": "csv"}
TABLE = "metadata.csv"  # of Hugging Face's ImageFolder, and of `inkgan synth --format png`
DIGITS = frozenset("0123456789")


@dataclass(frozen=True)
class FolderLayout:
    """Where the splits of a folder are.

    Attributes:
        root: as the user named it.
        base: the folder in it that holds classes or splits.
        splits: their folders; empty where every tenth picture is a test picture.
    """

    root: Path
    base: Path
    splits: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Listing:
    """The pictures of one folder.

    Attributes:
        paths: of the files.
        names: the class of each.
        empty: class folders without pictures.
        others: files that are not read.
    """

    paths: Sequence[Path]
    names: Sequence[str]
    empty: Sequence[str] = ()
    others: Sequence[Path] = ()


def read_folder(root: Path, split: str, size: int | None) -> LoadedSplit:
    """Read a split of a picture folder.

    Folders such as train/, val/ and test/ inside are the splits; otherwise every tenth picture of
    each class is a test picture. Classes are the folders that hold pictures. A folder that holds
    one folder of such alone is looked into.

    Args:
        root: the folder.
        split: train, validation or test.
        size: to which pictures are resized.

    Raises:
        DataError: the folder is missing or empty, pictures stand beside class folders, the folders
            are no classes, a split has a class of its own, or the pictures are unlike.
    """
    layout = find_layout(root)
    listings = {name: list_pictures(base) for name, base in layout.splits.items()}
    if not listings:
        return _read_undivided(layout, split, size)
    if split not in listings:
        found = " and ".join(base.name for base in layout.splits.values())
        raise DataError(f"folder:{layout.base} has a {found} folder but no {split} folder")
    train, wanted = listings["train"], listings[split]
    classes = sorted_classes(train.names)
    strange = sorted(set(wanted.names) - set(classes))
    if strange:
        if strange[0] == WITHOUT_CLASSES[0] or classes == WITHOUT_CLASSES:
            raise _loose(layout.splits[split], wanted.paths[0], classes[0])
        raise DataError(
            f"{layout.splits[split]} has a class folder {strange[0]}, which "
            f"{layout.splits['train']} lacks"
        )
    if not wanted.paths:
        raise _nothing(layout.splits[split], split, wanted)
    others = () if wanted is train else train.paths
    pictures = read_picture_files(wanted.paths, size, others)
    labels = np.array([classes.index(name) for name in wanted.names])
    notes = (*_layout_notes(layout, wanted), *pictures.notes)
    own_validation = "validation" in listings
    return LoadedSplit(pictures.images, labels, classes, notes, has_validation=own_validation)


def _read_undivided(layout: FolderLayout, split: str, size: int | None) -> LoadedSplit:
    listing = list_pictures(layout.base)
    classes = sorted_classes(listing.names)
    labels: Int64 = np.array([classes.index(name) for name in listing.names], np.int64)
    test = stratified_part(labels, len(labels) // 10)
    part = test if split == "test" else ~test
    if not part.any():
        raise _nothing(layout.base, split, listing)
    chosen = list(itertools.compress(listing.paths, part))
    rest = list(itertools.compress(listing.paths, ~part))
    pictures = read_picture_files(chosen, size, rest)
    notes = (*_layout_notes(layout, listing), *pictures.notes)
    return LoadedSplit(pictures.images, labels[part], classes, notes)


def read_pictures(
    root: Path, size: int | None = None
) -> tuple[UInt8, np.ndarray | None, tuple[str, ...]]:
    """Read all pictures of a folder, with labels where its folders are 0 to 9.

    Args:
        root: the folder.
        size: to which pictures are resized.

    Returns:
        Images uint8 (n, H, W, C); labels (n,) or None; what was done to them, in words.

    Raises:
        DataError: the folder is empty, folders have other names, or the pictures are unlike.
    """
    layout = find_layout(root)
    bases = list(layout.splits.values()) or [layout.base]
    listings = [list_pictures(base) for base in bases]
    paths = [path for listing in listings for path in listing.paths]
    names = [name for listing in listings for name in listing.names]
    if not paths:
        raise _nothing(layout.base, None, listings[0])
    strange = sorted(set(names) - DIGITS)
    if strange and set(names) != set(WITHOUT_CLASSES):
        raise DataError(f"{root} has a class folder {strange[0]!r}; the digits are 0 to 9")
    pictures = read_picture_files(paths, size)
    notes = [note for listing in listings for note in _layout_notes(layout, listing)]
    labels = None if strange else np.array([int(name) for name in names])
    return pictures.images, labels, (*dict.fromkeys(notes), *pictures.notes)


# --- which folders are classes and splits ---


def find_layout(root: Path) -> FolderLayout:
    """Find the splits and classes of a folder, looking into folders that hold one folder alone.

    Raises:
        DataError: there is no such folder, or its folders are neither classes nor splits.
    """
    if not root.is_dir():
        found = "is a file" if root.exists() else "there is no such folder"
        where = "" if root.is_absolute() or root.exists() else f" in {Path.cwd()}"
        raise DataError(f"folder:{root}: {found}{where}")
    base = root
    while True:
        folders = sub_folders(base)
        if len(folders) != 1 or _pictures_in(base):
            break
        only = folders[0]
        if role_of(only) or only.name in DIGITS or not sub_folders(only) or _pictures_in(only):
            break
        base = only
    if _has_table(base):
        return FolderLayout(root, base)
    return FolderLayout(root, base, _find_splits(base, folders))


def _find_splits(base: Path, folders: Sequence[Path]) -> dict[str, Path]:
    """Return the folders of the splits, if these are what the folders are."""
    splits: dict[str, Path] = {}
    for folder in folders:
        role = role_of(folder)
        if role in splits:
            raise DataError(f"{base} has two {role} folders, {splits[role].name} and {folder.name}")
        if role:
            splits[role] = folder
    if len(splits) == len(folders) and splits:
        if "train" not in splits:
            names = " and ".join(folder.name for folder in folders)
            raise DataError(f"{base} has a {names} folder but no train folder")
        return splits
    if len(splits) > 1:
        others = ", ".join(folder.name for folder in folders if not role_of(folder))
        raise DataError(
            f"{base} has the folders {' and '.join(p.name for p in splits.values())} of splits "
            f"beside others ({others}); move those elsewhere"
        )
    _refuse_nested(base, folders)
    return {}


def _refuse_nested(base: Path, folders: Sequence[Path]) -> None:
    """Refuse folders that hold whole sets, or splits inside classes."""
    nested = {
        folder: inner
        for folder in folders
        if (inner := sub_folders(folder)) and not _pictures_in(folder)
    }
    for folder, inner in nested.items():
        if all(role_of(place) for place in inner) and len(inner) > 1:
            raise DataError(
                f"{base} has splits inside its folders ({folder.name}/{inner[0].name}); name one "
                f"folder, `data.name=folder:{folder}`, or put the splits outside the classes"
            )
        if len(nested) == len(folders) > 1 and _like_classes(inner) and not _like_classes(folders):
            names = ", ".join(place.name for place in folders[:4])
            raise DataError(
                f"{base} holds folders of folders ({names}); name the one that holds the classes: "
                f"`data.name=folder:{folder}`"
            )


def _like_classes(folders: Sequence[Path]) -> bool:
    """Return whether folders are called as classes of characters are, such as 7, A or 12."""
    return all(len(folder.name) == 1 or folder.name.isdecimal() for folder in folders)


def role_of(folder: Path) -> str:
    """Return the split that a folder is called after; empty where there is none."""
    return ROLES.get(folder.name.lower(), "")


def sub_folders(base: Path) -> list[Path]:
    """List the folders that may hold pictures, in the order of their names."""
    return sorted(
        (p for p in base.iterdir() if p.is_dir() and not _is_junk(p.name)), key=lambda p: p.name
    )


def sorted_classes(names: Sequence[str]) -> tuple[str, ...]:
    """Return the classes that occur: numbers in their order, other names in the alphabet's."""
    found = sorted(set(names))
    if all(name.isdecimal() for name in found):
        found.sort(key=int)
    return tuple(found)


# --- which files are pictures ---


def list_pictures(base: Path) -> Listing:
    """List the pictures of a folder with their classes.

    Raises:
        DataError: pictures stand beside class folders.
    """
    if _has_table(base):
        return _list_table(base)
    folders, loose = sub_folders(base), _pictures_in(base)
    trees = {folder.name: _files_in(folder, recursive=True) for folder in folders}
    others = [path for path in _files_in(base) if not _is_picture(path)]
    others += [path for tree in trees.values() for path in tree if not _is_picture(path)]
    groups = {name: [p for p in tree if _is_picture(p)] for name, tree in trees.items()}
    filled = [name for name, group in groups.items() if group]
    if filled and loose:
        raise _loose(base, loose[0], filled[0])
    if loose:
        return Listing(loose, WITHOUT_CLASSES * len(loose), (), others)
    order = sorted_classes(filled)
    paths = [path for name in order for path in groups[name]]
    names = [utf8(name) for name in order for _ in groups[name]]
    return Listing(paths, names, [name for name in groups if not groups[name]], others)


def _has_table(base: Path) -> bool:
    """Return whether a folder has a metadata.csv that names its pictures."""
    if not (base / TABLE).is_file():
        return False
    with (base / TABLE).open(encoding="utf-8-sig", errors="replace") as stream:
        return "file_name" in stream.readline()


def _list_table(base: Path) -> Listing:
    """List the pictures that a metadata.csv names, with their labels."""
    paths, names = [], []
    with (base / TABLE).open(encoding="utf-8-sig", newline="") as stream:
        table = csv.DictReader(stream)
        columns = table.fieldnames or []
        column = next((name for name in ("class", "label") if name in columns), None)
        for row in table:
            paths.append(base / row["file_name"])
            names.append(WITHOUT_CLASSES[0] if column is None else str(row[column]))
    listed = set(paths)
    others = [
        path
        for path in _files_in(base, recursive=True)
        if path not in listed and path.name != TABLE
    ]
    return Listing(paths, names, (), others)


def _pictures_in(folder: Path) -> list[Path]:
    return [path for path in _files_in(folder) if _is_picture(path)]


def _files_in(folder: Path, recursive: bool = False) -> list[Path]:
    found = folder.rglob("*") if recursive else folder.iterdir()
    return sorted(
        path
        for path in found
        if not any(_is_junk(part) for part in path.relative_to(folder).parts) and path.is_file()
    )


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in picture_suffixes()


def _is_junk(name: str) -> bool:
    return name.startswith(".") or name.lower() in JUNK


def _layout_notes(layout: FolderLayout, listing: Listing) -> tuple[str, ...]:
    notes = []
    if layout.base != layout.root:
        notes.append(f"Read from {layout.base}, which {layout.root} holds alone.")
    if listing.empty:
        names = ", ".join(listing.empty[:10])
        many = counted(len(listing.empty), "class folder")
        notes.append(f"{many} without pictures left out: {names}.")
    if listing.others:
        many = counted(len(listing.others), "file")
        what = "is no picture" if len(listing.others) == 1 else "are no pictures"
        notes.append(f"{many} left out, which {what}: {left_out(listing.others)}.")
    return tuple(notes)


# --- refusals ---


def _loose(base: Path, picture: Path, folder: str) -> DataError:
    return DataError(
        f"{base} holds pictures ({picture.name}) outside the class folders ({folder}); "
        "put every picture into a class folder, or none"
    )


def _nothing(base: Path, split: str | None, listing: Listing) -> DataError:
    """Say why a folder has no pictures, by what it holds instead."""
    wanted = "" if split is None else f" for the {split} split"
    message = f"folder:{base} holds no pictures{wanted}"
    if listing.paths:
        few = counted(len(listing.paths), "picture")
        return DataError(f"{message}: of {few} every tenth is a test picture")
    if not listing.others:
        return DataError(message)
    for path in listing.others:
        kind = ARRAYS.get(path.suffix.lower(), "idx" if is_idx_name(path) else None)
        if kind is not None:
            place = path.parent if kind == "idx" else path
            return DataError(f"{message}, but {path.name}; use `data.name={kind}:{place}`")
    return DataError(
        f"{message}, only files with the endings {left_out(listing.others)}; pictures end in "
        ".png, .jpg, .tif, .bmp, .gif, .webp and others that Pillow reads"
    )


def is_idx_name(path: Path) -> bool:
    """Return whether a file is called as IDX files are, such as train-images-idx3-ubyte.gz."""
    name = path.name.lower()
    return "ubyte" in name or "idx3" in name or "idx1" in name or path.suffix.lower() == ".idx"
