"""IDX files of one's own, by the path of their folder or of one file of images."""

import re
from pathlib import Path

import numpy as np

from inkgan.data.dataset_spec import LoadedSplit
from inkgan.data.readers.array_set import ArraySplit, choose_split
from inkgan.data.readers.convert import as_labels, as_uint8_images, upright
from inkgan.data.readers.idx import read_idx
from inkgan.errors import DataError, DataFormatError
from inkgan.types import UInt8

ROLE = re.compile(r"(train(?:ing)?|test(?:ing)?|t10k|val(?:id(?:ation)?)?)", re.IGNORECASE)
SPLIT_OF = {"tra": "train", "tes": "test", "t10": "test", "val": "validation"}


def read_idx_folder(path: Path, split: str, *, whole: bool = False) -> LoadedSplit:
    """Read a split of IDX files of one's own, of any size and any labels.

    Files of images have "images" or "idx3" in their name, those of labels "labels" or "idx1";
    "train", "val", "test" or "t10k" tell the splits. Classes are the labels that occur. Files that
    are called emnist-... are turned upright.

    Args:
        path: a folder of one set, or one file of images beside its labels.
        split: train, validation or test; without files for tests, every tenth image of each class.
        whole: without files for tests, leave all images in the training split.

    Raises:
        DataError: there are no such files, or those of several sets.
        DataFormatError: a file is damaged, or images and labels do not match.
    """
    files = [path] if path.is_file() else _image_files(path)
    splits: dict[str, ArraySplit] = {}
    for file in files:
        role = "train" if path.is_file() else _role(file)
        splits[role] = _split_of(file)
    if path.is_file():
        other = _sibling(path)
        if other is not None:
            splits["test"] = _split_of(other)
    if "train" not in splits:
        raise DataError(f"idx:{path} holds no file of training images, only {files[0].name}")
    if whole:
        splits.setdefault("test", splits["train"])
    loaded = choose_split(splits, split, f"idx:{path}")
    return loaded


def _image_files(folder: Path) -> list[Path]:
    """List the files of images of a folder, one for each split."""
    if not folder.is_dir():
        raise DataError(f"idx:{folder}: there is no such folder or file")
    found: dict[str, list[Path]] = {}
    for place in (folder, folder / "raw"):
        for path in sorted(place.iterdir()) if place.is_dir() else []:
            if path.is_file() and _is_images(path.name):
                role = _role(path)
                known = [_stem(other) for other in found.get(role, [])]
                if _stem(path) not in known:  # the same file, zipped and not
                    found.setdefault(role, []).append(path)
        if found:
            break
    if not found:
        raise DataError(
            f"idx:{folder} holds no IDX files of images, such as train-images-idx3-ubyte.gz"
        )
    for paths in found.values():
        if len(paths) > 1:
            names = ", ".join(path.name for path in paths[:6])
            raise DataError(
                f"idx:{folder} holds several sets ({names}); name the file of images: "
                f"`data.name=idx:{paths[0]}`"
            )
    return [paths[0] for paths in found.values()]


def _is_images(name: str) -> bool:
    name = name.lower()
    return not name.startswith(".") and (
        ("images" in name and ("idx" in name or "ubyte" in name)) or "idx3" in name
    )


def _stem(path: Path) -> str:
    return path.name.lower().removesuffix(".gz").replace(".idx", "-idx")


def _role(path: Path) -> str:
    """Return the split that a file is called after; train where it is called after none."""
    found = ROLE.findall(path.name)
    return SPLIT_OF[found[-1].lower()[:3]] if found else "train"


def _labels_beside(images: Path) -> Path | None:
    """Find the file of labels that belongs to a file of images."""
    name = images.name.lower()
    wanted = {
        _stem(Path(name.replace("images", "labels").replace("idx3", kind)))
        for kind in ("idx1", "idx2", "idx3")
    } | {_stem(Path(name.replace("idx3", "idx1")))}
    wanted |= {stem.replace("-ubyte", "-int") for stem in wanted}
    wanted.discard(_stem(images))
    beside = (path for path in sorted(images.parent.iterdir()) if path.is_file())
    return next((path for path in beside if _stem(path) in wanted), None)


def _sibling(images: Path) -> Path | None:
    """Find the file of test images beside a named file of training images."""
    found = ROLE.findall(images.name)
    if not found or SPLIT_OF[found[-1].lower()[:3]] != "train":
        return None
    for word in ("test", "t10k"):
        head, _, tail = images.name.rpartition(found[-1])
        other = images.with_name(head + word + tail)
        if other.is_file():
            return other
    return None


def _split_of(path: Path) -> ArraySplit:
    def images() -> tuple[UInt8, tuple[str, ...]]:
        pixels, notes = as_uint8_images(read_idx(path, None), str(path))
        pixels, turned = upright(path.name, pixels)
        return pixels, (*turned, *notes)

    def labels(count: int) -> tuple[np.ndarray, tuple[str, ...]]:
        beside = _labels_beside(path)
        if beside is None:
            return np.full(count, "0"), (f"{path.name} has no file of labels beside it.",)
        numbers = read_idx(beside, None)
        if len(numbers) != count:
            raise DataFormatError(
                f"{beside} holds {len(numbers):,} labels for the {count:,} images of {path.name}"
            )
        if numbers.ndim == 2 and numbers.shape[1] == 8:  # QMNIST: the class comes first
            numbers = numbers[:, 0]
        found, notes = as_labels(numbers, count, str(beside))
        return found.astype(str), notes

    return ArraySplit(images, labels)
