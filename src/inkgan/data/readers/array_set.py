"""Users' own arrays: .npz, .npy, tables of pixels and IDX files, split and labeled alike."""

import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from inkgan.data.dataset_spec import LoadedSplit
from inkgan.data.readers.array_files import read_csv, read_npy
from inkgan.data.readers.convert import as_labels, as_uint8_images, side_of_square
from inkgan.data.readers.folder import sorted_classes
from inkgan.data.readers.picture_set import without_equal_channels
from inkgan.data.stratified_split import stratified_part
from inkgan.errors import DataError, DataFormatError
from inkgan.images import DAMAGED
from inkgan.npz import read_member
from inkgan.types import UInt8

MAX_NPZ_BYTES = 8 << 30
SPLITS = {  # names of splits in keys
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
IMAGE_WORDS = ("images", "x", "image", "imgs", "data", "features", "pixels", "digits")
LABEL_WORDS = ("labels", "y", "label", "target", "targets", "classes", "class")
NO_CLASS = "0"  # the name of the only class of images without labels


@dataclass(frozen=True)
class ArraySplit:
    """The images and labels of one split, converted when they are asked for.

    Attributes:
        images: returns uint8 images (n, H, W, C), and what was converted.
        labels: returns the class of each image as a text (n,), and what was converted; gets the
            number of images.
    """

    images: Callable[[], tuple[UInt8, tuple[str, ...]]]
    labels: Callable[[int], tuple[np.ndarray, tuple[str, ...]]]


def read_npz(path: Path, split: str) -> LoadedSplit:
    """Read a split of an .npz or .npy file.

    Keys are images and labels, or those of Keras (x_train, y_train, x_test, y_test), MedMNIST
    (train_images, train_labels), scikit-learn (data, target) and others alike. Without a test
    split every tenth image of each class is one. Labels are optional; classes are those that occur.

    Raises:
        DataError: the file is missing or too small for a test split, or a split has a class that
            the training split lacks.
        DataFormatError: no .npz, no images, or images or labels with more than one meaning.
    """
    if path.suffix.lower() == ".npy":
        return choose_split({"train": _whole(*read_npy(path))}, split, str(path))
    with _NpzArrays(path) as arrays:
        return choose_split(_npz_splits(arrays), split, str(path))


def read_npz_images(path: Path) -> tuple[UInt8, np.ndarray | None, tuple[str, ...]]:
    """Read all images of the first split of an .npz, with numbers as labels where it has any.

    Returns:
        Images uint8 (n, H, W, C); labels int64 (n,) or None; what was converted, in words.

    Raises:
        DataFormatError: no .npz, no images, or images or labels with more than one meaning.
    """
    with _NpzArrays(path) as arrays:
        images_key, labels_key = next(iter(_find_keys(arrays).values()))
        images, notes = as_uint8_images(arrays[images_key], f"{path}: {images_key}")
        if labels_key is None:
            return images, None, notes
        labels, more = as_labels(arrays[labels_key], len(images), f"{path}: {labels_key}")
        return images, labels, (*notes, *more)


def read_table(path: Path, split: str) -> LoadedSplit:
    """Read a split of a table with the pixels of an image in each row, as Kaggle's train.csv.

    Raises:
        DataError: the file is missing, or its rows are no square images.
    """
    return choose_split({"train": _whole(*read_csv(path))}, split, str(path))


def choose_split(splits: Mapping[str, ArraySplit], split: str, name: str) -> LoadedSplit:
    """Return one split, with the classes that occur in the training split.

    Args:
        splits: at least train.
        split: train, validation or test. Without a test split, every tenth image of each class of
            the training split is one.
        name: of the set, for messages.

    Raises:
        DataError: the split is empty, or has a class that the training split lacks.
    """
    train_images, notes = splits["train"].images()
    train_names, more = splits["train"].labels(len(train_images))
    classes = sorted_classes(train_names.tolist())
    images, names = train_images, train_names
    if split in splits and split != "train":
        images, notes = splits[split].images()
        names, more = splits[split].labels(len(images))
        strange = sorted(set(names.tolist()) - set(classes))
        if strange:
            raise DataError(
                f"{name}: the {split} split has images of class {strange[0]}, of which the train "
                "split has none"
            )
    elif split == "validation":
        raise DataError(f"{name} has no {split} split")
    found, places = np.unique(names, return_inverse=True)
    labels = np.array([classes.index(str(one)) for one in found], np.int64)[places.ravel()]
    if "test" not in splits and split in ("train", "test"):
        test = stratified_part(labels, len(labels) // 10)
        part = test if split == "test" else ~test
        images, labels = images[part], labels[part]
    if not len(images):
        raise DataError(f"{name} holds no images for the {split} split")
    gray, colored = without_equal_channels(images)
    if images.shape[3] == 3 and not colored.any():
        notes = (*notes, "RGB images whose channels are all equal: read as gray.")
    classes_note = _describe_classes(classes)
    return LoadedSplit(
        gray,
        labels,
        classes,
        (*notes, *more, *classes_note),
        has_validation="validation" in splits,
    )


def _describe_classes(classes: Sequence[str]) -> tuple[str, ...]:
    """Say which labels occur where they are not the numbers from 0."""
    if list(classes) == [str(number) for number in range(len(classes))]:
        return ()
    few = ", ".join(classes[:12]) + (", ..." if len(classes) > 12 else "")
    return (f"The {len(classes):,} classes are the labels that occur: {few}.",)


def _whole(images: UInt8, labels: np.ndarray | None, notes: tuple[str, ...]) -> ArraySplit:
    def names(count: int) -> tuple[np.ndarray, tuple[str, ...]]:
        return (_unlabeled(count) if labels is None else labels.astype(str)), ()

    return ArraySplit(lambda: (images, notes), names)


def _unlabeled(count: int) -> np.ndarray:
    return np.full(count, NO_CLASS)


# --- .npz ---


class _NpzArrays(Mapping[str, np.ndarray]):
    """The arrays of an .npz, each read when it is used; those of Python objects are left out."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._members: dict[str, tuple[int, ...]] = {}
        self.objects: list[str] = []
        try:
            with zipfile.ZipFile(path) as archive:
                if sum(member.file_size for member in archive.infolist()) > MAX_NPZ_BYTES:
                    raise DataFormatError(f"{path} unpacks to more than {MAX_NPZ_BYTES:,} bytes")
            self._file = zipfile.ZipFile(path)
            for member in self._file.infolist():
                if member.filename.endswith(".npy"):
                    self._add(member)
        except FileNotFoundError as error:
            raise DataError(f"{path}: there is no such file") from error
        except DAMAGED as error:
            raise self._failure(error) from error

    def _add(self, member: zipfile.ZipInfo) -> None:
        """Read the header of a member."""
        key = member.filename.removesuffix(".npy")
        with self._file.open(member) as stream:
            version = np.lib.format.read_magic(stream)
            read = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, _, dtype = read(stream)
        if dtype.hasobject:
            self.objects.append(key)
        else:
            self._members[key] = shape

    def __enter__(self) -> "_NpzArrays":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def __getitem__(self, key: str) -> np.ndarray:
        try:
            return read_member(self._file, f"{key}.npy")
        except DAMAGED as error:
            raise self._failure(error) from error

    def __iter__(self) -> Any:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def shape(self, key: str) -> tuple[int, ...]:
        """Return the shape of an array without reading it."""
        return self._members[key]

    def _failure(self, error: BaseException) -> DataFormatError:
        return DataFormatError(f"{self.path} cannot be read as .npz: {error}")


def _npz_splits(arrays: _NpzArrays) -> dict[str, ArraySplit]:
    return {split: _npz_split(arrays, *keys) for split, keys in _find_keys(arrays).items()}


def _npz_split(arrays: _NpzArrays, images_key: str, labels_key: str | None) -> ArraySplit:
    def images() -> tuple[UInt8, tuple[str, ...]]:
        return as_uint8_images(arrays[images_key], f"{arrays.path}: {images_key}")

    def labels(count: int) -> tuple[np.ndarray, tuple[str, ...]]:
        if labels_key is None:
            return _unlabeled(count), ()
        return _class_names(arrays[labels_key], count, f"{arrays.path}: {labels_key}")

    return ArraySplit(images, labels)


def _class_names(labels: np.ndarray, count: int, what: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the class of each image as a text; labels may be numbers or names."""
    if labels.dtype.kind in "US" and labels.size == count:
        try:
            names: np.ndarray = labels.astype(str).reshape(count)
        except UnicodeDecodeError as error:
            raise DataFormatError(
                f"{what} are bytes that are no ASCII text; give them as text, decoded"
            ) from error
        if not all(name.strip().isdecimal() for name in np.unique(names)):
            return names, ()
    numbers, notes = as_labels(labels, count, what)
    return numbers.astype(str), notes


def _find_keys(arrays: _NpzArrays) -> dict[str, tuple[str, str | None]]:
    """Find the keys of images and labels of each split; train comes first.

    Raises:
        DataFormatError: there are no images, or none that can be told from others.
    """
    plain = {_plain(key): key for key in arrays}
    found = {}
    for split, names in SPLITS.items():
        images = _first(plain, _joined(names, IMAGE_WORDS))
        if images is not None:
            found[split] = (images, _first(plain, _joined(names, LABEL_WORDS)))
    if "train" in found:
        return found
    images = _first(plain, [*IMAGE_WORDS, "arr0"])
    if images is not None and len(arrays.shape(images)) > 1:
        numbered = ["arr1"] if _plain(images) == "arr0" else []
        return {"train": (images, _first(plain, [*LABEL_WORDS, *numbered]))}
    only = [key for key in arrays if _like_images(arrays.shape(key))]
    if len(only) != 1:
        objects = f"; {sorted(arrays.objects)} are Python objects" if arrays.objects else ""
        raise DataFormatError(
            f"{arrays.path} has keys {sorted(arrays)}{objects}; images or x_train is needed, and "
            "labels or y_train if there are any"
        )
    return {"train": (only[0], _first(plain, LABEL_WORDS))}


def _like_images(shape: tuple[int, ...]) -> bool:
    return len(shape) in (3, 4) or (len(shape) == 2 and side_of_square(shape[1]) > 0)


def _plain(key: str) -> str:
    return "".join(character for character in key.lower() if character.isalnum())


def _joined(splits: Sequence[str], words: Sequence[str]) -> list[str]:
    return [name for word in words for split in splits for name in (word + split, split + word)]


def _first(plain: Mapping[str, str], names: Sequence[str]) -> str | None:
    return next((plain[name] for name in names if name in plain), None)
