"""YOLO: labels/ beside images/, a text file for each picture, and data.yaml for Ultralytics.

A line of boxes is the class, then center and size relative to the picture. A line of segments is
the class, then the corners of one outline around the character, relative to the picture.
"""

from pathlib import Path

import numpy as np

from inkgan.synthesis.bounding_box import BoundingBox
from inkgan.synthesis.formats.categories import CLASSES, class_of
from inkgan.synthesis.formats.files_of_pictures import (
    Lines,
    Placed,
    numbered,
    save_bytes,
    text_file,
)
from inkgan.synthesis.rendered_sequence import CharacterRecord, EncodedSequence

DATA = "data.yaml"
KEYS = {"train": "train", "validation": "val", "test": "test"}


def write_yolo(folder: Path, split: str, count: int, lines: Lines) -> Placed:
    """Write the pictures and boxes of one split."""
    for line in lines:
        file = f"images/{split}/{numbered(line.index)}{line.suffix}"
        save_bytes(folder / file, line.image)
        save_labels(folder, split, line)
        yield line, file


def write_yolo_segments(folder: Path, split: str, count: int, lines: Lines) -> Placed:
    """Write the pictures and outlines of one split."""
    for line in lines:
        file = f"images/{split}/{numbered(line.index)}{line.suffix}"
        save_bytes(folder / file, line.image)
        rows = "".join(f"{segment_line(one, line.size)}\n" for one in line.characters)
        save_bytes(folder / "labels" / split / f"{numbered(line.index)}.txt", rows.encode())
        yield line, file


def save_labels(folder: Path, split: str, line: EncodedSequence) -> None:
    """Write the boxes of one picture."""
    rows = "".join(
        f"{box_line(class_of(one.character), one.box, line.size)}\n" for one in line.characters
    )
    save_bytes(folder / "labels" / split / f"{numbered(line.index)}.txt", rows.encode())


def box_line(label: int, box: BoundingBox, size: tuple[int, int]) -> str:
    """Return the line of a box."""
    height, width = size
    relative = (
        (box.x + box.width / 2) / width,
        (box.y + box.height / 2) / height,
        box.width / width,
        box.height / height,
    )
    return " ".join([str(label), *(f"{value:.6f}" for value in relative)])


def segment_line(one: CharacterRecord, size: tuple[int, int]) -> str:
    """Return the line of an outline; pieces of ink are joined into one, as YOLO has no others.

    The pieces are connected by lines of no width at their nearest corners, there and back.
    """
    height, width = size
    corners = _joined([np.reshape(polygon, (-1, 2)) for polygon in one.polygons])
    relative = corners / (width, height)
    return " ".join([str(class_of(one.character)), *(f"{value:.6f}" for value in relative.ravel())])


def _joined(pieces: list[np.ndarray]) -> np.ndarray:
    outline = pieces[0]
    for piece in pieces[1:]:
        distance = ((outline[:, None] - piece[None]) ** 2).sum(axis=-1)
        here, there = np.unravel_index(int(distance.argmin()), distance.shape)
        turned = np.roll(piece, -there, axis=0)
        outline = np.concatenate(
            [outline[: here + 1], turned, turned[:1], outline[here : here + 1], outline[here + 1 :]]
        )
    return outline


def write_data_yaml(folder: Path, splits: list[str]) -> None:
    """Write data.yaml; without `path` trainers take the folder of the file, wherever it is."""
    paths = {KEYS[split]: f"images/{split}" for split in splits}
    with text_file(folder / DATA) as stream:
        stream.write("# The labels of a picture images/SPLIT/NAME are in labels/SPLIT/NAME.txt.\n")
        if "val" not in paths:
            stream.write("# There is no validation split: for an honest score, make one.\n")
        any_split = next(iter(paths.values()))  # trainers refuse a file without both
        for key, path in ({"train": any_split, "val": any_split} | paths).items():
            stream.write(f"{key}: {path}\n")
        stream.write(f"nc: {len(CLASSES)}\nnames:\n")
        stream.writelines(f'  {number}: "{name}"\n' for number, name in enumerate(CLASSES))
