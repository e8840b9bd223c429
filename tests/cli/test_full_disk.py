"""Disks that are full: one line, exit code 1, and nothing half written, for every verb that writes.

A limit on the size of files stands for the disk: a file grows until the disk has no room, and the
next write fails. Small limits fail at the first file, larger ones later.
"""

import errno
import os
import re
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inkgan import files
from inkgan.errors import ArtifactError
from tests.cli.test_kill_commands import PROCESSES, child, digits, exported, small_benchmark
from tests.fixtures.run_folders import copy_small_run

pytestmark = pytest.mark.skipif(os.name != "posix", reason="POSIX limits")
SMALL = ("--data", "uci-digits", "--images", "640", "--set", "schedule.batch_size=32")
LINE = 600  # bytes: enough for a line, and for no picture and no weights
PICTURE = 20_000  # enough for small pictures and recipes
TEMPORARY = re.compile(r"\.[0-9a-f]{8}-\d+\.")  # in the names of temporary files
# What fails first where a library of weights reports the error in its own way.
FIRST = {"train weights": "last.safetensors", "export hub weights": ".safetensors"}
CONTINUED = ("train", "synth", "benchmark")  # what these have begun is continued


def evaluation(folder: Path) -> None:
    """Prepare real digits to evaluate, and to compare with."""
    digits(folder)


def benchmark(folder: Path) -> None:
    """Prepare a recipe that trains in a second."""
    small_benchmark(folder)


def two_runs(folder: Path) -> None:
    """Prepare runs to compare."""
    copy_small_run(folder / "a")
    shutil.copytree(folder / "a", folder / "b")


def photograph(folder: Path) -> None:
    """Draw a 1 on paper."""
    paper = np.full((80, 60), 255, np.uint8)
    paper[15:65, 27:33] = 0
    Image.fromarray(paper).save(folder / "one.png")


def generator(folder: Path) -> None:
    """Save a small generator."""
    exported("", "", folder)


Case = tuple[tuple[str, ...], int, Callable[[Path], None] | None]
GENERATOR = "small.safetensors"
BENCHMARK = ("--recipes", "small.toml", "--seeds", "0", "--whole", "--quick")
CASES: dict[str, Case] = {
    "sample": (("sample", "--seeds", "0-3"), LINE, None),
    "sample npz": (("sample", "--seeds", "0-3", "--out", "a.npz"), LINE, None),
    "sample single": (("sample", "--seeds", "0-3", "--out", "pictures"), 200, None),
    "write": (("write", "20"), LINE, None),
    "write svg": (("write", "20", "--out", "a.svg"), LINE, None),
    "morph": (("morph", "3", "8", "--frames", "2"), LINE, None),
    "morph gif": (("morph", "3", "8", "--frames", "2", "--out", "a.gif"), LINE, None),
    "imitate": (("imitate", "one.png", "--write", "7", "--labels", "1"), LINE, photograph),
    "synth": (("synth", "set", "--per-class", "2"), LINE, None),
    "synth files": (("synth", "set", "--per-class", "2"), 5000, None),
    "synth sequences": (("synth", "set", "--sequences", "2"), LINE, None),
    "export bundle": (("export", "bundle", GENERATOR, "a.safetensors"), LINE, generator),
    "export onnx": (("export", "onnx", GENERATOR, "a.onnx"), LINE, generator),
    "export page": (("export", "page", GENERATOR, "a.html"), LINE, generator),
    "export hub": (("export", "hub", GENERATOR, "hub"), LINE, generator),
    "export hub weights": (("export", "hub", GENERATOR, "hub"), PICTURE, generator),
    "train": (("train", "mlp", *SMALL), LINE, None),
    "train weights": (("train", "mlp", *SMALL), 200_000, None),
    "evaluate": (
        ("evaluate", "set.npz", "--quick", "--reference", "npz:reference.npz"),
        PICTURE,
        evaluation,
    ),
    "compare": (("compare", "a", "b"), LINE, two_runs),
    "compare page": (("compare", "a", "b"), 150_000, two_runs),
    "benchmark": (
        ("benchmark", *BENCHMARK, "--reference", "npz:reference.npz"),
        PICTURE,
        benchmark,
    ),
}


def without_room(folder: Path, words: tuple[str, ...], room: int) -> None:
    """Run a command where no file can have more than `room` bytes."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    child(folder, words)


@pytest.mark.parametrize("name", CASES)
def test_no_room_is_one_line(name: str, tmp_path: Path) -> None:
    words, room, prepare = CASES[name]
    if name == "export onnx":
        pytest.importorskip("onnx")
    folder = tmp_path / "work"
    folder.mkdir()
    if prepare is not None:
        prepare(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    process = PROCESSES.Process(target=without_room, args=(folder, words, room))
    process.start()
    process.join(120)
    lines = (folder / "errors.txt").read_text("utf-8").splitlines()
    assert process.exitcode == 1, lines
    assert lines[-1].startswith("inkgan: cannot write "), lines
    assert lines[-1].endswith(os.strerror(errno.EFBIG)), lines
    assert FIRST.get(name, "") in lines[-1]
    assert not TEMPORARY.search(lines[-1]), lines
    assert not any("Error" in line or "Traceback" in line for line in lines), lines
    left = {
        path
        for path in folder.rglob("*")
        if path.is_file() and path.name != "errors.txt" and "cache" not in path.parts
    }
    assert {path: path.read_bytes() for path in before} == before
    if words[0] not in CONTINUED:
        assert left == before.keys()
    assert not [path for path in left if TEMPORARY.search(str(path))], left  # nothing half written


def test_listing_writes_nothing(tmp_path: Path) -> None:
    process = PROCESSES.Process(target=without_room, args=(tmp_path, ("recipes", "--json"), LINE))
    process.start()
    process.join(120)
    assert (process.exitcode, (tmp_path / "errors.txt").read_text("utf-8")) == (0, "")


def write_over(path: Path, at: str) -> None:
    with files.atomic(path) as temporary:
        if at == "open":
            temporary.open("w")
        elif at == "write_bytes":
            temporary.write_bytes(b"new")
        else:
            temporary.write_text("new")


@pytest.mark.parametrize("at", ["write_bytes", "write_text", "open", "replace"])
def test_a_full_disk_leaves_the_old_file(
    at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ENOSPC comes: in the middle of writing, at the end, or when the file is renamed."""
    path = tmp_path / "a.txt"
    files.write_text(path, "old")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(Path, at, full)
        with pytest.raises(ArtifactError, match=r"cannot write .*a\.txt: No space left on device"):
            write_over(path, at)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]
    assert path.read_text("utf-8") == "old"
