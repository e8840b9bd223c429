"""COCO and YOLO side by side, over the same pictures."""

from pathlib import Path

from inkgan.synthesis.formats.coco import write_coco
from inkgan.synthesis.formats.files_of_pictures import Lines, Placed
from inkgan.synthesis.formats.yolo import save_labels


def write_detection(folder: Path, split: str, count: int, lines: Lines) -> Placed:
    """Write the pictures, the annotations and the labels of one split."""
    for line, file in write_coco(folder, split, count, lines):
        save_labels(folder, split, line)
        yield line, file
