"""One digit that turns into another, and walks through hands."""

from collections.abc import Sequence

import numpy as np

from inkgan.errors import ConfigError
from inkgan.generation.interpolation import length, plan
from inkgan.generation.load import GeneratorSource, open_generator
from inkgan.generation.sampling import CHUNK
from inkgan.handwriting.animation import Film, durations
from inkgan.handwriting.colors import parse_colours
from inkgan.handwriting.contact_sheet import draw_sheet
from inkgan.handwriting.raster import MOST_PIXELS, check_height
from inkgan.handwriting.writer import check_hand
from inkgan.types import Progress, UInt8, silent

MOST_FRAMES = 1000  # of a film, and from one stop to the next
REST = 0.5  # seconds more at a stop from which the film goes back


def make_film(
    classes: Sequence[str],
    hands: Sequence[int] = (0,),
    source: GeneratorSource = "flagship",
    *,
    around: bool = False,
    frames: int = 24,
    seconds: float = 1.0,
    height: int = 256,
    ink: str = "black",
    paper: str = "white",
    grey: bool = False,
    device: str = "auto",
    progress: Progress = silent,
) -> Film:
    """Film a way between classes and hands.

    The arguments are those of `morph`; `seconds` is the time from one stop to the next, and
    `progress` is told how many pictures are drawn.
    """
    colours = parse_colours(ink, paper)
    count = length(max(len(classes), len(hands)), frames, around)
    check_film(hands, frames, seconds, height, count)
    generator = open_generator(source, device)
    route = plan(generator, classes, hands, frames=frames, around=around)
    drawn: list[UInt8] = []
    for start in range(0, count, CHUNK):
        part = slice(start, start + CHUNK)
        weights = None if route.weights is None else route.weights[part]
        for picture in generator.render(route.latents[part], weights):
            drawn.append(draw_sheet(picture[None], 1, height, grey))
            progress("drawing", len(drawn), count)
    rest = 0.0 if around else REST
    return Film(np.stack(drawn), durations(route.stops, frames, seconds, rest), colours)


def morph(
    classes: Sequence[str],
    hands: Sequence[int] = (0,),
    source: GeneratorSource = "flagship",
    *,
    around: bool = False,
    frames: int = 24,
    height: int = 256,
    ink: str = "black",
    paper: str = "white",
    grey: bool = False,
    device: str = "auto",
) -> UInt8:
    """Turn one digit into another, or one hand into another.

    The stops are classes in hands; where one of either is given it stays the same, as in
    morph("38") or morph("5", hands=[1, 2, 3], around=True). Latents go along arcs, labels along
    straight lines.

    Args:
        classes: names of classes; a string of digits will do. Empty for an unconditional source.
        hands: seeds.
        source: a run, bundle or name, or a Generator.
        around: from the last stop on to the first; otherwise back the same way.
        frames: pictures from one stop to the next.
        height: of each picture in pixels; they are square.
        ink: a colour.
        paper: a colour, or "transparent".
        grey: the generator's own grey levels, enlarged, in place of clean ink.
        device: auto, cpu, cuda, cuda:N or mps.

    Returns:
        uint8 (n, H, W), (n, H, W, 3) in colour, or (n, H, W, 4) without paper.

    Raises:
        ConfigError: fewer than two stops, or a value that cannot be.
        ArtifactError: there is no such source.
    """
    film = make_film(
        classes,
        hands,
        source,
        around=around,
        frames=frames,
        height=height,
        ink=ink,
        paper=paper,
        grey=grey,
        device=device,
    )
    return film.colours.paint(film.coverage)


def check_film(hands: Sequence[int], frames: int, seconds: float, height: int, count: int) -> None:
    """Refuse what cannot be filmed, before work starts."""
    for hand in hands:
        check_hand(hand)
    check_height(height)
    if not 1 <= frames <= MOST_FRAMES:
        raise ConfigError(f"--frames {frames} is impossible; use 1 to {MOST_FRAMES}")
    if not 0.02 <= seconds <= 60:
        raise ConfigError(f"--seconds {seconds:g} is impossible; use 0.02 to 60")
    if count > MOST_FRAMES or count * height**2 > MOST_PIXELS:
        raise ConfigError(
            f"{count:,} pictures of {height} x {height} pixels are too many (at most "
            f"{MOST_FRAMES:,}, and {MOST_PIXELS:,} pixels); take fewer --frames or less "
            "--height"
        )
