"""Commands that are killed, by SIGKILL, at random moments; the same command again ends as if not.

Three kills of each command are tried in CI, and one of a benchmark and of two formats of synth.
INKGAN_KILLS=20 tries twenty, in every format; INKGAN_KILL_SEED repeats the moments of a failure.
"""

import contextlib
import io
import json
import multiprocessing
import os
import random
import time
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from inkgan.cli.main import main
from inkgan.config.recipes import get_recipe
from inkgan.config.serialize import override, to_toml
from inkgan.evaluation.reference import ReferenceImages
from inkgan.synthesis import encoded_store, pool_store, shards
from inkgan.synthesis.sequence_request import SequenceFormat
from tests.fixtures.bundles import small_bundle
from tests.fixtures.references import as_npz, small_reference

KILLS = int(os.environ.get("INKGAN_KILLS", "3"))
PROCESSES = (
    multiprocessing.get_context("forkserver")
    if os.name == "posix"
    else multiprocessing.get_context("spawn")
)
if os.name == "posix":
    PROCESSES.set_forkserver_preload(  # loaded once, and not by each command that is killed
        [
            "inkgan.cli.main",
            "inkgan.evaluation.benchmark",
            "inkgan.exporters.html_page",
            "inkgan.synthesis.synth",
            "networkx",
            "onnxruntime",
            "onnxscript.function_libs.torch_lib.ops",
            "skimage.morphology",
            "sklearn.linear_model",
            "torch._dynamo",
            "torch.onnx._internal.exporter._core",
            "torch.utils.tensorboard",
        ]
    )
# What is measured of the machine differs from run to run.
TIMES = (
    "started",
    "seconds",
    "peak_memory_mb",
    "images_per_second",
    "generator",
    "evaluation",
    "date",
)
PROCESS_FOLDERS = ("tensorboard", ".live")  # about the process that wrote them
TIMED_FILES = (
    *("report.html", "benchmark.md", "benchmark.png", "curves.png"),
    *("last.safetensors", "best.safetensors"),
)
pytestmark = pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
Tree = dict[str, Any]


def child(folder: Path, words: Sequence[str]) -> None:
    """Run a command in a folder; an evaluation has its cache there, too."""
    os.chdir(folder)
    cache = folder if words[0] in ("evaluate", "benchmark") else folder.parent
    shards.IMAGES_PER_SHARD, encoded_store.SEQUENCES_PER_SHARD = 20, 4
    pool_store.GLYPHS_PER_BLOCK = 40
    os.environ |= {"INKGAN_CACHE": str(cache / "cache"), "INKGAN_OFFLINE": "1"}
    with (
        (folder / "errors.txt").open("w", encoding="utf-8") as errors,
        contextlib.redirect_stderr(errors),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        main(words)


def run(folder: Path, words: Sequence[str], seconds: float = 240) -> int | None:
    """Run a command in a process of its own; return its exit code, None if it was killed."""
    process = PROCESSES.Process(target=child, args=(folder, words))
    process.start()
    process.join(seconds)
    alive = process.is_alive()
    process.kill()
    process.join(60)
    return None if alive else process.exitcode


def tree(folder: Path) -> Tree:
    """Return every file below a folder with what must be the same in it."""
    return {
        str(path.relative_to(folder)): content(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "errors.txt" and path.parent.name not in PROCESS_FOLDERS
    }


def content(path: Path) -> Any:
    """Return bytes, or of what contains times the part without them."""
    if path.name in ("report.json", "environment.json"):
        return untimed(json.loads(path.read_text(encoding="utf-8")))
    if path.name == "metrics.jsonl":
        return [untimed(json.loads(line)) for line in path.read_text("utf-8").splitlines()]
    if path.name in (
        "report.html",
        "benchmark.md",
        "curves.png",
        "benchmark.png",
        "last.safetensors",
        "best.safetensors",
    ):
        return "a file"  # with times in it
    return path.read_bytes()


def untimed(value: Any) -> Any:
    """Return a JSON value without what was measured on a clock."""
    if isinstance(value, dict):
        return {key: untimed(item) for key, item in value.items() if key not in TIMES}
    return [untimed(item) for item in value] if isinstance(value, list) else value


def few_digits() -> ReferenceImages:
    """Give as few real digits as an evaluation takes."""
    real = small_reference()
    train = real.train[:600], real.train_labels[:600]
    test = real.test[:300], real.test_labels[:300]
    return ReferenceImages(real.name, *train, *test)


def digits(folder: Path) -> list[str]:
    """Prepare real digits to evaluate, and to compare with."""
    reference = few_digits()
    as_npz(folder / "reference.npz", reference)
    np.savez(folder / "set.npz", images=reference.train[:300], labels=reference.train_labels[:300])
    return ["evaluate", "set.npz", "--quick", "--reference", "npz:reference.npz"]


def small_benchmark(folder: Path) -> list[str]:
    """Prepare a recipe that trains in a second."""
    as_npz(folder / "reference.npz", few_digits())
    changes = ["data.name=uci-digits", "schedule.images=320", "schedule.batch_size=32"]
    widths = [f"model.{name}.widths=[32]" for name in ("generator", "discriminator")]
    recipe = override(get_recipe("mlp"), [*changes, *widths, "name=small"])
    (folder / "small.toml").write_text(to_toml(recipe), encoding="utf-8")
    return [
        *("benchmark", "--recipes", "small.toml", "--seeds", "0", "--whole", "--quick"),
        *("--reference", "npz:reference.npz"),
    ]


# The formats of data sets, and in which of them CI kills; others are in tests/synthesis.
IMAGES = ("idx", "npz", "png", "imagefolder")
SEQUENCES = get_args(SequenceFormat)
FEW = ("imagefolder", "coco")


def set_of_images(name: str, _: Path) -> list[str]:
    """Make images in a format; without near-copies, so that each shard depends on the others."""
    counts = ["--per-class", "10", "--test-per-class", "2", "--dedupe"]
    return ["synth", "set", *counts, "--format", name]


def set_of_sequences(name: str, _: Path) -> list[str]:
    """Make sequences in a format."""
    return ["synth", "set", "--sequences", "12", "--format", name, "--workers", "1"]


def exported(kind: str, out: str, folder: Path, *more: str) -> list[str]:
    """Save a small generator to export."""
    small_bundle("mlp", "concat").save(folder / "small.safetensors")
    return ["export", kind, "small.safetensors", out, *more]


COMMANDS: dict[str, Callable[[Path], list[str]]] = {
    "export bundle": lambda folder: exported("bundle", "a.safetensors", folder, "--half"),
    "export page": partial(exported, "page", "a.html"),
    "export onnx": partial(exported, "onnx", "a.onnx"),
    "export hub": partial(exported, "hub", "hub"),
    "evaluate": digits,
    "benchmark": small_benchmark,
    **{
        f"synth {name}": partial(make, name)
        for formats, make in ((IMAGES, set_of_images), (SEQUENCES, set_of_sequences))
        for name in formats
        if KILLS > 3 or name in FEW
    },
}


def empty(folder: Path, kept: Collection[str]) -> None:
    """Remove what a command has made, hidden files as well."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        elif str(path.relative_to(folder)) not in kept:
            path.unlink()


@pytest.mark.parametrize("name", COMMANDS)
def test_sigkill_at_random_moments_leaves_nothing_behind(name: str, tmp_path: Path) -> None:
    if name == "export onnx":
        pytest.importorskip("onnx")
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for folder in (whole, cut):
        folder.mkdir()
    words = COMMANDS[name](whole)
    COMMANDS[name](cut)
    before = tree(cut).keys()
    warm = tmp_path / "warm"
    warm.mkdir()
    run(warm, ["version"])  # the server of processes starts here
    if words[0] == "export":
        run(warm, words)  # what it measures of the generator is in the cache afterwards
    began = time.monotonic()
    assert run(whole, words) == 0, (whole / "errors.txt").read_text("utf-8")
    duration = time.monotonic() - began
    seed = int(os.environ.get("INKGAN_KILL_SEED", random.SystemRandom().randrange(2**32)))
    chance = random.Random(seed)
    print(f"INKGAN_KILL_SEED={seed}: {name}, {duration:.1f} s undisturbed")
    expected, killed, tries = tree(whole), 0, 0
    kills = 1 if words[0] in ("benchmark", "synth") and KILLS == 3 else KILLS
    while killed < kills:
        tries += 1
        assert tries <= 5 * kills, f"ends before it is killed: {killed} of {tries} were struck"
        empty(cut, before)
        began = time.monotonic()
        if run(cut, words, duration * chance.uniform(0.05, 1.0)) is not None:
            duration = min(duration, time.monotonic() - began)  # the first time was a slow one
            continue
        killed += 1
        code = run(cut, words)
        errors = (cut / "errors.txt").read_text("utf-8")
        # an export that was complete when it was killed is not written over
        assert code == 0 or (code == 1 and "--force" in errors), errors
        found = tree(cut)
        assert found.keys() == expected.keys()
        assert [key for key in found if found[key] != expected[key]] == []
    print(f"killed {killed} times in {tries} tries")
