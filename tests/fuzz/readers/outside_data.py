"""Data of other people: IDX, gzip, npz, npy, CSV, pictures, and what `imitate` is given.

None of these has a checksum, so a changed pixel is another image. What is accepted must be whole:
images and labels that belong together, of the shapes and types that everything else relies on.
"""

import gzip
import io
import zipfile
from pathlib import Path
from random import Random
from typing import Any, ClassVar

import numpy as np
import torch
from PIL import Image, ImageDraw

from inkgan.data.dataset import Dataset, load_dataset
from inkgan.data.readers.convert import as_labels, as_uint8_images
from inkgan.data.readers.idx import TYPES, read_idx
from inkgan.inversion.recognize import RecognizedDigits, read_digits
from tests.fixtures.photographs import random_drawing
from tests.fuzz.harness import FileReader, Reader, register
from tests.fuzz.mutators import HOSTILE_VALUES, mutate_file

COUNT, SIDE = 20, 28
SUFFIXES = (".png", ".jpg", ".gif", ".bmp", ".tif", ".webp", ".ppm")


def shapes() -> np.ndarray:
    """Draw light bars and circles on black; uint8 (20, 28, 28)."""
    sheets = []
    for place in range(COUNT):
        picture = Image.new("L", (SIDE, SIDE))
        pen = ImageDraw.Draw(picture)
        if place % 2:
            pen.ellipse((6 + place % 5, 5, 20, 22), outline=230, width=3)
        else:
            pen.line((8 + place % 7, 4, 16, 24), fill=250, width=3)
        sheets.append(np.asarray(picture))
    return np.stack(sheets)


def labels() -> np.ndarray:
    """Return two classes in turn; uint8 (20,)."""
    return (np.arange(COUNT) % 2).astype(np.uint8)


def idx_bytes(array: np.ndarray) -> bytes:
    """Write an array of uint8 in MNIST's format."""
    head = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return head + array.tobytes()


def check_dataset(value: Dataset) -> None:
    """Assert that images, labels and classes belong together."""
    assert value.images.dtype == torch.uint8
    assert value.images.ndim == 4
    assert 1 <= len(value) == len(value.labels) <= 2 * COUNT
    assert value.labels.dtype == torch.int64
    assert 0 <= int(value.labels.min()) <= int(value.labels.max()) < len(value.classes)
    assert value.shape.channels in (1, 3)


class DataReader(FileReader):
    """A data set in one file."""

    kind: ClassVar[str]
    inputs = 40

    def read(self, folder: Path) -> Dataset:
        """Load it as training does."""
        return load_dataset(f"{self.kind}:{folder / self.file}")

    def check(self, value: Dataset, intact: Dataset, warned: bool) -> None:
        """A damaged pixel cannot be told, all else can."""
        check_dataset(value)


@register
class IdxFile(FileReader):
    """One file in MNIST's format."""

    name, file = "idx", "train-images-idx3-ubyte"
    inputs = 60

    def prepare(self, folder: Path) -> None:
        """Write images."""
        (folder / self.file).write_bytes(idx_bytes(shapes()))

    def read(self, folder: Path) -> np.ndarray:
        """Read it."""
        return read_idx(folder / self.file, 3)

    def check(self, value: np.ndarray, intact: np.ndarray, warned: bool) -> None:
        """The header decides shape and type, and the bytes must be as many."""
        assert value.dtype in TYPES.values()
        assert value.ndim == 3
        assert value.nbytes <= intact.nbytes + 1024


@register
class GzipFile(IdxFile):
    """The same in gzip, whose checksum tells a changed pixel."""

    name, file = "gzip", "train-images-idx3-ubyte.gz"

    def prepare(self, folder: Path) -> None:
        """Write images."""
        (folder / self.file).write_bytes(gzip.compress(idx_bytes(shapes()), mtime=0))

    def check(self, value: np.ndarray, intact: np.ndarray, warned: bool) -> None:
        """Only bytes behind the end or in the header may differ."""
        assert np.array_equal(value, intact)


@register
class IdxFolder(Reader):
    """A folder of IDX files of one's own."""

    name = "idx-folder"
    inputs = 40

    def prepare(self, folder: Path) -> None:
        """Write a training and a test split."""
        for split in ("train", "t10k"):
            (folder / f"{split}-images-idx3-ubyte").write_bytes(idx_bytes(shapes()))
            (folder / f"{split}-labels-idx1-ubyte").write_bytes(idx_bytes(labels()))

    def mutate(self, chance: Random, folder: Path) -> str:
        """Damage, remove or rename a file."""
        path = chance.choice(sorted(folder.iterdir()))
        if chance.random() < 0.2:
            path.unlink()
            return f"{path.name} removed"
        if chance.random() < 0.2:
            other = path.with_name(chance.choice(("a", "labels.idx", "images", "x-idx9-ubyte")))
            path.rename(other)
            return f"{path.name} is now {other.name}"
        return mutate_file(chance, path)

    def read(self, folder: Path) -> Dataset:
        """Load it."""
        return load_dataset(f"idx:{folder}")

    def check(self, value: Dataset, intact: Dataset, warned: bool) -> None:
        """A damaged pixel cannot be told, all else can."""
        check_dataset(value)


@register
class NpzFile(DataReader):
    """Arrays as numpy saves them, whose bytes or whose types and shapes are changed."""

    name, file, kind = "npz", "set.npz", "npz"
    inputs = 60

    def prepare(self, folder: Path) -> None:
        """Write images and labels."""
        np.savez_compressed(folder / self.file, images=shapes(), labels=labels())

    def mutate(self, chance: Random, folder: Path) -> str:
        """Change bytes, an array, or a member of the archive."""
        path = folder / self.file
        way = chance.random()
        if way < 0.4:
            return mutate_file(chance, path)
        if way < 0.8:
            arrays: dict[str, Any] = {"images": shapes(), "labels": labels()}
            key = chance.choice(("images", "labels"))
            done, given = hostile_array(chance, arrays[key])
            arrays[key] = as_stored(given)
            np.savez(path, **arrays)
            return f"{key}: {done}"
        members = {"images.npy": npy_bytes(shapes()), "labels.npy": npy_bytes(labels())}
        key = chance.choice(sorted(members))
        other = chance.choice((key, "x.npy", "../x.npy", "images", ""))
        content = chance.choice((b"", b"x", members[key][:70], members[key]))
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in members.items():
                archive.writestr(name if name != key else other or "_", data)
            archive.writestr("more.npy", content)
        return f"{key} is {other}, and more.npy has {len(content)} bytes"


@register
class NpyFile(DataReader):
    """One array."""

    name, file, kind = "npy", "set.npy", "npz"

    def prepare(self, folder: Path) -> None:
        """Write images."""
        (folder / self.file).write_bytes(npy_bytes(shapes()))

    def mutate(self, chance: Random, folder: Path) -> str:
        """Change bytes, or the array."""
        if chance.random() < 0.5:
            return mutate_file(chance, folder / self.file)
        done, array = hostile_array(chance, shapes())
        with (folder / self.file).open("wb") as stream:
            np.save(stream, as_stored(array), allow_pickle=True)
        return done


@register
class CsvFile(DataReader):
    """A table as Kaggle has it."""

    name, file, kind = "csv", "train.csv", "csv"

    def prepare(self, folder: Path) -> None:
        """Write labels and pixels with a header."""
        head = ",".join(["label", *(f"pixel{i}" for i in range(SIDE * SIDE))])
        rows = np.column_stack([labels(), shapes().reshape(COUNT, -1)])
        text = "\n".join([head, *(",".join(map(str, row)) for row in rows)])
        (folder / self.file).write_text(text + "\n", encoding="utf-8")


@register
class PictureFolder(Reader):
    """A folder of pictures of every kind, in two classes."""

    name = "pictures"
    inputs = 40

    def prepare(self, folder: Path) -> None:
        """Write each picture in another format."""
        for place, (picture, label) in enumerate(zip(shapes(), labels(), strict=True)):
            path = folder / "set" / str(label) / f"{place}{SUFFIXES[place % len(SUFFIXES)]}"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(path)

    def mutate(self, chance: Random, folder: Path) -> str:
        """Damage one to three of the pictures, or put something else beside them."""
        done = []
        for _ in range(chance.randint(1, 3)):
            path = chance.choice(sorted(p for p in folder.rglob("*") if p.is_file()))
            if chance.random() < 0.25:
                other = path.with_name(chance.choice(("x.png", "Thumbs.db", "a.txt", "é\n.png")))
                other.write_bytes(path.read_bytes()[: chance.choice((0, 10, 10**6))])
                done.append(f"{other.name!r} added")
            else:
                done.append(mutate_file(chance, path))
        return "; ".join(done)

    def read(self, folder: Path) -> Dataset:
        """Load it."""
        return load_dataset(f"folder:{folder / 'set'}")

    def check(self, value: Dataset, intact: Dataset, warned: bool) -> None:
        """What was left out is said."""
        check_dataset(value)
        assert len(value) >= len(intact) or value.notes


@register
class ImitatedPicture(FileReader):
    """A photograph for `imitate`."""

    name, file = "imitated-picture", "digits.png"
    inputs, seconds = 15, 60.0

    def prepare(self, folder: Path) -> None:
        """Write four dark marks on light paper."""
        marks = np.hstack(list(shapes()[:4]))
        paper = Image.fromarray(255 - marks).resize((4 * 56, 56))
        paper.save(folder / self.file, compress_level=0)

    def read(self, folder: Path) -> RecognizedDigits:
        """Find the digits."""
        return read_digits([folder / self.file])

    def check(self, value: RecognizedDigits, intact: RecognizedDigits, warned: bool) -> None:
        """Digits and confidences belong together."""
        check_digits(value)


@register
class ImitatedDrawing(Reader):
    """Lines, circles and arcs of any darkness, of which few are digits, for `imitate`."""

    name = "imitated-drawing"
    inputs, seconds = 10, 60.0
    drawing: Image.Image | None = None

    def prepare(self, folder: Path) -> None:
        """Nothing is on disk."""

    def mutate(self, chance: Random, folder: Path) -> str:
        """Draw another one."""
        number = chance.randrange(2**32)
        self.drawing = random_drawing(np.random.default_rng(number))
        return f"drawing {number}"

    def read(self, folder: Path) -> RecognizedDigits:
        """Find the digits."""
        intact = Image.fromarray(np.hstack(list(255 - shapes()[:3])))
        return read_digits([self.drawing or intact])

    def check(self, value: RecognizedDigits, intact: RecognizedDigits, warned: bool) -> None:
        """Whatever is taken for a digit has ink, and everything has its length."""
        check_digits(value)
        assert value.images.any(axis=(1, 2)).all()


@register
class ImitatedArray(Reader):
    """An array, or something else, for `imitate`."""

    name = "imitated-array"
    inputs, seconds = 40, 60.0
    damaged: Any = None

    def prepare(self, folder: Path) -> None:
        """Nothing is on disk."""

    def mutate(self, chance: Random, folder: Path) -> str:
        """Choose another type, shape or value."""
        done, self.damaged = hostile_array(chance, np.hstack(list(255 - shapes()[:3])))
        return done

    def read(self, folder: Path) -> RecognizedDigits:
        """Find the digits."""
        given = np.hstack(list(255 - shapes()[:3])) if self.damaged is None else self.damaged
        return read_digits([given])

    def check(self, value: RecognizedDigits, intact: RecognizedDigits, warned: bool) -> None:
        """Digits and confidences belong together."""
        check_digits(value)


@register
class ArraysFromPython(Reader):
    """Images and labels that Python code hands over."""

    name = "arrays"
    inputs = 150
    damaged: tuple[Any, Any] | None = None

    def prepare(self, folder: Path) -> None:
        """Nothing is on disk."""

    def mutate(self, chance: Random, folder: Path) -> str:
        """Choose other images or other labels."""
        pair: list[Any] = [shapes(), labels()]
        place = chance.randrange(2)
        done, pair[place] = hostile_array(chance, pair[place])
        self.damaged = (pair[0], pair[1])
        return f"{('images', 'labels')[place]}: {done}"

    def read(self, folder: Path) -> Any:
        """Convert them."""
        images, classes = self.damaged or (shapes(), labels())
        converted, _ = as_uint8_images(images)
        numbers, _ = as_labels(classes, len(converted))
        return converted, numbers

    def check(self, value: Any, intact: Any, warned: bool) -> None:
        """Images are uint8, and each has a label from 0."""
        images, numbers = value
        assert images.dtype == np.uint8
        assert len(images) == len(numbers) >= 1
        assert numbers.dtype == np.int64
        assert numbers.min() >= 0


def check_digits(value: RecognizedDigits) -> None:
    """Assert that a picture was read as digits, each with its confidence."""
    assert len(value.digits) == len(value.confidence) >= 1
    assert all(digit in "0123456789" for digit in value.digits)
    assert all(0 <= sure <= 1 for sure in value.confidence)


def as_stored(given: Any) -> np.ndarray:
    """Return what can be saved: lists of unequal length as an array of objects."""
    if isinstance(given, np.ma.MaskedArray):  # numpy itself cannot save these
        return given.filled()
    if isinstance(given, np.ndarray):
        return given
    try:
        return np.asarray(given)
    except (ValueError, OverflowError):
        array = np.empty(1, object)
        array[0] = given
        return array


def npy_bytes(array: np.ndarray) -> bytes:
    """Write an array as numpy does."""
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def hostile_array(chance: Random, array: np.ndarray) -> tuple[str, Any]:
    """Return in words what was done, and an array of another type, shape or range."""
    random = np.random.default_rng(chance.randrange(2**32))
    ways: dict[str, Any] = {
        "float": lambda: array / 255,
        "centered": lambda: array / 127.5 - 1,
        "float16": lambda: array.astype(np.float16),
        "complex": lambda: array.astype(np.complex64),
        "bool": lambda: array > 0,
        "int8": lambda: array.astype(np.int8),
        "large": lambda: array.astype(np.int64) * 10**15,
        "negative": lambda: -array.astype(np.int64),
        "nan": lambda: np.where(random.random(array.shape) < 0.01, np.nan, array),
        "infinite": lambda: np.where(random.random(array.shape) < 0.01, np.inf, array),
        "objects": lambda: array.astype(object),
        "texts": lambda: array.astype(str),
        "bytes": lambda: array.astype("S3"),
        "dates": lambda: array.astype("datetime64[s]"),
        "records": lambda: np.zeros(len(array), [("a", "u1"), ("b", "f4")]),
        "empty": lambda: array[:0],
        "one": lambda: array[:1],
        "fewer": lambda: array[: len(array) // 2],
        "flat": lambda: array.reshape(len(array), -1),
        "transposed": lambda: array.T,
        "deeper": lambda: array[None, None, ..., None],
        "scalar": lambda: array.reshape(-1)[0],
        "big-endian": lambda: array.astype(">f4"),
        "strided": lambda: np.asfortranarray(array)[::-1],
        "masked": lambda: np.ma.masked_greater(array, 100),
        "constant": lambda: np.full_like(array, chance.choice((0, 7, 255))),
        "noise": lambda: random.integers(0, 256, array.shape).astype(np.uint8),
        "list": lambda: array.tolist(),
        "ragged": lambda: [row[: chance.randint(1, len(row))] for row in np.atleast_2d(array)],
        "value": lambda: chance.choice(HOSTILE_VALUES),
    }
    name = chance.choice(sorted(ways))
    return name, ways[name]()
