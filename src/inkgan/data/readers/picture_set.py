"""The picture files of a set, read as a viewer shows them, into one array of bounded size.

The files are looked at twice: first each header, and the pixels where the set must be known as a
whole (the range of deep pixels, the paper behind transparent ink, the color of paper); then they
are decoded one by one into the final array.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from inkgan.data.readers.picture_file import (
    DepthRange,
    Header,
    decode,
    opened_picture,
    paper_behind,
    read_header,
)
from inkgan.errors import DataError, DataFormatError
from inkgan.images import LUMINANCE
from inkgan.plural import counted
from inkgan.types import Float64, UInt8

MAX_UNSIZED = 128  # pixels a side; larger pictures must be resized by `data.size`
MAX_BYTES = 4 << 30  # of all images of a set, as they are trained on
SAMPLE = 200  # pictures that are looked at to find the paper
GRAY_TOLERANCE = 2  # levels between channels, as JPEG rounds them


@dataclass(frozen=True)
class PictureSet:
    """Images uint8 (n, H, W, C), and what was done to them, in words."""

    images: UInt8
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Paper:
    """How the pictures of a set are laid on paper.

    Attributes:
        behind: level of the paper behind transparent ink; None where there is none.
        is_light: pictures show dark ink on light paper.
        level: of gray, for pictures that show no paper at their border.
    """

    behind: int | None
    is_light: bool
    level: int


def read_picture_files(
    paths: Sequence[Path], size: int | None = None, others: Sequence[Path] = ()
) -> PictureSet:
    """Read picture files as a viewer shows them: upright, on paper, in their own range.

    Cameras' orientation is obeyed. Transparent ink is laid on paper on which it shows. Deep pixels
    (16 bits, floats) are scaled by the range of all files together. Channels that are equal are
    gray. With `size`, a picture that is not square is padded with its paper first.

    Args:
        paths: at least one file.
        size: resize to size x size pixels, by Lanczos.
        others: files of the set's other splits, which share range and paper with these.

    Returns:
        Images uint8 (n, H, W, C) with C of 1, or of 3 where one picture at least has color.

    Raises:
        DataError: sizes differ or are large and `size` is not given, or the set is too large.
        DataFormatError: a file is no picture that can be read; the message names it.
    """
    headers = [read_header(path) for path in paths]
    width, height = (size, size) if size is not None else _common_size(headers)
    channels = 1 if all(header.gray for header in headers) else 3
    _check_total(len(headers), height, width, channels)
    survey = [*headers, *(read_header(path) for path in others)]
    depth = _depth_range(survey)
    paper = _find_paper(survey, depth, size)
    images = np.empty((len(headers), height, width, channels), np.uint8)
    flipped = 0
    for row, header in enumerate(headers):
        picture, against = decode(header, depth, paper.behind, size)
        flipped += against
        if size is not None and picture.size != (size, size):
            picture = _squared(picture, paper).resize((size, size), Image.Resampling.LANCZOS)
        pixels = np.asarray(picture)
        images[row] = pixels[..., None] if pixels.ndim == 2 else pixels
    images, color = _without_equal_channels(images, headers)
    return PictureSet(images, (*_notes(headers, depth, paper, size, flipped), *color))


def _common_size(headers: Sequence[Header]) -> tuple[int, int]:
    """Return the width and height of all pictures, or refuse them."""
    first = headers[0]
    for header in headers:
        if header.size != first.size:
            (w, h), (width, height) = header.size, first.size
            raise DataError(
                f"{header.path} is {h}x{w} where {first.path.name} is {height}x{width}; "
                "resize all: use `data.size=28`"
            )
    width, height = first.size
    if max(first.size) > MAX_UNSIZED:
        raise DataError(
            f"{first.path.parent}: the pictures are {height}x{width} pixels, too large to be "
            f"generated; resize them: use `data.size=28` (without it {MAX_UNSIZED} a side are "
            "possible)"
        )
    return width, height


def _check_total(count: int, height: int, width: int, channels: int) -> None:
    total = count * height * width * channels
    if total > MAX_BYTES:
        raise DataError(
            f"{count:,} pictures of {height}x{width} pixels take {total / 2**30:.1f} GB, more than "
            f"{MAX_BYTES / 2**30:.0f} GB; use a smaller size, such as `data.size=28`"
        )


# --- what the set is as a whole ---


def _spread(headers: Sequence[Header]) -> Sequence[Header]:
    return headers[:: -(-len(headers) // SAMPLE) or 1]


def _depth_range(headers: Sequence[Header]) -> DepthRange | None:
    """Find the values of deep pixels that become black and white.

    A set of deep pictures alone uses its own range. Beside pictures of 8 bits, the range is that of
    the depth, so that both kinds keep their brightness.
    """
    deep = [header for header in headers if header.deep]
    if not deep:
        return None
    low, high, whole = np.inf, -np.inf, True
    for header in deep:
        with opened_picture(header.path) as opened:
            pixels = np.asarray(opened)
            whole = whole and pixels.dtype.kind != "f"
            if not np.isfinite(pixels).all():
                raise DataFormatError(f"{header.path} has pixels that are no finite numbers")
            low, high = min(low, float(pixels.min())), max(high, float(pixels.max()))
    if low >= 0 and len(deep) < len(headers):
        steps = (255, 1023, 4095, 16383, 65535) if whole else (1, 255, 65535)
        return DepthRange(0, next((step for step in steps if high <= step), high))
    return DepthRange(low if low < 0 or low > high / 2 else 0.0, high)


def _find_paper(headers: Sequence[Header], depth: DepthRange | None, size: int | None) -> Paper:
    """Look at some pictures to find the paper behind ink, and around pictures to be padded."""
    behind = None
    votes = []
    for header in _spread([header for header in headers if header.transparent]):
        with opened_picture(header.path) as opened:
            votes.append(paper_behind(opened.convert("RGBA")))
    known = [vote for vote in votes if vote is not None]
    if known:
        behind = 255 if np.mean(known) > 127 else 0
    if size is None or all(width == height for width, height in (h.size for h in headers)):
        return Paper(behind, is_light=False, level=0)
    some = _spread(headers)
    borders = [_luminance(_border(np.asarray(decode(h, depth, behind, size)[0]))) for h in some]
    edges = np.concatenate([border / 1.0 for border in borders])
    middle = (edges.min() + edges.max()) / 2
    is_light = bool(np.mean([(border > middle).mean() for border in borders]) > 0.5)
    side = edges[edges > middle] if is_light else edges[edges <= middle]
    return Paper(behind, is_light, int(np.median(side)))


def _luminance(pixels: np.ndarray) -> Float64:
    """Return the brightness (n,) of pixels (n,) or (n, 3)."""
    levels = pixels.astype(np.float64)
    return levels if levels.ndim == 1 else levels @ np.asarray(LUMINANCE)


def _border(pixels: np.ndarray) -> np.ndarray:
    """Return the outermost pixels (n,) or (n, 3) of an image (H, W) or (H, W, 3)."""
    edges = (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])
    return np.concatenate(edges)


def _squared(picture: Image.Image, paper: Paper) -> Image.Image:
    """Pad a picture to a square with the color of its paper."""
    width, height = picture.size
    if width == height:
        return picture
    side = max(width, height)
    edge = _border(np.asarray(picture))
    brightness = _luminance(edge)
    shown = brightness > 127 if paper.is_light else brightness <= 127
    if abs(paper.level - 127) < 64:  # paper of no clear brightness: what is like it
        shown = np.abs(brightness - paper.level) < 64
    levels = np.median(edge[shown], axis=0) if shown.any() else np.full(edge.shape[1:], paper.level)
    color = tuple(int(level) for level in np.atleast_1d(levels))
    square = Image.new(picture.mode, (side, side), color[0] if len(color) == 1 else color)
    square.paste(picture, ((side - width) // 2, (side - height) // 2))
    return square


# --- after decoding ---


def _chunks(images: UInt8) -> Iterator[slice]:
    step = max(1, (1 << 24) // max(1, images[0].size))
    yield from (slice(start, start + step) for start in range(0, len(images), step))


def without_equal_channels(images: UInt8) -> tuple[UInt8, np.ndarray]:
    """Make gray of RGB images (n, H, W, 3) whose channels are all equal.

    Returns:
        The images, and which of them have color, bool (n,).
    """
    colored = np.zeros(len(images), dtype=bool)
    if images.shape[3] != 3:
        return images, colored
    for part in _chunks(images):
        some = images[part]
        colored[part] = (np.ptp(some, axis=3) > GRAY_TOLERANCE).any(axis=(1, 2))
    if colored.any():
        return images, colored
    gray = np.empty((*images.shape[:3], 1), np.uint8)
    for part in _chunks(images):
        gray[part, ..., 0] = np.rint(images[part] @ np.asarray(LUMINANCE))
    return gray, colored


def _without_equal_channels(
    images: UInt8, headers: Sequence[Header]
) -> tuple[UInt8, tuple[str, ...]]:
    images, colored = without_equal_channels(images)
    found = int(colored.sum())
    if not found or 2 * found > len(headers):
        return images, ()
    first = headers[int(np.argmax(colored))].path.name
    have = "has color" if found == 1 else "have color"
    return images, (
        f"{found:,} of {counted(len(headers), 'picture')} {have} ({first}), so that all are read "
        "as RGB; `data.channels=1` makes them gray.",
    )


def _notes(
    headers: Sequence[Header],
    depth: DepthRange | None,
    paper: Paper,
    size: int | None,
    flipped: int,
) -> Iterator[str]:
    """Say what was done to the pictures of a set that its user may not expect."""
    deep = sum(header.deep for header in headers)
    if depth is not None and deep and (depth.low, depth.high) not in ((0, 65535), (0, 1)):
        yield (
            f"{counted(deep, 'picture')} of more than 8 bits: values from {depth.low:g} to "
            f"{depth.high:g} became 0 to 255."
        )
    transparent = sum(header.transparent for header in headers)
    if transparent and paper.behind is not None:
        color = "white" if paper.behind else "black"
        yield f"{counted(transparent, 'transparent picture')} laid on {color}."
    if flipped:
        yield f"{counted(flipped, 'picture')} with the opposite ink inverted to suit the others."
    oblong = sum(header.size[0] != header.size[1] for header in headers)
    if oblong and size is not None:
        yield f"{counted(oblong, 'picture')} padded to a square with the color of their paper."
    resized = 0 if size is None else sum(header.size != (size, size) for header in headers)
    if resized:
        yield f"{counted(resized, 'picture')} resized to {size}x{size}."
    lost = sum(header.low_byte_lost for header in headers)
    if lost:
        yield (
            f"{counted(lost, 'file')} of 16 bits in several channels: only the upper 8 bits are "
            "read; save dark ones as gray."
        )
    several = sum(header.frames > 1 for header in headers)
    if several:
        yield f"{counted(several, 'file')} with several pictures: the first of each is read."


def left_out(paths: Sequence[Path]) -> str:
    """Count files by their ending, such as ".heic (3), .svg (1)"."""
    endings = Counter(path.suffix.lower() or "no ending" for path in paths)
    return ", ".join(f"{ending} ({number:,})" for ending, number in endings.most_common(6))
