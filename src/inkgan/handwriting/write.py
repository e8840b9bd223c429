"""A written page: a text in one hand, as pixels or as curves."""

from dataclasses import dataclass
from pathlib import Path

from inkgan import files, images
from inkgan.errors import ConfigError
from inkgan.generation.load import GeneratorSource, open_generator
from inkgan.generation.style_control.style import FREE, Style
from inkgan.handwriting.colors import Colours, parse_colours
from inkgan.handwriting.layout import Line, lay_out
from inkgan.handwriting.raster import check_height, coverage
from inkgan.handwriting.svg import to_svg
from inkgan.handwriting.text import read_text
from inkgan.handwriting.writer import Hand, check_hand, origin
from inkgan.handwriting.writer_style import styled_hand
from inkgan.types import Progress, UInt8, silent

STEEPEST_DRIFT = 45.0  # degrees
ENDINGS = (".png", ".svg")


@dataclass(frozen=True)
class Page:
    """A line on paper.

    Attributes:
        line: characters in their places.
        colours: of ink and paper.
        height: of the picture in pixels.
        description: whose hand, of which generator.
    """

    line: Line
    colours: Colours
    height: int
    description: str

    def pixels(self) -> UInt8:
        """Return the picture (H, W), or (H, W, 3) in colour, or (H, W, 4) without paper."""
        outlines = [outline for _, outline in self.line.characters]
        return self.colours.paint(coverage(outlines, self.line.page, self.height))

    def svg(self) -> str:
        """Return the picture as SVG."""
        return to_svg(self.line, self.colours, self.height, self.description)

    def save(self, path: Path) -> None:
        """Write a .png or an .svg, whole or not at all; both say what it is and who drew it."""
        if path.suffix.lower() == ".svg":
            files.write_text(path, self.svg())
        else:
            notes = {"Title": self.line.text, "Description": self.description}
            images.save_png(path, self.pixels(), notes)


def compose(
    text: str,
    hand: int = 0,
    source: GeneratorSource = "flagship",
    *,
    height: int = 64,
    ink: str = "black",
    paper: str = "white",
    jitter: float = 0.5,
    slant_drift: float = 0.0,
    style: Style = FREE,
    device: str = "auto",
    progress: Progress = silent,
) -> Page:
    """Write a text; arguments and errors are those of `write`."""
    wanted, colours = check_page(text, height, ink, paper, jitter, slant_drift)
    check_hand(hand)
    generator = open_generator(source, device)
    writer = styled_hand(Hand(generator, hand), wanted, style, progress)
    line = lay_out(wanted, writer, jitter=jitter, slant_drift=slant_drift)
    return Page(line, colours, height, f"Hand {hand}{style} of {origin(generator)}")


def check_page(
    text: str, height: int, ink: str, paper: str, jitter: float, slant_drift: float
) -> tuple[str, Colours]:
    """Return the text to write and its colours.

    Raises:
        ConfigError: a value that cannot be.
    """
    check_height(height)
    if not 0 <= jitter <= 1:
        raise ConfigError(f"--jitter {jitter} is impossible; use 0 (regular) to 1 (restless)")
    if not abs(slant_drift) <= STEEPEST_DRIFT:
        raise ConfigError(
            f"--slant-drift {slant_drift} is impossible; use -{STEEPEST_DRIFT:g} to "
            f"{STEEPEST_DRIFT:g} degrees"
        )
    return read_text(text), parse_colours(ink, paper)


def write(
    text: str,
    hand: int = 0,
    source: GeneratorSource = "flagship",
    *,
    height: int = 64,
    ink: str = "black",
    paper: str = "white",
    jitter: float = 0.5,
    slant_drift: float = 0.0,
    slant: float | None = None,
    thickness: float | None = None,
    width: float | None = None,
    device: str = "auto",
) -> UInt8:
    """Write a number, a date or an amount in one hand.

    Args:
        text: digits, spaces and . , - / : in one line of at most 200 characters.
        hand: a seed; the same hand writes every digit, and the same picture every time.
        source: a conditional run, bundle or name, or a Generator.
        height: of the picture in pixels, 8 to 4096.
        ink: a colour's name, "#1a2b6d" or "rgb(26, 43, 109)".
        paper: a colour, or "transparent".
        jitter: 0 is regular, equal digits equal; 1 is restless.
        slant_drift: degrees that the last character leans further to the right than the first.
        slant: of each digit, in degrees from the vertical, positive for "/"; None as it comes.
        thickness: of each stroke, in pixels of the generator's images.
        width: of the ten digits on average, in the same pixels; a 1 stays narrower than a 0.
        device: auto, cpu, cuda, cuda:N or mps.

    Returns:
        uint8 (H, W) where ink and paper are grey, (H, W, 3) in colour, or (H, W, 4) without paper.

    Raises:
        ConfigError: a text, colour or size that cannot be, or a source that obeys no labels.
        ArtifactError: there is no such source.
    """
    return compose(
        text,
        hand,
        source,
        height=height,
        ink=ink,
        paper=paper,
        jitter=jitter,
        slant_drift=slant_drift,
        style=Style(slant, thickness, width),
        device=device,
    ).pixels()
