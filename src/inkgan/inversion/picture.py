"""From a picture, drawn or photographed, to its brightness."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from inkgan.data.readers.picture_file import DAMAGED
from inkgan.errors import DataError, DataFormatError
from inkgan.types import Float32, Float64, UInt8

LEAST_SIDE = 16  # pixels; MNIST's own images have 28
MOST_PIXELS = 100_000_000  # of a file: more than any camera's
WORKING_SIDE = 1200  # larger pictures are reduced to this
SMALL_SIDE = 200  # smaller ones are enlarged to this, so that outlines lie between pixels
Picture = str | Path | Image.Image | UInt8 | Float32 | Float64


def read_brightness(picture: Picture) -> Float64:
    """Read a picture as brightness in [0, 1], float64 (H, W) of SMALL_SIDE to WORKING_SIDE pixels.

    A camera's orientation is obeyed. What is transparent becomes paper: white behind dark ink,
    black behind light ink.

    Args:
        picture: a file, a PIL image, or an array (H, W), (H, W, 3) or (H, W, 4) of uint8 or of
            floats in [0, 1].

    Raises:
        DataError: there is no such file, or it is too small or too large.
        DataFormatError: it is no picture that can be read.
    """
    name, opened = picture_name(picture), _open(picture)
    if min(opened.size) < LEAST_SIDE:
        raise DataError(
            f"{name} is too small: {opened.width}x{opened.height} pixels; a digit needs "
            f"{LEAST_SIDE} at least"
        )
    gray = _flattened(opened)
    longest = max(gray.size)
    side = min(max(longest, SMALL_SIDE), WORKING_SIDE)
    if side != longest:
        size = tuple(max(1, round(length * side / longest)) for length in gray.size)
        gray = gray.resize((size[0], size[1]), Image.Resampling.BICUBIC)
    return np.asarray(gray, np.float64) / 255


def picture_name(picture: Picture) -> str:
    """Return what messages call a picture."""
    return str(picture) if isinstance(picture, str | Path) else "the picture"


def _open(picture: Picture) -> Image.Image:
    if isinstance(picture, str | Path):
        return _from_file(Path(picture))
    if isinstance(picture, Image.Image):
        return ImageOps.exif_transpose(picture)
    return _from_array(np.asarray(picture))


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


def _from_array(picture: np.ndarray) -> Image.Image:
    is_gray = picture.ndim == 2
    if picture.dtype.kind == "f" and picture.size and 0 <= picture.min() <= picture.max() <= 1:
        picture = np.rint(255 * picture).astype(np.uint8)
    if picture.dtype != np.uint8 or not (is_gray or picture.shape[2:] in ((3,), (4,))):
        raise DataFormatError(
            "a picture must be (H, W), (H, W, 3) or (H, W, 4) of uint8 or of floats in [0, 1], "
            f"not {picture.dtype} {picture.shape}"
        )
    return Image.fromarray(picture)


def _flattened(picture: Image.Image) -> Image.Image:
    """Return the picture in gray, on paper."""
    if picture.mode.startswith("I"):  # 16 bits; convert() would clip them at 255
        deep = np.asarray(picture, np.float64)
        return Image.fromarray((deep / max(deep.max(), 1) * 255).astype(np.uint8))
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture.convert("L")
    with_alpha = picture.convert("RGBA")
    gray, alpha = with_alpha.convert("L"), with_alpha.getchannel("A")
    seen = np.asarray(gray)[np.asarray(alpha) > 127]
    paper = 255 if not len(seen) or np.median(seen) < 128 else 0
    return Image.composite(gray, Image.new("L", gray.size, paper), alpha)
