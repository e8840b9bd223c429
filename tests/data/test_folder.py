"""Users' own pictures: folders of picture files and .npz arrays, and how each goes wrong."""

import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from inkgan.config import Data
from inkgan.data.dataset import Dataset, Split, load_dataset
from inkgan.data.readers.array_set import read_npz
from inkgan.data.readers.folder import read_folder
from inkgan.errors import DataError, DataFormatError

PATIENT = settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
GRAY, WIDE, RED = (28, 28), (20, 28), (28, 28, 3)
Array = npt.NDArray[Any]


def save(path: Path, level: int, shape: tuple[int, ...] = GRAY) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full(shape, level, np.uint8)).save(path)


def load(root: Path, split: Split = "train", size: int | None = None) -> Dataset:
    return load_dataset(Data(name=f"folder:{root}", holdout=0, size=size), split)


def levels(dataset: Dataset) -> list[int]:
    return dataset.images[:, 0, 0, 0].tolist()


# --- folders ---


def test_sub_folders_are_classes_in_alphabetical_order(tmp_path: Path) -> None:
    for number, name in enumerate(["zebra", "ant", "bee"]):
        for index in range(2):
            save(tmp_path / name / f"{index}.png", 10 * number + index)
    dataset = load(tmp_path)
    assert dataset.classes == ("ant", "bee", "zebra")
    assert dataset.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert levels(dataset) == [10, 11, 20, 21, 0, 1]
    assert dataset.shape == (1, 28, 28)


def test_class_folders_are_read_to_the_bottom_but_not_where_hidden(tmp_path: Path) -> None:
    """Notebooks and Macs leave copies in hidden folders and files."""
    save(tmp_path / "a" / "deep" / "er" / "1.png", 1)
    save(tmp_path / "a" / "0.png", 0)
    save(tmp_path / "a" / ".ipynb_checkpoints" / "1-checkpoint.png", 2)
    save(tmp_path / ".thumbnails" / "1.png", 3)
    (tmp_path / "a" / "._1.png").write_bytes(b"no picture")
    (tmp_path / "a" / "notes.txt").write_text("no picture")
    dataset = load(tmp_path)
    assert (dataset.classes, levels(dataset)) == (("a",), [0, 1])
    left_out, mixed = dataset.notes
    assert left_out == "1 file left out, which is no picture: .txt (1)."
    assert mixed.startswith("Ink and paper are mixed: about 50% of the images are dark on light")


def test_loose_pictures_are_one_class(tmp_path: Path) -> None:
    for index, suffix in enumerate([".png", ".PNG", ".bmp", ".gif", ".tif", ".pgm"]):
        save(tmp_path / f"{index}{suffix}", index)
    dataset = load(tmp_path)
    assert dataset.classes == ("all",)
    assert dataset.labels.tolist() == [0] * 6
    assert levels(dataset) == list(range(6))


def test_loose_pictures_beside_class_folders_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "class" / "1.png", 1)
    save(tmp_path / "stray.png", 2)
    with pytest.raises(
        DataError, match=r"pictures \(stray\.png\) outside the class folders \(class\)"
    ):
        load(tmp_path)


def test_mixed_sizes_name_the_way_out_and_size_is_it(tmp_path: Path) -> None:
    save(tmp_path / "1.png", 7)
    save(tmp_path / "2.png", 7, WIDE)
    message = r"2\.png is 20x28 where 1\.png is 28x28; resize all: use `data\.size=28`"
    with pytest.raises(DataError, match=message):
        load(tmp_path)
    dataset = load(tmp_path, size=16)
    assert dataset.shape == (1, 16, 16)
    assert levels(dataset) == [7, 7]


def test_resizing_is_pillows_lanczos(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "1.png")
    expected = Image.fromarray(pixels).resize((28, 28), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(load(tmp_path, size=28).images[0, 0], np.asarray(expected))


def test_oblong_pictures_keep_height_and_width(tmp_path: Path) -> None:
    save(tmp_path / "1.png", 1, WIDE)
    assert load(tmp_path).shape == (1, 20, 28)


def test_gray_among_colour_becomes_colour(tmp_path: Path) -> None:
    save(tmp_path / "1.png", 5)
    red = np.zeros(RED, np.uint8)
    red[..., 0] = 200
    Image.fromarray(red).save(tmp_path / "2.png")
    dataset = load(tmp_path)
    assert dataset.shape == (3, 28, 28)
    assert dataset.images[:, :, 0, 0].tolist() == [[5, 5, 5], [200, 0, 0]]


def test_pictures_of_two_levels_and_of_sixteen_bits_keep_their_brightness(tmp_path: Path) -> None:
    Image.new("1", GRAY, 1).save(tmp_path / "1.png")
    deep = np.full(GRAY, 100 * 257, np.uint16)
    Image.fromarray(deep).save(tmp_path / "2.png")
    assert levels(load(tmp_path)) == [255, 100]


@pytest.mark.parametrize("content", [b"", b"no picture at all", b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_unreadable_pictures_are_named(content: bytes, tmp_path: Path) -> None:
    save(tmp_path / "1.png", 1)
    (tmp_path / "2.png").write_bytes(content)
    with pytest.raises(DataFormatError, match=r"2\.png cannot be read as a picture"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "the file is empty"), (b"<html>", "it is of no known format")]
)
def test_the_reason_does_not_repeat_the_path(content: bytes, reason: str, tmp_path: Path) -> None:
    save(tmp_path / "1.png", 1)
    (tmp_path / "2.png").write_bytes(content)
    with pytest.raises(DataFormatError) as caught:
        load(tmp_path)
    assert str(caught.value) == f"{tmp_path / '2.png'} cannot be read as a picture: {reason}"


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's remarks on damaged metadata
@PATIENT
@given(data=st.data())
def test_damaged_pictures_are_refused_in_one_way(data: st.DataObject, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 12), np.uint8)
    path = tmp_path / data.draw(st.sampled_from(["a.png", "a.bmp", "a.gif", "a.jpg", "a.tif"]))
    for old in tmp_path.iterdir():
        old.unlink()
    Image.fromarray(pixels).save(path)
    path.write_bytes(damaged(path.read_bytes(), data))
    try:
        read_folder(tmp_path, "train", 12)
    except DataFormatError as error:
        if str(path) not in str(error):
            raise AssertionError("the message does not name the file") from error


def damaged(content: bytes, data: st.DataObject) -> bytes:
    """Change a few bytes of a file, or cut its end off."""
    if data.draw(st.booleans()):
        return content[: data.draw(st.integers(0, len(content) - 1))]
    changed = bytearray(content)
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        changed[place] = data.draw(st.integers(0, 255))
    return bytes(changed)


def png_header(width: int, height: int) -> bytes:
    """Write the beginning of a gray PNG (PNG specification, 11.2.2), enough to be opened."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IDAT" + bytes(4)


@pytest.mark.parametrize("size", [(9000, 10), (10, 9000), (12_000, 9000), (60_000, 60_000)])
def test_enormous_pictures_are_refused_before_they_are_unpacked(
    size: tuple[int, int], tmp_path: Path
) -> None:
    (tmp_path / "huge.png").write_bytes(png_header(*size))
    with pytest.raises(DataFormatError, match=r"huge\.png.*pixels"):
        load(tmp_path, size=28)


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere: there is no such folder"):
        load(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"holds no pictures for the train split"):
        load(tmp_path)
    (tmp_path / "class").mkdir()
    with pytest.raises(DataError, match=r"holds no pictures for the train split"):
        load(tmp_path)
    save(tmp_path / "class" / "1.png", 1)
    with pytest.raises(DataError, match=r"holds no pictures for the test split"):
        load(tmp_path, "test")


def test_every_tenth_picture_of_each_class_is_test(tmp_path: Path) -> None:
    for number in range(25):
        save(tmp_path / ("a" if number < 12 else "b") / f"{number:02d}.png", number)
    train, test = load(tmp_path), load(tmp_path, "test")
    assert levels(test) == [6, 18]
    assert test.labels.tolist() == [0, 1]
    assert levels(train) == [n for n in range(25) if n not in (6, 18)]
    assert train.labels.tolist() == [0] * 11 + [1] * 12


def test_train_and_test_folders_are_the_splits(tmp_path: Path) -> None:
    for index in range(11):
        save(tmp_path / "train" / "a" / f"{index:02d}.png", index)
    save(tmp_path / "test" / "a" / "1.png", 99)
    assert levels(load(tmp_path)) == list(range(11))
    assert levels(load(tmp_path, "test")) == [99]


def test_labels_mean_the_same_in_both_splits(tmp_path: Path) -> None:
    """A class without test pictures must not renumber those after it."""
    for name in ("a", "b", "c"):
        save(tmp_path / "train" / name / "1.png", 1)
    save(tmp_path / "test" / "c" / "1.png", 3)
    test = load(tmp_path, "test")
    assert test.classes == load(tmp_path).classes == ("a", "b", "c")
    assert test.labels.tolist() == [2]
    save(tmp_path / "test" / "d" / "1.png", 4)
    with pytest.raises(DataError, match=r"class folder d, which .*train lacks"):
        load(tmp_path, "test")


def test_loose_test_pictures_beside_training_classes_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "train" / "a" / "1.png", 1)
    save(tmp_path / "test" / "1.png", 1)
    with pytest.raises(DataError, match=r"outside the class folders \(a\)"):
        load(tmp_path, "test")


def test_train_folder_alone_has_no_test_split(tmp_path: Path) -> None:
    save(tmp_path / "train" / "a" / "1.png", 1)
    assert len(load(tmp_path)) == 1
    with pytest.raises(DataError, match=r"has a train folder but no test folder"):
        load(tmp_path, "test")


def test_holdout_and_channels_work_on_folders_too(tmp_path: Path) -> None:
    for number in range(10):
        save(tmp_path / f"{number}.png", number)
    config = Data(name=f"folder:{tmp_path}", holdout=2, channels=3)
    assert levels(load_dataset(config)) == [0, 1, 3, 4, 6, 8, 9]
    assert levels(load_dataset(config, "validation")) == [2, 7]
    assert load_dataset(config).shape == (3, 28, 28)


# --- npz ---


def numbered(count: int, shape: tuple[int, ...] = GRAY) -> Array:
    """Give images whose gray level is their number."""
    pixels = np.arange(count, dtype=np.uint8).reshape(-1, *[1] * len(shape))
    return np.broadcast_to(pixels, (count, *shape)).copy()


@pytest.fixture
def npz(tmp_path: Path) -> Callable[..., Path]:
    """Give a writer of .npz files."""

    def write(**held: Array) -> Path:
        np.savez_compressed(tmp_path / "set.npz", allow_pickle=True, **held)
        return tmp_path / "set.npz"

    return write


def load_npz(path: Path, split: Split = "train", **options: Any) -> Dataset:
    return load_dataset(Data(name=f"npz:{path}", holdout=0, **options), split)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((28, 28), (1, 28, 28)), ((28, 28, 1), (1, 28, 28)), ((20, 28, 3), (1, 20, 28))],
)
def test_npz_with_every_tenth_as_test(
    npz: Callable[..., Path], shape: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    path = npz(images=numbered(40, shape), labels=np.arange(40) % 4)
    train, test = load_npz(path), load_npz(path, "test")
    assert train.shape == test.shape == expected
    assert levels(test) == [20, 21, 22, 23]
    assert test.labels.tolist() == [0, 1, 2, 3]
    assert levels(train) == [n for n in range(40) if n not in levels(test)]
    assert train.classes == test.classes == ("0", "1", "2", "3")


def test_npz_colours_stay_in_order(npz: Callable[..., Path]) -> None:
    images = np.zeros((2, 4, 4, 3), np.uint8)
    images[..., :] = (10, 20, 30)
    assert load_npz(npz(images=images)).images[0, :, 0, 0].tolist() == [10, 20, 30]


def test_npz_without_labels_is_one_class(npz: Callable[..., Path]) -> None:
    dataset = load_npz(npz(images=numbered(3)))
    assert dataset.classes == ("0",)
    assert dataset.labels.tolist() == [0, 0, 0]


def test_npz_with_keras_keys(npz: Callable[..., Path]) -> None:
    """Classes are those of the whole file, whichever of them a split holds."""
    path = npz(
        x_train=numbered(12),
        y_train=np.arange(12, dtype=np.uint8),
        x_test=numbered(3) + 100,
        y_test=np.array([2, 1, 0], np.uint8),
    )
    train, test = load_npz(path), load_npz(path, "test")
    assert levels(train) == list(range(12))
    assert levels(test) == [100, 101, 102]
    assert test.labels.tolist() == [2, 1, 0]
    assert train.classes == test.classes == tuple(map(str, range(12)))


def test_npz_is_resized_by_data_size(npz: Callable[..., Path]) -> None:
    assert load_npz(npz(images=numbered(3, (20, 28))), size=16).shape == (1, 16, 16)


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ({"a": numbered(2), "b": numbered(2)}, r"has keys \['a', 'b'\]; images or x_train"),
        ({"images": numbered(2) * 1000.0}, r"images go from 0 to 1000, which is no usual range"),
        ({"images": numbered(2, (28, 28, 4))}, r"images of shape .* have 4 channels"),
        ({"images": numbered(0)}, r"images hold nothing"),
        ({"images": numbered(2), "labels": np.arange(3)}, r"labels must be 2 whole numbers"),
        ({"images": numbered(2), "labels": np.zeros((2, 10), int)}, r"labels must be 2 whole"),
        ({"images": numbered(2), "labels": np.array([0, -1])}, r"labels hold -1"),
        ({"images": np.array([{}, []], object)}, r"\['images'\] are Python objects"),
    ],
)
def test_wrong_npz_is_refused_by_name(
    held: dict[str, Array], message: str, npz: Callable[..., Path]
) -> None:
    path = npz(**held)
    with pytest.raises(DataFormatError, match=message) as caught:
        load_npz(path)
    assert str(path) in str(caught.value)


def test_npz_of_fewer_than_ten_images_has_no_test_split(npz: Callable[..., Path]) -> None:
    path = npz(images=numbered(9))
    assert len(load_npz(path)) == 9
    with pytest.raises(DataError, match=r"set\.npz holds no images for the test split"):
        load_npz(path, "test")


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\x03\x04" + bytes(60)])
def test_file_that_is_no_npz(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "set.npz"
    path.write_bytes(content)
    with pytest.raises(DataFormatError, match=r"set\.npz cannot be read as \.npz"):
        read_npz(path, "train")


def test_missing_npz(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"set\.npz: there is no such file"):
        read_npz(tmp_path / "set.npz", "train")


def test_zip_with_a_member_that_is_no_array(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.npz", "w") as archive:
        archive.writestr("images", b"these bytes are no array")
    with pytest.raises(DataFormatError, match=r"set\.npz has keys \[\]"):
        read_npz(tmp_path / "set.npz", "train")


def test_npz_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    """A member whose directory entry claims nine gigabytes."""
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", bytes(1000))
        archive.infolist()[0].file_size = 9 << 30
    with pytest.raises(DataFormatError, match=r"bomb\.npz unpacks to more than"):
        read_npz(path, "train")


@PATIENT
@given(data=st.data(), zipped=st.booleans())
def test_damaged_npz_is_refused_in_one_way(
    data: st.DataObject, zipped: bool, tmp_path: Path
) -> None:
    path = tmp_path / "set.npz"
    write = np.savez_compressed if zipped else np.savez
    write(path, images=numbered(12, (4, 4)), labels=np.arange(12))
    path.write_bytes(damaged(path.read_bytes(), data))
    try:
        read_npz(path, "train")
    except DataFormatError as error:
        if str(path) not in str(error):
            raise AssertionError("the message does not name the file") from error
