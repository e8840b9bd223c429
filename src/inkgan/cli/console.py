"""What the command line prints: results on stdout, everything else on stderr."""

import contextlib
import io
import json
import math
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from inkgan.cli.translate import translate
from inkgan.printable import path_line, printable

above: list[Callable[[Callable[[], None]], None]] = []
"""What is called to print above a live view, while there is one."""

printed = threading.Event()
"""Set as soon as the running command has printed or drawn anything."""

# Text is never markup: a name such as "[red]" is shown as it is.
errors = Console(stderr=True, highlight=False, markup=False, emoji=False)
results = Console(highlight=False, markup=False, emoji=False)


def show(text: object = "") -> None:
    """Print a line of the result on stdout; a path remains one line, whatever its name."""
    _print(results, path_line(text) if isinstance(text, Path) else str(text))


def say(text: str) -> None:
    """Print a note on stderr; parameters in backticks become flags of the running command."""
    _print(errors, translate(text))


def warn(text: str) -> None:
    """Print a warning on stderr, in bold yellow where the terminal has colors."""
    _print(errors, translate(text), style="bold yellow")


@contextlib.contextmanager
def first_word(seconds: float = 0.8) -> Iterator[None]:
    """Say that a command is loading if a terminal has shown nothing for some time."""

    def say_loading() -> None:
        if not printed.is_set():
            _print(errors, "loading ...", style="dim")

    printed.clear()
    timer = threading.Timer(seconds, say_loading)
    timer.daemon = True
    if errors.is_terminal:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


def show_table(table: Any) -> None:
    """Print a table of rich on stdout."""
    printed.set()
    results.print(table)


def show_json(document: Any) -> None:
    """Print a document as JSON on stdout. Not-a-number and infinity become null."""
    printed.set()
    text = json.dumps(_plain(document), indent=2, ensure_ascii=False, allow_nan=False)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:  # no character may be lost: escape them
        text = json.dumps(_plain(document), indent=2, allow_nan=False)
    typer.echo(text)


def replace_unencodable() -> None:
    """Let stdout and stderr show "?" for characters that their encoding lacks."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _print(console: Console, text: str, style: str | None = None) -> None:
    """Print text; a terminal gets it wrapped between words, a pipe gets it as it is."""
    printed.set()
    text = printable(text)
    if console.is_terminal:
        text = "\n".join(_wrapped(line, console.width) for line in text.split("\n"))

    def write() -> None:
        console.print(text, style=style, soft_wrap=True)

    if above and console.is_terminal:
        above[-1](write)
    else:
        write()


def _wrapped(line: str, width: int) -> str:
    """Wrap a line with its indent; a word that is too long, such as a path, stays in one piece."""
    if len(line) <= width:
        return line
    indent = " " * (len(line) - len(line.lstrip()))
    return _fill(line.strip(), width, indent, indent)


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: plain numbers, lists, dictionaries with text keys."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, str | bool | int) or value is None:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # arrays and scalars of numpy
        return _plain(value.tolist())
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def show_list(rows: Mapping[str, str]) -> None:
    """Print names with their descriptions, aligned; a terminal gets hanging indents."""
    width = max(map(len, rows)) + 2
    room = results.width if results.is_terminal else 10_000
    for name, text in rows.items():
        show(_fill(text, max(room, width + 20), f"{name:{width}}", " " * width))


def show_paragraph(text: str, indent: str = "    ") -> None:
    """Print a paragraph as wide as the terminal, or 78 columns wide in a pipe."""
    show(_fill(text, results.width if results.is_terminal else 78, indent, indent))


def _fill(text: str, width: int, first: str, rest: str) -> str:
    return textwrap.fill(
        text,
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
