"""The axes of style: what single latent coordinates do to a digit."""

import numpy as np

from inkgan.errors import ConfigError
from inkgan.generation.load import GeneratorSource, open_generator
from inkgan.generation.protocols import GeneratorLike, class_labels
from inkgan.handwriting.colors import parse_colours
from inkgan.handwriting.contact_sheet import draw_sheet
from inkgan.handwriting.raster import check_height
from inkgan.handwriting.writer import check_hand
from inkgan.types import UInt8

REACH = 2.0  # standard deviations to either side: 95 % of all hands
MOST_STEPS = 25


def style_grid(
    axes: tuple[str, str],
    class_name: str | None = None,
    hand: int = 0,
    source: GeneratorSource = "flagship",
    *,
    steps: int = 7,
    height: int = 512,
    ink: str = "black",
    paper: str = "white",
    grey: bool = False,
    device: str = "auto",
) -> UInt8:
    """Vary two coordinates of a hand's latent from -REACH to REACH, all else the same.

    Args:
        axes: across and down: names of styles that the generator was taught, such as slant and
            thickness, or the numbers of latent coordinates from 0.
        class_name: what to draw, such as "3"; None for an unconditional source.
        hand: a seed.
        source: a run, bundle or name, or a Generator.
        steps: pictures on each axis.
        height: of the sheet in pixels.
        ink: a colour.
        paper: a colour, or "transparent".
        grey: the generator's own grey levels, enlarged, in place of clean ink.
        device: auto, cpu, cuda, cuda:N or mps.

    Returns:
        uint8 (H, W), (H, W, 3) in colour, or (H, W, 4) without paper.

    Raises:
        ConfigError: an axis or a value that cannot be.
        ArtifactError: there is no such source.
    """
    colours = parse_colours(ink, paper)
    check_hand(hand)
    check_height(height)
    if not 2 <= steps <= MOST_STEPS:
        raise ConfigError(f"--steps {steps} is impossible; use 2 to {MOST_STEPS}")
    generator = open_generator(source, device)
    across, down = (coordinate(generator, axis) for axis in axes)
    if across == down:
        raise ConfigError(f"--grid {axes[0]},{axes[1]} names one axis twice; name two")
    latents = np.repeat(generator.latents([hand]), steps**2, axis=0)
    places = np.linspace(-REACH, REACH, steps, dtype=np.float32)
    latents[:, across], latents[:, down] = np.tile(places, steps), np.repeat(places, steps)
    labels = class_labels(generator, [] if class_name is None else [class_name] * len(latents))
    pictures = generator.render(latents, labels)
    return colours.paint(draw_sheet(pictures, steps, height, grey))


def coordinate(generator: GeneratorLike, axis: str) -> int:
    """Return which latent coordinate a style axis is.

    Raises:
        ConfigError: neither a style of this generator nor the number of a coordinate.
    """
    styles = generator.bundle.recipe.model.style_measures
    if axis in styles:
        return styles.index(axis)
    if axis.isdecimal() and axis.isascii() and int(axis) < generator.latent_dim:
        return int(axis)
    known = f"{', '.join(styles)} or " if styles else ""
    raise ConfigError(
        f"--grid: {generator.bundle.recipe.name} has no axis {axis!r}; name {known}a number from 0 "
        f"to {generator.latent_dim - 1}"
    )
