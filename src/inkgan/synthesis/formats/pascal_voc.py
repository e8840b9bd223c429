"""Pascal VOC: JPEGImages/, Annotations/ and ImageSets/Main/, as VOC2012 has them.

A box is xmin, ymin, xmax and ymax in pixels that count from 1, the last one included. Pictures are
JPEG files, since readers of VOC expect these.
"""

from pathlib import Path
from xml.sax.saxutils import escape

from inkgan.synthesis.formats.files_of_pictures import Lines, Placed, save_bytes, text_file
from inkgan.synthesis.rendered_sequence import EncodedSequence

ROOT = Path("VOCdevkit/VOC2012")
SET_NAMES = {"train": "train", "validation": "val", "test": "test"}


def write_voc(folder: Path, split: str, count: int, lines: Lines) -> Placed:
    """Write one split; its pictures are named in ImageSets/Main/train.txt, val.txt or test.txt."""
    root = folder / ROOT
    with text_file(root / "ImageSets" / "Main" / f"{SET_NAMES[split]}.txt") as names:
        for line in lines:
            name = f"{split}_{line.index:08d}"
            save_bytes(root / "JPEGImages" / f"{name}.jpg", line.image)
            save_bytes(root / "Annotations" / f"{name}.xml", annotation(line, name).encode())
            names.write(f"{name}\n")
            yield line, f"{ROOT.as_posix()}/JPEGImages/{name}.jpg"


def annotation(line: EncodedSequence, name: str) -> str:
    """Return the XML document of one picture."""
    height, width = line.size
    objects = "".join(
        f"""  <object>
    <name>{escape(one.character)}</name>
    <pose>Unspecified</pose>
    <truncated>0</truncated>
    <difficult>0</difficult>
    <bndbox>
      <xmin>{one.box.x + 1}</xmin>
      <ymin>{one.box.y + 1}</ymin>
      <xmax>{one.box.x + one.box.width}</xmax>
      <ymax>{one.box.y + one.box.height}</ymax>
    </bndbox>
  </object>
"""
        for one in line.characters
    )
    return f"""<annotation>
  <folder>VOC2012</folder>
  <filename>{name}.jpg</filename>
  <size>
    <width>{width}</width>
    <height>{height}</height>
    <depth>{line.channels}</depth>
  </size>
  <segmented>0</segmented>
{objects}</annotation>
"""
