"""The command line: random flags and values for every verb, run in this process.

No input may train for longer than a step or draw more than a few images: counts are either small or
impossible. Files are only named inside the working folder, or where nothing can be written.
"""

import os
import re
from pathlib import Path
from random import Random
from typing import Any, Literal, get_args, get_origin

import typer

from inkgan.cli.command import FAILURE, USAGE_ERROR
from inkgan.cli.main import HINT, app
from inkgan.errors import InkganError
from tests.fixtures.command_line import Done, inkgan
from tests.fuzz.harness import LONGEST_MESSAGE, Reader, register

VERBS = (
    *("train", "sample", "write", "morph", "synth", "imitate", "evaluate", "compare", "benchmark"),
    *("version", "data", "data fetch", "recipes", "recipes show", "extractors", "extractors fit"),
    *("export bundle", "export onnx", "export page", "export hub"),
)
LONG = "x" * 5000
HOSTILE = (
    *("", " ", "-", "--", "-1", "0", "1e999", "-1e999", "nan", "inf", "1.5", "9" * 5000, "0x10"),
    *("1_0", "٣", "²", "+1", "true", "None", "[]", "{}", "[" * 500, "é", "\x1b[2J", "\u202e", "\n"),
    *("a\nb", "\ud800", "%s", "{0}", "'", '"', "$(id)", "`id`", "`epochs`", "*", "~", "9-1"),
    *("1-", "0:1", "1:0", ":", ",", ",,", "a,b", "1,2,3", "cuda:99999999999", "cuda:-1", "mps"),
    *("rgb(300,0,0)", "#12", "nothing/here", LONG, f"{LONG}.png", "folder:", "npz:x", "data:"),
)
SMALL = ("1", "2", "3")
VALUES = ("mlp", "0-3", "7,8", "2:3", "1-2", "red", "slant,width", "optim.lr=1")
FILES = (
    *("a.png", "b.svg", "c.npz", "d.gif", "e.html", "f.onnx", "g.safetensors", "h.md", "folder"),
    *("taken", "taken.png", "taken/file.png", "new/deep/a.png", "/proc/nothing/a.png", ".", "a."),
)
SOURCES = ("flagship", "mlp", "taken", "taken.png", "set.npz", "data:mnist", "data:uci-digits")
# Without these a command that has nothing against its flags would work for minutes.
SHORT = {
    "train": (
        *("--images", "32", "--minutes", "0.005", "--data", "uci-digits"),
        *("--set", "schedule.batch_size=32"),
    ),
    "synth": ("--per-class", "1"),
    "morph": ("--frames", "2", "--height", "32"),
    "extractors fit": ("--data-dir", "nowhere"),
    "evaluate": ("--data-dir", "nowhere", "--reference", "mnist"),
    "benchmark": ("--data-dir", "nowhere", "--reference", "mnist", "--recipes", "mlp"),
}


@register
class CommandLine(Reader):
    """One command: it works, or it is refused with one line and the right exit code."""

    name = "command-line"
    inputs, seconds = 25, 90.0

    def __init__(self) -> None:
        self.words: list[str] = ["version"]

    def prepare(self, folder: Path) -> None:
        """Put some files and folders in the way."""
        (folder / "taken").mkdir()
        (folder / "taken" / "file.png").write_bytes(b"mine")
        (folder / "taken.png").write_bytes(b"mine")

    def mutate(self, chance: Random, folder: Path) -> str:
        """Make up a command."""
        self.words = make_up(chance)
        return repr([word[:100] for word in self.words])

    def read(self, folder: Path) -> Done:
        """Run it."""
        done = inkgan(
            *self.words,
            cwd=folder,
            INKGAN_DATA=str(folder),
            INKGAN_OFFLINE="1",
            HF_HUB_OFFLINE="1",
            INKGAN_CACHE=os.environ.get("INKGAN_CACHE", str(folder / "cache")),
        )
        assert "Traceback" not in done.stderr
        assert HINT not in done.stderr, done.stderr[-LONGEST_MESSAGE:]
        kept = [(folder / name).read_bytes() == b"mine" for name in ("taken.png", "taken/file.png")]
        assert all(kept) or "--force" in self.words
        if done.code in (FAILURE, USAGE_ERROR):
            last = done.stderr.splitlines()[-1]
            assert last.startswith("inkgan: "), last
            assert not re.search(r"\b[A-Z]\w+Error\b", last), last
            assert done.stdout == ""
            raise InkganError(last)
        assert done.code == 0, done.code
        return done

    def check(self, value: Done, intact: Done, warned: bool) -> None:
        """What it prints cannot steer a terminal."""
        assert not set(value.stdout + value.stderr) & set("\x1b\r\x07\u202e")


def make_up(chance: Random) -> list[str]:
    """Make up the words of a command behind the program's name."""
    path = chance.choice(VERBS)
    command = _find(path)
    words: list[str] = []
    given: set[str] = set()
    arguments: list[str] = []
    for parameter in command.params:
        if parameter.name in ("help", "push"):
            continue
        if parameter.param_type_name == "argument":
            if chance.random() < (0.95 if parameter.required else 0.4):
                arguments += [_value(chance, parameter) for _ in range(chance.choice((1, 1, 1, 2)))]
        elif chance.random() < 0.2:
            flag = chance.choice([*parameter.opts, *parameter.secondary_opts])
            given.add(flag)
            words.append(flag)
            if not getattr(parameter, "is_flag", False):
                words.append(_value(chance, parameter))
    rest = SHORT.get(path, ())
    for flag, value in zip(rest[::2], rest[1::2], strict=True):
        if flag not in given and not (flag == "--per-class" and "--sequences" in given):
            words += [flag, value]
    mixed = [*words, *arguments] if chance.random() < 0.5 else [*arguments, *words]
    if chance.random() < 0.03:
        mixed.insert(chance.randrange(len(mixed) + 1), chance.choice(("--nonsense", *HOSTILE)))
    return [*path.split(), *mixed]


def _find(path: str) -> Any:
    command: Any = typer.main.get_command(app)
    for word in path.split():
        command = command.commands[word]
    return command


def _value(chance: Random, parameter: Any) -> str:
    """Choose a value that is either hostile or small."""
    kind, name = parameter.type_descriptor.annotation, str(parameter.name)
    if chance.random() < 0.35:
        return chance.choice(HOSTILE)
    if get_origin(kind) is Literal:
        return str(chance.choice(get_args(kind)))
    if kind in (int, float):
        return chance.choice(SMALL)
    if name in ("source", "from_", "runs", "also"):
        return chance.choice(SOURCES)
    if name in ("out", "page", "compare", "pictures", "data_dir"):
        return chance.choice(FILES)
    return chance.choice(
        (*SMALL, "mlp", "0-3", "7,8", "2:3", "1-2", "red", "slant,width", "optim.lr=1")
    )
