"""The cookbook's commands do what it says."""

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inkgan.data.readers.idx import read_idx
from tests.fixtures.command_line import inkgan

PAGE = Path(__file__).parents[2] / "docs" / "cookbook.md"
COMMANDS = re.findall(r"^inkgan (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
# Two digits instead of ten: each digit of a style is calibrated for half a second or more.
SHORTER = {"sample --labels 0-9": "sample --labels 3,8"}


def grid(columns: int, rows: int, scale: int = 2) -> Callable[[Path], None]:
    """Expect a grid of 28x28 images with a gap of 2, each with something drawn."""

    def check(path: Path) -> None:
        with Image.open(path) as picture:
            width, height = (scale * (30 * count + 2) for count in (columns, rows))
            assert picture.size == (width, height)
            pixels = np.asarray(picture.convert("L"))
        for row in range(rows):
            for column in range(columns):
                top, left = scale * (30 * row + 2), scale * (30 * column + 2)
                cell = pixels[top : top + 28 * scale, left : left + 28 * scale]
                assert np.ptp(cell) > 128, (row, column)

    return check


def picture(height: int, mode: str = "L") -> Callable[[Path], None]:
    """Expect a picture of this height and kind with ink on paper."""

    def check(path: Path) -> None:
        with Image.open(path) as opened:
            assert opened.height == height
            assert opened.width > height
            assert opened.mode == mode
            assert np.ptp(np.asarray(opened)) > 128

    return check


def frames(count: int, loop: bool = True) -> Callable[[Path], None]:
    """Expect an animation whose first two frames differ."""

    def check(path: Path) -> None:
        with Image.open(path) as film:
            assert film.n_frames == count  # type: ignore[attr-defined]
            first = np.asarray(film.convert("L"), np.int64)
            film.seek(count // 2 if loop else count - 1)
            assert np.abs(first - np.asarray(film.convert("L"))).max() > 128

    return check


def written(*texts: str) -> Callable[[Path], None]:
    """Expect a text file with these words in it."""

    def check(path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        for words in texts:
            assert words in text

    return check


def digits(path: Path) -> None:
    """Expect MNIST's four files, with the counts that were asked for."""
    for name, each in (("train", 12), ("t10k", 2)):
        labels = read_idx(path / f"{name}-labels-idx1-ubyte.gz", 1)
        assert np.bincount(labels).tolist() == [each] * 10
        assert read_idx(path / f"{name}-images-idx3-ubyte.gz", 3).shape == (10 * each, 28, 28)


def pictures(path: Path) -> None:
    """Expect fifty PNGs with their metadata."""
    assert len(list(path.rglob("*.png"))) >= 50
    assert any(path.rglob("metadata.csv"))


def numbers(path: Path) -> None:
    """Expect twenty numbers, boxed."""
    boxes = json.loads((path / "annotations" / "train.json").read_text(encoding="utf-8"))
    assert len(boxes["images"]) == 20
    assert 20 <= len(boxes["annotations"]) <= 120


def dates(path: Path) -> None:
    """Expect PaddleOCR's lists: 20 and 5 dates or amounts."""
    for split, count in (("train", 20), ("test", 5)):
        lines = (path / f"{split}.txt").read_text(encoding="utf-8").splitlines()
        assert len(lines) == count
        for line in lines:
            name, text = line.split("\t")
            assert re.fullmatch(r"\d\d\.\d\d\.\d{4}|[\d,]+\.\d\d", text)
            assert (path / name).is_file()


def cards(path: Path) -> None:
    """Expect ten numbers of 16 digits for Tesseract."""
    texts = [p.read_text(encoding="utf-8") for p in path.rglob("*.gt.txt")]
    assert len(texts) == 10
    assert all(re.fullmatch(r"\d{16}\n", text) for text in texts)


def ten_pictures(mode: str) -> Callable[[Path], None]:
    """Expect ten pictures of this kind, as a camera or a scanner makes them."""

    def check(path: Path) -> None:
        found = list((path / "images").rglob("*.jpg"))
        assert len(found) == 10
        for one in found:
            with Image.open(one) as opened:
                assert opened.mode == mode

    return check


def weights(path: Path) -> None:
    """Expect a bundle that draws as the one it was made from."""
    done = inkgan("sample", path, "--seeds", "5", "--out", path.with_name("drawn.npz"))
    assert done.code == 0, done.stderr
    inkgan("sample", "flagship", "--seeds", "5", "--out", path.with_name("same.npz"))
    arrays = [np.load(path.with_name(f"{name}.npz"))["images"] for name in ("drawn", "same")]
    assert np.array_equal(*arrays)


def bytes_of(least: int) -> Callable[[Path], None]:
    """Expect a file of some size."""

    def check(path: Path) -> None:
        assert path.stat().st_size > least

    return check


# What each command leaves, by the name of its output.
EXPECTED: dict[str, Callable[[Path], None]] = {
    "sevens.png": grid(5, 1),
    "again.png": grid(3, 1),
    "leaning.png": grid(2, 2),
    "typical.png": grid(2, 2),
    "number.png": picture(128),
    "date.png": picture(96, "RGBA"),
    "amount.svg": written("<svg", "<title>1,299.50</title>"),
    "my3.png": grid(1, 1, scale=4),
    "mine.png": picture(128),
    "digits": digits,
    "pictures": pictures,
    "numbers": numbers,
    "dates": dates,
    "cards": cards,
    "forms": ten_pictures("L"),
    "photos": ten_pictures("RGB"),
    "morph.gif": frames(24),
    "walk.webp": frames(72),
    "axes.png": bytes_of(5_000),
    "digits.html": written("<html", "<script"),
    "digits.onnx": bytes_of(100_000),
    "copy.safetensors": weights,
}
NEEDS = {"mine.png": "my3.png"}  # an entry's input, made by the entry before


def output_of(command: str) -> str:
    """Return the name of what a command writes."""
    words = shlex.split(command)
    if "--out" in words:
        return words[words.index("--out") + 1]
    return words[-1] if words[0] == "export" else words[1]


def by_output() -> dict[str, str]:
    return {output_of(command): command for command in COMMANDS}


def shortened(command: str) -> str:
    """Return a command with less work to do."""
    for long, short in SHORTER.items():
        command = command.replace(long, short)
    return command


def test_every_entry_has_its_expectation() -> None:
    assert by_output().keys() == EXPECTED.keys()
    assert len(COMMANDS) == len(EXPECTED)


@pytest.mark.usefixtures("keeps_baselines")  # and calibrations
@pytest.mark.parametrize("name", EXPECTED)
def test_entry(name: str, tmp_path: Path) -> None:
    """Each command by itself, in an empty folder: the output is there and is what it says."""
    if name.endswith(".onnx"):
        pytest.importorskip("onnx")
    commands = by_output()
    for output in [NEEDS[name], name] if name in NEEDS else [name]:
        done = inkgan(*shlex.split(shortened(commands[output])), cwd=tmp_path)
        assert done.code == 0, done.stderr
    assert done.stdout.splitlines()[-1] == name
    EXPECTED[name](tmp_path / name)
