"""From a picture, drawn or photographed, to its brightness."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from inkgan.data.readers.picture_file import lay_on_paper
from inkgan.errors import DataError, DataFormatError
from inkgan.images import DAMAGED, why_unreadable
from inkgan.types import Float32, Float64, UInt8

LEAST_SIDE = 16  # pixels; MNIST's own images have 28
MOST_PIXELS = 100_000_000  # to decode; a JPEG is decoded at a part of its size
MANY_PIXELS = 25_000_000  # more are reduced before anything else, which bounds the memory
WORKING_SIDE = 1200  # larger pictures are reduced to this
SMALL_SIDE = 200  # smaller ones are enlarged to this, so that outlines lie between pixels
DEEPEST = 65535  # of 16 bits
Picture = str | Path | Image.Image | UInt8 | Float32 | Float64
ACCEPTED = "a picture must be a file, a PIL image or an array (H, W), (H, W, 3) or (H, W, 4)"


def read_gray(picture: Picture) -> Image.Image:
    """Read a picture in 256 levels of gray, as a viewer shows it.

    A camera's orientation is obeyed. What is transparent becomes paper, as in data sets: white
    behind dark ink, black behind light ink.

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
    return _flattened(opened)


def to_brightness(gray: Image.Image, largest: int = WORKING_SIDE) -> Float64:
    """Scale a picture so that its longer side has SMALL_SIDE to `largest` pixels.

    Returns:
        float64 (H, W) in [0, 1].
    """
    longest = max(gray.size)
    side = min(max(longest, SMALL_SIDE), largest)
    if side != longest:
        size = tuple(max(1, round(length * side / longest)) for length in gray.size)
        gray = gray.resize((size[0], size[1]), Image.Resampling.BICUBIC)
    return np.asarray(gray, np.float64) / 255


def read_brightness(picture: Picture) -> Float64:
    """Read a picture as brightness; see `read_gray` and `to_brightness`."""
    return to_brightness(read_gray(picture))


def picture_name(picture: Picture) -> str:
    """Return what messages call a picture."""
    return str(picture) if isinstance(picture, str | Path) else "the picture"


def _open(picture: Picture) -> Image.Image:
    if isinstance(picture, str | Path):
        return _from_file(Path(picture))
    if isinstance(picture, Image.Image):
        return _upright(picture)
    return _from_array(picture)


def _from_file(path: Path) -> Image.Image:
    try:
        is_file, exists = path.is_file(), path.exists()
    except OSError as error:  # such as a name that is too long
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    if not is_file:
        raise DataError(f"{path} is no file" if exists else f"{path} does not exist")
    try:
        with Image.open(path) as opened:
            width, height = opened.size
            opened.draft("RGB", (2 * WORKING_SIDE, 2 * WORKING_SIDE))  # JPEG: no more than needed
            if opened.width * opened.height > MOST_PIXELS:
                raise _too_large(str(path), width, height)
            return _upright(opened)
    except Image.DecompressionBombError as error:
        raise DataError(
            f"{path} is too large; at most {MOST_PIXELS:,} pixels can be read: crop it to the "
            "digits"
        ) from error
    except DAMAGED as error:
        reason = why_unreadable(path, error)
        raise DataFormatError(f"{path} cannot be read as a picture: {reason}") from error


def _too_large(name: str, width: int, height: int) -> DataError:
    return DataError(
        f"{name} has {width:,}x{height:,} pixels; at most {MOST_PIXELS:,} can be read: crop it to "
        "the digits"
    )


def _upright(picture: Image.Image) -> Image.Image:
    """Turn a picture as its camera says; a very large one is reduced first."""
    every = _stride(picture.width * picture.height)
    if every == 1:
        return ImageOps.exif_transpose(picture)
    turned = picture.getexif().get(0x0112)
    deep = picture.mode.startswith(("I", "F"))
    if picture.mode in ("1", "P"):
        picture = picture.convert("RGBA" if "transparency" in picture.info else "L")
    if deep:
        small = Image.fromarray(np.ascontiguousarray(np.asarray(picture)[::every, ::every]))
    else:
        small = picture.reduce(every)
    if turned is not None:
        small.getexif()[0x0112] = turned
    return ImageOps.exif_transpose(small)


def _stride(pixels: int) -> int:
    """Return how many times a side of a picture is to be shortened first."""
    return 1 if pixels <= MANY_PIXELS else int(np.ceil(np.sqrt(pixels / MANY_PIXELS)))


def _from_array(picture: object) -> Image.Image:
    try:
        values = np.asarray(picture)
    except (TypeError, ValueError) as error:
        raise DataFormatError(f"{ACCEPTED}, not {type(picture).__name__}: {error}") from error
    if values.dtype.kind not in "buif":
        raise DataFormatError(f"{ACCEPTED}, not {type(picture).__name__}")
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[..., 0]
    if values.ndim == 3 and values.shape[0] == 1:
        values = values[0]
    if not (values.ndim == 2 or (values.ndim == 3 and values.shape[2] in (3, 4))):
        raise DataFormatError(f"{ACCEPTED}, not {values.shape}; {_shape_advice(values)}")
    if not values.size:
        raise DataFormatError(f"{ACCEPTED}; this one, {values.shape}, holds no pixels")
    every = _stride(values.shape[0] * values.shape[1])
    return Image.fromarray(np.ascontiguousarray(_to_uint8(values[::every, ::every])))


def _shape_advice(values: np.ndarray) -> str:
    if values.ndim == 3 and values.shape[0] in (3, 4):
        return "channels come last: transpose(1, 2, 0)"
    if values.ndim == 1 and round(values.size**0.5) ** 2 == values.size > 1:
        side = round(values.size**0.5)
        return f"reshape({side}, {side}) makes it a picture"
    if values.ndim >= 3:
        return "give several pictures as a list"
    return "give its pixels in rows and columns"


def _to_uint8(values: np.ndarray) -> UInt8:
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind == "b":
        return np.asarray(255 * values.astype(np.uint8))
    least, most = float(values.min()), float(values.max())
    if values.dtype.kind == "f" and 0 <= least <= most <= 1:
        return np.asarray(np.rint(255 * values), np.uint8)
    if values.dtype.kind in "ui" and 0 <= least <= most <= 255:
        return np.asarray(values, np.uint8)
    if values.dtype.kind in "ui" and 0 <= least <= most <= DEEPEST:
        return np.asarray(values / most * 255, np.uint8)  # as files of 16 bits are read
    advice = "divide by 255" if 0 <= least <= most <= 255 else "scale it to [0, 1]"
    raise DataFormatError(
        "a picture must be of uint8 or of floats in [0, 1], not "
        f"{values.dtype} from {least:g} to {most:g}; {advice}"
    )


def _flattened(picture: Image.Image) -> Image.Image:
    """Return the picture in gray, on paper."""
    if picture.mode.startswith("I"):  # 16 bits; convert() would clip them at 255
        deep = np.asarray(picture, np.float64)
        return Image.fromarray((deep / max(deep.max(), 1) * 255).astype(np.uint8))
    if picture.mode == "F":
        values = np.nan_to_num(np.asarray(picture, np.float64))
        most = values.max()
        scale = 1 if most <= 1 else 255 if most <= 255 else most
        return Image.fromarray(np.rint(255 * (values / scale).clip(0, 1)).astype(np.uint8))
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture.convert("L")
    return lay_on_paper(picture)[0].convert("L")
