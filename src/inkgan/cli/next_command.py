"""What a command proposes to type next, for people at a terminal."""

import itertools
import os
from collections.abc import Mapping
from pathlib import Path

from inkgan.cli import console
from inkgan.cli.command import program
from inkgan.printable import path_line, printable, shell_words

DEFAULT_SOURCE = "flagship"
# How `--data` names a data set of each format that training reads.
TRAINABLE: Mapping[str, str] = {"idx": "idx:{}", "imagefolder": "folder:{}", "png": "folder:{}"}


def propose(*words: object) -> None:
    """Name the next useful command on stderr. A pipe or a file gets nothing.

    Args:
        words: of the command without the program's name; they are quoted for a shell.
    """
    propose_text(f"{program()} {shell_words(*words)}")


def propose_text(text: str) -> None:
    """Name the next useful step on stderr, on one line so that it can be copied."""
    if console.errors.is_terminal:
        console.errors.print(f"Next: {printable(text)}", soft_wrap=True)


def after_sample(source: str, conditional: bool) -> None:
    """Propose to write with a generator that draws the digit that one names, or to evaluate it."""
    if not conditional:
        propose("evaluate", source, "--quick")
        return
    out = unused(Path("date.svg"))
    propose("write", "2026-11-26", *_from(source), "--writer", 7, "--out", out)


def after_write(source: str, writer: int) -> None:
    """Propose an animation in the same handwriting."""
    out = unused(Path("morph.gif"))
    propose("morph", 3, 8, *_from(source), "--writer", writer, "--out", out)


def after_synth(out: str, file_format: str) -> None:
    """Propose to train on a data set of single digits, or to read how others do."""
    if file_format in TRAINABLE:
        data = TRAINABLE[file_format].format(out)
        propose("train", "vanilla", "--data", data, "--out", unused(Path("runs/vanilla")))
    else:
        card = f"{path_line(out)}/README.md"
        propose_text(f"{card} says what is in the files and how programs read them")


def after_evaluate(source: str) -> None:
    """Propose to use a generator of inkgan, or to evaluate the shipped one beside other images."""
    is_made_here = Path(source).suffix.lower() in ("", ".safetensors") and ":" not in source
    if is_made_here and not _holds_pictures(Path(source)):
        propose("export", "page", source, unused(Path("digits.html")))
    else:
        propose("evaluate", DEFAULT_SOURCE, "--quick")


def unused(path: Path) -> Path:
    """Return the path itself, or one like it with a number behind, where nothing exists."""
    numbered = (path.with_stem(f"{path.stem}-{number}") for number in itertools.count(2))
    return next(each for each in itertools.chain([path], numbered) if not os.path.lexists(each))


def _from(source: str) -> list[str]:
    return [] if source == DEFAULT_SOURCE else ["--from", source]


def _holds_pictures(path: Path) -> bool:
    return path.is_dir() and not (path / "recipe.toml").exists()
