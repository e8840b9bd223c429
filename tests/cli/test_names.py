"""Flags: old names, the names and defaults of the Python functions."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import inkgan as library
from inkgan.cli import command
from inkgan.cli.evaluate_command import evaluate
from inkgan.cli.imitate_command import imitate
from inkgan.cli.morph_command import morph
from inkgan.cli.sample_command import sample
from inkgan.cli.synth_command import synth
from inkgan.cli.train_command import train
from inkgan.cli.write_command import write
from tests.cli.test_translate import COMMANDS
from tests.fixtures.command_line import inkgan


@pytest.mark.parametrize("path", command.FLAGS)
def test_old_flags_are_not_flags_any_more_and_new_ones_are(path: str) -> None:
    known = {name for parameter in COMMANDS[path].params for name in parameter.opts}
    for old, new in command.FLAGS[path].items():
        assert old not in known
        assert new in known
        args, notes = command.modern_flags(path, [old, "1", f"{old}=2", "--", old])
        assert args == [new, "1", f"{new}=2", "--", old]
        assert notes == [f"note: {old} is now {new}; the old name works for now"]


@pytest.mark.parametrize("old", command.COMMANDS)
def test_old_commands_are_accepted_with_a_note(old: str) -> None:
    done = inkgan(*old.split(), "--help")
    assert done.code == 0
    assert f"inkgan {command.COMMANDS[old]}" in done.stdout
    assert "the old name works for now\n" in done.stderr


def test_notes_go_to_stderr(tmp_path: Path) -> None:
    out = tmp_path / "a.png"
    done = inkgan("write", "20", "--hand", "7", "--out", out)
    assert (done.code, done.stdout) == (0, f"{out}\n")
    assert done.stderr == "note: --hand is now --writer; the old name works for now\n"


@pytest.mark.usefixtures("keeps_baselines")  # and calibrations of styles
@pytest.mark.parametrize(
    "arguments",
    [["-5"], ["--height", "64", "-5"], ["-5", "--slant", "-2"], ["--slant", "-2", "--", "-5"]],
)
def test_a_text_may_begin_with_a_minus_sign(arguments: list[str], tmp_path: Path) -> None:
    svg = tmp_path / "a.svg"
    done = inkgan("write", *arguments[:0], "--out", svg, *arguments)
    assert done.code == 0, done.stderr
    assert "<title>-5</title>" in svg.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "arguments",
    [
        ["sample", "nothing"],
        ["sample", "--from", "nothing"],
        ["sample", "--seeds", "1", "--from=nothing"],
        ["write", "12", "nothing"],
        ["write", "12", "--from", "nothing"],
        ["synth", "set", "nothing"],
        ["synth", "set", "--from", "nothing"],
        ["evaluate", "--from", "nothing"],
        ["export", "onnx", "--from", "nothing", "a.onnx"],
        ["export", "page", "a.html", "--from", "nothing"],
        ["morph", "3", "8", "--from", "nothing"],
    ],
)
def test_a_source_is_an_argument_or_a_flag(arguments: list[str], tmp_path: Path) -> None:
    done = inkgan(*arguments, cwd=tmp_path)
    assert done.code == 1
    assert "no run or bundle 'nothing'" in done.stderr


def test_two_sources_are_refused() -> None:
    done = inkgan("write", "12", "34", "--from", "flagship")
    assert done.code == 2
    assert "two sources, 34 and --from flagship" in done.stderr


# --- the same in Python ---

# Parameters of the commands without a counterpart in the function: they are about the terminal.
OF_THE_TERMINAL = {"force", "json", "from_", "live"}
# Parameters of the functions without a flag, and why: values for callers that are programs.
OF_PYTHON = {
    "progress",
    "download",
    "protocol",  # --quick, --stream
    "on_event",
    "should_stop",
    "threads",
    "style",
    "display",
    "clock",  # the benchmark chooses it
    "generator",
    "discriminator",
}
# Differences of names: of the command, and those that the function may have for it.
SAME = {
    "set_": ("overrides",),
    "walk": ("around",),
    "writer": ("hand",),
    "writers": ("hands", "hand"),
    "gray": ("grey",),
    "labels": ("digits",),
}


def both(one: Callable[..., Any], other: Callable[..., Any]) -> tuple[dict[str, Any], ...]:
    """Return the defaults of a command and of a function, by the command's names."""
    flags = {name: p.default for name, p in inspect.signature(one).parameters.items()}
    names = {name: p.default for name, p in inspect.signature(other).parameters.items()}
    for flag, others in SAME.items():
        for name in others:
            if flag in flags and flag not in names and name in names:
                names[flag] = names.pop(name)
    return flags, names


# What differs on purpose between a command and its function: value of the flag, of the parameter.
DIFFERENT: dict[str, dict[str, str]] = {
    "train": {
        "set_": "None and () are both no overrides",
    },
    "evaluate": {},
    "write": {
        "source": "an argument or --from, so None stands for flagship",
    },
    "synth": {
        "source": "an argument or --from, so None stands for flagship",
        "test_per_class": "text that is parsed",
    },
    "imitate": {"source": "None stands for flagship"},
    "morph": {
        "classes": "None stands for no classes",
        "source": "None stands for flagship",
        "height": "512 with --grid",
    },
}
# Flags that have no parameter of the same name in the function, and where they are found instead.
ELSEWHERE: dict[str, dict[str, str]] = {
    "train": dict.fromkeys(("address", "on", "seeds", "workers"), "`inkgan.train_seeds`"),
    "evaluate": {"quick": "protocol='quick'", "stream": "protocol='stream'", "json": ""},
    "write": {"out": "the result's save method"},
    "synth": {
        "backgrounds": "`inkgan.Sequences` and what it holds",
        "drift": "`inkgan.Sequences` and what it holds",
        "hands": "`inkgan.Sequences` and what it holds",
        "height": "`inkgan.Sequences` and what it holds",
        "length": "`inkgan.Sequences` and what it holds",
        "overlapping": "`inkgan.Sequences` and what it holds",
        "paper": "`inkgan.Sequences` and what it holds",
        "paper_kinds": "`inkgan.Sequences` and what it holds",
        "paper_strength": "`inkgan.Sequences` and what it holds",
        "pattern": "`inkgan.Sequences` and what it holds",
        "size_jitter": "`inkgan.Sequences` and what it holds",
        "spacing": "`inkgan.Sequences` and what it holds",
        "test_sequences": "`inkgan.Sequences` and what it holds",
        "texts": "`inkgan.Sequences` and what it holds",
        "tilt": "`inkgan.Sequences` and what it holds",
        "touching": "`inkgan.Sequences` and what it holds",
        "validation_sequences": "`inkgan.Sequences` and what it holds",
        "writers": "`inkgan.Sequences` and what it holds",
    },
    "imitate": {
        "text": "the result's write method",
        "out": "the result's write method",
        "height": "the result's write method",
        "ink": "the result's write method",
        "paper": "the result's write method",
        "jitter": "the result's write method",
        "compare": "the result's images",
    },
    "morph": {"out": "the result's save method", "grid": "style_grid"},
}
PAIRS: dict[str, tuple[Callable[..., Any], str]] = {
    "train": (train, "train"),
    "evaluate": (evaluate, "evaluate"),
    "write": (write, "write"),
    "synth": (synth, "synth"),
    "imitate": (imitate, "imitate"),
    "morph": (morph, "morph"),
}


@pytest.mark.parametrize("verb", PAIRS)
def test_defaults_are_those_of_the_functions(verb: str) -> None:
    one, name = PAIRS[verb]
    flags, names = both(one, getattr(library, name))
    for flag in flags.keys() & names.keys() - DIFFERENT[verb].keys():
        assert flags[flag] == names[flag], flag
    for flag in DIFFERENT[verb]:
        assert flags[flag] != names[flag], f"{flag} differs no more"
    assert flags.keys() - names.keys() - OF_THE_TERMINAL <= ELSEWHERE[verb].keys()
    unflagged = OF_PYTHON | ({"labels", "conditional"} if verb == "evaluate" else set())
    assert names.keys() - flags.keys() <= unflagged


def test_sample_has_the_names_of_the_method() -> None:
    flags, names = both(sample, library.Generator.sample)
    for flag in flags.keys() & names.keys() - {"seeds", "labels"}:  # texts that are parsed
        assert flags[flag] == names[flag], flag
    assert {"seeds", "labels", "latent_scale", "slant", "thickness", "width"} <= flags.keys()
