"""Tesseract: a picture, its text (.gt.txt) and its boxes (.box) under one name.

A line of the .box file is a character, then left, bottom, right and top in pixels from the lower
left corner, then the page. A line that begins with a tab ends the line of text.
"""

from pathlib import Path

from inkgan.synthesis.formats.files_of_pictures import Lines, Placed, save_bytes
from inkgan.synthesis.rendered_sequence import EncodedSequence


def write_tesseract(folder: Path, split: str, count: int, lines: Lines) -> Placed:
    """Write one split into one folder, which tesstrain calls the ground-truth directory."""
    for line in lines:
        name = f"{split}-ground-truth/{line.index:08d}"
        save_bytes(folder / f"{name}.png", line.image)
        save_bytes(folder / f"{name}.gt.txt", f"{line.text}\n".encode())
        save_bytes(folder / f"{name}.box", box_file(line).encode())
        yield line, f"{name}.png"


def box_file(line: EncodedSequence) -> str:
    """Return the boxes of one picture; a space has the room between its neighbors."""
    height, width = line.size
    rows = []
    drawn = iter(line.characters)
    right, bottom, top = 0, 0, height
    for place, character in enumerate(line.text):
        if character == " ":
            following = line.characters[len(line.text[: place + 1].replace(" ", ""))].box
            left, end = min(right, following.x), max(right, following.x)
        else:
            box = next(drawn).box
            left, end = box.x, box.x + box.width
            bottom, top = height - box.y - box.height, height - box.y
            right = end
        rows.append(f"{character} {left} {bottom} {end} {top} 0\n")
    return "".join(rows) + f"\t {width - 1} 0 {width} {height} 0\n"
