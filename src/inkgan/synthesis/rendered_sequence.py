"""A sequence as a picture, and as what is kept of it until the files are written."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
from PIL import Image
from pydantic import Field

from inkgan.documents import Count, Document, ShortText
from inkgan.handwriting.text import DIGITS
from inkgan.synthesis.bounding_box import BoundingBox
from inkgan.synthesis.composition import ComposedString
from inkgan.synthesis.formats.outlines import Polygon, outline_polygons
from inkgan.synthesis.formats.run_length import compressed, run_lengths
from inkgan.types import Int64, UInt8

Positive = Annotated[int, Field(ge=1, lt=2**31)]
Polygons = tuple[Polygon, ...]
PNG_LEVEL = 1  # of 9: a tenth larger than at 6, in two thirds of the time
JPEG_QUALITY = 95
JPEG_START = b"\xff\xd8"
PictureFile = Literal["png", "jpeg", "as taken"]
"""Of a format: the files that its readers take; "as taken" if they take both."""


@dataclass(frozen=True)
class RenderedSequence:
    """A sequence on paper.

    Attributes:
        pixels: uint8 (H, W), or (H, W, 3) in color.
        composed: what it shows; boxes and masks are those of this picture.
        jpeg: the file of a camera or a scanner, which keeps the pixels approximately.
    """

    pixels: UInt8
    composed: ComposedString
    jpeg: bytes | None = None

    @cached_property
    def image(self) -> UInt8:
        """The picture as its file shows it, uint8 (H, W), or (H, W, 3) in color."""
        if self.jpeg is None:
            return self.pixels
        with Image.open(io.BytesIO(self.jpeg)) as opened:
            return np.asarray(opened)

    def file(self, kind: PictureFile) -> bytes:
        """Return the bytes of a file."""
        if self.jpeg is not None and kind != "png":
            return self.jpeg
        buffer = io.BytesIO()
        if kind == "jpeg":
            Image.fromarray(self.pixels).save(buffer, format="JPEG", quality=JPEG_QUALITY)
        else:
            picture = Image.fromarray(self.image)
            picture.save(buffer, format="PNG", compress_level=PNG_LEVEL)
        return buffer.getvalue()


Effects = Callable[[ComposedString, np.random.Generator], RenderedSequence]
"""Puts a sequence on paper, and moves its boxes and masks along."""


def render_clean(composed: ComposedString, random: np.random.Generator) -> RenderedSequence:
    """Show black ink on white paper, and nothing else."""
    return RenderedSequence(255 - composed.coverage, composed)


@dataclass(frozen=True)
class CharacterRecord:
    """One character of a finished picture.

    Attributes:
        character: a digit or a mark.
        box: tight around its ink.
        mask: of the whole picture, as COCO's compressed run lengths.
        area: pixels of the mask.
        polygons: that cover the mask, where the format needs them.
        number: how many times the writer had written this digit before; None for a mark.
    """

    character: str
    box: BoundingBox
    mask: str
    area: int
    polygons: Polygons = ()
    number: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what manifest.jsonl says of it."""
        record: dict[str, Any] = {"character": self.character, "box": list(self.box)}
        if self.number is not None:
            record["number"] = self.number
        return record | {"area": self.area, "mask": self.mask}


@dataclass(frozen=True)
class EncodedSequence:
    """A finished picture as the bytes of a PNG or JPEG file, with its labels.

    Attributes:
        split: train, validation or test.
        index: within the split.
        text: what it says.
        writer: the name of the writer.
        image: the file.
        size: height and width.
        channels: 1 or 3.
        characters: from left to right.
    """

    split: str
    index: int
    text: str
    writer: str
    image: bytes
    size: tuple[int, int]
    channels: int
    characters: tuple[CharacterRecord, ...]

    @property
    def suffix(self) -> str:
        """The ending of the file's name: .png or .jpg."""
        return ".jpg" if self.image.startswith(JPEG_START) else ".png"

    def as_json(self, file: str) -> dict[str, Any]:
        """Return the line of manifest.jsonl."""
        return {
            "split": self.split,
            "index": self.index,
            "file": file,
            "text": self.text,
            "writer": self.writer,
            "size": list(self.size),
            "characters": [one.as_json() for one in self.characters],
        }

    def dumped(self) -> bytes:
        """Return everything but the image as one line of JSON."""
        values = {
            "split": self.split,
            "index": self.index,
            "text": self.text,
            "writer": self.writer,
            "size": self.size,
            "channels": self.channels,
            "characters": [
                (c.character, c.box, c.mask, c.area, c.polygons, c.number) for c in self.characters
            ],
        }
        return json.dumps(values, separators=(",", ":")).encode()

    @classmethod
    def restored(cls, line: bytes, image: bytes) -> "EncodedSequence":
        """Return what `dumped` has written.

        Raises:
            ValueError: it is something else.
        """
        values = _Line.model_validate_json(line)
        characters = tuple(
            CharacterRecord(name, BoundingBox(*box), mask, area, polygons, number)
            for name, box, mask, area, polygons, number in values.characters
        )
        return cls(
            values.split,
            values.index,
            values.text,
            values.writer,
            image,
            values.size,
            values.channels,
            characters,
        )


class _Line(Document):
    """What `dumped` writes."""

    split: ShortText
    index: Count
    text: ShortText
    writer: ShortText
    size: tuple[Positive, Positive]
    channels: Literal[1, 3]
    characters: tuple[
        tuple[
            ShortText, tuple[Count, Count, Positive, Positive], str, Count, Polygons, Count | None
        ],
        ...,
    ]


def encode(
    rendered: RenderedSequence,
    place: tuple[str, int],
    writer: tuple[str, Int64],
    *,
    polygons: bool,
    file: PictureFile,
) -> EncodedSequence:
    """Encode a picture and the masks of its characters.

    Args:
        rendered: the picture.
        place: its split, and its index there.
        writer: the writer's name, and how often each image of a digit had been written before,
            (10, variants).
        polygons: whether the masks are needed as polygons, too.
        file: of the picture.
    """
    name, numbers = writer
    size = rendered.pixels.shape[0], rendered.pixels.shape[1]
    characters = []
    for one in rendered.composed.characters:
        record = CharacterRecord(
            one.character,
            one.box,
            compressed(run_lengths(one.mask, one.box, size)),
            int(one.mask.sum()),
            number=None
            if one.variant is None
            else int(numbers[DIGITS.index(one.character), one.variant]),
        )
        if polygons:
            moved = (_moved(p, one.box) for p in outline_polygons(one.mask))
            record = replace(record, polygons=tuple(moved))
        characters.append(record)
    return EncodedSequence(
        *place,
        rendered.composed.text,
        name,
        rendered.file(file),
        size,
        1 if rendered.pixels.ndim == 2 else rendered.pixels.shape[2],
        tuple(characters),
    )


def _moved(polygon: Polygon, box: BoundingBox) -> Polygon:
    return [value + (box.y if place % 2 else box.x) for place, value in enumerate(polygon)]
