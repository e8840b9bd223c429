"""inkgan synth as a command, and its Python twin."""

import dataclasses
import hashlib
import inspect
import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import inkgan
from inkgan.cli.main import app
from inkgan.cli.parse import parse_bounds, parse_counts, parse_lengths
from inkgan.cli.synth_command import synth as command
from inkgan.config import Recipe
from inkgan.config.recipes import RECIPES
from inkgan.config.serialize import override
from inkgan.data.readers.idx import read_idx
from inkgan.device import default_threads
from inkgan.errors import ArtifactError, ConfigError, InkganError
from inkgan.generation.protocols import DIGITS
from inkgan.images import Shape
from inkgan.io.bundle import Bundle
from inkgan.models.build import build_generator
from inkgan.synthesis import synth as room
from inkgan.synthesis.paper.paper import Paper
from inkgan.synthesis.sequence_layout import SequenceLayout
from inkgan.synthesis.sequence_request import Sequences
from inkgan.synthesis.weights_file import weights_file
from tests.fixtures.synthesis import HandGenerator, tree


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a fake generator in the place of whatever is loaded; the file is only hashed."""
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"weights")
    monkeypatch.setattr(room, "load", lambda source, **others: HandGenerator())
    return path


def run(*arguments: object) -> tuple[str, str]:
    """Run the command; return what it says on stdout and stderr, or raise its error."""
    result = CliRunner().invoke(app, ["synth", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout, result.stderr


def test_digits(bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    told = run(
        out,
        "--from",
        bundle,
        "--per-class",
        3,
        "--test-per-class",
        "1,0,0,0,0,0,0,0,0,2",
        "--format",
        "npz",
        "--seed",
        5,
    )
    assert told[0] == f"{out}\n"
    assert "33 28x28 gray images of 10 classes; 33 digits drawn, all kept." in told[1]
    with np.load(out / "data.npz") as held:
        assert np.bincount(held["y_test"], minlength=10).tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0, 2]
    again = run(
        out,
        "--from",
        bundle,
        "--per-class",
        3,
        "--test-per-class",
        "1,0,0,0,0,0,0,0,0,2",
        "--format",
        "npz",
        "--seed",
        5,
    )
    assert "Already complete: 33" in again[1]


def test_strings(bundle: Path, tmp_path: Path) -> None:
    told = run(tmp_path / "set", "--from", bundle, "--sequences", 4, "--length", "2-3")
    assert re.search(r"4 sequences with (8|9|10|11|12) digits by 4 writers; ", told[1])
    assert "writing" in told[1]  # the stages are named where there is no terminal
    assert (tmp_path / "set" / "annotations" / "train.json").is_file()


def test_the_python_call_is_the_same(bundle: Path, tmp_path: Path) -> None:
    run(tmp_path / "a", "--from", bundle, "--per-class", 2, "--min-confidence", 0.5)
    made = inkgan.synth(
        tmp_path / "b",
        source=str(bundle),
        per_class=2,
        min_confidence=0.5,
        threads=default_threads(),
    )
    for path in made.path.iterdir():
        assert path.read_bytes() == (tmp_path / "a" / path.name).read_bytes()
    flags, names = (
        set(inspect.signature(command).parameters),
        set(inspect.signature(inkgan.synth).parameters),
    )
    assert names - flags == {"progress", "threads"}
    fields = {
        field.name
        for kind in (Sequences, SequenceLayout, Paper)
        for field in dataclasses.fields(kind)
    }
    renamed = {"validation_sequences", "test_sequences", "paper_strength", "paper_kinds"}
    assert flags - names - fields == {"from_", "json"} | renamed
    unflagged = {"count", "validation", "test", "layout", "preset", "strength", "kinds"}
    assert fields - flags == unflagged


def test_all_flags_of_sequences_arrive(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("12-3\n007\n")
    flags = {
        "sequences": 5,
        "validation-sequences": 2,
        "test-sequences": 2,
        "texts": tmp_path / "texts.txt",
        "length": "2=1,3=4",
        "writers": 3,
        "height": 40,
        "spacing": "tight",
        "touching": 0.25,
        "overlapping": 0.125,
        "drift": 0.5,
        "tilt": "-1:4",
        "size-jitter": 0.25,
        "paper": "scan",
        "paper-strength": 0.5,
        "paper-kinds": "grid,form",
        "format": "paddleocr",
        "seed": 4,
    }
    run(
        tmp_path / "a",
        "--from",
        bundle,
        *(part for name, value in flags.items() for part in (f"--{name}", value)),
    )
    layout = SequenceLayout(40, (1, 3), 0.25, 0.125, 0.5, (-1, 4), 0.25)
    made = inkgan.synth(
        tmp_path / "b",
        source=bundle,
        sequences=Sequences(
            5,
            2,
            2,
            ["12-3", "007"],
            length={2: 1, 3: 4},
            writers=3,
            layout=layout,
            paper=Paper("scan", 0.5, kinds=("grid", "form")),
        ),
        format="paddleocr",
        seed=4,
        threads=default_threads(),
    )
    assert tree(made.path) == tree(tmp_path / "a")
    assert {row.split("\t")[1] for row in (made.path / "train.txt").read_text().splitlines()} == {
        "12-3",
        "007",
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--per-class", "many"], "--per-class 'many': write one count"),
        (["--per-class", "-5"], "--per-class '-5'"),
        (["--per-class", "1,2"], "per.class`? has 2 counts, but the generator has 10 classes"),
        (["--per-class", "1000000000"], "per.class`? makes 10,000,000,000 images"),
        (["--slant", "5"], "--slant '5': write least:most"),
        (["--length", "six"], "--length 'six': write fewest-most"),
        (["--length", "6=x"], "--length '6=x': write length=weight"),
        (["--touching", "0.2"], "sequences`? is needed: how many"),
        (["--sequences", "3", "--length", "9-4"], r"length(=\(9, 4\)`| 9-4): the smaller number"),
        (["--sequences", "3", "--per-class", "2"], "per.class`? is for single digits"),
        (["--sequences", "3", "--format", "png"], "format`? 'png' is none of sequences"),
        (["--sequences", "3", "--paper", "foto"], "paper`? must be clean, scan or photo, not"),
        (["--sequences", "3", "--backgrounds", "."], "backgrounds`? needs .*paper.* scan"),
        (["--sequences", "0"], "sequences`? must be between 1 and 100,000,000, not 0"),
    ],
)
def test_refusals(arguments: list[str], message: str, bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(InkganError, match=message):
        run(tmp_path / "set", "--from", bundle, *arguments)
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


def test_nothing_to_draw_from(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no run or bundle 'nothing'"):
        run(tmp_path / "set", "--from", "nothing")


def test_a_real_generator(tmp_path: Path) -> None:
    """From a bundle on disk: its SHA-256 is told, and `inkgan.load` draws each image again."""
    recipe = override(RECIPES["mlp"], ["model.classes=10"])
    weights = build_generator(recipe.model, Shape(1, 28, 28), 0).state_dict()
    path = tmp_path / "mlp.safetensors"
    Bundle(recipe, Shape(1, 28, 28), DIGITS, weights, 0, "none").save(path)
    made = inkgan.synth(tmp_path / "set", source=path, per_class=7, device="cpu", seed=2)
    assert made.manifest["generator"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    rows = [json.loads(line) for line in (made.path / "manifest.jsonl").read_text().splitlines()]
    labels, seeds = [row["label"] for row in rows[5:9]], [row["seed"] for row in rows[5:9]]
    again = inkgan.load(path, device="cpu").sample(labels, seeds=seeds)
    assert np.array_equal(read_idx(made.path / "train-images-idx3-ubyte.gz", 3)[5:9], again)


def test_the_weights_that_draw_are_named(tmp_path: Path, tiny: Recipe) -> None:
    """The SHA-256 is that of the file which sha256sum is given."""
    run_folder = inkgan.train(tiny, out=tmp_path / "a", images=64).path
    assert weights_file(run_folder, "last") == run_folder / "generator.safetensors"
    assert weights_file(run_folder / "generator.safetensors", "last").is_file()
    assert weights_file(run_folder, "best").parent.name == "checkpoints"


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=12))
def test_counts_read_back(counts: list[int]) -> None:
    text = ",".join(map(str, counts))
    assert parse_counts(text, "--per-class") == (counts[0] if len(counts) == 1 else counts)


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused_by_flag(text: str) -> None:
    for parse in (
        lambda: parse_counts(text, "--flag"),
        lambda: parse_bounds(text, "--flag"),
        lambda: parse_lengths(text, "--flag"),
    ):
        try:
            parse()
        except ConfigError as error:
            if not str(error).startswith(f"--flag {text!r}: write "):
                raise AssertionError("the message does not name the flag") from error


def test_spans_and_bounds() -> None:
    assert parse_lengths("1-6", "--length") == (1, 6)
    assert parse_lengths("4", "--length") == (4, 4)
    assert parse_lengths("4=1,6=2.5", "--length") == {4: 1.0, 6: 2.5}
    assert parse_bounds("-10:10.5", "--slant") == (-10.0, 10.5)
    assert parse_bounds(None, "--slant") is None
