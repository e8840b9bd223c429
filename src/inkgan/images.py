"""The only owner of pixel ranges, layouts, grids and picture files.

Inside the program an image is float32 in [-1, 1], NCHW. At every edge it is uint8: (n, C, H, W)
in tensors, (H, W) or (H, W, 3) in arrays and files.
"""

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from inkgan.files import atomic
from inkgan.types import UInt8

BACKGROUND = -1.0  # black, the paper of MNIST
GUTTER = 32  # grey between the tiles of a grid: darker than ink, lighter than paper


class Shape(NamedTuple):
    """Channels, height and width of an image."""

    channels: int
    height: int
    width: int

    def __str__(self) -> str:
        colour = {1: "grey", 3: "RGB"}.get(self.channels, f"{self.channels}-channel")
        return f"{self.height}x{self.width} {colour}"


def to_float(pixels: torch.Tensor) -> torch.Tensor:
    """Map uint8 in [0, 255] to float32 in [-1, 1]."""
    return pixels.to(torch.float32).mul_(1 / 127.5).sub_(1.0)


def to_uint8(images: torch.Tensor) -> torch.Tensor:
    """Map float in [-1, 1] to uint8 in [0, 255]: clamp, then round to the nearest level."""
    return images.detach().clamp(-1.0, 1.0).add(1.0).mul(127.5).round().to(torch.uint8)


def to_array(pixels: torch.Tensor) -> UInt8:
    """Turn uint8 (n, C, H, W) into an array (n, H, W) for grey or (n, H, W, 3) for colour."""
    array: UInt8 = pixels.permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return array[..., 0] if array.shape[-1] == 1 else array


def grid(images: UInt8, columns: int = 0, scale: int = 2) -> UInt8:
    """Lay images (n, H, W[, 3]) out row by row with thin gutters.

    `columns` 0 means as square as possible; `scale` repeats each pixel, with no smoothing.
    """
    count, height, width = images.shape[:3]
    columns = min(columns, count) if columns > 0 else int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    gap = 2
    size = (rows * (height + gap) + gap, columns * (width + gap) + gap, *images.shape[3:])
    sheet = np.full(size, GUTTER, dtype=np.uint8)
    for index, image in enumerate(images):
        top = gap + index // columns * (height + gap)
        left = gap + index % columns * (width + gap)
        sheet[top : top + height, left : left + width] = image
    return sheet.repeat(scale, axis=0).repeat(scale, axis=1)


def save_png(path: Path, picture: UInt8, text: Mapping[str, str] | None = None) -> None:
    """Write one picture (H, W[, 3]) as PNG with text chunks, whole or not at all."""
    chunks = PngInfo()
    for key, value in (text or {}).items():
        chunks.add_itxt(key, value)
    with atomic(path) as temporary:
        Image.fromarray(picture).save(temporary, format="PNG", pnginfo=chunks)


def read_picture(path: Path) -> UInt8:
    """Read a picture file as grey (H, W) or colour (H, W, 3)."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("L" if picture.mode in ("L", "1") else "RGB"))


def caption(picture: UInt8, text: str) -> UInt8:
    """Add a strip with one line of text under a picture."""
    font_size = max(10, min(16, picture.shape[1] // 20))
    canvas = Image.new(
        "L" if picture.ndim == 2 else "RGB", (picture.shape[1], picture.shape[0] + 2 * font_size)
    )
    canvas.paste(Image.fromarray(picture), (0, 0))
    place = (font_size // 2, picture.shape[0] + font_size // 2)
    white = 255 if picture.ndim == 2 else (255, 255, 255)
    ImageDraw.Draw(canvas).text(place, text, fill=white, font=ImageFont.load_default(font_size))
    return np.asarray(canvas)


def save_gif(path: Path, frames: Sequence[UInt8], seconds: float = 8.0) -> None:
    """Write frames as an endless GIF of about `seconds`; the last frame rests for two seconds."""
    pictures = [Image.fromarray(frame) for frame in frames]
    each = int(min(500, max(40, 1000 * seconds / len(pictures))))
    durations = [each] * (len(pictures) - 1) + [2000]
    with atomic(path) as temporary:
        pictures[0].save(
            temporary,
            format="GIF",
            save_all=True,
            append_images=pictures[1:],
            duration=durations,
            loop=0,
        )


def data_uri(picture: UInt8) -> str:
    """Return a picture as a data: address, for use inside an HTML page."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
