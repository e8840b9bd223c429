"""The formats of sequences: one record for each, from which writing, card and docs are derived."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from inkgan.errors import ConfigError
from inkgan.synthesis.formats.coco import write_coco
from inkgan.synthesis.formats.detection import write_detection
from inkgan.synthesis.formats.easyocr import write_easyocr
from inkgan.synthesis.formats.files_of_pictures import Lines, Placed
from inkgan.synthesis.formats.lmdb_store import write_lmdb
from inkgan.synthesis.formats.paddleocr import write_characters, write_paddleocr
from inkgan.synthesis.formats.parquet import write_parquet
from inkgan.synthesis.formats.pascal_voc import write_voc
from inkgan.synthesis.formats.tesseract import write_tesseract
from inkgan.synthesis.formats.webdataset_tar import write_webdataset
from inkgan.synthesis.formats.yolo import write_data_yaml, write_yolo, write_yolo_segments
from inkgan.synthesis.rendered_sequence import PictureFile


def _nothing(folder: Path, splits: list[str]) -> None:
    """Add no files."""


@dataclass(frozen=True)
class SequenceFormatSpec:
    """A format of files.

    Attributes:
        write: writes one split: called as `write(folder, split, count, lines)`.
        files: names and their meaning, for the card.
        finish: writes the files that all splits share: called as `finish(folder, splits)`.
        polygons: whether the masks are needed as polygons.
        file: of the pictures: as they are taken, if its readers take PNG and JPEG.
        detection: whether boxes, not texts, are what the format is for.
        module: that writes it, if no dependency of the package does, and the extra that has it.
        hub_path: files of a split that the Hugging Face hub shows.
    """

    write: Callable[[Path, str, int, Lines], Placed]
    files: tuple[tuple[str, str], ...]
    finish: Callable[[Path, list[str]], None] = _nothing
    polygons: bool = False
    file: PictureFile = "as taken"
    detection: bool = False
    module: tuple[str, str] | None = None
    hub_path: str | None = None


PICTURES = ("`images/`", "pictures by split, with the texts in `metadata.jsonl`")
COCO_FILE = ("`annotations/`", "boxes and outlines for COCO, a file for each split")
YOLO_FILES = ("`labels/` and `data.yaml`", "boxes for YOLO, a file for each picture")

SEQUENCE_FORMATS: dict[str, SequenceFormatSpec] = {
    "detection": SequenceFormatSpec(
        write_detection,
        (PICTURES, COCO_FILE, YOLO_FILES),
        write_data_yaml,
        polygons=True,
        detection=True,
        hub_path="images/{split}/**",
    ),
    "coco": SequenceFormatSpec(
        write_coco,
        (PICTURES, COCO_FILE),
        polygons=True,
        detection=True,
        hub_path="images/{split}/**",
    ),
    "yolo": SequenceFormatSpec(
        write_yolo,
        (("`images/`", "pictures by split"), YOLO_FILES),
        write_data_yaml,
        detection=True,
    ),
    "yolo-seg": SequenceFormatSpec(
        write_yolo_segments,
        (
            ("`images/`", "pictures by split"),
            ("`labels/` and `data.yaml`", "outlines for YOLO, a file for each picture"),
        ),
        write_data_yaml,
        polygons=True,
        detection=True,
    ),
    "voc": SequenceFormatSpec(
        write_voc,
        (("`VOCdevkit/VOC2012/`", "`JPEGImages`, `Annotations` and `ImageSets`"),),
        file="jpeg",
        detection=True,
    ),
    "lmdb": SequenceFormatSpec(
        write_lmdb,
        (("a folder for each split", "with `data.mdb`: num-samples, image-..., label-..."),),
        module=("lmdb", "lmdb"),
    ),
    "paddleocr": SequenceFormatSpec(
        write_paddleocr,
        (
            ("a folder and a `.txt` for each split", "path, tab and text on each line"),
            ("`characters.txt`", "for `character_dict_path`"),
        ),
        write_characters,
    ),
    "easyocr": SequenceFormatSpec(
        write_easyocr,
        (
            ("a folder for each split", "pictures and `labels.csv`"),
            (
                "a set of plain numbers",
                "its trainer takes 0042 for 42; add `dtype=str` to `read_csv` in its `dataset.py`",
            ),
        ),
    ),
    "tesseract": SequenceFormatSpec(
        write_tesseract,
        (("`train-ground-truth/`", "`.png`, `.gt.txt` and `.box` of each line; also of others"),),
        file="png",
    ),
    "parquet": SequenceFormatSpec(
        write_parquet,
        (("`data/`", "Parquet: image, text, writer, characters, boxes, masks"),),
        module=("pyarrow", "parquet"),
        hub_path="data/{split}-*",
    ),
    "webdataset": SequenceFormatSpec(
        write_webdataset,
        (("a `.tar` for each 10,000 sequences", "picture, `.txt` and `.json` of each"),),
        hub_path="{split}-*.tar",
    ),
}


def check_importable(format: str) -> None:
    """Refuse a format whose library is not installed, before work starts.

    Raises:
        ConfigError: names the extra to install.
    """
    module = SEQUENCE_FORMATS[format].module
    if module is not None and importlib.util.find_spec(module[0]) is None:
        raise ConfigError(f"`format={format!r}` needs the extra: pip install 'inkgan[{module[1]}]'")
