"""One digit that turns into another, and walks through handwritings."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from inkgan.errors import ConfigError
from inkgan.generation.arguments import Seeds
from inkgan.generation.interpolation import path_length, plan_path
from inkgan.generation.load import GeneratorSource, open_generator
from inkgan.generation.protocols import GeneratorLike
from inkgan.generation.sampling import CHUNK
from inkgan.handwriting.animation import Animation, durations
from inkgan.handwriting.colors import Colors, parse_colors
from inkgan.handwriting.contact_sheet import draw_sheet
from inkgan.handwriting.raster import MOST_PIXELS, check_height
from inkgan.handwriting.write import INK, PAPER
from inkgan.handwriting.writer import as_hands, origin
from inkgan.types import Progress, UInt8, silent

MOST_FRAMES = 1000  # of an animation, and from one stop to the next
REST = 0.5  # seconds more at a stop from which the animation goes back
HEIGHT, FRAMES, SECONDS = 256, 24, 1.0  # defaults
HAND, WALK_HANDS = 0, range(6)  # the writers by default, and those of a walk


@dataclass(frozen=True)
class MorphOptions:
    """How an animation looks and how long it takes.

    Attributes:
        walk: go on from the last stop to the first without rest; otherwise go back the same way.
        frames: pictures from one stop to the next.
        seconds: from one stop to the next.
        height: of each picture in pixels; pictures are square.
        colors: of ink and paper.
        gray: the generator's own gray levels, enlarged, instead of clean ink.
    """

    walk: bool
    frames: int
    seconds: float
    height: int
    colors: Colors
    gray: bool

    def check(self, num_stops: int) -> None:
        """Refuse what cannot be drawn, before work starts."""
        check_height(self.height)
        if not 1 <= self.frames <= MOST_FRAMES:
            raise ConfigError(f"`frames` must be from 1 to {MOST_FRAMES}, not {self.frames}")
        if not 0.02 <= self.seconds <= 60:
            raise ConfigError(f"`seconds` must be from 0.02 to 60, not {self.seconds:g}")
        count = path_length(num_stops, self.frames, self.walk)
        if count > MOST_FRAMES or count * self.height**2 > MOST_PIXELS:
            raise ConfigError(
                f"{count:,} pictures of {self.height} x {self.height} pixels are too many (at most "
                f"{MOST_FRAMES:,}, and {MOST_PIXELS:,} pixels); use fewer `frames` or less `height`"
            )


def morph(
    classes: str | int | Iterable[str | int] = (),
    hand: Seeds | None = None,
    source: GeneratorSource = "flagship",
    *,
    walk: bool = False,
    frames: int = FRAMES,
    seconds: float = SECONDS,
    height: int = HEIGHT,
    ink: str = INK,
    paper: str = PAPER,
    gray: bool = False,
    device: str = "auto",
    progress: Progress = silent,
) -> Animation:
    """Turn one digit into another, or one handwriting into another.

    The stops are classes of writers. A single class or writer stays the same at all stops, as in
    `morph("38")` or `morph("5", hand=[1, 2, 3], walk=True)`. Latents go along arcs, labels along
    straight lines.

    Args:
        classes: names of classes; a string or a number gives its digits. Empty for an
            unconditional source.
        hand: seeds of the writers, one or several. By default 0, for a walk 0 to 5.
        source: a run, bundle or name, or a generator.
        walk: go on from the last stop to the first without rest; otherwise go back the same way.
        frames: pictures from one stop to the next, 1 to 1000.
        seconds: from one stop to the next.
        height: of each picture in pixels; pictures are square.
        ink: a color.
        paper: a color, or "transparent".
        gray: the generator's own gray levels, enlarged, instead of clean ink.
        device: auto, cpu, cuda, cuda:N or mps.
        progress: called as `progress(what, done, total)`.

    Returns:
        The animation: `.save(path)`, `.to_array()`, `.to_dict()`.

    Raises:
        ConfigError: fewer than two stops, or a value that is not possible.
        ArtifactError: there is no such source.

    Examples:
        >>> inkgan.morph("38", hand=7).save("morph.gif")
    """
    names = list(str(classes)) if isinstance(classes, str | int) else [str(c) for c in classes]
    seeds = as_hands((WALK_HANDS if walk else HAND) if hand is None else hand)
    options = MorphOptions(walk, frames, seconds, height, parse_colors(ink, paper), gray)
    options.check(max(len(names), len(seeds)))
    return draw_morph(open_generator(source, device), names, seeds, options, progress)


def draw_morph(
    generator: GeneratorLike,
    classes: Sequence[str],
    hands: Sequence[int],
    options: MorphOptions,
    progress: Progress = silent,
) -> Animation:
    """Draw the pictures of `morph` with an open generator."""
    path = plan_path(generator, classes, hands, frames=options.frames, loop=options.walk)
    count = len(path.latents)
    drawn: list[UInt8] = []
    for start in range(0, count, CHUNK):
        part = slice(start, start + CHUNK)
        weights = None if path.weights is None else path.weights[part]
        for picture in generator.render(path.latents[part], weights):
            drawn.append(draw_sheet(picture[None], 1, options.height, options.gray))
            progress("drawing", len(drawn), count)
    rest = 0.0 if options.walk else REST
    times = durations(path.stops, options.frames, options.seconds, rest)
    chosen = ", ".join(map(str, hands))
    notes = {
        "Title": " ".join(classes) or "a walk",
        "Description": f"Hands {chosen} of {origin(generator)}",
    }
    return Animation(np.stack(drawn), times, options.colors, notes)
