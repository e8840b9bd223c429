"""From a data set's name to its raw images (n, H, W, C), labels and class names."""

import functools
import hashlib
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F

from inkgan import files, rng
from inkgan.data.download import Report, download, find_file, locked_cache, search_roots
from inkgan.data.readers.folder import DAMAGED, Labelled, read_folder, read_npz
from inkgan.data.readers.idx import MAX_BYTES, read_idx
from inkgan.data.registry import ARCHIVES, IDX_SETS, IdxSet
from inkgan.errors import DataError, DataFormatError

Split = Literal["train", "test"]
DIGITS = tuple("0123456789")
CIFAR_CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
CIFAR_RECORD = 1 + 3 * 32 * 32
CIFAR_LIMIT = 20_000 * CIFAR_RECORD  # a real batch has half of it


def read_source(
    name: str, split: Split, size: int | None, data_dir: Path | None, report: Report | None
) -> Labelled:
    """Read one split of a data set as images (n, H, W, C), labels and class names."""
    if name.startswith("folder:"):
        return read_folder(Path(name.removeprefix("folder:")).expanduser(), split, size)
    if name.startswith("npz:"):
        return read_npz(Path(name.removeprefix("npz:")).expanduser(), split)
    special: dict[str, Callable[..., Labelled]] = {
        "uci-digits": _read_uci_digits,
        "cifar10": _read_cifar10,
        "stacked-mnist": _read_stacked,
    }
    reader = special.get(name) or functools.partial(_read_idx_set, IDX_SETS[name])
    return reader(split, data_dir, report)


def _read_idx_set(
    spec: IdxSet, split: Split, data_dir: Path | None, report: Report | None
) -> Labelled:
    wanted = spec.train if split == "train" else spec.test
    paths = _locate(spec, data_dir, report)
    image_path, label_path = paths[wanted.images], paths[wanted.labels]
    images = read_idx(image_path, dimensions=3)
    raw_labels = read_idx(label_path, dimensions=spec.label_dimensions)
    labels = raw_labels[:, 0] if spec.label_dimensions == 2 else raw_labels
    if images.dtype != np.uint8 or images.shape[1:] != (28, 28):
        shape = "x".join(map(str, images.shape[1:]))
        raise DataFormatError(f"{image_path} holds {shape} {images.dtype} images, not 28x28 uint8")
    if len(images) != len(labels):
        raise DataFormatError(
            f"{label_path} holds {len(labels):,} labels for the {len(images):,} images of "
            f"{image_path.name}"
        )
    wrong = np.flatnonzero((labels < 0) | (labels >= len(spec.classes)))
    if wrong.size:
        raise DataFormatError(
            f"{label_path} holds label {labels[wrong[0]]} at place {wrong[0]}; "
            f"0 to {len(spec.classes) - 1} are possible"
        )
    images = images.transpose(0, 2, 1) if spec.transposed else images
    return np.ascontiguousarray(images)[..., None], labels.tolist(), spec.classes


def _locate(spec: IdxSet, data_dir: Path | None, report: Report | None) -> dict[str, Path]:
    """Find all of a set's files, or the archive of them, in one folder, or download them."""
    cache = files.cache_folder() / spec.name
    for folder in _folders(spec.name, spec.aliases, data_dir):
        found = {name: find_file(folder, name) for name in spec.file_names}
        if all(found.values()):
            paths = {name: path for name, path in found.items() if path is not None}
            _refuse_other_set(spec, paths)
            return paths
        archive = find_file(folder, spec.archive.name) if spec.archive else None
        if archive is not None:
            return _unpack_zip(archive, spec, cache)
    if spec.archive is None:
        return download(spec.remote, cache, spec.name, report)
    archive = download((spec.archive,), cache, spec.name, report)[spec.archive.name]
    return _unpack_zip(archive, spec, cache)


def _folders(name: str, aliases: tuple[str, ...], data_dir: Path | None) -> list[Path]:
    """List where a set may lie: ROOT/name, torchvision's ROOT/Name/raw, --data-dir itself."""
    folders = [
        root / part
        for root in search_roots(data_dir)
        for part in (name, *(f"{alias}/raw" for alias in aliases), *aliases)
    ]
    return folders if data_dir is None else [folders[0], data_dir, *folders[1:]]


def _refuse_other_set(spec: IdxSet, paths: dict[str, Path]) -> None:
    """Several sets share MNIST's file names; tell them apart by the hash of the small file."""
    labels = paths[spec.test.labels]
    digest = hashlib.sha256(labels.read_bytes()).hexdigest() if labels.suffix == ".gz" else ""
    for other in IDX_SETS.values():
        if other is not spec and digest in {file.sha256 for file in other.remote}:
            raise DataError(
                f"{labels} belongs to {other.name}, not to {spec.name}; check the folder"
            )


def _unpack_zip(archive: Path, spec: IdxSet, cache: Path) -> dict[str, Path]:
    """Take the set's members out of its zip archive into the cache, each whole or not at all."""
    with locked_cache(cache):
        missing = [name for name in spec.file_names if not (cache / name).exists()]
        for name, content in _zip_members(archive, missing) if missing else []:
            with files.atomic(cache / name) as temporary:
                temporary.write_bytes(content)
    return {name: cache / name for name in spec.file_names}


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


def _read_cifar10(split: Split, data_dir: Path | None, report: Report | None) -> Labelled:
    """Read the binary archive: records of a label and 3x32x32 bytes (Krizhevsky's page)."""
    members = (
        [f"data_batch_{i}.bin" for i in range(1, 6)] if split == "train" else ["test_batch.bin"]
    )
    remote = ARCHIVES["cifar10"]
    unpacked = "cifar-10-batches-bin"
    for folder in _folders("cifar10", (unpacked, f"cifar10/{unpacked}"), data_dir):
        if all((folder / member).is_file() for member in members):
            return _parse_cifar10([(str(folder / m), (folder / m).read_bytes()) for m in members])
        archive = find_file(folder, remote.name)
        if archive is not None:
            return _parse_cifar10(_tar_members(archive, members))
    archive = download((remote,), files.cache_folder() / "cifar10", "cifar10", report)[remote.name]
    return _parse_cifar10(_tar_members(archive, members))


def _tar_members(archive: Path, names: list[str]) -> list[tuple[str, bytes]]:
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(archive, "r:" if archive.suffix == ".tar" else "r:gz") as opened:
            for member in opened:
                name = Path(member.name).name
                wanted = member.isfile() and name in names
                stream = opened.extractfile(member) if wanted else None
                if stream is not None:
                    found[name] = stream.read(CIFAR_LIMIT + 1)
    except (tarfile.TarError, *DAMAGED) as error:
        raise DataFormatError(f"{archive} cannot be read as tar.gz: {error}") from error
    missing = [name for name in names if name not in found]
    if missing:
        raise DataFormatError(f"{archive} lacks {missing[0]}; is it the binary version?")
    return [(f"{archive}:{name}", found[name]) for name in names]


def _parse_cifar10(batches: list[tuple[str, bytes]]) -> Labelled:
    images, labels = [], []
    for name, content in batches:
        if not content or len(content) % CIFAR_RECORD or len(content) > CIFAR_LIMIT:
            raise DataFormatError(
                f"{name} has {len(content):,} bytes, which is no multiple of {CIFAR_RECORD} up to "
                f"{CIFAR_LIMIT:,}: truncated?"
            )
        records = np.frombuffer(content, np.uint8).reshape(-1, CIFAR_RECORD)
        if records[:, 0].max() > 9:
            raise DataFormatError(f"{name} holds label {records[:, 0].max()}; 0 to 9 are possible")
        labels += records[:, 0].tolist()
        images.append(records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
    return np.concatenate(images), labels, CIFAR_CLASSES


def _read_stacked(split: Split, data_dir: Path | None, report: Report | None) -> Labelled:
    """Stack three shuffled MNISTs as RGB: 1000 classes (Metz et al. 2017, section 3.3.1).

    Each digit is used once in each channel; the shuffles have fixed addresses.
    """
    images, labels, _ = _read_idx_set(IDX_SETS["mnist"], split, data_dir, report)
    count = len(images)
    shuffles = [rng.generator(0, "stacked-mnist", split, channel) for channel in range(3)]
    orders = [torch.randperm(count, generator=shuffle).numpy() for shuffle in shuffles]
    stacked = np.concatenate([images[order] for order in orders], axis=3)
    digits = np.asarray(labels)
    numbers = 100 * digits[orders[0]] + 10 * digits[orders[1]] + digits[orders[2]]
    return stacked, numbers.tolist(), tuple(f"{number:03d}" for number in range(1000))


def _read_uci_digits(split: Split, data_dir: Path | None, report: Report | None) -> Labelled:
    """Read the 1,797 real 8x8 digits that scikit-learn carries, enlarged to MNIST's frame.

    Values 0 to 16 become 0 to 255; 8x8 becomes 20x20 in the middle of 28x28, as MNIST's digits
    lie. The last 297 are the test split. (Alpaydin and Kaynak 1998, UCI repository.)
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    small = torch.from_numpy(bunch.images).float().mul(255 / 16)[:, None]
    large = F.interpolate(small, size=(20, 20), mode="bicubic", align_corners=False)
    framed = F.pad(large.clamp(0, 255).round().to(torch.uint8), (4, 4, 4, 4))
    part = slice(0, 1500) if split == "train" else slice(1500, None)
    return framed[part].permute(0, 2, 3, 1).numpy(), bunch.target[part].tolist(), DIGITS
