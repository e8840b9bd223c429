"""What a terminal can show: nothing live, dots, 256 colors, all colors, or pictures."""

import contextlib
import os
import re
import select
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TextIO

Mode = Literal["braille", "256", "truecolor", "sixel", "kitty"]
ANSWER_SECONDS = 0.3  # that a terminal has for its answer
LEAST_COLUMNS, LEAST_LINES = 40, 14  # for a live view
# How large is a cell? What else can it do (DA1)? All terminals answer the second.
QUESTIONS = b"\x1b[16t\x1b[c"
# Terminals with kitty's graphics, by TERM or TERM_PROGRAM: asking prints rubbish on some others.
KITTY_TERMS = ("xterm-kitty", "xterm-ghostty")
KITTY_PROGRAMS = ("ghostty", "WezTerm")
LAST_ANSWER = re.compile(rb"\x1b\[\?([0-9;]*)c")
SIXEL = "4"  # among the attributes of DA1


@dataclass(frozen=True)
class Abilities:
    """What a terminal can show.

    Attributes:
        mode: the best way to show a picture.
        cell: pixels of a character cell, width and height; None where that is not known.
        colors: whether text may have colors.
    """

    mode: Mode
    cell: tuple[int, int] | None = None
    colors: bool = True


def find_abilities(
    stream: TextIO, size: tuple[int, int], color_system: str | None, environment: Mapping[str, str]
) -> Abilities | None:
    """Find out what a terminal can show; None where it can show no live view.

    Args:
        stream: that goes to the terminal, if it does.
        size: columns and lines.
        color_system: of rich: truecolor, 256, standard, windows or None.
        environment: variables of the process, such as TERM and NO_COLOR.
    """
    if not _is_terminal(stream) or environment.get("TERM", "") in ("dumb", "unknown"):
        return None
    if size[0] < LEAST_COLUMNS or size[1] < LEAST_LINES or not _shows_blocks(stream):
        return None
    if environment.get("NO_COLOR"):
        return Abilities("braille", colors=False)
    if color_system not in ("truecolor", "256"):
        return Abilities("braille", colors=False)
    if _has_kitty_graphics(environment):
        return Abilities("kitty")
    answer = ask(stream)
    cell = _cell(answer)
    last = LAST_ANSWER.search(answer)
    if last and SIXEL in last[1].decode().split(";")[1:] and cell:
        return Abilities("sixel", cell)
    return Abilities("truecolor" if color_system == "truecolor" else "256")


def _has_kitty_graphics(environment: Mapping[str, str]) -> bool:
    if environment.get("TMUX") or environment.get("STY"):  # these pass no pictures on
        return False
    return (
        "KITTY_WINDOW_ID" in environment
        or environment.get("TERM") in KITTY_TERMS
        or environment.get("TERM_PROGRAM") in KITTY_PROGRAMS
    )


def ask(stream: TextIO, seconds: float = ANSWER_SECONDS) -> bytes:
    """Ask a terminal what it can do, and return its answer; empty where it gives none in time.

    Only a terminal that this process may read is asked. Its settings are as before afterwards.
    """
    try:
        source = sys.stdin.fileno()
        if os.name == "nt" or not os.isatty(source) or not _is_in_front(source):
            return b""
    except (OSError, ValueError, AttributeError):  # no stdin
        return b""
    answer, end = b"", time.monotonic() + seconds
    with _unechoed(source):
        stream.flush()
        os.write(stream.fileno(), QUESTIONS)
        while not LAST_ANSWER.search(answer):
            left = end - time.monotonic()
            if left <= 0 or not select.select([source], [], [], left)[0]:
                break
            answer += os.read(source, 1024)
    return answer


@contextlib.contextmanager
def _unechoed(source: int) -> Iterator[None]:
    """Read keys as they come, and do not show them, inside the block."""
    import termios
    import tty

    before = termios.tcgetattr(source)
    try:
        tty.setcbreak(source, termios.TCSANOW)
        yield
    finally:
        termios.tcsetattr(source, termios.TCSANOW, before)


def _cell(answer: bytes) -> tuple[int, int] | None:
    """Return the pixels of a character cell that an answer names."""
    found = re.search(rb"\x1b\[6;(\d{1,3});(\d{1,3})t", answer)
    size = (int(found[2]), int(found[1])) if found else (0, 0)
    return size if min(size) > 1 else None


def _is_terminal(stream: TextIO) -> bool:
    try:
        number = stream.fileno()
        return os.isatty(number) and _is_in_front(number)
    except (OSError, ValueError):
        return False


def _is_in_front(number: int) -> bool:
    """Tell whether this process has the terminal, rather than run in the background."""
    return not hasattr(os, "tcgetpgrp") or os.tcgetpgrp(number) == os.getpgrp()


def _shows_blocks(stream: TextIO) -> bool:
    try:
        "▀▁━⣿".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
