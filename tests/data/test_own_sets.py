"""Strangers' data sets: sorted by class, with gaps, of any kind of file, dark on light."""

import gzip
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

import inkgan
from inkgan.config import Data, Recipe
from inkgan.config.serialize import override
from inkgan.data.dataset import Dataset, Split, load_dataset, validation_images
from inkgan.data.readers import picture_set
from inkgan.data.stratified_split import last_part, stratified_part
from inkgan.data.training_images import check_training_images
from inkgan.errors import ConfigError, DataError, DataFormatError


def digits(each: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Return the first built-in digits of each class, sorted by class, uint8 (n, 28, 28)."""
    whole = load_dataset("uci-digits")
    labels = whole.labels.numpy()
    rows = np.concatenate([np.flatnonzero(labels == digit)[:each] for digit in range(10)])
    return whole.images[:, 0].numpy()[rows], labels[rows]


def write_folder(root: Path, images: Any, labels: Any, suffix: str = ".png", **options: Any) -> str:
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = root / str(label) / f"{number:04d}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
        picture.save(path, **options)
    return f"folder:{root}"


def counts(dataset: Dataset) -> list[int]:
    return dataset.labels.bincount(minlength=len(dataset.classes)).tolist()


# --- splits: every class keeps its share ---


@pytest.mark.parametrize("kind", ["folder", "npz", "csv", "idx"])
def test_every_split_has_every_class(kind: str, tmp_path: Path) -> None:
    images, labels = digits(20)
    name = write_set(kind, tmp_path, images, labels)
    train = load_dataset(Data(name=name, holdout=27))
    validation = load_dataset(Data(name=name, holdout=27), "validation")
    test = load_dataset(Data(name=name, holdout=27), "test")
    assert (len(train), len(validation), len(test)) == (153, 27, 20)
    assert set(counts(train)) == {15, 16}
    assert set(counts(validation)) == {2, 3}
    assert counts(test) == [2] * 10
    assert "153 images 28x28 gray (27 of 180 held back for validation)" in str(train)
    whole = np.sort([digest(image) for image in images])
    parts = [digest(image) for part in (train, validation, test) for image in part.images.numpy()]
    np.testing.assert_array_equal(np.sort(parts), whole)


def digest(image: np.ndarray) -> int:
    return hash(np.ascontiguousarray(image).tobytes())


def test_scored_images_are_of_every_class(tmp_path: Path) -> None:
    images, labels = digits(20)
    name = write_set("npz", tmp_path, images, labels)
    for holdout in (0, 90):
        config = Data(name=name, holdout=holdout)
        scored = validation_images(config, load_dataset(config), 30)
        assert counts(scored) == [3] * 10


def test_the_recipes_holdout_is_a_tenth_of_a_small_set(tmp_path: Path) -> None:
    name = write_set("npz", tmp_path, *digits(20))
    train = load_dataset(Data(name=name))
    assert (len(train), train.held_back) == (162, 18)
    assert train.notes == ("`data.holdout=5000` suits larger sets: 18 of 180 are held back.",)
    with pytest.raises(DataError, match=r"leaves nothing of the 180 .*use `data\.holdout=18`"):
        load_dataset(Data(name=name, holdout=180))


def test_parts_by_class() -> None:
    cyclic = np.arange(100) % 10  # every tenth would be the last class alone
    assert np.bincount(cyclic[stratified_part(cyclic, 10)]).tolist() == [1] * 10
    uneven = np.repeat([0, 1, 2], [90, 9, 1])
    assert np.bincount(uneven[stratified_part(uneven, 20)], minlength=3).tolist() == [18, 2, 0]
    assert stratified_part([], 0).tolist() == []
    mixed = np.arange(1000) * 7 % 10
    assert np.flatnonzero(last_part(mixed, 300)).tolist() == list(range(700, 1000))
    in_order = np.sort(mixed)
    assert np.bincount(in_order[last_part(in_order, 300)]).tolist() == [30] * 10


# --- kinds of files ---


def idx_bytes(array: np.ndarray) -> bytes:
    code = {"u1": 8, "f4": 13, "i4": 12}[array.dtype.str[1:]]
    header = struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def write_set(kind: str, root: Path, images: np.ndarray, labels: np.ndarray) -> str:
    if kind == "folder":
        return write_folder(root / "pictures", images, labels)
    if kind == "npz":
        np.savez(root / "set.npz", images=images, labels=labels)
        return f"npz:{root / 'set.npz'}"
    if kind == "csv":
        table = np.column_stack([labels, images.reshape(len(images), -1)])
        head = "label," + ",".join(f"pixel{place}" for place in range(table.shape[1] - 1))
        np.savetxt(root / "train.csv", table, "%d", ",", header=head, comments="")
        return f"csv:{root / 'train.csv'}"
    (root / "idx").mkdir()
    (root / "idx" / "train-images-idx3-ubyte").write_bytes(idx_bytes(images))
    zipped = gzip.compress(idx_bytes(labels.astype(np.uint8)))
    (root / "idx" / "train-labels-idx1-ubyte.gz").write_bytes(zipped)
    return f"idx:{root / 'idx'}"


@pytest.mark.parametrize("kind", ["folder", "npz", "csv", "idx"])
def test_a_path_alone_is_read_by_what_lies_there(kind: str, tmp_path: Path) -> None:
    name = write_set(kind, tmp_path, *digits(10))
    path = name.partition(":")[2]
    plain = load_dataset(path)
    assert plain.digest() == load_dataset(name).digest()
    assert plain.notes[0] == f"{path} is read as {kind}:{path}."
    with pytest.raises(ConfigError, match=r"nothing-here\.npz: there is no such file"):
        load_dataset("nothing-here.npz")


def test_torchvisions_folder_is_read_alone(tmp_path: Path) -> None:
    write_set("idx", tmp_path, *digits(10))
    (tmp_path / "MNIST").mkdir()
    (tmp_path / "idx").rename(tmp_path / "MNIST" / "raw")
    whole = load_dataset(str(tmp_path / "MNIST"))
    assert whole.digest() == load_dataset(f"idx:{tmp_path / 'MNIST' / 'raw'}").digest()
    assert whole.notes[0] == f"{tmp_path / 'MNIST'} is read as idx:{tmp_path / 'MNIST'}."


@pytest.mark.parametrize(
    "keys",
    [
        ("images", "labels"),
        ("x_train", "y_train"),
        ("X_train", "Y_train"),
        ("train_images", "train_labels"),
        ("X", "y"),
        ("data", "target"),
        ("arr_0", "arr_1"),
        ("digits_only", "labels"),
    ],
)
@pytest.mark.parametrize("form", ["plain", "flat", "first", "float", "signed", "column", "one-hot"])
def test_arrays_as_people_have_them(keys: tuple[str, str], form: str, tmp_path: Path) -> None:
    images, labels = digits(10)
    expected = load_dataset(write_set("npz", tmp_path, images, labels))
    pixels: np.ndarray = {
        "flat": images.reshape(100, 784),
        "first": images[:, None],
        "float": (images / 255).astype("f4"),
        "signed": images / 127.5 - 1,
    }.get(form, images)
    numbers = {"column": labels[:, None], "one-hot": np.eye(10)[labels]}.get(form, labels)
    meta = np.array([{"author": 1}], object)
    np.savez(
        tmp_path / "own.npz",
        allow_pickle=True,
        meta=meta,
        **dict(zip(keys, (pixels, numbers), strict=True)),
    )
    read = load_dataset(f"npz:{tmp_path / 'own.npz'}")
    assert read.labels.tolist() == expected.labels.tolist()
    assert int((read.images.int() - expected.images.int()).abs().max()) <= 1


def test_npy_and_validation_splits_of_arrays(tmp_path: Path) -> None:
    images, labels = digits(10)
    np.save(tmp_path / "own.npy", images)
    assert (
        len(load_dataset(f"npz:{tmp_path / 'own.npy'}")),
        load_dataset(str(tmp_path / "own.npy")).classes,
    ) == (90, ("0",))
    np.savez(
        tmp_path / "med.npz",
        train_images=images,
        train_labels=labels[:, None],
        val_images=images[::5],
        val_labels=labels[::5, None],
        test_images=images[::2],
        test_labels=labels[::2, None],
    )
    parts = [
        load_dataset(Data(name=f"npz:{tmp_path / 'med.npz'}"), s)
        for s in ("train", "validation", "test")
    ]
    assert [len(part) for part in parts] == [100, 20, 50]


# --- classes are the labels that occur ---


@pytest.mark.parametrize("kind", ["folder", "npz", "csv", "idx"])
@pytest.mark.parametrize("kept", [(3, 5, 8), (1, 2, 3)])
def test_classes_are_the_labels_that_occur(
    kind: str, kept: tuple[int, ...], tmp_path: Path
) -> None:
    images, labels = digits(10)
    rows = np.isin(labels, kept)
    dataset = load_dataset(write_set(kind, tmp_path, images[rows], labels[rows]))
    assert dataset.classes == tuple(map(str, kept))
    assert counts(dataset) == [9, 9, 9]


def test_labels_that_are_names_and_numbers_of_two_figures(tmp_path: Path) -> None:
    images, labels = digits(10)
    np.savez(tmp_path / "names.npz", images=images, labels=np.array(list("abcdefghij"))[labels])
    assert load_dataset(f"npz:{tmp_path / 'names.npz'}").classes == tuple("abcdefghij")
    folder = load_dataset(write_folder(tmp_path / "from-1", images, labels + 1))
    assert folder.classes == tuple(map(str, range(1, 11)))


def test_a_class_without_images_is_never_trained(tiny: Recipe, tmp_path: Path) -> None:
    images, labels = digits(10)
    rows = np.isin(labels, (3, 5, 8))
    whole = load_dataset(write_set("npz", tmp_path, images[rows], labels[rows]))
    assert check_training_images(whole, conditional=True) == ()
    gap = Dataset("gap", whole.images, whole.labels * 2, tuple("01234"))
    with pytest.raises(ConfigError, match="gap has no training images of 1, 3, which would"):
        check_training_images(gap, conditional=True)
    assert check_training_images(gap, conditional=False) == ("gap has no training images of 1, 3.",)
    (tmp_path / "with-empty" / "9").mkdir(parents=True)
    folder = load_dataset(write_folder(tmp_path / "with-empty", images[rows], labels[rows]))
    assert folder.classes == ("3", "5", "8")
    assert folder.notes == ("1 class folder without pictures left out: 9.",)


# --- pictures as a viewer shows them ---


def as_transparent(image: np.ndarray) -> Image.Image:
    ink = Image.new("RGBA", (28, 28), (0, 0, 0, 0))
    ink.putalpha(Image.fromarray(image))
    return ink


KINDS: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "gray": (lambda x: x, ".png", {}),
    "transparent black ink": (as_transparent, ".png", {}),
    "transparent white ink": (
        lambda x: Image.merge("RGBA", [Image.new("L", (28, 28), 255)] * 3 + [Image.fromarray(x)]),
        ".png",
        {},
    ),
    "gray and alpha": (
        lambda x: Image.merge("LA", (Image.new("L", (28, 28)), Image.fromarray(x))),
        ".png",
        {},
    ),
    "dark on light": (lambda x: 255 - x, ".png", {}),
    "8 bits in 16": (lambda x: x.astype(np.uint16), ".png", {}),
    "12 bits in 16": (lambda x: x.astype(np.uint16) * 16, ".png", {}),
    "16 bits": (lambda x: x.astype(np.uint16) * 257, ".png", {}),
    "any maximum": (lambda x: x.astype(np.uint16) * 80, ".tif", {}),
    "float 0 to 1": (lambda x: x.astype(np.float32) / 255, ".tif", {}),
    "float -1 to 1": (lambda x: x.astype(np.float32) / 127.5 - 1, ".tif", {}),
    "RGB": (lambda x: Image.fromarray(x).convert("RGB"), ".bmp", {}),
    "palette": (lambda x: Image.fromarray(x).convert("P"), ".gif", {}),
    "CMYK": (
        lambda x: Image.fromarray(x).convert("RGB").convert("CMYK"),
        ".tif",
        {},
    ),
    "jfif": (lambda x: x, ".jfif", {"quality": 95, "format": "JPEG"}),
    "jpe in RGB": (
        lambda x: Image.fromarray(x).convert("RGB"),
        ".jpe",
        {"quality": 95, "format": "JPEG"},
    ),
    "jp2": (lambda x: x, ".jp2", {}),
    "webp": (lambda x: Image.fromarray(x).convert("RGB"), ".webp", {"lossless": True}),
    "pgm": (lambda x: x, ".pgm", {}),
    "16 bits in pgm": (lambda x: Image.fromarray(x.astype(np.int32) * 257), ".pgm", {}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_picture_is_read_as_a_viewer_shows_it(kind: str, tmp_path: Path) -> None:
    make, suffix, options = KINDS[kind]
    images, labels = digits(10)
    name = write_folder(tmp_path, [make(image) for image in images], labels, suffix, **options)
    read = load_dataset(name)
    expected = load_dataset(write_folder(tmp_path / "expected", images, labels))
    assert read.shape == (1, 28, 28)
    assert float((read.images.float() - expected.images.float()).abs().mean()) < 3
    assert check_training_images(read, conditional=False) == ()


def test_cameras_orientation_is_obeyed(tmp_path: Path) -> None:
    images, labels = digits(10)
    exif = Image.Exif()
    exif[0x0112] = 6
    sideways = [
        Image.fromarray(255 - x).resize((56, 56)).transpose(Image.Transpose.ROTATE_90)
        for x in images
    ]
    name = write_folder(tmp_path / "turned", sideways, labels, ".jpg", exif=exif, quality=95)
    read = load_dataset(name, size=28).images.float()
    upright = load_dataset(write_folder(tmp_path / "plain", images, labels)).images.float()
    assert float((read - upright).abs().mean()) < 8
    assert float((read - upright.rot90(dims=(2, 3))).abs().mean()) > 20


@pytest.mark.parametrize("dark", [False, True])
def test_pictures_cut_to_their_ink_keep_their_form(dark: bool, tmp_path: Path) -> None:
    """A 1 that is cut to its ink becomes no bar that fills the square."""
    images, labels = digits(10)
    cut = [Image.fromarray(x).crop(Image.fromarray(x).getbbox()) for x in images]
    name = write_folder(tmp_path, [ImageOps.invert(x) if dark else x for x in cut], labels)
    read = load_dataset(name, size=28)
    ones = read.images[read.labels == 1].float() / 255
    assert 0.1 < float(ones.mean()) < 0.6
    assert float(ones[..., :4].mean()) < 0.2
    with pytest.raises(DataError, match=r"resize all: use `data\.size=28`"):
        load_dataset(name)


def test_oblong_arrays_are_padded_too(tmp_path: Path) -> None:
    images, _ = digits(10)
    np.savez(tmp_path / "narrow.npz", images=images[:, :, 8:20])
    read = load_dataset(f"npz:{tmp_path / 'narrow.npz'}", size=28)
    assert read.images[:, :, :, :7].max() == 0


def test_a_set_in_which_nothing_shows_is_refused(tiny: Recipe, tmp_path: Path) -> None:
    images, labels = digits(10)
    name = write_folder(tmp_path / "faint", images // 64, labels)
    changes = {"data.name": name, "schedule.batch_size": 8}
    with pytest.raises(DataError, match="nothing shows in the 90 images"):
        inkgan.train(override(tiny, changes), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_faint_sets_are_named(tmp_path: Path) -> None:
    images, labels = digits(10)
    for factor, faint in ((8, True), (3, False)):
        read = load_dataset(write_folder(tmp_path / str(factor), images // factor, labels))
        notes = check_training_images(read, conditional=True)
        assert any("images are faint" in note for note in notes) == faint


def test_labels_of_bytes_are_names_or_refused(tmp_path: Path) -> None:
    images, labels = digits(10)
    for names in ([b"no", b"yes"], [b"no", b"\xff"]):
        np.savez(tmp_path / "a.npz", images=images, labels=np.array(names)[labels % 2])
        if names[1] == b"yes":
            assert load_dataset(f"npz:{tmp_path / 'a.npz'}").classes == ("no", "yes")
        else:
            with pytest.raises(DataError, match="no ASCII text; give them as text"):
                load_dataset(f"npz:{tmp_path / 'a.npz'}")


def test_names_of_classes_in_any_script(tmp_path: Path) -> None:
    images, labels = digits(10)
    for names in ("零一二三四五六七八九", "٠١٢٣٤٥٦٧٨٩"):
        named = [names[label] for label in labels]
        read = load_dataset(write_folder(tmp_path / names, images, named))
        assert read.classes == tuple(sorted(names))
        plain = load_dataset(write_folder(tmp_path / "plain", images, labels))
        for digit, name in enumerate(names):
            rows = read.images[read.labels == read.classes.index(name)]
            assert (rows == plain.images[plain.labels == digit]).all()


# --- gray among colors ---


def test_equal_channels_are_gray_and_strays_are_named(tmp_path: Path) -> None:
    images, labels = digits(10)
    pictures = [Image.fromarray(image) for image in images]
    pictures[6] = pictures[6].convert("RGB")
    assert load_dataset(write_folder(tmp_path / "gray", pictures, labels)).shape.channels == 1
    red = np.asarray(pictures[6]).copy()
    red[..., 1:] = 0
    pictures[6] = Image.fromarray(red)
    stray = load_dataset(write_folder(tmp_path / "stray", pictures, labels))
    assert stray.shape.channels == 3
    assert any(
        "1 of 90 pictures has color (0006.png)" in n and "`data.channels=1`" in n
        for n in stray.notes
    )
    np.savez(tmp_path / "rgb.npz", images=np.repeat(images[..., None], 3, axis=3))
    assert load_dataset(f"npz:{tmp_path / 'rgb.npz'}").shape.channels == 1


# --- dark on light ---


@pytest.mark.parametrize("kind", ["folder", "npz", "csv", "idx"])
def test_ink_is_told_from_paper(kind: str, tmp_path: Path) -> None:
    images, labels = digits(10)
    name = write_set(kind, tmp_path, 255 - images, labels)
    read = load_dataset(name)
    assert any("inverted" in note and "`data.invert=false`" in note for note in read.notes)
    assert float(read.images.float().mean()) < 100
    assert read.digest() == load_dataset(name, invert=True).digest()
    as_it_is = load_dataset(name, invert=False)
    assert (read.images + as_it_is.images == 255).all()
    splits: tuple[Split, ...] = ("train", "validation", "test")
    for split in splits:
        assert float(load_dataset(Data(name=name, holdout=10), split).images.float().mean()) < 100


def test_built_in_sets_are_never_inverted() -> None:
    plain = load_dataset("uci-digits")
    assert (plain.images + load_dataset("uci-digits", invert=True).images == 255).all()
    assert plain.notes == ()


# --- folders ---


def test_endings_that_are_not_read_are_counted_and_named(tmp_path: Path) -> None:
    images, labels = digits(10)
    name = write_folder(tmp_path, images, labels)
    for number in range(3):
        (tmp_path / "4" / f"{number}.heic").touch()
    (tmp_path / "4" / "Thumbs.db").touch()
    (tmp_path / "4" / "._0001.png").touch()
    notes = load_dataset(name).notes
    assert notes == ("3 files left out, which are no pictures: .heic (3).",)
    only = tmp_path / "only"
    (only / "1").mkdir(parents=True)
    (only / "1" / "a.heic").touch()
    with pytest.raises(DataError, match=r"holds no pictures.*\.heic \(1\); pictures end in \.png"):
        load_dataset(f"folder:{only}")


@pytest.mark.parametrize("names", [("train", "test"), ("training", "testing"), ("Train", "Test")])
def test_folders_of_splits(names: tuple[str, str], tmp_path: Path) -> None:
    images, labels = digits(10)
    for name, part in zip(names, (images, images[::5]), strict=True):
        write_folder(tmp_path / "wrapper" / name, part, labels if part is images else labels[::5])
    write_folder(tmp_path / "wrapper" / "valid", images[::2], labels[::2])
    (tmp_path / "__MACOSX" / "x").mkdir(parents=True)
    (tmp_path / "__MACOSX" / "x" / "._1.png").touch()
    splits: tuple[Split, ...] = ("train", "validation", "test")
    parts = [load_dataset(Data(name=f"folder:{tmp_path}"), split) for split in splits]
    assert [len(part) for part in parts] == [100, 50, 20]
    assert all(part.classes == tuple("0123456789") for part in parts)
    assert "wrapper, which" in parts[0].notes[0]


def test_folders_that_are_no_classes_are_refused(tmp_path: Path) -> None:
    images, labels = digits(10)
    for name in ("mnist", "kmnist"):
        write_folder(tmp_path / "two" / name, images, labels)
    with pytest.raises(DataError, match=r"folders of folders \(kmnist, mnist\); name the one"):
        load_dataset(f"folder:{tmp_path / 'two'}")
    for name in ("train", "test"):
        for digit in (3, 4):
            write_folder(tmp_path / "inside" / str(digit) / name, images[:3], "abc")
    with pytest.raises(DataError, match=r"splits inside its folders \(3/test\)"):
        load_dataset(f"folder:{tmp_path / 'inside'}")
    for name in ("train", "test", "3"):
        write_folder(tmp_path / "beside" / name, images, labels)
    with pytest.raises(DataError, match=r"of splits beside others \(3\)"):
        load_dataset(f"folder:{tmp_path / 'beside'}")
    write_set("idx", tmp_path, images, labels)
    with pytest.raises(DataError, match=r"no pictures.*use `data\.name=idx:"):
        load_dataset(f"folder:{tmp_path / 'idx'}")


def test_labels_of_a_table_of_metadata(tmp_path: Path) -> None:
    """As `inkgan synth --format png` and Hugging Face's ImageFolder write them."""
    images, labels = digits(10)
    write_folder(tmp_path / "train", images, ["0000"] * 100)
    rows = [f"0000/{place:04d}.png,{label}" for place, label in enumerate(labels)]
    (tmp_path / "train" / "metadata.csv").write_text("\n".join(["file_name,label", *rows]))
    dataset = load_dataset(f"folder:{tmp_path}")
    assert dataset.classes == tuple("0123456789")
    assert counts(dataset) == [10] * 10


# --- memory ---


def test_large_pictures_are_refused_before_they_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        Image.new("L", (2000, 1500), 255).save(tmp_path / f"{number}.jpg")
    with pytest.raises(DataError, match=r"are 1500x2000 pixels, too large.*`data\.size=28`"):
        load_dataset(f"folder:{tmp_path}")
    assert load_dataset(f"folder:{tmp_path}", size=28).shape == (1, 28, 28)
    monkeypatch.setattr(picture_set, "MAX_BYTES", 2000)
    with pytest.raises(DataError, match=r"3 pictures of 28x28 pixels take"):
        load_dataset(f"folder:{tmp_path}", size=28)


MEASURE_PEAK = """
import re, resource, sys
from pathlib import Path
from inkgan.data.dataset import load_dataset


def peak():
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count the process that started this one
        return 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


before = peak()
images = load_dataset(f"folder:{sys.argv[1]}", size=28).images
print(len(images), peak() - before)
"""


@pytest.mark.parametrize("ending", ["jpg", "png"])
def test_large_photographs_take_little_memory(ending: str, tmp_path: Path) -> None:
    """One photograph at a time: 24 of them would take 216 MB as bytes, 864 MB as floats."""
    levels = np.linspace(120, 250, 2000 * 1500 * 3).reshape(1500, 2000, 3).astype(np.uint8)
    levels[500:1000, 900:1100] = 20
    photograph = Image.fromarray(levels)
    photograph.save(tmp_path / f"0.{ending}")
    content = (tmp_path / f"0.{ending}").read_bytes()
    for number in range(1, 24):
        (tmp_path / f"{number}.{ending}").write_bytes(content)
    command = [sys.executable, "-c", MEASURE_PEAK, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    count, peak = map(int, done.stdout.split())
    assert count == 22  # two are for testing
    assert peak < 100e6


# --- IDX files of one's own ---


def test_idx_files_by_path(tmp_path: Path) -> None:
    images, labels = digits(10)
    letters = tmp_path / "emnist-letters-train-images-idx3-ubyte"
    letters.write_bytes(idx_bytes(images.transpose(0, 2, 1).copy()))
    beside = tmp_path / "emnist-letters-train-labels-idx1-ubyte"
    beside.write_bytes(idx_bytes((labels + 1).astype(np.uint8)))
    for name in (f"idx:{tmp_path}", f"idx:{letters}", str(letters)):
        dataset = load_dataset(name)
        assert dataset.classes == tuple(map(str, range(1, 11)))
        assert any("turned upright" in note for note in dataset.notes)
    plain = load_dataset(write_set("npz", tmp_path, images, labels))
    assert (load_dataset(f"idx:{letters}").images == plain.images).all()
    (tmp_path / "balanced-train-images-idx3-ubyte").write_bytes(idx_bytes(images))
    with pytest.raises(DataError, match="several sets"):
        load_dataset(f"idx:{tmp_path}")
    (tmp_path / "float").mkdir()
    (tmp_path / "float" / "images.idx").write_bytes(idx_bytes((images / 255).astype("f4")))
    assert len(load_dataset(f"idx:{tmp_path / 'float'}")) == 90
    with pytest.raises(DataFormatError, match="no IDX file"):
        load_dataset(f"idx:{tmp_path / 'set.npz'}")
