"""Images and labels as people have them, converted to uint8 images and whole numbers.

Whatever has one meaning alone is converted, and a note says how. The rest is refused with the
conversion that is to be chosen.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from inkgan.errors import DataFormatError
from inkgan.images import Shape, to_gray_or_rgb
from inkgan.types import Int64, UInt8

DEPTHS = (10, 12, 14, 16)  # bits of a pixel that whole numbers above 255 may have
LEAST_SIDE = 8  # of a square that a row of numbers may be
SLACK = 0.05  # by which resizing and rounding may overshoot a range
FAINT = 32  # numbers from 0 to less than this are in no usual range

TRANSPOSED = "emnist-"  # files of EMNIST store images column by column

Converted = tuple[UInt8, tuple[str, ...]]
_Fail = Callable[[str], DataFormatError]
MOST_CLASSES = 2**31  # of labels; a float far above does not even fit an int64


def as_uint8_images(images: Any, what: str = "images") -> Converted:
    """Convert images of any unambiguous type, range and layout.

    Args:
        images: array, tensor, or list of arrays or Pillow images. Of shape (n, H, W),
            (n, H, W, C), (n, C, H, W) with C of 1 or 3, or flat (n, 784) of square gray images; of
            type bool, of whole numbers from 0 to 1, 255 or 65,535, or of floats in [0, 1], [-1, 1]
            or [0, 255].
        what: what the images are called in messages, such as "digits.npz: images".

    Returns:
        The images, uint8 (n, H, W, C) with C of 1 or 3, and what was converted, in words.

    Raises:
        DataFormatError: something else, or something with two meanings.

    Examples:
        >>> as_uint8_images(np.zeros((5, 784), np.uint8))[0].shape
        (5, 28, 28, 1)
    """

    def fail(text: str) -> DataFormatError:
        return DataFormatError(f"{what} {text}")

    arranged, layout = _arrange(as_array(images, what), fail)
    pixels, scale = _scale(arranged, fail)
    return np.ascontiguousarray(pixels), (*layout, *scale)


def upright(name: str, images: UInt8) -> Converted:
    """Turn images (n, H, W, C) upright where the name of their file says that they are of EMNIST.

    Returns:
        The images, and what was done, in words.
    """
    if not name.lower().startswith(TRANSPOSED):
        return images, ()
    turned = np.ascontiguousarray(images.transpose(0, 2, 1, 3))
    return turned, ("Images of EMNIST are stored on their side: turned upright.",)


def as_labels(labels: Any, count: int, what: str = "labels") -> tuple[Int64, tuple[str, ...]]:
    """Convert labels of any unambiguous type and layout.

    Args:
        labels: array, tensor or list of whole numbers from 0, as numbers of any type or as text,
            of shape (n,) or (n, 1), or one-hot (n, classes).
        count: of the images.
        what: what the labels are called in messages.

    Returns:
        The labels, int64 (n,), and what was converted, in words.

    Raises:
        DataFormatError: something else, or not as many as there are images.
    """
    array = as_array(labels, what)
    found = f"{array.dtype} {array.shape}"
    error = DataFormatError(
        f"{what} must be {count:,} whole numbers from 0, one for each image, not {found}"
    )
    notes: tuple[str, ...] = ()
    if array.ndim == 2 and array.shape in ((count, 1), (1, count)):
        array = array.reshape(count)
    elif array.ndim == 2 and len(array) == count:
        array, notes = _from_one_hot(array, error), ("One-hot labels: read as numbers.",)
    if array.shape != (count,):
        raise error
    if array.dtype.kind in "USO":
        try:
            array = np.array([int(label) for label in array.tolist()])
        except (TypeError, ValueError):
            raise error from None
    if array.dtype.kind not in "iuf" or not np.isfinite(array).all() or (array % 1).any():
        raise error
    if count and array.max() >= MOST_CLASSES:
        raise DataFormatError(f"{what} hold {array.max():g}; there cannot be so many classes")
    if count and array.min() < 0:
        raise DataFormatError(f"{what} hold {array.min():g}; they count from 0")
    return array.astype(np.int64), notes


def as_array(values: Any, what: str) -> np.ndarray:
    """Return an array, tensor, table or list as an array of numpy.

    Raises:
        DataFormatError: nothing of the kind, or a list of images of different sizes.
    """
    if hasattr(values, "detach"):  # a tensor of PyTorch, on any device
        values = values.detach().cpu()
        values = values.float() if str(values.dtype) == "torch.bfloat16" else values
    if isinstance(values, Sequence) and not isinstance(values, str | bytes):
        values = [_picture(value) for value in values]
    try:
        array = np.asarray(_picture(values))
        if array.dtype == object and array.ndim == 1 and len(array):
            array = np.stack([np.asarray(_picture(value)) for value in array])
    except (TypeError, ValueError) as error:
        raise DataFormatError(
            f"{what} must all have one size: they make no array ({_first_line(error)})"
        ) from error
    if array.dtype == object and array.ndim > 1:
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise DataFormatError(f"{what} hold no numbers: {_first_line(error)}") from error
    return array


def _picture(value: Any) -> Any:
    if hasattr(value, "getbands") and hasattr(value, "mode"):  # Pillow's, without its import
        return np.asarray(to_gray_or_rgb(value))
    return value.detach().cpu() if hasattr(value, "detach") else value


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _from_one_hot(array: np.ndarray, error: DataFormatError) -> np.ndarray:
    numeric = array.dtype.kind in "biuf"
    if not numeric or not np.isin(array, (0, 1)).all() or (array.sum(axis=1) != 1).any():
        raise error
    numbers: np.ndarray = array.argmax(axis=1)
    return numbers


# --- layout ---


def _arrange(array: np.ndarray, fail: _Fail) -> tuple[np.ndarray, tuple[str, ...]]:
    """Bring images to (n, H, W, C)."""
    shape = array.shape
    if 0 in shape:
        raise fail(f"hold nothing: their shape is {shape}")
    if array.ndim == 3 and 1 in shape[1:] and side_of_square(max(shape[1:])):
        return _arrange(array.reshape(len(array), -1), fail)
    if array.ndim == 2:
        return _unflatten(array, fail)
    if array.ndim == 3:
        if shape[2] in (1, 3) or (shape[0] == shape[1] != shape[2]):
            raise fail(
                f"of shape {shape} are one picture, or put their number last; give (n, H, W), "
                "such as `images[None]` or `images.transpose(2, 0, 1)`"
            )
        return array[..., None], ()
    if array.ndim != 4:
        raise fail(
            f"must have shape (n, H, W), (n, H, W, C) or (n, C, H, W), or (n, 784), not {shape}"
        )
    last, first = shape[3] in (1, 3), shape[1] in (1, 3)
    if last and first and shape[1] != shape[2] and shape[2] == shape[3]:
        last = False
    if last:
        return array, ()
    if first:
        return array.transpose(0, 2, 3, 1), (f"Channels come first in {shape}: put last.",)
    raise fail(f"of shape {shape} have {shape[3]} channels; 1 (gray) or 3 (RGB) are possible")


def _unflatten(array: np.ndarray, fail: _Fail) -> tuple[np.ndarray, tuple[str, ...]]:
    """Make square gray images of rows."""
    count, width = array.shape
    side = side_of_square(width)
    if side and count != width:
        size = Shape(1, side, side)
        return array.reshape(-1, side, side, 1), (f"Rows of {width:,} numbers: read as {size}.",)
    side = side_of_square(width - 1)
    if side:
        raise fail(
            f"of shape {array.shape} have a column besides {side}x{side} pixels; if it "
            "holds labels, give `images[:, 1:]`, and `images[:, 0]` as labels"
        )
    if width % 3 == 0 and side_of_square(width // 3):
        side = side_of_square(width // 3)
        raise fail(
            f"of shape {array.shape} may be RGB pixels or planes; give "
            f"`images.reshape(-1, {side}, {side}, 3)` or `images.reshape(-1, 3, {side}, {side})`"
        )
    raise fail(
        f"of shape {array.shape} are one picture, or rows that make no square; give (n, H, W), "
        "such as `images[None]` or `images.reshape(-1, 28, 28)`"
    )


def side_of_square(pixels: int) -> int:
    """Return the side of a square of so many pixels; 0 where there is none."""
    side = math.isqrt(max(pixels, 0))
    return side if side * side == pixels and side >= LEAST_SIDE else 0


# --- range ---


def _scale(array: np.ndarray, fail: _Fail) -> Converted:
    """Bring pixels to uint8 from 0 to 255."""
    kind = array.dtype.kind
    if kind == "b":
        return array.astype(np.uint8) * np.uint8(255), ("True and False: read as 255 and 0.",)
    if kind not in "iuf":
        raise fail(f"must hold numbers, not {array.dtype}")
    low, high = float(array.min()), float(array.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise fail("hold NaN or infinite pixels")
    if array.dtype == np.uint8:
        if high != 1:
            return array, ()
        return array * np.uint8(255), ("Pixels of 0 and 1: multiplied by 255.",)
    name = str(array.dtype)
    if kind != "f" and low >= 0 and high > 255:
        return _reduce_depth(array, high, fail)
    if low >= -SLACK and high <= 1 + SLACK:
        return _to_levels(array, 255, 0), (f"{name} in [0, 1]: multiplied by 255.",)
    if -1 - SLACK <= low <= -0.9 and high <= 1 + SLACK:
        return _to_levels(array, 127.5, 127.5), (f"{name} in [-1, 1]: mapped to 0 to 255.",)
    if low >= -SLACK * 255 and FAINT <= high <= 255 * (1 + SLACK):
        broken = kind == "f" and bool((array % 1).any())
        note = (f"{name} in [0, 255]: rounded.",) if broken else ()
        return _to_levels(array, 1, 0), note
    raise fail(_advise(low, high))


def _to_levels(array: np.ndarray, factor: float, offset: float) -> UInt8:
    """Scale, round and clamp, a part at a time: floats take eight times the memory."""
    levels = np.empty(array.shape, np.uint8)
    for start in range(0, len(array), 4096):
        part = array[start : start + 4096].astype(np.float64) * factor + offset
        levels[start : start + 4096] = np.rint(part).clip(0, 255)
    return levels


def _reduce_depth(array: np.ndarray, high: float, fail: _Fail) -> Converted:
    bits = next((bits for bits in DEPTHS if high < 1 << bits), None)
    if bits is None:
        raise fail(f"hold whole numbers up to {high:,.0f}; scale them to 0 to 255")
    note = f"Pixels up to {high:,.0f}: read as {bits} bits."
    return _to_levels(array, 255 / ((1 << bits) - 1), 0), (note,)


def _advise(low: float, high: float) -> str:
    given = f"go from {low:.4g} to {high:.4g}, which is no usual range; "
    if abs(low + 0.4242) < 0.01 and abs(high - 2.8215) < 0.05:
        return given + "undo the normalization: `(images * 0.3081 + 0.1307) * 255`"
    if low >= 0:
        return given + f"if {high:g} is full ink, give `images * (255 / {high:g})`"
    return given + (
        "bring them to 0 to 255: of a generator with tanh, `(images.clip(-1, 1) + 1) * 127.5`"
    )
