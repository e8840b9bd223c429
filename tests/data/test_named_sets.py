"""Data sets by name: where their files are found, and what is read out of them."""

import gzip
import hashlib
import io
import os
import struct
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from inkgan.config import Data
from inkgan.data.class_names import FASHION, PHOTOGRAPHS
from inkgan.data.dataset import Dataset, Split, load_dataset
from inkgan.data.dataset_spec import IdxFiles, ReadRequest
from inkgan.data.download import RemoteFile
from inkgan.data.registry import DATASETS, read_dataset
from inkgan.errors import DataError, DataFormatError, DataNotFoundError
from inkgan.files import CacheWarning, cache_folder

PATIENT = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def idx_files(name: str) -> IdxFiles:
    files = DATASETS[name].files
    assert isinstance(files, IdxFiles)
    return files


MNIST = idx_files("mnist")
Array = npt.NDArray[Any]


@pytest.fixture(autouse=True)
def _no_data_of_the_users(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep INKGAN_DATA out of all tests but the one of the real files."""
    if "real_root" not in request.fixturenames:
        monkeypatch.delenv("INKGAN_DATA", raising=False)


def idx_bytes(array: Array) -> bytes:
    code = {"u1": 0x08, "i4": 0x0C}[array.dtype.str[1:]]
    header = struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def write_idx(path: Path, array: Array) -> None:
    content = idx_bytes(array)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def gray(level: int, count: int) -> Array:
    return np.full((count, 28, 28), level, np.uint8)


def write_set(
    folder: Path,
    level: int,
    spelling: Callable[[str], str] = str,
    spec: IdxFiles = MNIST,
    counts: tuple[int, int] = (6, 3),
) -> None:
    """Write a set's four files: images of one gray level (one more in the test split)."""
    for pair, shade, count in zip((spec.train, spec.test), (level, level + 1), counts, strict=True):
        labels = np.arange(count) % 10
        if spec.label_dimensions == 2:
            labels = np.stack([labels, labels + 100_000], axis=1)
        kind = np.int32 if spec.label_dimensions == 2 else np.uint8
        write_idx(folder / spelling(pair.images), gray(shade, count))
        write_idx(folder / spelling(pair.labels), labels.astype(kind))


def load(
    name: str = "mnist", split: Split = "train", data_dir: Path | None = None, **options: Any
) -> Dataset:
    return load_dataset(Data(name=name, **{"holdout": 0, **options}), split, data_dir)


def level_of(dataset: Dataset) -> int:
    (level,) = dataset.images.unique().tolist()
    return int(level)


def plain(name: str) -> str:
    return name.removesuffix(".gz")


def kaggle(name: str) -> str:
    return plain(name).replace("-idx", ".idx")


# --- where the files are ---


def test_data_dir_before_environment_before_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = {name: tmp_path / name for name in ("argument", "environment", "cache", "empty")}
    for level, name in enumerate(("argument", "environment", "cache")):
        write_set(roots[name] / "mnist", 10 * level)
    roots["empty"].mkdir()
    monkeypatch.setenv("INKGAN_CACHE", str(roots["cache"]))
    assert level_of(load()) == 20
    monkeypatch.setenv("INKGAN_DATA", str(roots["environment"]))
    assert level_of(load()) == 10
    assert level_of(load(data_dir=roots["argument"])) == 0
    monkeypatch.setenv("INKGAN_DATA", str(roots["empty"]))
    assert level_of(load()) == 20


def test_a_named_folder_is_the_only_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that a named folder lacks are never taken from elsewhere."""
    write_set(tmp_path / "good" / "mnist", 30)
    monkeypatch.setenv("INKGAN_DATA", str(tmp_path / "good"))
    mine = tmp_path / "mine"
    mine.mkdir()
    with pytest.raises(DataError, match=r"mine holds no mnist: train-images.*looked for there"):
        load(data_dir=mine)
    write_set(mine, 60)
    for name in MNIST.test:
        (mine / name).unlink()
    message = r"mine lacks t10k-images-idx3-ubyte\.gz, t10k-labels-\S+ of mnist .*idx:"
    with pytest.raises(DataError, match=message):
        load(data_dir=mine)
    assert level_of(load(f"idx:{mine}")) == 60
    monkeypatch.setenv("INKGAN_CACHE", str(tmp_path / "good"))
    monkeypatch.setenv("INKGAN_DATA", str(mine))
    with pytest.raises(DataError, match=message):
        load()


@pytest.mark.parametrize("place", [".", "raw", "mnist"])
def test_the_environment_may_name_the_folder_itself(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_set(tmp_path / place, 40)
    monkeypatch.setenv("INKGAN_DATA", str(tmp_path))
    assert level_of(load()) == 40


def test_torchvisions_folder_tells_sets_apart(tmp_path: Path) -> None:
    write_set(tmp_path / "FashionMNIST" / "raw", 40, plain)
    with pytest.raises(DataError, match=r"belongs to fashion-mnist, not to mnist"):
        load(data_dir=tmp_path / "FashionMNIST" / "raw")
    assert level_of(load("fashion-mnist", data_dir=tmp_path / "FashionMNIST")) == 40


def test_emnist_letters_count_from_one(tmp_path: Path) -> None:
    letters = idx_files("emnist-letters")
    write_set(tmp_path, 40, spec=letters)
    write_idx(tmp_path / letters.train.labels, np.array([1, 2, 26, 25, 3, 4], np.uint8))
    dataset = load("emnist-letters", data_dir=tmp_path)
    assert [dataset.classes[label] for label in dataset.labels] == list("ABZYCD")


def test_both_splits_and_their_classes(tmp_path: Path) -> None:
    write_set(tmp_path / "mnist", 50)
    train, test = load(data_dir=tmp_path), load(split="test", data_dir=tmp_path)
    assert (level_of(train), level_of(test)) == (50, 51)
    assert (len(train), len(test)) == (6, 3)
    assert train.shape == (1, 28, 28)
    assert train.images.dtype == torch.uint8
    assert train.labels.dtype == torch.int64
    assert train.labels.tolist() == list(range(6))
    assert train.classes == tuple("0123456789")


@pytest.mark.parametrize("place", ["mnist", "MNIST/raw", "MNIST", "."])
@pytest.mark.parametrize("spelling", [str, plain, kaggle], ids=["gz", "plain", "kaggle"])
def test_layouts_and_spellings(place: str, spelling: Callable[[str], str], tmp_path: Path) -> None:
    """Our own, torchvision's, and a `data_dir` that is itself the set's folder."""
    write_set(tmp_path / place, 70, spelling)
    assert level_of(load(data_dir=tmp_path)) == 70


def test_spellings_may_be_mixed_but_a_set_is_taken_from_one_folder(tmp_path: Path) -> None:
    write_set(tmp_path / "mnist", 1)
    images = tmp_path / "mnist" / MNIST.train.images
    write_idx(images.with_suffix(""), gray(2, 6))
    images.unlink()
    assert level_of(load(data_dir=tmp_path)) == 2
    (tmp_path / "mnist" / MNIST.test.labels).unlink()
    write_set(tmp_path / "MNIST" / "raw", 3)
    assert level_of(load(data_dir=tmp_path)) == 3


def test_nowhere_and_offline(tmp_path: Path) -> None:
    with pytest.raises(DataNotFoundError, match=r"(?s)mnist is not on this.*INKGAN_OFFLINE"):
        load()
    with pytest.raises(DataError, match=r"`data_dir` .*nowhere is no folder"):
        load(data_dir=tmp_path / "nowhere")


def test_cache_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then data go to a temporary folder, if they can be downloaded."""
    (tmp_path / "file").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("INKGAN_CACHE", str(tmp_path / "file"))
    with (
        pytest.warns(CacheWarning, match="INKGAN_CACHE names another"),
        pytest.raises(DataNotFoundError, match="INKGAN_OFFLINE"),
    ):
        load()


def test_files_of_another_set_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fashion-MNIST's files have MNIST's names; the published hash tells them apart."""
    write_set(tmp_path / "mnist", 0)
    assert len(load(data_dir=tmp_path)) == 6
    labels = tmp_path / "mnist" / MNIST.test.labels
    sha256 = hashlib.sha256(labels.read_bytes()).hexdigest()
    fashion = idx_files("fashion-mnist")
    known = replace(fashion, remote=(RemoteFile(labels.name, sha256, ()),))
    monkeypatch.setitem(DATASETS, "fashion-mnist", replace(DATASETS["fashion-mnist"], files=known))
    with pytest.raises(DataError, match=r"labels-idx1-ubyte\.gz belongs to fashion-mnist, not to"):
        load(data_dir=tmp_path)
    dataset = load("fashion-mnist", data_dir=tmp_path / "mnist")
    assert dataset.classes == FASHION


# --- what is in the files ---


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (gray(0, 6), np.arange(5), r"train-labels\S+ holds 5 labels for the 6 images of train-im"),
        (
            gray(0, 6),
            np.array([0, 1, 2, 9, 10, 11]),
            r"labels\S+ holds label 10 at place 4; 0 to 9",
        ),
        (gray(0, 6)[:, :27], np.arange(6), r"images\S+ holds 27x28 uint8 images, not 28x28 uint8"),
        (gray(0, 6).astype(np.int32), np.arange(6), r"holds 28x28 int32|holds 28x28 >i4"),
        (gray(0, 6)[0], np.arange(6), r"images\S+ has 2 dimensions where 3 are expected"),
        (gray(0, 6), np.zeros((6, 8)), r"labels\S+ has 2 dimensions where 1 are expected"),
        (gray(0, 0), np.arange(6), r"images\S+ promises 0 x 28 x 28 values"),
    ],
)
def test_inconsistent_files_are_refused_by_name(
    images: Array, labels: Array, message: str, tmp_path: Path
) -> None:
    write_set(tmp_path / "mnist", 0)
    write_idx(tmp_path / "mnist" / MNIST.train.images, images)
    write_idx(tmp_path / "mnist" / MNIST.train.labels, labels.astype(np.uint8))
    with pytest.raises(DataFormatError, match=message):
        load(data_dir=tmp_path)
    assert len(load(split="test", data_dir=tmp_path)) == 3


def test_negative_labels_are_refused(tmp_path: Path) -> None:
    qmnist = idx_files("qmnist")
    write_set(tmp_path / "qmnist", 0, spec=qmnist)
    labels = np.zeros((6, 8), np.int32)
    labels[2, 0] = -1
    write_idx(tmp_path / "qmnist" / qmnist.train.labels, labels)
    with pytest.raises(DataFormatError, match=r"holds label -1 at place 2"):
        load("qmnist", data_dir=tmp_path)


@pytest.mark.parametrize("spelling", [str, plain], ids=["gz", "plain"])
def test_qmnist_labels_are_the_first_of_each_row(
    spelling: Callable[[str], str], tmp_path: Path
) -> None:
    write_set(tmp_path / "QMNIST" / "raw", 90, spelling, idx_files("qmnist"))
    dataset = load("qmnist", data_dir=tmp_path)
    assert level_of(dataset) == 90
    assert dataset.labels.tolist() == list(range(6))


# --- EMNIST, in a zip archive and transposed ---


def write_emnist(path: Path, without: str = "") -> Array:
    """Write an archive like the published one; return its training images as they are stored."""
    emnist = idx_files("emnist-digits")
    stored = np.random.default_rng(0).integers(0, 256, (6, 28, 28), np.uint8)
    members = {
        emnist.train.images: stored,
        emnist.train.labels: np.arange(6, dtype=np.uint8),
        emnist.test.images: gray(7, 3),
        emnist.test.labels: np.arange(3, dtype=np.uint8),
        "emnist-letters-train-images-idx3-ubyte.gz": gray(9, 1),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in members.items():
            if name != without:
                archive.writestr(f"gzip/{name}", gzip.compress(idx_bytes(array)))
    return stored


@pytest.mark.parametrize("place", ["cache", "emnist-digits", "EMNIST/raw", "."])
def test_emnist_is_unpacked_and_turned_upright(place: str, tmp_path: Path) -> None:
    folder = cache_folder() / "emnist-digits" if place == "cache" else tmp_path / place
    stored = write_emnist(folder / "gzip.zip")
    dataset = load("emnist-digits", data_dir=None if place == "cache" else tmp_path)
    np.testing.assert_array_equal(dataset.images[:, 0], stored.transpose(0, 2, 1))
    assert dataset.labels.tolist() == list(range(6))
    unpacked = {path.name for path in (cache_folder() / "emnist-digits").iterdir()}
    assert unpacked - {".lock", "gzip.zip"} == set(idx_files("emnist-digits").names)
    (folder / "gzip.zip").unlink()
    assert level_of(load("emnist-digits", "test")) == 7, "the cache holds the members now"


def test_emnist_as_unpacked_by_hand(tmp_path: Path) -> None:
    write_set(tmp_path / "gzip", 30, spec=idx_files("emnist-digits"))
    assert level_of(load("emnist-digits", data_dir=tmp_path)) == 30


def test_emnist_archive_without_a_member(tmp_path: Path) -> None:
    name = idx_files("emnist-digits").test.labels
    write_emnist(tmp_path / "gzip.zip", without=name)
    with pytest.raises(DataFormatError, match=rf"gzip\.zip holds no sensible member {name}"):
        load("emnist-digits", data_dir=tmp_path)


def test_damaged_emnist_archive(tmp_path: Path) -> None:
    write_emnist(tmp_path / "gzip.zip")
    whole = bytearray((tmp_path / "gzip.zip").read_bytes())
    whole[500] ^= 0xFF
    for content in (bytes(whole), bytes(whole[:-30]), b"", b"<html>"):
        (tmp_path / "gzip.zip").write_bytes(content)
        with pytest.raises(DataFormatError, match=r"gzip\.zip cannot be read as zip"):
            load("emnist-digits", data_dir=tmp_path)


# --- CIFAR-10 ---

TRAIN_BATCHES = [f"data_batch_{number}.bin" for number in range(1, 6)]
CIFAR_ARCHIVE = "cifar-10-binary.tar.gz"


def cifar_records(first: int, count: int = 3) -> Array:
    """Give records whose label is their number, and whose planes are R, G and B = 1, 2, 3 x it."""
    numbers = np.arange(first, first + count)
    planes = np.repeat(numbers[:, None] * np.array([1, 2, 3]), 1024, axis=1)
    return np.concatenate([numbers[:, None] % 10, planes], axis=1).astype(np.uint8)


def cifar_members() -> dict[str, bytes]:
    names = [*TRAIN_BATCHES, "test_batch.bin"]
    return {name: cifar_records(3 * place).tobytes() for place, name in enumerate(names)}


def write_tar(path: Path, members: dict[str, bytes], folder: str = "cifar-10-batches-bin") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, content in reversed(members.items()):
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


@pytest.mark.parametrize(
    "place", [CIFAR_ARCHIVE, f"cifar10/{CIFAR_ARCHIVE}", "cifar10/cifar-10-binary.tar"]
)
def test_cifar10_from_its_archive(place: str, tmp_path: Path) -> None:
    """The batches come in their numbers' order, whatever the archive's."""
    write_tar(tmp_path / place, cifar_members())
    train, test = load("cifar10", data_dir=tmp_path), load("cifar10", "test", tmp_path)
    assert train.shape == test.shape == (3, 32, 32)
    assert train.classes == PHOTOGRAPHS
    assert train.labels.tolist() == [number % 10 for number in range(15)]
    assert train.images[:, :, 0, 0].tolist() == [[n, 2 * n, 3 * n] for n in range(15)]
    assert test.images[:, 2, 31, 31].tolist() == [45, 48, 51]


def test_cifar10_rows_and_columns(tmp_path: Path) -> None:
    """Each plane is stored row by row."""
    members = cifar_members()
    record = np.zeros((1, 3073), np.uint8)
    record[0, 1 + 2 * 1024 + 5 * 32 + 9] = 200  # blue, row 5, column 9
    write_tar(tmp_path / CIFAR_ARCHIVE, {**members, "test_batch.bin": record.tobytes()})
    assert load("cifar10", "test", tmp_path).images.nonzero().tolist() == [[0, 2, 5, 9]]


@pytest.mark.parametrize(
    "place", [".", "cifar10", "cifar-10-batches-bin", "cifar10/cifar-10-batches-bin"]
)
def test_cifar10_from_extracted_files(place: str, tmp_path: Path) -> None:
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    for name, content in cifar_members().items():
        (tmp_path / place / name).write_bytes(content)
    train = load("cifar10", data_dir=tmp_path)
    assert train.images[:, 1, 3, 4].tolist() == [2 * number for number in range(15)]
    (tmp_path / place / "data_batch_3.bin").write_bytes(bytes(3072))
    with pytest.raises(DataFormatError, match=r"data_batch_3\.bin has 3,072 bytes.*truncated\?"):
        load("cifar10", data_dir=tmp_path)


def test_cifar10_members_that_are_wrong(tmp_path: Path) -> None:
    def message(changed: dict[str, bytes], folder: str = "cifar-10-batches-bin") -> str:
        write_tar(tmp_path / CIFAR_ARCHIVE, changed, folder)
        with pytest.raises(DataFormatError) as caught:
            load("cifar10", data_dir=tmp_path)
        assert CIFAR_ARCHIVE in str(caught.value)
        return str(caught.value)

    members = cifar_members()
    second = members["data_batch_2.bin"]
    assert "data_batch_2.bin has 9,218 bytes" in message(
        {**members, "data_batch_2.bin": second[:-1]}
    )
    assert "data_batch_2.bin has 0 bytes" in message({**members, "data_batch_2.bin": b""})
    eleven = b"\x0b" + second[1:]
    assert "holds label 11; 0 to 9 are" in message({**members, "data_batch_2.bin": eleven})
    without = {name: content for name, content in members.items() if name != "data_batch_4.bin"}
    assert "lacks data_batch_4.bin" in message(without)
    pickled = {name.removesuffix(".bin"): content for name, content in members.items()}
    text = message(pickled, "cifar-10-batches-py")
    assert "lacks data_batch_1.bin; is it the binary version?" in text


def test_cifar10_archive_with_links_for_members(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / CIFAR_ARCHIVE, "w:gz") as archive:
        for name in TRAIN_BATCHES:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, "../../../etc/passwd"
            archive.addfile(info)
    with pytest.raises(DataFormatError, match=r"lacks data_batch_1\.bin"):
        load("cifar10", data_dir=tmp_path)


@PATIENT
@given(data=st.data(), zipped=st.booleans())
def test_damaged_cifar10_archives_are_refused_in_one_way(
    data: st.DataObject, zipped: bool, tmp_path: Path
) -> None:
    for old in tmp_path.iterdir():
        old.unlink()
    path = tmp_path / (CIFAR_ARCHIVE if zipped else CIFAR_ARCHIVE.removesuffix(".gz"))
    write_tar(path, cifar_members())
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = bytes([data.draw(st.integers(0, 255))]) + whole[place + 1 :]
    path.write_bytes(whole[:place] + (changed if data.draw(st.booleans()) else b""))
    try:
        read_dataset("cifar10", ReadRequest("train", tmp_path))
    except DataFormatError as error:
        if str(path) not in str(error):
            raise AssertionError("the message does not name the file") from error


# --- made from other sets ---


def test_stacked_mnist(tmp_path: Path) -> None:
    """Labels are the digits in the channels; each picture is used once in each channel."""
    count = 40
    numbers = np.arange(count, dtype=np.uint8)
    images = np.broadcast_to(numbers[:, None, None], (count, 28, 28)).copy()
    digits = (numbers * 7 % 10).astype(np.uint8)
    write_set(tmp_path / "mnist", 0)
    write_idx(tmp_path / "mnist" / MNIST.train.images, images)
    write_idx(tmp_path / "mnist" / MNIST.train.labels, digits)
    dataset = load("stacked-mnist", data_dir=tmp_path)
    assert dataset.shape == (3, 28, 28)
    assert len(dataset.classes) == 1000
    assert dataset.classes[7] == "007"
    used = dataset.images[:, :, 0, 0].long()
    for channel in range(3):
        assert sorted(used[:, channel].tolist()) == list(range(count))
    assert not torch.equal(used[:, 0], used[:, 1])
    assert not torch.equal(used[:, 1], used[:, 2])
    shown = torch.from_numpy(digits).long()[used]
    assert torch.equal(dataset.labels, shown @ torch.tensor([100, 10, 1]))
    assert (dataset.images == dataset.images[:, :, :1, :1]).all()
    assert load("stacked-mnist", data_dir=tmp_path).digest() == dataset.digest()
    test = load("stacked-mnist", "test", tmp_path)
    assert (test.images == 1).all()


def test_built_in_digits() -> None:
    train, test = load("uci-digits"), load("uci-digits", "test")
    assert (len(train), len(test)) == (1500, 297)
    assert train.shape == test.shape == (1, 28, 28)
    original = load_digits()
    assert train.labels.tolist() + test.labels.tolist() == original.target.tolist()
    pixels = torch.cat([train.images, test.images])
    frame = torch.ones(28, 28, dtype=torch.bool)
    frame[4:24, 4:24] = False
    assert not pixels[..., frame].any()
    assert pixels.max() == 255
    inner = pixels[..., 4:24, 4:24].float()
    assert all(inner[:, 0].amax((0, 1)) > 0)
    small = F.interpolate(inner, size=(8, 8), mode="area")
    expected = torch.from_numpy(original.images).float()[:, None] * 255 / 16
    both = torch.stack([small.flatten(), expected.flatten()])
    assert float(torch.corrcoef(both)[0, 1]) > 0.95, "made small again, they are the originals"


# --- what load_dataset does to all of them ---


def test_holdout_is_the_last_of_training() -> None:
    whole = load("uci-digits")
    train, validation = (
        load("uci-digits", split, holdout=100) for split in ("train", "validation")
    )
    assert (len(train), len(validation)) == (1400, 100)
    assert torch.equal(torch.cat([train.images, validation.images]), whole.images)
    assert torch.equal(torch.cat([train.labels, validation.labels]), whole.labels)
    assert len(load("uci-digits", "test", holdout=100)) == 297


def test_no_holdout_has_no_validation_split() -> None:
    with pytest.raises(DataError, match=r"`data\.holdout=0` leaves no validation images"):
        load("uci-digits", "validation", holdout=0)


@pytest.mark.parametrize("holdout", [1500, 6000])
def test_holdout_that_leaves_nothing(holdout: int) -> None:
    message = rf"`data\.holdout={holdout}` leaves nothing of the 1,500 .*use `data\.holdout=150`"
    for split in ("train", "validation"):
        with pytest.raises(DataError, match=message):
            load("uci-digits", split, holdout=holdout)
    assert len(load("uci-digits", holdout=1499)) == 1


def test_channels(tmp_path: Path) -> None:
    gray_digits = load("uci-digits")
    coloured = load("uci-digits", channels=3)
    assert coloured.shape == (3, 28, 28)
    assert torch.equal(coloured.images, gray_digits.images.expand(-1, 3, -1, -1))
    assert torch.equal(load("uci-digits", channels=1).images, gray_digits.images)
    write_tar(tmp_path / CIFAR_ARCHIVE, cifar_members())
    turned = load("cifar10", data_dir=tmp_path, channels=1)
    assert turned.shape == (1, 32, 32)
    luminance = [round(n * (0.299 + 2 * 0.587 + 3 * 0.114)) for n in range(15)]
    assert turned.images[:, 0, 0, 0].tolist() == luminance


def test_white_stays_white_as_gray(tmp_path: Path) -> None:
    np.savez(tmp_path / "white.npz", images=np.full((2, 4, 4, 3), 255, np.uint8))
    assert level_of(load(f"npz:{tmp_path / 'white.npz'}", channels=1)) == 255


def test_size(tmp_path: Path) -> None:
    write_set(tmp_path / "mnist", 80)
    for size in (4, 14, 64):
        resized = load(data_dir=tmp_path, size=size)
        assert resized.shape == (1, size, size)
        assert resized.images.dtype == torch.uint8
        assert level_of(resized) == 80
    same = load("uci-digits", size=28)
    assert torch.equal(same.images, load("uci-digits").images)
    halved = load("uci-digits", size=14).images.double()
    assert float(halved.mean()) == pytest.approx(float(same.images.double().mean()), rel=0.01)


def test_digest_feels_every_change() -> None:
    images = torch.arange(48, dtype=torch.uint8).view(3, 1, 4, 4)
    base = Dataset("some", images, torch.tensor([0, 1, 2]), ("a", "b", "c"))
    brighter = images.clone()
    brighter[2, 0, 3, 3] += 1
    changed = [
        replace(base, images=brighter),
        replace(base, images=images.view(3, 1, 2, 8)),
        replace(base, images=images.view(3, 4, 2, 2)),
        replace(base, images=images.flip(0)),
        replace(base, labels=torch.tensor([0, 1, 3])),
        replace(base, images=images[:2], labels=base.labels[:2]),
    ]
    digests = {base.digest(), *(dataset.digest() for dataset in changed)}
    assert len(digests) == 7
    copied = replace(base, images=images.clone(memory_format=torch.channels_last), name="another")
    assert copied.digest() == base.digest()
    assert base.to(torch.device("cpu")).digest() == base.digest()


# --- the real files ---


@pytest.fixture
def real_root() -> Path:
    """Give the folder that holds the real MNIST, or skip."""
    root = Path(os.environ.get("INKGAN_DATA") or "nowhere")
    if not (root / "mnist").is_dir():
        pytest.skip("INKGAN_DATA names no folder with the real mnist/ in it")
    return root


def test_real_mnist(real_root: Path) -> None:
    """Counts and histogram of the published set, and its bytes against the catalogue."""
    train, test = load(), load(split="test")
    assert (len(train), len(test)) == (60_000, 10_000)
    assert train.labels.bincount().tolist() == [
        5923,
        6742,
        5958,
        6131,
        5842,
        5421,
        5918,
        6265,
        5851,
        5949,
    ]
    assert test.labels[:4].tolist() == [7, 2, 1, 0]
    assert float(train.images.double().mean()) / 255 == pytest.approx(0.1307, abs=5e-5)
    for file in MNIST.remote:
        zipped = real_root / "mnist" / file.name
        if zipped.exists():
            assert hashlib.sha256(zipped.read_bytes()).hexdigest() == file.sha256
