"""CIFAR-10 in its binary version: records of a label and 3x32x32 bytes (Krizhevsky's page)."""

import tarfile
from pathlib import Path

import numpy as np

from inkgan import files
from inkgan.data.dataset_spec import ReadRequest
from inkgan.data.download import (
    RemoteFile,
    candidate_folders,
    download,
    find_file,
    refuse_incomplete,
)
from inkgan.errors import DataFormatError
from inkgan.images import DAMAGED
from inkgan.types import UInt8

CIFAR_RECORD = 1 + 3 * 32 * 32
CIFAR_LIMIT = 20_000 * CIFAR_RECORD  # a real batch has half of it
UNPACKED = "cifar-10-batches-bin"


def read_cifar10(remote: RemoteFile, request: ReadRequest) -> tuple[UInt8, list[int]]:
    """Read one split from the archive or from its extracted files.

    Args:
        remote: hash and addresses of the archive.
        request: the split, and where to look.

    Returns:
        Images (n, 32, 32, 3) and labels (n,).

    Raises:
        DataError: the archive cannot be found or downloaded, or is damaged.
    """
    train = request.split == "train"
    members = [f"data_batch_{i}.bin" for i in range(1, 6)] if train else ["test_batch.bin"]
    groups = candidate_folders("cifar10", (UNPACKED, f"cifar10/{UNPACKED}"), request.data_dir)
    for folder in (folder for group in groups for folder in group):
        if all((folder / member).is_file() for member in members):
            return _parse([(str(folder / m), (folder / m).read_bytes()) for m in members])
        archive = find_file(folder, remote.name)
        if archive is not None:
            return _parse(_tar_members(archive, members))
    if request.data_dir is not None:
        refuse_incomplete("cifar10", members, groups, request.data_dir)
    cache = files.writable_cache_folder() / "cifar10"
    archive = download((remote,), cache, "cifar10", request.progress)[remote.name]
    return _parse(_tar_members(archive, members))


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


def _parse(batches: list[tuple[str, bytes]]) -> tuple[UInt8, list[int]]:
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
    return np.concatenate(images), labels
