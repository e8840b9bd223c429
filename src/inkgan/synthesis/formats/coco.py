"""COCO (https://cocodataset.org/#format-data): boxes, outlines and masks of each character.

A box is x, y, width and height in pixels. `segmentation` has polygons, whose union is exactly the
mask; the same mask as run lengths is in manifest.jsonl.
"""

import json
from pathlib import Path
from typing import Any

from inkgan import __version__
from inkgan.synthesis.formats.categories import CLASSES, class_of
from inkgan.synthesis.formats.files_of_pictures import (
    Lines,
    Placed,
    numbered,
    save_bytes,
    text_file,
)
from inkgan.synthesis.rendered_sequence import CharacterRecord

FIRST_CATEGORY = 1  # COCO's categories begin at 1; many detectors reserve 0 for the background


def write_coco(folder: Path, split: str, count: int, lines: Lines) -> Placed:
    """Write the pictures of one split and annotations/SPLIT.json.

    images/SPLIT/metadata.jsonl has the texts, since readers of CSV take 0042 for the number 42.
    """
    pictures = folder / "images" / split
    images = folder / "annotations" / f".{split}-images"
    with (
        text_file(pictures / "metadata.jsonl") as texts,
        text_file(folder / "annotations" / f"{split}.json") as annotations,
        text_file(images) as rows,
    ):
        annotations.write(_head()[:-1] + ',\n"annotations": [')
        comma, annotation_id = "", 1
        for line in lines:
            name = f"{numbered(line.index)}{line.suffix}"
            save_bytes(pictures / name, line.image)
            texts.write(json.dumps({"file_name": name, "text": line.text}) + "\n")
            row = {
                "id": line.index,
                "width": line.size[1],
                "height": line.size[0],
                "file_name": name,
            }
            rows.write(f"{',' if line.index else ''}\n{json.dumps(row)}")
            for one in line.characters:
                annotation = coco_annotation(annotation_id, line.index, one)
                annotations.write(f"{comma}\n{json.dumps(annotation)}")
                comma, annotation_id = ",", annotation_id + 1
            yield line, f"images/{split}/{name}"
        annotations.write('\n],\n"images": [')
        rows.flush()
        _copy(rows.name, annotations)
        annotations.write("\n]}\n")
    images.unlink()


def coco_annotation(annotation_id: int, image_id: int, one: CharacterRecord) -> dict[str, Any]:
    """Return the annotation of one character."""
    return {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": class_of(one.character) + FIRST_CATEGORY,
        "bbox": list(one.box),
        "area": one.area,
        "segmentation": list(one.polygons),
        "iscrowd": 0,
    }


def _head() -> str:
    head = {
        "info": {"description": "synthetic handwriting", "version": f"inkgan {__version__}"},
        "licenses": [],
        "categories": [
            {
                "id": class_of(name) + FIRST_CATEGORY,
                "name": name,
                "supercategory": "digit" if name.isdecimal() else "mark",
            }
            for name in CLASSES
        ],
    }
    return json.dumps(head)


def _copy(source: str, target: Any) -> None:
    with Path(source).open(encoding="utf-8") as stream:
        while block := stream.read(1 << 20):
            target.write(block)
