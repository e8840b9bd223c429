"""From a picture, drawn or photographed, to its brightness."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from inkgan.data.readers.folder import DAMAGED
from inkgan.errors import DataError, DataFormatError
from inkgan.types import Float64, UInt8

LEAST_SIDE = 16  # pixels; MNIST's own images have 28
MOST_PIXELS = 100_000_000  # of a file: more than any camera's
WORKING_SIDE = 1200  # larger pictures are reduced to this
SMALL_SIDE = 200  # smaller ones are enlarged to this, so that outlines lie between pixels
Picture = str | Path | UInt8


def read_brightness(picture: Picture) -> Float64:
    """Read a picture as brightness in [0, 1], float64 (H, W) of SMALL_SIDE to WORKING_SIDE pixels.

    A camera's orientation is obeyed. What is transparent becomes paper: white behind dark ink,
    black behind light ink.

    Args:
        picture: a file, or uint8 (H, W), (H, W, 3) or (H, W, 4).

    Raises:
        DataError: there is no such file, or it is too small or too large.
        DataFormatError: it is no picture that can be read.
    """
    name = "the picture" if isinstance(picture, np.ndarray) else str(picture)
    opened = _from_array(picture) if isinstance(picture, np.ndarray) else _from_file(Path(picture))
    if min(opened.size) < LEAST_SIDE:
        raise DataError(
            f"{name} is too small: {opened.width}x{opened.height} pixels; a digit needs "
            f"{LEAST_SIDE} at least"
        )
    grey = _flattened(opened)
    longest = max(grey.size)
    side = min(max(longest, SMALL_SIDE), WORKING_SIDE)
    if side != longest:
        size = tuple(max(1, round(length * side / longest)) for length in grey.size)
        grey = grey.resize((size[0], size[1]), Image.Resampling.BICUBIC)
    return np.asarray(grey, np.float64) / 255


def _from_file(path: Path) -> Image.Image:
    if not path.is_file():
        raise DataError(f"{path} does not exist" if not path.exists() else f"{path} is no file")
    try:
        with Image.open(path) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise DataError(
                    f"{path} has {opened.width:,}x{opened.height:,} pixels; at most "
                    f"{MOST_PIXELS:,} can be read"
                )
            opened.draft("RGB", (2 * WORKING_SIDE, 2 * WORKING_SIDE))  # JPEG: no more than needed
            upright = ImageOps.exif_transpose(opened)
            return upright.copy()
    except DAMAGED as error:
        raise DataFormatError(f"{path} cannot be read as a picture: {error}") from error


def _from_array(picture: UInt8) -> Image.Image:
    is_grey = picture.ndim == 2
    if picture.dtype != np.uint8 or not (is_grey or picture.shape[2:] in ((3,), (4,))):
        raise DataFormatError(
            f"a picture must be uint8 (H, W), (H, W, 3) or (H, W, 4), not {picture.dtype} "
            f"{picture.shape}"
        )
    return Image.fromarray(picture)


def _flattened(picture: Image.Image) -> Image.Image:
    """Return the picture in grey, on paper."""
    if picture.mode.startswith("I"):  # 16 bits; convert() would clip them at 255
        deep = np.asarray(picture, np.float64)
        return Image.fromarray((deep / max(deep.max(), 1) * 255).astype(np.uint8))
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture.convert("L")
    with_alpha = picture.convert("RGBA")
    grey, alpha = with_alpha.convert("L"), with_alpha.getchannel("A")
    seen = np.asarray(grey)[np.asarray(alpha) > 127]
    paper = 255 if not len(seen) or np.median(seen) < 128 else 0
    return Image.composite(grey, Image.new("L", grey.size, paper), alpha)
