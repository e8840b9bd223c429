"""The only owner of pixel ranges, layouts, grids and picture files.

Inside the program an image is float32 in [-1, 1], NCHW. At every edge it is uint8: (n, C, H, W)
in tensors, (H, W) or (H, W, 3) in arrays and files.
"""

import base64
import io
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from inkgan.files import atomic
from inkgan.types import UInt8

BACKGROUND = -1.0  # black, the paper of MNIST
GUTTER = 32  # gray between the tiles of a grid: darker than ink, lighter than paper
LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601
RESIZE_CHUNK = 4096  # images at once
EXAMINED_IMAGES = 2000  # of a set, to tell ink from paper
PLAIN_BORDER = 0.9  # of an image's border that is paper
LEAST_MIXED = 0.05  # of a set's images
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PAPER_SHARE = 0.6  # of the border; a set of noise has half of it above the middle
DAMAGED = (  # what Pillow, zipfile and numpy raise for bytes that are not what they should be
    OSError,
    ValueError,
    LookupError,
    SyntaxError,
    EOFError,
    MemoryError,
    RuntimeError,
    TypeError,
    ArithmeticError,
    AttributeError,
    struct.error,
    tokenize.TokenError,
    zlib.error,
    zipfile.BadZipFile,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


class Shape(NamedTuple):
    """Channels, height and width of an image."""

    channels: int
    height: int
    width: int

    def __str__(self) -> str:
        mode = {1: "gray", 3: "RGB"}.get(self.channels, f"{self.channels}-channel")
        return f"{self.height}x{self.width} {mode}"


def to_float(pixels: torch.Tensor) -> torch.Tensor:
    """Map uint8 in [0, 255] to float32 in [-1, 1]."""
    return pixels.to(torch.float32).mul_(1 / 127.5).sub_(1.0)


def to_uint8(images: torch.Tensor) -> torch.Tensor:
    """Map float in [-1, 1] to uint8 in [0, 255]: clamp, then round to the nearest level."""
    return images.detach().clamp(-1.0, 1.0).add(1.0).mul(127.5).round().to(torch.uint8)


def to_levels(values: torch.Tensor) -> torch.Tensor:
    """Map float in [0, 255] to uint8: clamp, then round to the nearest level."""
    return values.clamp(0, 255).round().to(torch.uint8)


def set_channels(pixels: torch.Tensor, channels: int) -> torch.Tensor:
    """Convert uint8 images (n, C, H, W) to gray (luminance of BT.601) or to RGB.

    Args:
        pixels: of 1 or 3 channels.
        channels: 1 or 3.

    Returns:
        Images uint8 (n, channels, H, W).
    """
    if pixels.shape[1] == channels:
        return pixels
    if channels == 3:
        return pixels.repeat(1, 3, 1, 1)
    weights = torch.tensor(LUMINANCE).view(1, 3, 1, 1)
    return to_levels((pixels.float() * weights).sum(1, keepdim=True))


def resize(pixels: torch.Tensor, size: int) -> torch.Tensor:
    """Resize uint8 images (n, C, H, W) to size x size pixels: bilinear, with antialiasing."""
    if pixels.shape[2:] == (size, size):
        return pixels
    chunks = [
        F.interpolate(chunk.float(), size=(size, size), mode="bilinear", antialias=True)
        for chunk in pixels.split(RESIZE_CHUNK)
    ]
    return torch.cat([to_levels(chunk) for chunk in chunks])


def pad_to_square(pixels: torch.Tensor) -> torch.Tensor:
    """Pad uint8 images (n, C, H, W) to squares, each with the color of its own border.

    The border's pixels that are like the paper of the set count, since ink may touch the border.
    """
    height, width = pixels.shape[2:]
    if height == width:
        return pixels
    edges = (pixels[:, :, 0], pixels[:, :, -1], pixels[:, :, :, 0], pixels[:, :, :, -1])
    border = torch.cat(edges, dim=2).float()  # (n, C, pixels)
    paper = border.mean(1).median()
    alike = ((border - paper).abs() < 64).all(1, keepdim=True)
    levels = border.where(alike, torch.nan).nanmedian(2).values.nan_to_num(float(paper))
    side = max(height, width)
    squares = levels.to(torch.uint8)[:, :, None, None].repeat(1, 1, side, side)
    top, left = (side - height) // 2, (side - width) // 2
    squares[:, :, top : top + height, left : left + width] = pixels
    return squares


def is_dark_on_light(pixels: UInt8) -> bool:
    """Return whether a set of gray images shows dark ink on light paper.

    MNIST's digits are light on dark. Paper is what most of the border shows: its pixels lie in
    the upper half of the range of the set. A set of noise, or of one level, is not dark on light.

    Args:
        pixels: uint8 (n, H, W) or (n, H, W, C); of large sets 2,000 images are looked at.
    """
    some = pixels[:: -(-len(pixels) // EXAMINED_IMAGES) or 1]
    if not some.size:
        return False
    low, high = np.percentile(some, (0.5, 99.5))
    edges = (some[:, 0], some[:, -1], some[:, :, 0], some[:, :, -1])
    border = np.concatenate([edge.ravel() for edge in edges])
    return bool(high > low and (border > (low + high) / 2).mean() > PAPER_SHARE)


def mixed_ink_note(pixels: UInt8) -> tuple[str, ...]:
    """Say that a set mixes dark ink on light paper with light ink on dark; nothing otherwise.

    An image is of one kind where nearly all of its border lies on one side of the middle of the
    set's range.

    Args:
        pixels: uint8 (n, H, W); of large sets 2,000 images are looked at.

    Returns:
        One sentence with the shares, or none.
    """
    some = pixels[:: -(-len(pixels) // EXAMINED_IMAGES) or 1]
    if not some.size:
        return ()
    low, high = np.percentile(some, (0.5, 99.5))
    edges = (some[:, 0], some[:, -1], some[:, :, 0], some[:, :, -1])
    light = (np.concatenate(edges, axis=1) > (low + high) / 2).mean(axis=1)
    on_light, on_dark = (light >= PLAIN_BORDER).mean(), (light <= 1 - PLAIN_BORDER).mean()
    if high <= low or min(on_light, on_dark) < LEAST_MIXED:
        return ()
    return (
        f"Ink and paper are mixed: about {on_light:.0%} of the images are dark on light, "
        f"{on_dark:.0%} light on dark. They are taken for two kinds of images; invert one "
        "kind first.",
    )


def light_on_dark(pixels: UInt8) -> UInt8:
    """Return a set of gray images light on dark: as it is, or inverted."""
    return 255 - pixels if is_dark_on_light(pixels) else pixels


def to_array(pixels: torch.Tensor) -> UInt8:
    """Turn uint8 (n, C, H, W) into an array (n, H, W) for gray or (n, H, W, 3) for RGB."""
    array: UInt8 = pixels.permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return array[..., 0] if array.shape[-1] == 1 else array


def grid(images: UInt8, columns: int = 0, scale: int = 2) -> UInt8:
    """Arrange images row by row in one picture, with thin gutters between them.

    Args:
        images: uint8 (n, H, W) or (n, H, W, 3).
        columns: images in a row; 0 makes the grid as square as possible.
        scale: how often each pixel is repeated along each side, without smoothing.

    Returns:
        One picture, uint8 (height, width) or (height, width, 3).
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
    """Write one picture as PNG, whole or not at all.

    Args:
        path: of the file; missing folders are made.
        picture: uint8 (H, W) or (H, W, 3).
        text: keys and values to store in the file, as PNG text chunks.

    Raises:
        ArtifactError: the file cannot be written.
    """
    chunks = PngInfo()
    for key, value in (text or {}).items():
        chunks.add_itxt(key, value)
    with atomic(path) as temporary:
        Image.fromarray(picture).save(temporary, format="PNG", pnginfo=chunks)


def why_unreadable(path: Path, error: Exception) -> str:
    """Say why a picture file cannot be read, in words that do not repeat its path."""
    if path.is_file() and path.stat().st_size == 0:
        return "the file is empty"
    if isinstance(error, UnidentifiedImageError):
        return "it is of no known format"
    return str(error) or type(error).__name__


def read_picture(path: Path) -> UInt8:
    """Read a picture file as uint8 (H, W), where it is gray, or (H, W, 3)."""
    with Image.open(path) as picture:
        return np.asarray(to_gray_or_rgb(picture))


def to_gray_or_rgb(picture: Image.Image) -> Image.Image:
    """Convert a picture of any mode of Pillow to 8 bits of gray, where it is gray, or RGB."""
    deep = picture.mode == "I" and picture.format in ("PNG", "PPM")
    if deep or picture.mode.startswith("I;16"):  # convert() would clip 65,535 levels at 255
        return Image.fromarray((np.asarray(picture) // 257).astype(np.uint8))
    return picture.convert("L" if picture.mode in ("1", "L", "LA", "I") else "RGB")


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
    """Write frames as an endless GIF.

    Args:
        path: of the file.
        frames: pictures of one size, uint8 (H, W) or (H, W, 3).
        seconds: about how long one round takes; the last frame stays for two seconds more.

    Raises:
        ArtifactError: the file cannot be written.
    """
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


def png_bytes(picture: UInt8, *, fast: bool = False) -> bytes:
    """Encode a picture (H, W), (H, W, 3) or (H, W, 4) as PNG: small, or in very little time."""
    if fast:
        return _fast_png(picture)
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG")  # optimized, 4 % smaller in 4 times as long
    return buffer.getvalue()


def _fast_png(picture: UInt8) -> bytes:
    """Encode without filters (PNG, third edition, section 11.2): a fifth of Pillow's time."""
    height, width = picture.shape[:2]
    color_type = {1: 0, 3: 2, 4: 6}[picture[:1, :1].size]
    rows = np.zeros((height, 1 + picture[:1].size), np.uint8)  # each begins with its filter: none
    rows[:, 1:] = picture.reshape(height, -1)
    head = struct.pack(">IIBBBBB", width, height, 8, color_type, 0, 0, 0)
    packer = zlib.compressobj(1, strategy=zlib.Z_RLE)  # runs of paper are most of a picture
    data = packer.compress(rows.tobytes()) + packer.flush()
    chunks = ((b"IHDR", head), (b"IDAT", data), (b"IEND", b""))
    return PNG_SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def data_uri(picture: UInt8) -> str:
    """Return a picture as a data: address, for use inside an HTML page."""
    return "data:image/png;base64," + base64.b64encode(png_bytes(picture)).decode()
