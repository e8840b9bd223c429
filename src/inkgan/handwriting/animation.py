"""Animations in files that browsers play."""

import base64
import html
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from inkgan.errors import ConfigError
from inkgan.files import atomic
from inkgan.handwriting.colors import Colors
from inkgan.types import Progress, UInt8, silent

ENDINGS = (".gif", ".webp", ".png")


@dataclass(frozen=True)
class Animation:
    """Pictures that play in a loop; they show themselves in a notebook.

    Attributes:
        coverage: ink in each pixel, uint8 (n, H, W); 0 is bare paper, 255 full ink.
        durations: of each picture, in milliseconds.
        colors: of ink and paper.
        notes: text for the file, by title, such as Title and Description.

    Examples:
        >>> inkgan.morph("38", hand=7).save("morph.gif")
    """

    coverage: UInt8
    durations: tuple[int, ...]
    colors: Colors
    notes: Mapping[str, str] = field(default_factory=dict)

    def to_array(self) -> UInt8:
        """Return the pictures, uint8 (n, H, W); (n, H, W, 3) in color, (n, H, W, 4) transparent."""
        return self.colors.paint(self.coverage)

    def to_dict(self) -> dict[str, Any]:
        """Return the number of pictures, their size and durations, and the notes."""
        count, height, width = self.coverage.shape
        return {
            "pictures": count,
            "height": height,
            "width": width,
            "durations": list(self.durations),
            **{key.lower(): text for key, text in self.notes.items()},
        }

    def save(self, path: str | Path, progress: Progress = silent) -> None:
        """Write a .gif, .webp or .png (APNG), whole or not at all.

        The notes are chunks of a PNG and the comment of a GIF; a WebP file holds none.

        Args:
            path: the ending names the format.
            progress: called as `progress("encoding", done, total)`.

        Raises:
            ConfigError: another ending, or transparent paper in a GIF.
        """
        path = Path(path)
        check_ending(path, self.colors)
        with atomic(path) as temporary:
            self._encode(temporary, path.suffix.lower(), progress)

    def frame(self, index: int, ending: str) -> Image.Image:
        """Return one picture in the colors that a format can hold."""
        if ending != ".gif":
            return Image.fromarray(self.colors.ramp()[self.coverage[index]])
        # the 256 colors of a GIF are the steps from paper to ink: nothing is lost
        picture = Image.fromarray(self.coverage[index]).convert("P")
        picture.putpalette(self.colors.ramp().tobytes())
        return picture

    def _encode(self, target: Path | io.BytesIO, ending: str, progress: Progress = silent) -> None:
        self.frame(0, ending).save(
            target,
            save_all=True,
            append_images=_Following(self, ending, progress),
            duration=list(self.durations),
            loop=0,
            **_options(ending, self.notes),
        )

    def __repr__(self) -> str:
        count, height, width = self.coverage.shape
        title = self.notes.get("Title", "animation")
        return f"<Animation {title!r}: {count} pictures of {width}x{height} pixels>"

    def _repr_html_(self) -> str:
        kind = "gif" if self.colors.paper is not None else "webp"
        buffer = io.BytesIO()
        self._encode(buffer, f".{kind}")
        encoded = base64.b64encode(buffer.getvalue()).decode()
        title = html.escape(self.notes.get("Title", "animation"), quote=True)
        return f'<img alt="{title}" src="data:image/{kind};base64,{encoded}">'


@dataclass(frozen=True)
class _Following:
    """All pictures but the first, made on demand; Pillow may iterate twice."""

    animation: Animation
    ending: str
    progress: Progress

    def __iter__(self) -> Iterator[Image.Image]:
        count = len(self.animation.coverage)
        for index in range(1, count):
            self.progress("encoding", index + 1, count)
            yield self.animation.frame(index, self.ending)


def check_ending(path: Path, colors: Colors) -> None:
    """Refuse what a format cannot hold, before work starts."""
    if path.suffix.lower() not in ENDINGS:
        raise ConfigError(f"`path` {path}: the ending must be {' or '.join(ENDINGS)}")
    if path.suffix.lower() == ".gif" and colors.paper is None:
        raise ConfigError(
            "`paper` is transparent: a GIF's pixels are transparent wholly or not at all, which "
            "makes ragged edges; write a .webp or a .png"
        )


def durations(stops: tuple[bool, ...], leg: int, seconds: float, rest: float) -> tuple[int, ...]:
    """Return milliseconds for each picture, where a leg of so many takes `seconds`.

    A stop rests longer by `rest` seconds. Browsers show no picture for less than 20 ms.
    """
    moving = max(20, round(1000 * seconds / leg))
    return tuple(moving + (round(1000 * rest) if stop else 0) for stop in stops)


def _options(ending: str, notes: Mapping[str, str]) -> dict[str, Any]:
    comment = "\n".join(f"{key}: {value}" for key, value in notes.items())
    if ending == ".gif":
        return {"format": "GIF", "comment": comment.encode(), "optimize": False}
    if ending == ".webp":
        return {"format": "WEBP", "lossless": True}
    chunks = PngInfo()
    for key, value in notes.items():
        chunks.add_itxt(key, value)
    return {"format": "PNG", "pnginfo": chunks}
