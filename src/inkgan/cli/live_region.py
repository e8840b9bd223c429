"""The last lines of a terminal, drawn again in place while messages scroll above them.

No mode of the terminal stays changed between two drawings: line wrapping and the cursor are off
during one write and on again at its end. Nothing has to be restored, except where a write was cut.
"""

import os
import re
import time
from collections.abc import Callable, Sequence
from typing import TextIO

BEGIN = "\x1b[?2026h\x1b[?25l\x1b[?7l"  # one picture on the screen, no cursor, no wrapping
END = "\x1b[?7h\x1b[?25h\x1b[?2026l"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
Size = tuple[int, int]
"""Columns and lines."""


class LiveRegion:
    """Lines at the bottom of the text that a terminal shows.

    Args:
        stream: of the terminal.
        size: returns the size of the terminal now.
    """

    def __init__(self, stream: TextIO, size: Callable[[], Size]) -> None:
        self._stream, self._size = stream, size
        self._lines: list[str] = []
        self._graphics = ""
        self._columns = 0
        self._is_writing = False
        self.seconds_writing = 0.0

    def draw(self, lines: Sequence[str], graphics: str = "", at: int = 0) -> None:
        """Replace the region.

        Args:
            lines: of text with colors, at most as wide as the terminal.
            graphics: escapes that draw a picture from the beginning of a line on.
            at: that line.
        """
        up = self._height_now()
        same = self._lines if self._columns == self._size()[0] and up == len(self._lines) else []
        parts = [BEGIN, f"\x1b[{up}A" if up else "", "\r"]
        for place, line in enumerate(lines):
            is_same = place < len(same) and same[place] == line
            parts.append("\n" if is_same else f"{line}\x1b[K\n")
        parts.append("\x1b[J")
        if graphics and (graphics != self._graphics or not same):
            parts.append(f"\x1b7\x1b[{len(lines) - at}A\r{graphics}\x1b8")
        self._write("".join(parts) + END)
        self._lines, self._columns, self._graphics = list(lines), self._size()[0], graphics

    def erase(self) -> None:
        """Remove the region; what is printed next stands in its place."""
        up = self._height_now()
        if up:
            self._write(f"{BEGIN}\x1b[{up}A\r\x1b[J{END}")
        self._lines = []

    def leave(self) -> None:
        """Let the lines stand as they are; what is printed next comes below."""
        self._lines = []

    def restore(self) -> None:
        """End a drawing that was cut short, by Ctrl-C for instance."""
        if self._is_writing:
            self._write(f"\x1b[0m\r\n\x1b[J{END}")
        self._lines = []

    @property
    def is_drawn(self) -> bool:
        """Whether there is anything to draw again."""
        return bool(self._lines)

    def _height_now(self) -> int:
        """Return how many lines the region takes: a narrower terminal has wrapped its lines."""
        columns, lines = self._size()
        if columns >= self._columns:
            height = len(self._lines)
        else:
            height = sum(max(1, -(-visible_width(line) // columns)) for line in self._lines)
        return min(height, lines - 1)

    def _write(self, text: str) -> None:
        before = time.perf_counter()
        self._is_writing = True
        self._stream.write(text)
        self._stream.flush()
        self._is_writing = False
        self.seconds_writing += time.perf_counter() - before


def visible_width(line: str) -> int:
    """Return the columns of a line with escapes."""
    return len(ESCAPES.sub("", line))


def terminal_size(stream: TextIO) -> Size:
    """Return columns and lines of a terminal; COLUMNS and LINES have precedence."""
    try:
        size = os.get_terminal_size(stream.fileno())
        known = (size.columns or 80, size.lines or 24)
    except (OSError, ValueError):
        known = (80, 24)
    given = (os.environ.get("COLUMNS", ""), os.environ.get("LINES", ""))
    columns, lines = (
        int(text) if text.isdecimal() and int(text) > 0 else measured
        for text, measured in zip(given, known, strict=True)
    )
    return columns, lines
