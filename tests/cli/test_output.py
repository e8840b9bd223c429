"""What goes to stdout, what to stderr, and how it looks on a terminal."""

import io
import json
import shlex
import shutil
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from typer.core import TyperCommand

from inkgan.cli import console
from inkgan.cli.command import program
from inkgan.plural import counted, percent
from tests.fixtures.command_line import inkgan
from tests.fixtures.references import as_npz, small_reference

SMALL = ["--data", "uci-digits", "--images", "640", "--set", "schedule.batch_size=32"]


def as_json(*arguments: object, cwd: Path) -> Any:
    """Run a command with --json; stdout is one document and nothing else."""
    done = inkgan(*arguments, "--json", cwd=cwd)
    assert done.code == 0, done.stderr
    return json.loads(done.stdout, parse_constant=lambda text: pytest.fail(text))


@pytest.mark.parametrize(
    ("arguments", "check"),
    [
        (["version"], lambda d: d["inkgan"].startswith("0.")),
        (["recipes"], lambda d: "dcgan" in [row["name"] for row in d]),
        (["recipes", "show", "dcgan"], lambda d: d["optim"]["lr"] > 0),
        (["data"], lambda d: "kmnist" in [row["name"] for row in d]),
        (["data", "fetch", "uci-digits"], lambda d: d[0]["images"] == 1500),
        (["extractors"], lambda d: d["e1"]["parameters"] == 239162),
        (["sample", "--seeds", "3,1", "--labels", "7"], lambda d: d["seeds"] == [3, 1]),
        (["write", "20"], lambda d: d["text"] == "20"),
        (["morph", "3", "8", "--frames", "2"], lambda d: d["classes"] == ["3", "8"]),
        (["synth", "set", "--per-class", "1"], lambda d: d["manifest"]["kind"] != ""),
        (["export", "bundle", "flagship", "a.safetensors"], lambda d: d["format"] == "bundle"),
    ],
)
def test_a_document_of_every_verb(
    arguments: list[str], check: Callable[[Any], bool], tmp_path: Path
) -> None:
    document = as_json(*arguments, cwd=tmp_path)
    assert check(document), document
    if isinstance(document, dict) and "out" in document:
        assert (tmp_path / document["out"]).exists()


def test_documents_of_a_run(tmp_path: Path, keeps_baselines: None) -> None:
    trained = as_json("train", "mlp", *SMALL, "--out", "a", cwd=tmp_path)
    assert (trained["reason"], trained["images"]) == ("complete", 640)
    assert all((tmp_path / path).exists() for path in trained["written"].values())
    reference = as_npz(tmp_path / "reference.npz", small_reference())
    report = as_json("evaluate", "a", "--quick", "--reference", f"npz:{reference}", cwd=tmp_path)
    assert report["scores"]
    assert report["verdict"]
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    compared = as_json("compare", "a", "b", "--out", "c", cwd=tmp_path)
    assert all((tmp_path / path).exists() for path in compared["written"])


def test_an_error_leaves_stdout_empty(tmp_path: Path) -> None:
    done = inkgan("sample", "nothing", "--json", cwd=tmp_path)
    assert (done.code, done.stdout) == (1, "")


def test_json_has_no_infinity(capsys: pytest.CaptureFixture[str]) -> None:
    console.show_json({"a": float("nan"), "b": np.float32(2), "c": (Path("x"), np.arange(2))})
    assert json.loads(capsys.readouterr().out) == {"a": None, "b": 2.0, "c": ["x", [0, 1]]}


@pytest.mark.parametrize("width", [30, 60, 120])
def test_a_terminal_breaks_between_words(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    terminal = Console(file=stream, force_terminal=True, width=width, color_system=None)
    monkeypatch.setattr(console, "errors", terminal)
    path = "/a/long/path/that/nobody/can/break/because/it/is/to/be/copied.png"
    text = f"training: mlp on uci-digits, 1,500 images 28x28 gray, cpu (2 threads) {path} again"
    console.say(text)
    lines = stream.getvalue().splitlines()
    assert " ".join(" ".join(lines).split()) == text
    assert all(len(line) <= width or line.strip() == path for line in lines)


def test_control_characters_cannot_steer_the_terminal(tmp_path: Path) -> None:
    done = inkgan("sample", "no\x1b[2J\r\x07\u202ething", cwd=tmp_path)
    assert done.code == 1
    assert not set(done.stderr) & set("\x1b\r\x07\u202e")
    assert r"\x1b[2J\r\x07\u202e" in done.stderr


def test_deprecations_of_other_libraries_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    class OldName(UserWarning, DeprecationWarning):  # as pyparsing's, under an older matplotlib
        pass

    def invoke(self: object, context: object) -> None:
        warnings.warn("call it by its new name", OldName, stacklevel=1)
        warnings.warn("the disk is nearly full", UserWarning, stacklevel=1)

    monkeypatch.setattr(TyperCommand, "invoke", invoke)
    assert inkgan("version").stderr == "warning: the disk is nearly full\n"


def test_a_terminal_that_would_show_nothing_reads_that_a_command_is_loading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def shown(first: str, **kind: Any) -> str:
        stream = io.StringIO()
        monkeypatch.setattr(console, "errors", Console(file=stream, width=60, **kind))
        with console.first_word(1.0 if first else 0.02):
            if first:
                console.say(first)
            time.sleep(1.2 if first else 0.5)
        return stream.getvalue()

    assert "loading" in shown("", force_terminal=True)
    assert "loading" not in shown("training", force_terminal=True)
    assert shown("") == ""  # a pipe


def test_nouns() -> None:
    assert counted(1, "thread") == "1 thread"
    assert counted(0, "image") == "0 images"
    assert counted(1200, "class", "classes") == "1,200 classes"


@pytest.mark.parametrize(
    ("found", "called", "expected"),
    [
        ("/bin/inkgan", "/bin/inkgan", "inkgan"),
        (None, "/my env/bin/inkgan", "'/my env/bin/inkgan'"),
        (None, ".venv/bin/inkgan", ".venv/bin/inkgan"),
        (None, "/site-packages/inkgan/__main__.py", f"{shlex.quote(sys.executable)} -m inkgan"),
    ],
)
def test_what_is_proposed_is_found_by_the_shell(
    found: str | None, called: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the virtual environment is not activated."""
    monkeypatch.setattr(shutil, "which", lambda name: found)
    monkeypatch.setattr(sys, "argv", [called])
    assert program() == expected


def test_a_share_that_is_more_than_nothing_is_not_written_as_nothing() -> None:
    shares = {0: "0%", 1e-9: "less than 1%", 0.0049: "less than 1%", 0.0051: "1%", 1: "100%"}
    assert {share: percent(share) for share in shares} == shares
