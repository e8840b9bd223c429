"""Users' own images: a folder of pictures (sub-folders are classes) or an .npz file."""

import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from inkgan.data.dataset_spec import LabeledImages
from inkgan.errors import DataError, DataFormatError
from inkgan.images import to_grey_or_rgb
from inkgan.types import UInt8

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm"}
MAX_SIDE = 8192
MAX_NPZ_BYTES = 8 << 30
MAX_CLASSES = 1 << 16
DAMAGED = (  # what Pillow, zipfile and numpy raise for bytes that are not what they should be
    OSError,
    ValueError,
    LookupError,
    SyntaxError,
    EOFError,
    MemoryError,
    RuntimeError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


def read_folder(root: Path, split: str, size: int | None) -> LabeledImages:
    """Read a split of a picture folder as (n, H, W, C), labels and class names.

    With folders train/ and test/ inside, these are the splits; otherwise every tenth picture of
    the sorted list is a test picture. Pictures are resized only if `size` is given.

    Raises:
        DataError: the folder is missing or empty, pictures stand beside class folders, the test
            folder has a class of its own, or sizes differ and `size` is not given.
    """
    if not root.is_dir():
        raise DataError(f"folder:{root}: there is no such folder")
    divided = (root / "train").is_dir()
    base = root / split if divided else root
    if not base.is_dir():
        raise DataError(f"folder:{root} has a train folder but no {split} folder")
    paths, labels, classes = _list_pictures(base, root / "train" if divided else root)
    if not divided:
        chosen = [index for index in range(len(paths)) if (index % 10 == 9) == (split == "test")]
        paths, labels = [paths[i] for i in chosen], [labels[i] for i in chosen]
    if not paths:
        raise DataError(f"folder:{base} holds no pictures for the {split} split")
    return _read_pictures(paths, size), labels, classes


def _read_pictures(paths: Sequence[Path], size: int | None) -> UInt8:
    pictures = [_read_picture(path, size) for path in paths]
    _check_equal_sizes(paths, pictures)
    channels = max(picture.shape[2] for picture in pictures)
    return np.stack([p.repeat(channels // p.shape[2], axis=2) for p in pictures])


def _list_pictures(base: Path, known: Path) -> tuple[list[Path], list[int], tuple[str, ...]]:
    """List pictures with their labels, the places of their folders among those of `known`."""
    folders, loose = _class_folders(base), _pictures_in(base, recursive=False)
    classes = tuple(folder.name for folder in _class_folders(known))
    if classes and loose:
        raise DataError(
            f"{base} holds pictures ({loose[0].name}) outside the class folders ({classes[0]}); "
            "put every picture into a class folder, or none"
        )
    if not classes and not folders:
        return loose, [0] * len(loose), ("all",)
    for folder in folders:
        if folder.name not in classes:
            raise DataError(f"{base} has a class folder {folder.name}, which {known} lacks")
    groups = [(classes.index(folder.name), _pictures_in(folder, True)) for folder in folders]
    paths = [path for _, group in groups for path in group]
    labels = [label for label, group in groups for _ in group]
    return paths, labels, classes


def _class_folders(base: Path) -> list[Path]:
    return sorted(p for p in base.iterdir() if p.is_dir() and not p.name.startswith("."))


def _pictures_in(folder: Path, recursive: bool) -> list[Path]:
    found = folder.rglob("*") if recursive else folder.iterdir()
    return sorted(p for p in found if p.suffix.lower() in SUFFIXES and not _is_hidden(p, folder))


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _read_picture(path: Path, size: int | None) -> UInt8:
    try:
        with Image.open(path) as opened:
            if max(opened.size) > MAX_SIDE:
                raise DataFormatError(f"{path} has {opened.size} pixels; {MAX_SIDE} a side at most")
            picture = to_grey_or_rgb(opened)
    except DAMAGED as error:
        raise DataFormatError(f"{path} cannot be read as a picture: {error}") from error
    if size is not None and picture.size != (size, size):
        picture = picture.resize((size, size), Image.Resampling.LANCZOS)
    array = np.asarray(picture)
    return array[..., None] if array.ndim == 2 else array


def _check_equal_sizes(paths: Sequence[Path], pictures: Sequence[UInt8]) -> None:
    for path, picture in zip(paths, pictures, strict=True):
        if picture.shape[:2] != pictures[0].shape[:2]:
            (h, w), (height, width) = picture.shape[:2], pictures[0].shape[:2]
            raise DataError(
                f"{path} is {h}x{w} where {paths[0].name} is {height}x{width}; "
                "resize all: use `data.size=28`"
            )


def read_npz(path: Path, split: str) -> LabeledImages:
    """Read a split of an .npz file as (n, H, W, C), labels and class names.

    Keys: images and labels, or x_train, y_train, x_test, y_test. Without a test split every tenth
    image is one. Labels are optional.

    Raises:
        DataFormatError: not an .npz, keys missing, images not uint8 (n, H, W[, 3]), labels that
            do not match.
        DataError: too few images for a test split.
    """
    arrays = _load_arrays(path)
    images = _first(arrays, "images", "x_train")
    if images is None:
        raise DataFormatError(f"{path} has keys {sorted(arrays)}; images or x_train is needed")
    train = _check_arrays(path, images, _first(arrays, "labels", "y_train"))
    if "x_test" in arrays:
        test = _check_arrays(path, arrays["x_test"], arrays.get("y_test"))
    else:
        tenth = np.arange(len(images)) % 10 == 9
        train, test = [(train[0][part], train[1][part]) for part in (~tenth, tenth)]
    pixels, labels = test if split == "test" else train
    if not len(pixels):
        raise DataError(f"{path} holds no images for the {split} split")
    highest = max(int(part.max(initial=0)) for _, part in (train, test))
    return pixels, labels.tolist(), tuple(str(label) for label in range(highest + 1))


def read_npz_images(path: Path) -> tuple[UInt8, np.ndarray | None]:
    """Read all images of an .npz as (n, H, W, C), with labels (n,) where it has any.

    Raises:
        DataFormatError: not an .npz, no key images or x_train, not uint8 (n, H, W[, 3]), or labels
            that do not match.
    """
    arrays = _load_arrays(path)
    images, labels = _first(arrays, "images", "x_train"), _first(arrays, "labels", "y_train")
    if images is None:
        raise DataFormatError(f"{path} has keys {sorted(arrays)}; images or x_train is needed")
    pixels, numbers = _check_arrays(path, images, labels)
    return pixels, None if labels is None else numbers


def read_pictures(root: Path) -> tuple[UInt8, np.ndarray | None]:
    """Read all pictures of a folder as (n, H, W, C), with labels where its folders are 0 to 9.

    Raises:
        DataError: the folder is empty, folders have other names, or sizes differ.
    """
    paths, labels, classes = _list_pictures(root, root)
    if not paths:
        raise DataError(f"{root} holds no pictures")
    strange = [name for name in classes if name not in "0123456789"]
    if strange and classes != ("all",):
        raise DataError(f"{root} has a class folder {strange[0]!r}; the digits are 0 to 9")
    pixels = _read_pictures(paths, None)
    if classes == ("all",):
        return pixels, None
    return pixels, np.array([int(classes[label]) for label in labels])


def _load_arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_NPZ_BYTES:
                raise DataFormatError(f"{path} unpacks to more than {MAX_NPZ_BYTES:,} bytes")
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except DAMAGED as error:
        raise DataFormatError(f"{path} cannot be read as .npz: {error}") from error
    return {key: array for key, array in arrays.items() if isinstance(array, np.ndarray)}


def _first(arrays: dict[str, np.ndarray], *keys: str) -> np.ndarray | None:
    return next((arrays[key] for key in keys if key in arrays), None)


def _check_arrays(
    path: Path, images: np.ndarray, labels: np.ndarray | None
) -> tuple[UInt8, np.ndarray]:
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or 0 in images.shape:
        found = f"{images.dtype} {images.shape}"
        raise DataFormatError(
            f"{path}: images must be uint8 (n, H, W) or (n, H, W, 3), not {found}"
        )
    images = images[..., None] if images.ndim == 3 else images
    if images.shape[3] not in (1, 3):
        raise DataFormatError(
            f"{path}: images have {images.shape[3]} channels; 1 or 3 are possible"
        )
    labels = np.zeros(len(images), np.int64) if labels is None else labels
    numbers = labels.shape == (len(images),) and labels.dtype.kind in "iu"
    if not numbers or labels.min() < 0 or labels.max() >= MAX_CLASSES:
        raise DataFormatError(
            f"{path}: labels must be {len(images)} whole numbers from 0 to {MAX_CLASSES - 1:,}"
        )
    return images, labels.astype(np.int64)
