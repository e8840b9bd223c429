"""Write sequences of digits: pictures, annotations for COCO and label files for YOLO."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from inkgan import __version__, files
from inkgan.generation.protocols import DIGITS
from inkgan.images import Shape
from inkgan.synthesis.bounding_box import BoundingBox
from inkgan.synthesis.canvas import Canvas, arrange, canvas_size
from inkgan.synthesis.formats.labeled_images import Written, numbered, save_picture
from inkgan.synthesis.formats.outlines import Polygon, outline_polygons
from inkgan.synthesis.glyph_pool import INK
from inkgan.synthesis.request import DigitSequences
from inkgan.synthesis.shard_store import ShardResult, ShardStore
from inkgan.synthesis.shards import Shard
from inkgan.types import UInt8

YOLO_DATA = "data.yaml"
FIRST_CATEGORY = 1  # COCO's categories begin at 1; many detectors reserve 0 for the background


def write_sequences(
    folder: Path, store: ShardStore, sequences: DigitSequences, seed: int, shape: Shape
) -> Iterator[Written]:
    """Write images/ with metadata.jsonl, annotations.json for COCO, labels/ and data.yaml for YOLO.

    The texts are JSON, since readers of CSV take 0042 for the number 42. Yields each shard when
    its sequences are written.
    """
    size = canvas_size(sequences, shape)
    files.write_text(folder / YOLO_DATA, yolo_data())
    with (
        _text_file(folder / "images" / "metadata.jsonl") as texts,
        _text_file(folder / "annotations.json") as annotations,
    ):
        _begin_coco(annotations, sequences, size)
        comma, annotation_id = "", 1
        for shard, result in store.results():
            records = []
            for index, digits in split_sequences(shard, result):
                canvas = arrange(digits.pixels, index, sequences, seed)
                name, text = numbered(index), "".join(map(str, digits.labels.tolist()))
                save_picture(folder / "images" / f"{name}.png", canvas.picture())
                _save_yolo(folder / "labels" / f"{name}.txt", canvas, digits)
                texts.write(json.dumps({"file_name": f"{name}.png", "text": text}) + "\n")
                parts = zip(digits.labels.tolist(), canvas.boxes, canvas.tiles, strict=True)
                for label, box, tile in parts:
                    annotation = coco_annotation(annotation_id, index, label, box, tile)
                    annotations.write(f"{comma}\n{json.dumps(annotation)}")
                    comma, annotation_id = ",", annotation_id + 1
                place = {"split": shard.split, "index": index, "file": f"images/{name}.png"}
                records.append(place | {"text": text, "digits": _digit_records(canvas, digits)})
            yield Written(shard, result, records)
        annotations.write("\n]}\n")


def split_sequences(shard: Shard, result: ShardResult) -> Iterator[tuple[int, ShardResult]]:
    """Yield the index and the digits of each sequence of a shard."""
    ends = np.cumsum(shard.lengths, dtype=np.int64).tolist()
    for row, (end, length) in enumerate(zip(ends, shard.lengths.tolist(), strict=True)):
        yield shard.first + row, result.take(slice(end - length, end))


def _digit_records(canvas: Canvas, digits: ShardResult) -> list[dict[str, Any]]:
    return [digits.record(row) | {"box": list(box)} for row, box in enumerate(canvas.boxes)]


@contextlib.contextmanager
def _text_file(path: Path) -> Iterator[IO[str]]:
    with (
        files.atomic(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="\n") as stream,
    ):
        yield stream


# --- COCO (https://cocodataset.org/#format-data): a box is x, y, width, height in pixels ---


def coco_annotation(
    annotation_id: int, image_id: int, label: int, box: BoundingBox, tile: UInt8
) -> dict[str, Any]:
    """Return the annotation of one digit, whose ink is outlined; its area is that of the ink."""
    ink = tile >= INK
    return {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": label + FIRST_CATEGORY,
        "bbox": list(box),
        "area": int(ink.sum()),
        "segmentation": [_moved(polygon, box) for polygon in outline_polygons(ink)],
        "iscrowd": 0,
    }


def _moved(polygon: Polygon, box: BoundingBox) -> Polygon:
    return [value + (box.y if place % 2 else box.x) for place, value in enumerate(polygon)]


def _begin_coco(stream: IO[str], sequences: DigitSequences, size: tuple[int, int]) -> None:
    """Write everything that comes before the annotations, an image at a time."""
    head = {
        "info": {"description": "synthetic strings of digits", "version": f"inkgan {__version__}"},
        "licenses": [],
        "categories": [
            {"id": digit + FIRST_CATEGORY, "name": name, "supercategory": "digit"}
            for digit, name in enumerate(DIGITS)
        ],
    }
    stream.write(json.dumps(head)[:-1] + ',\n"images": [')
    for index in range(sequences.count):
        row = {
            "id": index,
            "width": size[1],
            "height": size[0],
            "file_name": f"{numbered(index)}.png",
        }
        stream.write(f"{',' if index else ''}\n{json.dumps(row)}")
    stream.write('\n],\n"annotations": [')


# --- YOLO: a line for each digit: class, then center and size relative to the picture ---


def yolo_data() -> str:
    """Return data.yaml, which names the pictures and the classes for Ultralytics' trainers.

    Without `path` they take the folder of the file, wherever it is moved.
    """
    names = "".join(f'  {digit}: "{name}"\n' for digit, name in enumerate(DIGITS))
    return (
        "# The labels of images/NAME.png are in labels/NAME.txt.\n"
        "train: images\n"
        "# There is no other split: for an honest score, name the images/ folder of a data set\n"
        "# that was made with another seed.\n"
        "val: images\n"
        f"nc: {len(DIGITS)}\n"
        f"names:\n{names}"
    )


def yolo_line(label: int, box: BoundingBox, size: tuple[int, int]) -> str:
    """Return one digit's line."""
    height, width = size
    relative = (
        (box.x + box.width / 2) / width,
        (box.y + box.height / 2) / height,
        box.width / width,
        box.height / height,
    )
    return " ".join([str(label), *(f"{value:.6f}" for value in relative)])


def _save_yolo(path: Path, canvas: Canvas, digits: ShardResult) -> None:
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True)
    boxes = zip(digits.labels.tolist(), canvas.boxes, strict=True)
    lines = [yolo_line(label, box, canvas.size) + "\n" for label, box in boxes]
    path.write_text("".join(lines), encoding="utf-8", newline="\n")
