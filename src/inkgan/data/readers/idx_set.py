"""Data sets in IDX files: found under the names that people use, downloaded, unpacked, checked."""

import hashlib
import zipfile
from pathlib import Path

import numpy as np

from inkgan import files
from inkgan.data.dataset_spec import IdxFiles, ReadRequest
from inkgan.data.download import (
    candidate_folders,
    download,
    find_file,
    locked_cache,
    refuse_incomplete,
)
from inkgan.data.readers.idx import MAX_BYTES, read_idx
from inkgan.errors import DataError, DataFormatError
from inkgan.images import DAMAGED
from inkgan.types import UInt8


def read_idx_set(
    name: str,
    idx: IdxFiles,
    folder_names: tuple[str, ...],
    classes: tuple[str, ...],
    request: ReadRequest,
) -> tuple[UInt8, list[int]]:
    """Read one split of a data set in IDX files.

    Args:
        name: of the set.
        idx: names, hashes and addresses of its files.
        folder_names: folders under which other programs keep them.
        classes: names of the classes.
        request: the split, and where to look.

    Returns:
        Images (n, 28, 28, 1) and labels (n,).

    Raises:
        DataError: the files are missing, belong to another set, or are damaged.
    """
    wanted = idx.train if request.split == "train" else idx.test
    paths = _locate(name, idx, folder_names, request)
    image_path, label_path = paths[wanted.images], paths[wanted.labels]
    images = read_idx(image_path, dimensions=3)
    raw_labels = read_idx(label_path, dimensions=idx.label_dimensions)
    labels = raw_labels[:, 0] if idx.label_dimensions == 2 else raw_labels
    if images.dtype != np.uint8 or images.shape[1:] != (28, 28):
        shape = "x".join(map(str, images.shape[1:]))
        raise DataFormatError(f"{image_path} holds {shape} {images.dtype} images, not 28x28 uint8")
    if len(images) != len(labels):
        raise DataFormatError(
            f"{label_path} holds {len(labels):,} labels for the {len(images):,} images of "
            f"{image_path.name}"
        )
    if labels.dtype.kind not in "iu":
        raise DataFormatError(f"{label_path} holds {labels.dtype} labels, not whole numbers")
    labels = labels.astype(np.int64) - idx.first_label
    wrong = np.flatnonzero((labels < 0) | (labels >= len(classes)))
    if wrong.size:
        raise DataFormatError(
            f"{label_path} holds label {labels[wrong[0]] + idx.first_label} at place {wrong[0]}; "
            f"{idx.first_label} to {len(classes) - 1 + idx.first_label} are possible"
        )
    images = images.transpose(0, 2, 1) if idx.transposed else images
    return np.ascontiguousarray(images)[..., None], labels.tolist()


def _locate(
    name: str, idx: IdxFiles, folder_names: tuple[str, ...], request: ReadRequest
) -> dict[str, Path]:
    """Find all of a set's files, or the archive of them, in one folder, or download them."""
    for folders in candidate_folders(name, folder_names, request.data_dir):
        for folder in folders:
            found = {file: find_file(folder, file) for file in idx.names}
            if all(found.values()):
                paths = {file: path for file, path in found.items() if path is not None}
                other = _other_set(name, folder_names, paths[idx.test.labels])
                if not other:
                    return paths
                if folder == folders[0] or request.data_dir is not None:
                    raise DataError(f"{other}, not to {name}; check the folder")
            archive = find_file(folder, idx.archive.name) if idx.archive else None
            if archive is not None:
                return _unpack_zip(archive, idx.names, files.writable_cache_folder() / name)
        if folders[0].parent not in files.cache_folders():
            refuse_incomplete(name, idx.names, [folders], request.data_dir)
    cache = files.writable_cache_folder() / name
    if idx.archive is None:
        return download(idx.remote, cache, name, request.progress)
    archive = download((idx.archive,), cache, name, request.progress)[idx.archive.name]
    return _unpack_zip(archive, idx.names, cache)


def _other_set(name: str, folder_names: tuple[str, ...], labels: Path) -> str:
    """Say to which other set files belong; empty where to none.

    Several sets share MNIST's file names; the hash of the small file tells them apart, or the
    folder in which torchvision keeps them.
    """
    from inkgan.data.registry import DATASETS  # which imports this module

    digest = hashlib.sha256(labels.read_bytes()).hexdigest() if labels.suffix == ".gz" else ""
    if name in DATASETS and digest in {file.sha256 for file in DATASETS[name].remote_files}:
        return ""
    places = set(labels.resolve().parts[-3:-1]) - {name, *folder_names}
    for other in DATASETS.values():
        hashes = {file.sha256 for file in other.remote_files}
        if other.name != name and (digest in hashes or places & {other.name, *other.folder_names}):
            return f"{labels} belongs to {other.name}"
    return ""


def _unpack_zip(archive: Path, names: tuple[str, ...], cache: Path) -> dict[str, Path]:
    """Take the set's members out of its zip archive into the cache, each whole or not at all."""
    with locked_cache(cache):
        missing = [name for name in names if not (cache / name).exists()]
        for name, content in _zip_members(archive, missing) if missing else []:
            with files.atomic(cache / name) as temporary:
                temporary.write_bytes(content)
    return {name: cache / name for name in names}


def _zip_members(archive: Path, names: list[str]) -> list[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(archive) as opened:
            members = {Path(info.filename).name: info for info in opened.infolist()}
            for name in names:
                if name not in members or members[name].file_size > MAX_BYTES:
                    raise DataFormatError(f"{archive} holds no sensible member {name}")
            return [(name, opened.read(members[name])) for name in names]
    except DAMAGED as error:
        raise DataFormatError(f"{archive} cannot be read as zip: {error}") from error
