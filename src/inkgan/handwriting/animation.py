"""Moving pictures, in files that browsers play."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from inkgan.errors import ConfigError
from inkgan.files import atomic
from inkgan.handwriting.colors import Colours
from inkgan.types import Progress, UInt8, silent


@dataclass(frozen=True)
class Film:
    """Pictures that are shown in a loop.

    Attributes:
        coverage: ink in each pixel, uint8 (n, H, W); 0 is bare paper, 255 full ink.
        durations: of each picture, in milliseconds.
        colours: of ink and paper.
    """

    coverage: UInt8
    durations: tuple[int, ...]
    colours: Colours

    def save(self, path: Path, notes: Mapping[str, str], progress: Progress = silent) -> None:
        """Write a .gif, .webp or .png (APNG), whole or not at all.

        Args:
            path: the ending names the format.
            notes: text for PNG's chunks; the other formats hold it as one comment, or none.
            progress: told how many pictures have been handed to the encoder.

        Raises:
            ConfigError: transparent paper in a GIF.
        """
        check_ending(path, self.colours)
        ending = path.suffix.lower()
        first, following = self.frame(0, ending), _Following(self, ending, progress)
        with atomic(path) as temporary:
            first.save(
                temporary,
                save_all=True,
                append_images=following,
                duration=list(self.durations),
                loop=0,
                **_options(ending, notes),
            )

    def frame(self, index: int, ending: str) -> Image.Image:
        """Return one picture in the colours that a format can hold."""
        if ending != ".gif":
            return Image.fromarray(self.colours.ramp()[self.coverage[index]])
        # the 256 colours of a GIF are the steps from paper to ink: nothing is lost
        picture = Image.fromarray(self.coverage[index]).convert("P")
        picture.putpalette(self.colours.ramp().tobytes())
        return picture


@dataclass(frozen=True)
class _Following:
    """All pictures but the first, made when they are asked for; Pillow may ask twice."""

    film: Film
    ending: str
    progress: Progress

    def __iter__(self) -> Iterator[Image.Image]:
        count = len(self.film.coverage)
        for index in range(1, count):
            self.progress("encoding", index + 1, count)
            yield self.film.frame(index, self.ending)


def check_ending(path: Path, colours: Colours) -> None:
    """Refuse what a format cannot hold, before work starts."""
    if path.suffix.lower() == ".gif" and colours.paper is None:
        raise ConfigError(
            "--paper transparent: a GIF's pixels are transparent wholly or not at all, which makes "
            "ragged edges; write a .webp or a .png"
        )


def durations(stops: tuple[bool, ...], leg: int, seconds: float, rest: float) -> tuple[int, ...]:
    """Return milliseconds for each picture, where a leg of so many takes `seconds`.

    A stop rests longer by `rest` seconds. Browsers show no picture for less than 20 ms.
    """
    moving = max(20, round(1000 * seconds / leg))
    return tuple(moving + (round(1000 * rest) if stop else 0) for stop in stops)


def _options(ending: str, notes: Mapping[str, str]) -> dict[str, Any]:
    told = "\n".join(f"{key}: {value}" for key, value in notes.items())
    if ending == ".gif":
        return {"format": "GIF", "comment": told.encode(), "optimize": False}
    if ending == ".webp":
        return {"format": "WEBP", "lossless": True}
    chunks = PngInfo()
    for key, value in notes.items():
        chunks.add_itxt(key, value)
    return {"format": "PNG", "pnginfo": chunks}
