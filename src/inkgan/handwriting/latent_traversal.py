"""Latent traversals: what single latent coordinates change in a digit."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, SupportsIndex

import numpy as np

from inkgan import images
from inkgan.errors import ConfigError
from inkgan.generation.load import GeneratorSource, open_generator
from inkgan.generation.protocols import GeneratorLike, class_labels
from inkgan.handwriting.colors import parse_colors
from inkgan.handwriting.contact_sheet import draw_sheet
from inkgan.handwriting.raster import check_height
from inkgan.handwriting.write import INK, PAPER
from inkgan.handwriting.writer import as_hand, origin
from inkgan.types import UInt8

REACH = 2.0  # standard deviations to either side: 95 % of all latents
MOST_STEPS = 25
STEPS, HEIGHT = 7, 512  # defaults


@dataclass(frozen=True)
class StyleGrid:
    """A digit with two latent coordinates varied; it shows itself in a notebook.

    Attributes:
        pixels: uint8 (H, W), (H, W, 3) in color, or (H, W, 4) without paper.
        axes: the names of the coordinates across and down.
        description: the writer and the generator, in words.
        title: what is drawn.
    """

    pixels: UInt8
    axes: tuple[str, str]
    description: str
    title: str

    def to_array(self) -> UInt8:
        """Return a copy of the pixels."""
        return self.pixels.copy()

    def to_dict(self) -> dict[str, Any]:
        """Return the size, the axes and the description."""
        height, width = self.pixels.shape[:2]
        return {
            "height": height,
            "width": width,
            "axes": list(self.axes),
            "title": self.title,
            "description": self.description,
        }

    def save(self, path: str | Path) -> None:
        """Write a .png, whole or not at all."""
        path = Path(path)
        if path.suffix.lower() != ".png":
            raise ConfigError(f"`path` {path}: the ending must be .png")
        across, down = self.axes
        notes = {
            "Title": self.title,
            "Description": self.description,
            "Axes": f"across {across}, down {down}",
        }
        images.save_png(path, self.pixels, notes)

    def __repr__(self) -> str:
        height, width = self.pixels.shape[:2]
        return f"<StyleGrid {self.title!r}: {width}x{height} pixels>"

    def _repr_png_(self) -> bytes:
        return images.png_bytes(self.pixels)


def style_grid(
    axes: tuple[str | int, str | int],
    class_name: str | int | None = None,
    hand: SupportsIndex = 0,
    source: GeneratorSource = "flagship",
    *,
    steps: int = STEPS,
    height: int = HEIGHT,
    ink: str = INK,
    paper: str = PAPER,
    gray: bool = False,
    device: str = "auto",
) -> StyleGrid:
    """Vary two coordinates of a writer's latent from -2 to 2, all others unchanged.

    Args:
        axes: across and down: names of styles that the generator was trained with, such as slant
            and thickness, or numbers of latent coordinates from 0.
        class_name: what to draw, such as "3"; None for an unconditional source.
        hand: the seed of the writer.
        source: a run, bundle or name, or a generator.
        steps: pictures on each axis, 2 to 25.
        height: of the sheet in pixels.
        ink: a color.
        paper: a color, or "transparent".
        gray: the generator's own gray levels, enlarged, instead of clean ink.
        device: auto, cpu, cuda, cuda:N or mps.

    Raises:
        ConfigError: an axis or a value that is not possible.
        ArtifactError: there is no such source.
    """
    colors = parse_colors(ink, paper)
    seed = as_hand(hand)
    check_height(height)
    if not 2 <= steps <= MOST_STEPS:
        raise ConfigError(f"`steps` must be from 2 to {MOST_STEPS}, not {steps}")
    generator = open_generator(source, device)
    names = (str(axes[0]), str(axes[1]))
    across, down = (coordinate(generator, axis) for axis in names)
    if across == down:
        raise ConfigError(f"`axes` names {names[0]} twice; name two")
    latents = np.repeat(generator.latents([seed]), steps**2, axis=0)
    places = np.linspace(-REACH, REACH, steps, dtype=np.float32)
    latents[:, across], latents[:, down] = np.tile(places, steps), np.repeat(places, steps)
    title = "" if class_name is None else str(class_name)
    labels = class_labels(generator, [title] * len(latents) if title else [])
    sheet = draw_sheet(generator.render(latents, labels), steps, height, gray)
    description = f"Hands {seed} of {origin(generator)}"
    return StyleGrid(colors.paint(sheet), names, description, title or "a walk")


def coordinate(generator: GeneratorLike, axis: str) -> int:
    """Return the number of the latent coordinate of a style axis.

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
        f"`axes`: {generator.bundle.recipe.name} has no axis {axis!r}; name {known}a number from 0 "
        f"to {generator.latent_dim - 1}"
    )
