"""The live view of a run on a terminal: the fixed latents, curves, a sentence, the time left.

Drawing takes half a percent of the time at most: what takes longer, or a terminal that is slow, is
drawn less often.
"""

import io
import sys
import textwrap
import time
from collections.abc import Callable
from typing import NamedTuple, TextIO

import numpy as np
from PIL import Image

from inkgan.cli.live_region import LiveRegion, Size, terminal_size
from inkgan.cli.terminal import Abilities
from inkgan.cli.terminal_graphics import kitty, sixel
from inkgan.cli.text_pictures import RESET, braille, half_blocks, sparkline
from inkgan.cli.tile_layout import TileLayout, arrange, cut, fit_tiles
from inkgan.printable import printable
from inkgan.runs.events import Event, Finished, Started, Updated
from inkgan.runs.live_state import LiveState, PictureFeed, next_drawing, time_left
from inkgan.types import UInt8

LINES_ABOVE = 3  # of the terminal, left for messages
TWO_COLUMNS = 70  # from this width on, two curves are side by side
MOST_COLUMNS = 160  # of text: longer lines are hard to read
PICTURE_SIDE = 84  # pixels of a tile where the terminal shows pixels
BLUE, ORANGE, YELLOW = 75, 215, 220


class Curve(NamedTuple):
    """A sparkline: the metric, its label, the format of its value, its color and its range."""

    metric: str
    label: str
    form: str
    color: int
    bounds: tuple[float | None, float | None] = (None, None)


CURVES = (
    Curve("d_loss", "D loss", ".3f", BLUE),
    Curve("g_loss", "G loss", ".3f", ORANGE),
    Curve("d_real_accuracy", "right on real", ".0%", BLUE, (0.0, 1.0)),
    Curve("d_fake_accuracy", "right on fake", ".0%", ORANGE, (0.0, 1.0)),
)


class TerminalDisplay:
    """Shows a run in the last lines of a terminal.

    Args:
        abilities: of the terminal.
        minutes: the limit of the run, if there is one.
        stream: of the terminal; stderr if left out.
    """

    def __init__(
        self, abilities: Abilities, minutes: float | None, stream: TextIO | None = None
    ) -> None:
        stream = stream or sys.stderr
        self._abilities, self._state = abilities, LiveState(minutes)
        self._size: Callable[[], Size] = lambda: terminal_size(stream)
        self.region = LiveRegion(stream, self._size)
        self._feed: PictureFeed | None = None
        self._tiles: UInt8 | None = None
        self._in_row = 0
        self._drawn: tuple[Size, list[str], str] | None = None
        self._due = 0.0

    def take(self, event: Event) -> None:
        """Take in an event, and draw where something is due."""
        self._state.take(event)
        if isinstance(event, Started) and self._state.share < 1:
            self._feed = PictureFeed(event.run.path)
            self._feed.watch()
            self.draw()
        elif isinstance(event, Updated) and self._feed is not None:
            self._feed.watch()
            if time.perf_counter() >= self._due:
                self._draw_in_budget()
        elif isinstance(event, Finished) and self.region.is_drawn:
            self.draw()

    def print_above(self, write: Callable[[], None]) -> None:
        """Let a message be written above what is drawn."""
        self.region.erase()
        write()
        self.draw()

    def close(self) -> None:
        """Leave what is drawn; what follows is printed below."""
        self.region.restore()
        self._feed = None

    def draw(self) -> None:
        """Draw everything as it is now."""
        if self._feed is None:
            return
        self._look()
        size = self._size()
        text = self._text(min(size[0], MOST_COLUMNS))
        room = size[0], size[1] - LINES_ABOVE - len(text) - 2
        if self._drawn is None or self._drawn[0] != room:
            self._drawn = room, *self._picture(room)
        _, picture, graphics = self._drawn
        lines = [*picture, *([""] if picture else []), *text]
        self.region.draw(lines[-(size[1] - 1) :], graphics)

    def _draw_in_budget(self) -> None:
        started, written = time.thread_time(), self.region.seconds_writing
        self.draw()
        # on a busy computer the time that others take is not the cost of drawing, but a slow
        # terminal is
        cost = time.thread_time() - started + self.region.seconds_writing - written
        self._due = next_drawing(cost)

    # --- the picture ---

    def _look(self) -> None:
        """Read the newest picture, if there is a newer one."""
        news = self._feed.newest() if self._feed else None
        if news is None:
            return
        data, document = news
        try:
            with Image.open(io.BytesIO(data)) as image:
                picture = np.asarray(image)
            self._in_row = int(document["columns"])
            self._tiles = cut(picture, self._in_row, tuple(document["tile"]))
        except (OSError, ValueError, KeyError, TypeError):  # half a picture: the next one is whole
            return
        self._drawn = None

    def _picture(self, room: Size) -> tuple[list[str], str]:
        """Return the lines of the tiles, and the escapes of a picture over them."""
        if self._tiles is None:
            return [], ""
        mode = self._abilities.mode
        height, width = self._tiles.shape[1:3]
        sides = (width, height) if mode != "braille" else (max(1, width // 2), max(1, height // 2))
        layout = fit_tiles(room, len(self._tiles), self._in_row, sides)
        if layout is None:
            return [], ""
        if mode in ("kitty", "sixel"):
            return [""] * layout.total_height, self._pixels(layout)
        scale = (2, 4) if mode == "braille" else (1, 2)
        lines: list[str] = []
        for strip in arrange(self._tiles, layout, scale):
            if mode == "braille":
                lines += braille(strip)
            else:
                lines += half_blocks(strip, "256" if mode == "256" else "truecolor")
        return lines, ""

    def _pixels(self, layout: TileLayout) -> str:
        assert self._tiles is not None
        if self._abilities.mode == "kitty":
            each = max(1, PICTURE_SIDE // layout.width)
            strips = arrange(self._tiles, layout, (each, 2 * each))
            return kitty(np.concatenate(strips), layout.total_width, layout.total_height)
        cell = self._abilities.cell or (1, 2)
        by = max(1, min(cell) // 4)  # pixels of the terminal for each pixel of the picture
        strips = arrange(self._tiles, layout, (max(1, cell[0] // by), max(1, cell[1] // by)))
        return sixel(np.concatenate(strips), by)

    # --- the text ---

    def _text(self, columns: int) -> list[str]:
        lines = self._curves(columns)
        state = self._state
        sentence = textwrap.wrap(printable(state.sentence), columns - 1)
        lines += [self._color(line, YELLOW if state.is_troubled else None) for line in sentence[:3]]
        return [*lines, self._progress(columns)]

    def _curves(self, columns: int) -> list[str]:
        side_by_side = 2 if columns >= TWO_COLUMNS else 1
        each = (columns - 1) // side_by_side
        cells = []
        for curve in CURVES:
            values = self._state.curves[curve.metric]
            value = format(values[-1], curve.form) if values else ""
            head = f"{curve.label:<13} {value:>7} "
            bars = sparkline(values, each - len(head) - 2, *curve.bounds)
            cells.append(
                head + self._color(bars, curve.color) + " " * (each - len(head) - len(bars))
            )
        return [
            "".join(cells[place : place + side_by_side]).rstrip(" ")
            for place in range(0, len(cells), side_by_side)
        ]

    def _progress(self, columns: int) -> str:
        state = self._state
        speed = f"{state.speed:,.0f} images/s" if state.speed else ""
        words = [f"{state.share:4.0%}", f"epoch {state.epoch:.1f}", speed]
        text = "  ".join(filter(None, [*words, time_left(state.seconds_left)]))
        room = columns - len(text) - 3
        if room < 8:
            return text[: columns - 1]
        done = round(room * state.share)
        return f"{self._color('━' * done, BLUE)}{self._dim('━' * (room - done))} {text}"

    def _color(self, text: str, color: int | None) -> str:
        if not text or color is None or not self._abilities.colors:
            return text
        return f"\x1b[38;5;{color}m{text}{RESET}"

    def _dim(self, text: str) -> str:
        if not self._abilities.colors:
            return " " * len(text)
        return f"\x1b[38;5;240m{text}{RESET}"
