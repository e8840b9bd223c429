"""Consoles of other languages, and values that no command can take: one line, no traceback."""

import io
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inkgan.cli.main import main
from inkgan.generation.load import load
from tests.fixtures.command_line import inkgan

NAME = "é漢字Ж±.png"
ENCODINGS = ("cp932", "cp949", "cp1251", "cp437", "ascii", "latin-1", "utf-8")
LONG = "x" * 5000


def in_console(encoding: str, *arguments: str, cwd: Path) -> tuple[int, bytes, bytes]:
    """Run a command on streams of an encoding, as pipes are on Windows: code, stdout, stderr."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd)
        pipes = io.BytesIO(), io.BytesIO()
        for name, pipe in zip(("stdout", "stderr"), pipes, strict=True):
            patch.setattr(sys, name, io.TextIOWrapper(pipe, encoding=encoding, errors="strict"))
        with pytest.raises(SystemExit) as end:
            main(arguments)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        out, err = (pipe.getvalue() for pipe in pipes)
    assert isinstance(end.value.code, int)
    return end.value.code, out, err


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_characters_that_the_console_lacks_are_replaced(encoding: str, tmp_path: Path) -> None:
    code, out, err = in_console(encoding, "write", "20", "--out", NAME, cwd=tmp_path)
    assert (code, err) == (0, b"")
    assert out.strip() == NAME.encode(encoding, "replace")
    assert (tmp_path / NAME).exists()
    code, _, err = in_console(encoding, "sample", NAME + "/Ω", cwd=tmp_path)
    assert code == 1
    assert err.startswith(b"inkgan: ")
    assert b"Error" not in err


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_json_escapes_them(encoding: str, tmp_path: Path) -> None:
    _, out, _ = in_console(encoding, "write", "20", "--out", NAME, "--json", cwd=tmp_path)
    assert json.loads(out.decode(encoding))["out"] == NAME


@pytest.mark.skipif(sys.platform != "linux", reason="file names are Unicode elsewhere")
def test_file_names_that_are_no_text(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff.png")
    for more in ([], ["--json"]):
        line = ("write", "20", "--out", name, "--force", *more)
        code, out, err = in_console("utf-8", *line, cwd=tmp_path)
        assert code == 0, err
    assert json.loads(out)["out"] == name


@pytest.mark.parametrize("encoding", ["cp932", "ascii"])
@pytest.mark.parametrize("arguments", [["--help"], ["data"], ["recipes", "show", "flagship"]])
def test_texts_of_every_kind(encoding: str, arguments: list[str], tmp_path: Path) -> None:
    code, _, err = in_console(encoding, *arguments, cwd=tmp_path)
    assert (code, err) == (0, b"")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "mlp", "--threads", "99999"], "--threads must be from 1 to 1,024, not 99999"),
        (["write", "20", "--device", "cuda:99999999999"], "--device cuda:99999999999: torch"),
        (["write", "20", "--device", "cuda:" + "9" * 5000], "--device cuda:9999"),
        (["write", "20", "--device", "cuda:00"], "--device 'cuda:00' is unknown"),
        (["write", "20", "--ink", "rgb(300,0,0)"], "--ink 'rgb(300,0,0)' is no color"),
        (["write", "20", "--paper", "hsl(0,999%,50%)"], "--paper 'hsl(0,999%,50%)' is no color"),
        (["sample", "--seeds", "9" * 5000], "is impossible"),
        (["sample", "--seeds", f"0-{'9' * 5000}"], "is impossible"),
        (["sample", "--seeds", "0-99999999999"], "more than 1,000,000 seeds"),
        (["write", "20", "--out", f"{LONG}.png"], "File name too long"),
        (["write", "20", "--from", LONG], "..."),
        (["sample", LONG], "..."),
        (["sample", "--out", LONG], "File name too long"),
        (["morph", "3", "8", "--out", f"{LONG}.gif"], "File name too long"),
        (["imitate", f"{LONG}.png"], "File name too long"),
        (["synth", LONG, "--per-class", "1"], "File name too long"),
        (["evaluate", LONG], "..."),
        (["compare", LONG, LONG], "..."),
        (["export", "onnx", "flagship", f"{LONG}.onnx"], "File name too long"),
        (["train", LONG], "..."),
        (["train", "mlp", "--out", LONG], "File name too long"),
        (["recipes", "show", LONG], "..."),
    ],
)
def test_impossible_values_end_in_one_short_line(
    arguments: list[str], words: str, tmp_path: Path
) -> None:
    done = inkgan(*arguments, cwd=tmp_path, HF_HUB_OFFLINE="1")
    assert done.code in (1, 2)
    assert words in done.stderr
    assert done.stderr.startswith("inkgan: ")
    assert done.stderr.count("\n") == 1
    assert len(done.stderr) < 2000
    assert "Error" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="symbolic links need rights on Windows")
@pytest.mark.parametrize(
    "arguments",
    [
        ["write", "20", "--out", "dead.png"],
        ["write", "20", "--out", "dead.svg", "--force"],
        ["sample", "--labels", "3", "--out", "dead.npz"],
        ["sample", "--labels", "3", "--out", "dead"],
        ["morph", "3", "8", "--out", "dead.gif"],
        ["export", "page", "flagship", "dead.html"],
        ["export", "hub", "flagship", "dead"],
        ["synth", "dead", "--per-class", "1"],
        ["train", "mlp", "--data", "uci-digits", "--images", "64", "--out", "dead"],
        ["benchmark", "--recipes", "mlp", "--quick", "--page", "dead.md"],
    ],
)
def test_a_link_that_leads_nowhere_is_refused_and_stays(
    arguments: list[str], tmp_path: Path
) -> None:
    name = next(word for word in arguments if word.startswith("dead"))
    (tmp_path / name).symlink_to("gone")
    done = inkgan(*arguments, cwd=tmp_path)
    assert done.code == 1
    assert done.stderr.startswith(f"inkgan: cannot write {name}: it is a link to gone, which does")
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir() if path.name != "runs"] == [name]
    assert (tmp_path / name).is_symlink()


def test_missing_data_name_only_options_that_the_command_has(tmp_path: Path) -> None:
    nowhere = {"INKGAN_DATA": str(tmp_path / "none"), "INKGAN_CACHE": str(tmp_path / "cache")}
    ways = {}
    for words in (["evaluate", "flagship", "--quick"], ["train", "dcgan", "--out", "x"]):
        done = inkgan(*words, cwd=tmp_path, INKGAN_OFFLINE="1", **nowhere)
        assert done.code == 1
        assert "name its parent with --data-dir or INKGAN_DATA" in done.stderr
        ways[words[0]] = "--data uci-digits" in done.stderr
    assert ways == {"evaluate": False, "train": True}


@pytest.mark.parametrize("text", ["-5", "-5,5", "-.5"])
def test_a_number_may_be_negative(text: str, tmp_path: Path) -> None:
    done = inkgan("write", text, "--writer", 3, "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["text"] == text


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_that_are_no_utf8(tmp_path: Path) -> None:
    """As archives of older systems have them: classes are read, what cannot be is one line."""
    name = os.fsdecode(b"caf\xe9")
    random = np.random.default_rng(0)
    for each in (name, "b"):
        (tmp_path / "set" / each).mkdir(parents=True)
        for number in range(20):
            pixels = random.integers(0, 255, (12, 12)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "set" / each / f"{number}.png")
    words = ("train", "mlp", "--images", "64", "--set", "schedule.batch_size=32")
    widths = [f"--set=model.{half}.widths=[8]" for half in ("generator", "discriminator")]
    done = inkgan(*words, *widths, "--data", "folder:set", "--out", "a", cwd=tmp_path)
    assert done.code == 0, done.stderr
    assert load(tmp_path / "a").bundle.classes == ("b", r"caf\xe9")
    for more, said in (
        (("--out", name), r"--out caf\xe9 is not UTF-8 text; choose another name"),
        (("--set", f"notes={name}"), r"inkgan: notes=caf\xe9 is not UTF-8 text"),
        (("--seeds", "0-1", "--out", name), r"--out caf\xe9 is not UTF-8 text"),
    ):
        done = inkgan(*words, "--data", "uci-digits", *more, cwd=tmp_path)
        assert done.code in (1, 2)
        assert said in done.stderr.splitlines()[-1], done.stderr
