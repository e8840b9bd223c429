"""Reads one picture: plainly where that is clear, else in the ways of photographs."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

import numpy as np
from PIL import Image

from inkgan.errors import DataError
from inkgan.inversion.components import Component, Marks, find_marks, holes
from inkgan.inversion.ink import Ink, find_ink
from inkgan.inversion.mnist_format import to_mnist_format
from inkgan.inversion.picture import WORKING_SIDE, Picture, picture_name, read_gray, to_brightness
from inkgan.inversion.ruled_lines import without_lines
from inkgan.inversion.sheet import Sheet, cut_out, find_sheet, pixel_box
from inkgan.inversion.touching import split
from inkgan.metrics.features.extractors import classify
from inkgan.plural import counted
from inkgan.types import Float64, UInt8

LARGE_SIDE = 1000  # pixels of the longer side of a picture that may hold small writing
FINE_SIDE = 2400  # pixels of the longer side of a picture with small writing
SURE = 0.8  # confidence of E1 in a digit that is read clearly
DOUBTFUL = 0.5  # below which a picture's only digits are none
WIDE, WIDEST = 1.05, 1.5  # width of a digit in its heights; 0.4 % of MNIST are wider than WIDEST
UNITED = 1.3  # up to this width a mark that is read surely is one digit
HOLES, HOLE = 3, 0.015  # a mark with so many holes of this share of its box is no digit
CELLS, CELL = 6, 0.002  # nor is one with so many small ones, as squared paper is
AS_HIGH = 0.6  # height of a small mark that is one of the digits, in that of the highest
SMALL_WRITING = 0.5  # height of its digits, in the length that stands for the shorter side


class Approach(NamedTuple):
    """A way to read a picture.

    Attributes:
        sheet: only inside the sheet that lies on it.
        lines: without printed lines.
        scale: how many times smaller the writing is.
    """

    sheet: bool = False
    lines: bool = False
    scale: float = 1


PLAIN = Approach()
# In this order; the first that reads a picture clearly is taken.
OTHERS = (
    Approach(sheet=True),
    Approach(lines=True),
    Approach(sheet=True, lines=True),
    Approach(scale=4),
    Approach(sheet=True, scale=4),
    Approach(lines=True, scale=4),
    Approach(sheet=True, lines=True, scale=4),
)


@dataclass(frozen=True, eq=False)
class MarkRead:
    """A mark and what it looks like.

    Attributes:
        image: uint8 (28, 28) in MNIST's form.
        thickness: of its strokes, in pixels of that form.
        box: left, top, right, bottom as shares of the picture.
        width: in its heights.
        holes: how many it has.
        digit: what E1 takes it for.
        confidence: of E1.
    """

    image: UInt8
    thickness: float
    box: tuple[float, float, float, float]
    width: float
    holes: int
    digit: str = ""
    confidence: float = 0.0

    @property
    def doubt(self) -> str:
        """Why it is no digit; empty where it may be one."""
        if self.holes >= HOLES:
            return f"it has {self.holes} holes"
        return "it is wider than it is tall" if self.width > WIDEST else ""

    @property
    def is_sure(self) -> bool:
        """Whether it is read clearly."""
        return not self.doubt and self.confidence >= SURE

    @property
    def place(self) -> str:
        """Where it is, in words."""
        x, y = (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2
        return f"{x:.0%} from the left, {y:.0%} from the top"


@dataclass(frozen=True)
class PictureRead:
    """The marks of a picture in reading order, and sentences about how they were read."""

    marks: list[MarkRead]
    remarks: list[str] = field(default_factory=list)
    is_whole: bool = True  # little was left out, and no line crosses a digit
    is_orderly: bool = True  # fewer marks were left out than read

    @property
    def score(self) -> float:
        """Marks that are read clearly, less those that are not."""
        return sum(1 if mark.is_sure else -1 for mark in self.marks)

    @property
    def is_clear(self) -> bool:
        """Whether every mark is read clearly, and few were left out."""
        return self.is_whole and all(mark.is_sure for mark in self.marks)


def read_picture(picture: Picture, expected: int | None = None) -> PictureRead:
    """Read a picture plainly, and where that is not clear in other ways, of which the best counts.

    Args:
        picture: a file, a PIL image or an array.
        expected: how many digits it shows, if that is known.

    Raises:
        DataError: it cannot be read, is blank, or shows nothing like a digit.
    """
    name, gray = picture_name(picture), read_gray(picture)
    sheet = find_sheet(gray)
    attempt = partial(_attempt, gray, sheet, name)
    plain, failure = _tried(attempt, PLAIN)
    lies_free = sheet is not None and sheet.is_free
    found: list[tuple[float, PictureRead]] = []
    if plain is not None:
        off_sheet = 0 if sheet is None else len(_off(plain.marks, sheet))
        if plain.is_clear and not off_sheet:
            return plain
        if not (lies_free and off_sheet == len(plain.marks)):
            found.append((plain.score - off_sheet * (2 if lies_free else 0.5), plain))
    for approach in OTHERS:
        if not _suits(approach, sheet, max(gray.size)):
            continue
        read, error = _tried(attempt, approach)
        if read is None:
            failure = error if lies_free and approach == OTHERS[0] else failure
        elif read.is_orderly and read.score > len(read.marks) / 3:
            found.append((read.score, read))
            if read.is_clear:
                break
    if not found:
        raise failure or DataError(f"{name} shows no mark that looks like a digit")
    return _without_strangers(max(found, key=lambda entry: entry[0])[1], name, expected)


def _suits(approach: Approach, sheet: Sheet | None, side: int) -> bool:
    """Return whether an approach is one for such a picture; outside a free sheet is a table."""
    if approach.scale > 1 and side < LARGE_SIDE:
        return False
    return sheet is not None if approach.sheet else sheet is None or not sheet.is_free


def _tried(
    attempt: Callable[[Approach], PictureRead], approach: Approach
) -> tuple[PictureRead | None, DataError | None]:
    try:
        return attempt(approach), None
    except DataError as error:
        return None, error


def _off(marks: list[MarkRead], sheet: Sheet) -> list[MarkRead]:
    return [mark for mark in marks if not sheet.covers(mark.box)]


def _without_strangers(read: PictureRead, name: str, expected: int | None) -> PictureRead:
    """Leave marks out that are no digits, unless as many were expected."""
    if expected == len(read.marks):
        return read
    known, remarks = [], list(read.remarks)
    for number, mark in enumerate(read.marks, 1):
        if mark.doubt:
            remarks.append(f"mark {number} is no digit that I know: {mark.doubt} ({mark.place})")
        else:
            known.append(mark)
    if not known or (expected is None and all(mark.confidence < DOUBTFUL for mark in known)):
        first = (known or read.marks)[0]
        why = first.doubt or f"it looks like a {first.digit} with {first.confidence:.0%} confidence"
        way_out = "or give `digits`" if expected is None else "or leave paper between them"
        raise DataError(
            f"{name} shows no mark that looks like a digit; mark 1 is no digit that I know: {why} "
            f"({first.place}); crop the picture to the digits, {way_out}"
        )
    return replace(read, marks=known, remarks=remarks)


def _attempt(gray: Image.Image, sheet: Sheet | None, name: str, approach: Approach) -> PictureRead:
    """Read a picture in one way."""
    whole, offset = gray.size, (0, 0)
    if approach.sheet and sheet is not None:
        name, offset = f"the sheet on {name}", pixel_box(gray, sheet)[:2]
        gray = cut_out(gray, sheet)
    brightness = to_brightness(gray, WORKING_SIDE if approach.scale == 1 else FINE_SIDE)
    side = min(brightness.shape) / approach.scale
    try:
        ink = find_ink(brightness, name, side)
        erased = without_lines(ink)
        if approach.lines:
            if erased is None:
                raise DataError(f"{name} has no lines")
            ink = erased.ink
        marks = find_marks(ink, name, side)
        if approach.lines and marks.all_cut:
            raise DataError(f"{name} shows no mark that looks like a digit besides its lines")
        highest = max(mark.height for mark in marks.digits)
        if approach.scale > 1 and highest > SMALL_WRITING * side:
            raise DataError(f"the writing of {name} is not small")
    except DataError as error:
        if max(whole) <= WORKING_SIDE:
            raise
        raise DataError(f"{error}; if the writing is small, crop the picture to it") from error
    zoom = gray.width / brightness.shape[1], gray.height / brightness.shape[0]

    def share(box: tuple[int, int, int, int]) -> tuple[float, float, float, float]:
        top, left, bottom, right = box
        return (
            (offset[0] + left * zoom[0]) / whole[0],
            (offset[1] + top * zoom[1]) / whole[1],
            (offset[0] + right * zoom[0]) / whole[0],
            (offset[1] + bottom * zoom[1]) / whole[1],
        )

    digits, apart = _separated(marks.digits, ink)
    read = [
        replace(_converted(ink, one), box=share(one.box), digit=digit, confidence=sure)
        for one, digit, sure in digits
    ]
    remarks = _remarks(approach, marks, apart)
    left_out = len(marks.small) + len(marks.odd)
    crossed = not approach.lines and erased is not None and erased.crosses
    as_high = any(mark.height >= AS_HIGH * highest for mark in marks.small)
    many_small = as_high or len(marks.small) > len(read)
    whole_marks = not (crossed or marks.frames or marks.odd or many_small)
    if approach.sheet and sheet is not None and _off(read, sheet):
        raise DataError(f"{name} shows its edges alone; crop the picture to the digits")
    return PictureRead(read, remarks, whole_marks, left_out < len(read))


def _separated(
    components: list[Component], ink: Ink
) -> tuple[list[tuple[Component, str, float]], int]:
    """Recognize marks, and cut those apart that are several digits; count these."""

    def recognized(marks: list[Component]) -> list[tuple[Component, str, float]]:
        probabilities = _probabilities(marks, ink)
        return [
            (mark, str(int(row.argmax())), float(row.max()))
            for mark, row in zip(marks, probabilities, strict=True)
        ]

    def read_marks(marks: list[Component]) -> Float64:
        confidence: Float64 = _probabilities(marks, ink).max(axis=1)
        return confidence

    found, apart = [], 0
    for entry in recognized(components):
        mark, _, sure = entry
        width = mark.width / mark.height
        parts = None
        if width > UNITED or (width > WIDE / 2 and sure < SURE):
            parts = split(mark, read_marks)
        apart += parts is not None
        found += [entry] if parts is None else recognized(parts)
    return found, apart


def _probabilities(marks: list[Component], ink: Ink) -> Float64:
    images = np.stack([to_mnist_format(ink, mark)[0] for mark in marks])
    return np.asarray(classify(images).probabilities, np.float64)


def _converted(ink: Ink, mark: Component) -> MarkRead:
    image, thickness = to_mnist_format(ink, mark)
    areas = holes(mark)
    large, cells = (sum(area >= least for area in areas) for least in (HOLE, CELL))
    count = cells if cells >= CELLS else large
    return MarkRead(image, thickness, (0, 0, 0, 0), mark.width / mark.height, count)


def _remarks(approach: Approach, marks: Marks, apart: int) -> list[str]:
    remarks = []
    if approach.sheet:
        remarks.append("only the sheet that lies on the picture is read")
    if approach.lines:
        remarks.append(
            "printed lines are taken out, and strokes along them with these: check that no digit "
            "is missing or another"
        )
    if marks.frames:
        remarks.append(f"{counted(len(marks.frames), 'frame')} about digits left out")
    if approach.scale > 1:
        remarks.append("the writing is small; a picture cropped to it is read better")
    if apart:
        remarks.append(
            f"{counted(apart, 'mark')} cut apart: digits touch; with paper between them they are "
            "read better"
        )
    for left_out, what in (
        (marks.small, "too small beside the others; crop the picture to it if it is a digit"),
        (marks.cut, "cut by the picture's border; leave paper round each digit"),
        (marks.odd, "a line or a blot, too broad for a digit"),
    ):
        if left_out:
            remarks.append(f"{counted(len(left_out), 'mark')} left out: {what}")
    return remarks
