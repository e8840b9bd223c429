"""One picture file, read as a viewer shows it: upright, on paper, in 8 bits of gray or RGB."""

import contextlib
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from inkgan.errors import DataFormatError
from inkgan.images import DAMAGED, why_unreadable
from inkgan.types import Float64, UInt8

UNSUITABLE = {  # formats of Pillow that hold no pixels, need other programs, or are films
    *("BUFR", "EPS", "FLI", "GRIB", "HDF5", "IPTC", "MPEG", "WMF"),
}
MAX_SIDE = 8192
OPAQUE_CONTRAST = 128  # levels; visible pixels that differ as much show their own paper


@functools.cache
def picture_suffixes() -> frozenset[str]:
    """Return the endings of all picture files that Pillow can read here, in lower case."""
    Image.init()
    extensions = Image.registered_extensions().items()
    return frozenset(
        suffix for suffix, kind in extensions if kind in Image.OPEN and kind not in UNSUITABLE
    )


@dataclass(frozen=True)
class Header:
    """What a file says of its picture before it is decoded.

    Attributes:
        path: of the file.
        size: upright width and height.
        deep: pixels are no bytes: 16 bits, 32 bits or floats.
        transparent: it has an alpha channel or a transparent color.
        gray: it has one channel.
        low_byte_lost: 16 bits of several channels, of which Pillow reads the upper 8 alone.
        frames: pictures in the file.
    """

    path: Path
    size: tuple[int, int]
    deep: bool
    transparent: bool
    gray: bool
    low_byte_lost: bool
    frames: int


@dataclass(frozen=True)
class DepthRange:
    """The values of deep pixels that become 0 and 255."""

    low: float
    high: float


def read_header(path: Path) -> Header:
    """Read what a picture file says of itself, without decoding it.

    Raises:
        DataFormatError: it is no picture, or an enormous one.
    """
    with opened_picture(path) as opened:
        if max(opened.size) > MAX_SIDE:
            raise DataFormatError(f"{path} has {opened.size} pixels; {MAX_SIDE} a side at most")
        turned = opened.getexif().get(0x0112, 1) in (5, 6, 7, 8)
        width, height = opened.size
        raw_modes = [str(tile[3]) for tile in getattr(opened, "tile", []) if len(tile) > 3]
        return Header(
            path=path,
            size=(height, width) if turned else (width, height),
            deep=_is_deep(opened),
            transparent="A" in opened.getbands() or "transparency" in opened.info,
            gray=opened.mode in ("1", "L", "LA", "La") or _is_deep(opened),
            low_byte_lost=len(opened.getbands()) > 1 and any(";16" in mode for mode in raw_modes),
            frames=getattr(opened, "n_frames", 1),
        )


def decode(
    header: Header, depth: DepthRange | None, behind: int | None, size: int | None = None
) -> tuple[Image.Image, bool]:
    """Decode one file as 8 bits of gray or RGB, upright and on paper.

    Args:
        header: of the file.
        depth: the values of deep pixels that become 0 and 255.
        behind: level of the paper of the set; None lays each picture on paper that shows its ink.
        size: to which the picture will be resized: a JPEG is decoded no larger than needed.

    Returns:
        The picture, and whether its ink was inverted because it is the opposite of the set's.

    Raises:
        DataFormatError: the file is damaged.
    """
    with opened_picture(header.path) as opened:
        if size is not None:
            opened.draft(None, (4 * size, 4 * size))
        picture = ImageOps.exif_transpose(opened)
        if header.deep:
            return Image.fromarray(_to_levels(np.asarray(picture), depth)), False
        if header.transparent:
            return lay_on_paper(picture, behind)
        return picture.convert("L" if header.gray else "RGB"), False


def lay_on_paper(picture: Image.Image, behind: int | None = None) -> tuple[Image.Image, bool]:
    """Lay a picture with transparent parts on paper on which its ink shows.

    Args:
        picture: of any mode with an alpha channel or a transparent color.
        behind: level of the set's paper, 0 or 255; None chooses by the picture alone.

    Returns:
        The picture in gray or RGB, and whether it was inverted to suit `behind`.
    """
    with_alpha = picture.convert("RGBA")
    own = paper_behind(with_alpha)
    level = behind if own is None else own
    back = Image.new("RGBA", with_alpha.size, (level or 0,) * 3 + (255,))
    laid = Image.alpha_composite(back, with_alpha).convert("RGB")
    pixels = np.asarray(laid)
    if (pixels == pixels[..., :1]).all():
        laid = Image.fromarray(np.ascontiguousarray(pixels[..., 0]))
    opposite = behind is not None and own not in (None, behind)
    return (ImageOps.invert(laid) if opposite else laid), opposite


def paper_behind(picture: Image.Image) -> int | None:
    """Return the paper, 0 or 255, on which an RGBA picture's ink shows; None where it has none.

    Where visible pixels differ much among themselves, paper is among them and is their majority;
    otherwise all of them are ink.
    """
    alpha = np.asarray(picture.getchannel("A"), np.float64).ravel()
    seen = np.asarray(picture.convert("RGB").convert("L"), np.float64).ravel()
    visible = alpha > alpha.max(initial=0) / 2
    if not visible.any() or alpha.max() == 0:
        return None
    low, middle, high = np.percentile(seen[visible], (5, 50, 95))
    if high - low > OPAQUE_CONTRAST:
        return 255 if middle > 127 else 0
    return 0 if middle > 127 else 255


@contextlib.contextmanager
def opened_picture(path: Path) -> Iterator[Image.Image]:
    """Open a picture, and name the file in whatever goes wrong inside."""
    try:
        with Image.open(path) as opened:
            yield opened
    except DAMAGED as error:
        reason = why_unreadable(path, error)
        raise DataFormatError(f"{path} cannot be read as a picture: {reason}") from error


def _is_deep(picture: Image.Image) -> bool:
    return picture.mode in ("I", "F") or picture.mode.startswith("I;")


def _to_levels(values: np.ndarray, depth: DepthRange | None) -> UInt8:
    depth = depth or DepthRange(float(values.min()), float(values.max()))
    width = depth.high - depth.low or 1.0
    levels: Float64 = (values.astype(np.float64) - depth.low) * (255 / width)
    return np.rint(levels).clip(0, 255).astype(np.uint8)
