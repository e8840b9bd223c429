"""manifest.jsonl: a line of JSON for each picture of a data set, written and read by one schema."""

import functools
import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from inkgan.documents import Count, Document, ShortText, check_document
from inkgan.errors import ArtifactError
from inkgan.files import parse_json

RECORDS = "manifest.jsonl"
AGAIN = "make the data set again with `force=True`"
Share = Annotated[float, Field(ge=0, le=1)]
Pixels = Annotated[int, Field(ge=1, lt=2**31)]
Json = dict[str, Any]
_ENCODER = json.JSONEncoder(ensure_ascii=False)


@functools.lru_cache(maxsize=1)  # thousands of pictures may be in one file
def _check_inside(file: str) -> str:
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError("should be a path inside the data set")
    return file


class PictureRecord(Document):
    """Where a picture is.

    Attributes:
        split: train, validation or test.
        index: within the split.
        file: that holds it, relative to the folder of the data set.
    """

    split: Literal["train", "validation", "test"]
    index: Count
    file: Annotated[ShortText, AfterValidator(_check_inside)]


class ImageRecord(PictureRecord):
    """A single image. What was not measured is left out.

    Attributes:
        label: number of its class.
        seed: of the generator; with the label it draws the same image again.
        predicted: class that the classifier predicts.
        confidence: probability that the classifier gives to the label.
        slant: degrees from the vertical.
        thickness: pixels of the stroke.
    """

    label: Count
    seed: Count
    predicted: Count | None = None
    confidence: Share | None = None
    slant: float | None = None
    thickness: Annotated[float, Field(ge=0)] | None = None


class CharacterEntry(Document):
    """A character of a sequence.

    Attributes:
        character: a digit or a mark.
        box: x, y, width and height in pixels, tight around its ink.
        number: how many times the writer had written this digit before; not of marks.
        area: pixels of the mask.
        mask: of the whole picture, as COCO's compressed run lengths.
    """

    character: ShortText
    box: Annotated[list[Count], Field(min_length=4, max_length=4)]
    number: Count | None = None
    area: Count
    mask: str


class SequenceEntry(PictureRecord):
    """A picture of a sequence.

    Attributes:
        text: what it says.
        writer: the name of its writer.
        size: height and width in pixels.
        characters: from left to right.
    """

    text: ShortText
    writer: ShortText
    size: Annotated[list[Pixels], Field(min_length=2, max_length=2)]
    characters: list[CharacterEntry]


def to_line(record: Json) -> str:
    """Write a record as a line.

    Raises:
        ArtifactError: it is none.
    """
    _check(record, RECORDS)
    return _ENCODER.encode(record) + "\n"


def read_records(path: Path) -> Iterator[Json]:
    """Yield the records of a file, in order.

    Raises:
        ArtifactError: the file cannot be read, or a line is damaged; the message has its number.
    """
    try:
        with path.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                yield _parse(line, f"{path}, line {number:,},")
    except OSError as error:
        raise ArtifactError(f"cannot read {path}: {error.strerror or error}") from error


def _parse(line: bytes, place: str) -> Json:
    try:
        record = parse_json(line)
    except ValueError as error:
        raise ArtifactError(f"{place} is damaged: it is not JSON; {AGAIN}") from error
    if not line.endswith(b"\n") or not isinstance(record, dict):
        raise ArtifactError(f"{place} is damaged: it is not a whole record; {AGAIN}")
    _check(record, place)
    return record


def _check(record: Json, place: str) -> None:
    schema = SequenceEntry if "characters" in record else ImageRecord
    check_document(schema, record, place, AGAIN)
