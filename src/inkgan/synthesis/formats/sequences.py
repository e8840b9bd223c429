"""Writing strings of digits: pictures, COCO's annotations and YOLO's label files."""

import contextlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from inkgan import __version__, files
from inkgan.images import Shape
from inkgan.synthesis.canvas import Box, Canvas, arrange, canvas_size
from inkgan.synthesis.formats.digits import Step, numbered, save_picture
from inkgan.synthesis.request import DIGITS, Request, Strings
from inkgan.synthesis.shard_result import Drawn, Shards
from inkgan.synthesis.shards import Part

FIRST_CATEGORY = 1  # COCO's categories begin at 1, many detectors keep 0 for the background


def each_string(
    request: Request, lots: Iterable[tuple[Part, Drawn]]
) -> Iterator[tuple[int, Canvas, Drawn]]:
    """Yield each string's index, canvas and digits."""
    for part, drawn in lots:
        ends = np.cumsum(part.lengths).tolist()
        for row, end in enumerate(ends):
            digits = drawn.at(slice(end - int(part.lengths[row]), end))
            yield part.first + row, arrange(digits.pixels, part.first + row, request), digits


def text_of(digits: Drawn) -> str:
    """Return the number that a string shows; leading zeros stay."""
    return "".join(map(str, digits.labels.tolist()))


def write_strings(
    folder: Path, shards: Shards, request: Request, strings: Strings, shape: Shape, step: Step
) -> None:
    """Write images/ with metadata.jsonl, labels/ for YOLO and annotations.json for COCO.

    The texts are JSON, since readers of CSV take 0042 for the number 42.
    """
    size = canvas_size(strings, shape)
    with (
        _text_file(folder / "images" / "metadata.jsonl") as texts,
        _text_file(folder / "annotations.json") as stream,
    ):
        _begin_coco(stream, strings, size)
        comma, annotation = "", 1
        for index, canvas, digits in each_string(request, shards.each()):
            name = numbered(index)
            save_picture(folder / "images" / f"{name}.png", canvas.picture())
            _save_labels(folder / "labels" / f"{name}.txt", canvas, digits)
            row = {"file_name": f"{name}.png", "text": text_of(digits)}
            texts.write(json.dumps(row) + "\n")
            for box, label in zip(canvas.boxes, digits.labels.tolist(), strict=True):
                described = coco_annotation(annotation, index, label, box)
                stream.write(f"{comma}\n{json.dumps(described)}")
                comma, annotation = ",", annotation + 1
            step(1)
        stream.write("\n]}\n")


@contextlib.contextmanager
def _text_file(path: Path) -> Iterator[IO[str]]:
    with (
        files.atomic(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="\n") as stream,
    ):
        yield stream


# --- COCO (https://cocodataset.org/#format-data): the box is x, y, width, height in pixels ---


def coco_annotation(number: int, image: int, label: int, box: Box) -> dict[str, Any]:
    """Describe one digit's box; a box without outline has the box' own area."""
    return {
        "id": number,
        "image_id": image,
        "category_id": label + FIRST_CATEGORY,
        "bbox": list(box),
        "area": box.width * box.height,
        "segmentation": [],
        "iscrowd": 0,
    }


def _begin_coco(stream: IO[str], strings: Strings, size: tuple[int, int]) -> None:
    """Write all that stands before the annotations, an image at a time."""
    head = {
        "info": {"description": "synthetic strings of digits", "version": f"inkgan {__version__}"},
        "licenses": [],
        "categories": [
            {"id": digit + FIRST_CATEGORY, "name": name, "supercategory": "digit"}
            for digit, name in enumerate(DIGITS)
        ],
    }
    stream.write(json.dumps(head)[:-1] + ',\n"images": [')
    for index in range(strings.count):
        row = {
            "id": index,
            "width": size[1],
            "height": size[0],
            "file_name": f"{numbered(index)}.png",
        }
        stream.write(f"{',' if index else ''}\n{json.dumps(row)}")
    stream.write('\n],\n"annotations": [')


# --- YOLO: a line for each digit, class and box, centre and size as shares of the picture ---


def yolo_line(label: int, box: Box, size: tuple[int, int]) -> str:
    """Return one digit's line."""
    height, width = size
    shares = (
        (box.x + box.width / 2) / width,
        (box.y + box.height / 2) / height,
        box.width / width,
        box.height / height,
    )
    return " ".join([str(label), *(f"{share:.6f}" for share in shares)])


def _save_labels(path: Path, canvas: Canvas, digits: Drawn) -> None:
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True)
    boxes = zip(digits.labels.tolist(), canvas.boxes, strict=True)
    lines = [yolo_line(label, box, canvas.size) + "\n" for label, box in boxes]
    path.write_text("".join(lines), encoding="utf-8", newline="\n")
