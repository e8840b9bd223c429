"""Writes a number, a date or an amount in one handwriting."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, SupportsIndex

import numpy as np

from inkgan import files, images
from inkgan.errors import ConfigError
from inkgan.generation.load import GeneratorSource, open_generator
from inkgan.generation.style_control.style import Style
from inkgan.handwriting.colors import Colors, parse_colors
from inkgan.handwriting.layout import LineLayout, lay_out
from inkgan.handwriting.raster import check_height, coverage
from inkgan.handwriting.svg import to_svg
from inkgan.handwriting.text import read_text
from inkgan.handwriting.writer import Writer, as_hand, origin
from inkgan.handwriting.writer_style import styled_writer
from inkgan.types import Progress, UInt8, silent

STEEPEST_DRIFT = 45.0  # degrees
ENDINGS = (".png", ".svg")
HEIGHT, INK, PAPER, JITTER, SLANT_DRIFT = 128, "black", "white", 0.5, 0.0  # defaults everywhere


@dataclass(frozen=True)
class LineOptions:
    """How a line is laid out and colored.

    Attributes:
        height: of the picture in pixels, 8 to 4096.
        ink: a color's name, "#1a2b6d" or "rgb(26, 43, 109)".
        paper: a color, or "transparent".
        jitter: 0 is regular, equal digits equal; 1 is restless.
        slant_drift: degrees that the last character leans further to the right than the first.
    """

    height: int = HEIGHT
    ink: str = INK
    paper: str = PAPER
    jitter: float = JITTER
    slant_drift: float = SLANT_DRIFT

    @property
    def colors(self) -> Colors:
        """The colors of ink and paper."""
        return parse_colors(self.ink, self.paper)

    def check(self) -> None:
        """Refuse impossible values before work starts.

        Raises:
            ConfigError: names the parameter.
        """
        check_height(self.height)
        if not 0 <= self.jitter <= 1:
            raise ConfigError(
                f"`jitter` must be from 0 (regular) to 1 (restless), not {self.jitter}"
            )
        if not abs(self.slant_drift) <= STEEPEST_DRIFT:
            raise ConfigError(
                f"`slant_drift` must be from -{STEEPEST_DRIFT:g} to {STEEPEST_DRIFT:g} degrees, "
                f"not {self.slant_drift}"
            )
        parse_colors(self.ink, self.paper)


@dataclass(frozen=True)
class WrittenLine:
    """A written line; it shows itself in a notebook.

    Attributes:
        layout: the characters in their places.
        colors: of ink and paper.
        height: of the picture in pixels.
        description: the writer and the generator, in words.

    Examples:
        >>> line = inkgan.write("2026-11-26", hand=7)
        >>> line.save("date.svg")
        >>> line.to_array().shape[0]
        128
    """

    layout: LineLayout
    colors: Colors
    height: int
    description: str

    @property
    def text(self) -> str:
        """What is written."""
        return self.layout.text

    @cached_property
    def _pixels(self) -> UInt8:
        outlines = [outline for _, outline in self.layout.characters]
        return self.colors.paint(coverage(outlines, self.layout.page, self.height))

    def to_array(self) -> UInt8:
        """Return the picture.

        Returns:
            uint8 (H, W) where ink and paper are gray, (H, W, 3) in color, or (H, W, 4) without
            paper.
        """
        return self._pixels.copy()

    def to_svg(self) -> str:
        """Return the picture as an SVG document."""
        return to_svg(self.layout, self.colors, self.height, self.description)

    def to_dict(self) -> dict[str, Any]:
        """Return the text, the size, and each character with its box (left, top, right, bottom).

        Boxes are of the ink, in pixels of the picture.
        """
        page = self.layout.page
        scale = self.height / page.height
        corner = np.array([page.left, page.top] * 2)
        return {
            "text": self.text,
            "height": self.height,
            "width": self._pixels.shape[1],
            "description": self.description,
            "characters": [
                {
                    "character": character,
                    "box": ((np.array(outline.bounds) - corner) * scale).round(2).tolist(),
                }
                for character, outline in self.layout.characters
            ],
        }

    def save(self, path: str | Path) -> None:
        """Write a .png or an .svg with its text and description, whole or not at all.

        Raises:
            ConfigError: another ending.
        """
        path = Path(path)
        ending = path.suffix.lower()
        if ending not in ENDINGS:
            raise ConfigError(f"`path` {path}: the ending must be {' or '.join(ENDINGS)}")
        if ending == ".svg":
            files.write_text(path, self.to_svg())
        else:
            notes = {"Title": self.text, "Description": self.description}
            images.save_png(path, self._pixels, notes)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Return `to_array`, for numpy."""
        return np.asarray(self.to_array(), dtype)

    def __repr__(self) -> str:
        return f"<WrittenLine {self.text!r}, {self.height} pixels high: {self.description}>"

    def _repr_svg_(self) -> str:
        return self.to_svg()

    def _repr_png_(self) -> bytes:
        return images.png_bytes(self._pixels)


def write(
    text: object,
    hand: SupportsIndex = 0,
    source: GeneratorSource = "flagship",
    *,
    height: int = HEIGHT,
    ink: str = INK,
    paper: str = PAPER,
    jitter: float = JITTER,
    slant_drift: float = SLANT_DRIFT,
    slant: float | None = None,
    thickness: float | None = None,
    width: float | None = None,
    device: str = "auto",
    progress: Progress = silent,
) -> WrittenLine:
    """Write a number, a date or an amount in one handwriting.

    Args:
        text: a text, number or date: digits, spaces and . , - / : in one line of at most 200
            characters.
        hand: the seed of the writer, a whole number from 0; the same writer always writes the same
            picture.
        source: a conditional run, bundle or name, or a generator.
        height: of the picture in pixels, 8 to 4096.
        ink: a color's name, "#1a2b6d" or "rgb(26, 43, 109)".
        paper: a color, or "transparent".
        jitter: 0 is regular, equal digits equal; 1 is restless.
        slant_drift: degrees that the last character leans further to the right than the first.
        slant: of each digit, in degrees from the vertical, positive for "/"; None as it comes.
        thickness: of each stroke, in pixels of the generator's images.
        width: of the ten digits on average, in the same pixels; a 1 stays narrower than a 0.
        device: auto, cpu, cuda, cuda:N or mps.
        progress: called as `progress(what, done, total)` during long work.

    Returns:
        The written line: `.save(path)`, `.to_array()`, `.to_svg()`, `.to_dict()`.

    Raises:
        ConfigError: a value that is not possible, or a source that takes no labels.
        ArtifactError: there is no such source.

    Examples:
        >>> inkgan.write(2026, hand=7, ink="navy").save("year.png")
    """
    options = LineOptions(height, ink, paper, jitter, slant_drift)
    options.check()
    content, seed = read_text(str(text)), as_hand(hand)
    style = Style(slant, thickness, width)
    generator = open_generator(source, device)
    writer = styled_writer(Writer(generator, seed), content, style, progress)
    return write_line(content, writer, options, f"Hand {seed}{style} of {origin(generator)}")


def write_line(text: str, writer: Writer, options: LineOptions, description: str) -> WrittenLine:
    """Write a text that `read_text` has passed with a writer that exists already."""
    layout = lay_out(text, writer, jitter=options.jitter, slant_drift=options.slant_drift)
    return WrittenLine(layout, options.colors, options.height, description)
