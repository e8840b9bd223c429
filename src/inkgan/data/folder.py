"""Users' own images: a folder of pictures (sub-folders are classes) or an .npz file."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from inkgan.errors import DataError, DataFormatError
from inkgan.images import UInt8

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm"}
MAX_SIDE = 8192
MAX_NPZ_BYTES = 8 << 30
Labelled = tuple[UInt8, list[int], tuple[str, ...]]


def read_folder(root: Path, split: str, size: int | None) -> Labelled:
    """Read a split of a picture folder as (n, H, W, C), labels and class names.

    With folders train/ and test/ inside, these are the splits; otherwise every tenth picture of
    the sorted list is a test picture. Pictures are resized only if `size` is given.

    Raises:
        DataError: the folder is missing or empty, pictures stand beside class folders, or sizes
            differ and `size` is not given.
    """
    if not root.is_dir():
        raise DataError(f"folder:{root}: there is no such folder")
    divided = (root / "train").is_dir()
    base = root / split if divided else root
    if not base.is_dir():
        raise DataError(f"folder:{root} has a train folder but no {split} folder")
    paths, labels, classes = _list_pictures(base)
    if not divided:
        chosen = [index for index in range(len(paths)) if (index % 10 == 9) == (split == "test")]
        paths, labels = [paths[i] for i in chosen], [labels[i] for i in chosen]
    if not paths:
        raise DataError(f"folder:{base} holds no pictures for the {split} split")
    pictures = [_read_picture(path, size) for path in paths]
    _check_equal_sizes(paths, pictures)
    channels = max(picture.shape[2] for picture in pictures)
    same = [picture.repeat(channels // picture.shape[2], axis=2) for picture in pictures]
    return np.stack(same), labels, classes


def _list_pictures(base: Path) -> tuple[list[Path], list[int], tuple[str, ...]]:
    folders = sorted(p for p in base.iterdir() if p.is_dir() and not p.name.startswith("."))
    loose = _pictures_in(base, recursive=False)
    if folders and loose:
        raise DataError(
            f"{base} holds pictures ({loose[0].name}) beside folders ({folders[0].name}); put "
            "every picture into a class folder, or none"
        )
    if not folders:
        return loose, [0] * len(loose), ("all",)
    groups = [_pictures_in(folder, recursive=True) for folder in folders]
    paths = [path for group in groups for path in group]
    labels = [label for label, group in enumerate(groups) for _ in group]
    return paths, labels, tuple(folder.name for folder in folders)


def _pictures_in(folder: Path, recursive: bool) -> list[Path]:
    found = folder.rglob("*") if recursive else folder.iterdir()
    return sorted(p for p in found if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))


def _read_picture(path: Path, size: int | None) -> UInt8:
    try:
        with Image.open(path) as opened:
            if max(opened.size) > MAX_SIDE:
                raise DataFormatError(f"{path} has {opened.size} pixels; {MAX_SIDE} a side at most")
            mode = "L" if opened.mode in ("1", "L", "LA", "I", "I;16") else "RGB"
            picture = opened.convert(mode)
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
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
                "resize all with --set data.size=28"
            )


def read_npz(path: Path, split: str) -> Labelled:
    """Read a split of an .npz file as (n, H, W, C), labels and class names.

    Keys: images and labels, or x_train, y_train, x_test, y_test. Without a test split every tenth
    image is one. Labels are optional.

    Raises:
        DataFormatError: not an .npz, keys missing, images not uint8 (n, H, W[, 3]), labels that
            do not match.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_NPZ_BYTES:
                raise DataFormatError(f"{path} unpacks to more than {MAX_NPZ_BYTES:,} bytes")
        with np.load(path, allow_pickle=False) as arrays:
            held = {key: arrays[key] for key in arrays.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise DataFormatError(f"{path} cannot be read as .npz: {error}") from error
    has_test = "x_test" in held
    images = (
        held.get("x_test") if has_test and split == "test" else _first(held, "images", "x_train")
    )
    labels = (
        held.get("y_test") if has_test and split == "test" else _first(held, "labels", "y_train")
    )
    if images is None:
        raise DataFormatError(f"{path} has keys {sorted(held)}; images or x_train is needed")
    images, labels = _check_arrays(path, images, labels)
    if not has_test:
        test = np.arange(len(images)) % 10 == 9
        keep = test if split == "test" else ~test
        images, labels = images[keep], labels[keep]
    return images, labels.tolist(), tuple(str(label) for label in range(int(labels.max()) + 1))


def _first(held: dict[str, np.ndarray], *keys: str) -> np.ndarray | None:
    return next((held[key] for key in keys if key in held), None)


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
    if labels.shape != (len(images),) or labels.dtype.kind not in "iu" or labels.min() < 0:
        raise DataFormatError(f"{path}: labels must be {len(images)} whole numbers from 0")
    return images, labels.astype(np.int64)
