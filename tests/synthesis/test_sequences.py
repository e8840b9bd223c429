"""Strings of digits: boxes tight round the ink, in COCO's and YOLO's form."""

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from inkgan.images import Shape, read_picture
from inkgan.synthesis import shards as shards_module
from inkgan.synthesis.bounding_box import BoundingBox
from inkgan.synthesis.canvas import arrange, canvas_size, ink_box
from inkgan.synthesis.formats.sequences import yolo_line
from inkgan.synthesis.glyph_pool import INK
from inkgan.synthesis.request import DigitSequences, SynthesisRequest
from inkgan.synthesis.synthesis_result import SynthesisResult
from inkgan.types import UInt8
from tests.fixtures.synthesis import FakeGenerator, make, tree

REQUEST = SynthesisRequest(DigitSequences(30, (2, 5), (0, 9)), seed=1)

# The published schema (https://cocodataset.org/#format-data), as far as boxes need it.
SCHEMA: dict[str, dict[str, type]] = {
    "images": {"id": int, "width": int, "height": int, "file_name": str},
    "categories": {"id": int, "name": str, "supercategory": str},
    "annotations": {
        "id": int,
        "image_id": int,
        "category_id": int,
        "bbox": list,
        "area": int,
        "segmentation": list,
        "iscrowd": int,
    },
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SynthesisResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards_module, "SEQUENCES_PER_SHARD", 7)
        return make(tmp_path_factory.mktemp("strings") / "a", REQUEST)


def annotations(made: SynthesisResult) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((made.path / "annotations.json").read_text())
    return document


def texts(made: SynthesisResult) -> dict[str, str]:
    lines = (made.path / "images" / "metadata.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert all(isinstance(row["text"], str) for row in rows)
    return {row["file_name"]: row["text"] for row in rows}


def test_lengths_and_texts(made: SynthesisResult) -> None:
    found = texts(made)
    assert len(found) == 30
    assert {len(text) for text in found.values()} == {2, 3, 4, 5}
    assert any(text.startswith("0") for text in found.values())
    rows = [json.loads(line) for line in (made.path / "manifest.jsonl").read_text().splitlines()]
    assert [row["text"] for row in rows] == list(found.values())
    assert made.manifest["images"] == 30
    total = sum(map(len, found.values()))
    assert sum(made.manifest["measured"]["digits"]["train"].values()) == total


def test_annotations_follow_the_published_schema(made: SynthesisResult) -> None:
    document = annotations(made)
    for name, fields in SCHEMA.items():
        for row in document[name]:
            assert {key: type(value) for key, value in row.items()} == fields
        assert len({row["id"] for row in document[name]}) == len(document[name])
    assert [row["name"] for row in document["categories"]] == list("0123456789")
    images = {row["id"]: row for row in document["images"]}
    for row in document["annotations"]:
        x, y, width, height = row["bbox"]
        image = images[row["image_id"]]
        assert min(x, y) >= 0
        assert x + width <= image["width"]
        assert y + height <= image["height"]
        assert 0 < row["area"] <= width * height


def test_pycocotools_reads_them(made: SynthesisResult) -> None:
    """The reference reader finds each string's digits, and its own evaluation calls them right."""
    with contextlib.redirect_stdout(io.StringIO()) as said:
        coco = COCO(str(made.path / "annotations.json"))
        for name, text in texts(made).items():
            (image,) = [row for row in coco.dataset["images"] if row["file_name"] == name]
            found = coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))
            found.sort(key=lambda row: row["bbox"][0])
            digits = [coco.loadCats(row["category_id"])[0]["name"] for row in found]
            assert "".join(digits) == text
        guesses = [
            {key: row[key] for key in ("image_id", "category_id", "bbox")} | {"score": 1.0}
            for row in coco.dataset["annotations"]
        ]
        evaluation = COCOeval(coco, coco.loadRes(guesses), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    assert "Average Precision" in said.getvalue()
    assert evaluation.stats[0] == pytest.approx(1.0)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools
def test_masks_are_the_ink(made: SynthesisResult) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(made.path / "annotations.json"))
    for row in coco.dataset["annotations"]:
        picture = read_picture(made.path / "images" / coco.imgs[row["image_id"]]["file_name"])
        ink = np.zeros_like(picture, dtype=bool)
        x, y, width, height = row["bbox"]
        ink[y : y + height, x : x + width] = picture[y : y + height, x : x + width] >= INK
        mask = coco.annToMask(row) > 0
        assert np.array_equal(mask, ink)
        assert row["area"] == mask.sum()


def test_trainers_of_yolo_find_pictures_and_names(made: SynthesisResult) -> None:
    """As Ultralytics reads it: without `path`, folders are relative to the file."""
    data = pytest.importorskip("yaml").safe_load((made.path / "data.yaml").read_text())
    assert data == {
        "train": "images",
        "val": "images",
        "nc": 10,
        "names": {digit: str(digit) for digit in range(10)},
    }
    pictures = sorted((made.path / data["train"]).rglob("*.png"))
    labels = [Path(str(p.with_suffix(".txt")).replace("/images/", "/labels/")) for p in pictures]
    assert len(labels) == 30
    assert all(label.is_file() for label in labels)
    assert "data.yaml" in made.manifest["entries"]


def test_boxes_are_tight_round_all_ink(made: SynthesisResult) -> None:
    """In the picture itself: every box touches ink on its four sides, and no ink is outside."""
    document = annotations(made)
    for image in document["images"]:
        picture = read_picture(made.path / "images" / image["file_name"])
        assert picture.shape == (image["height"], image["width"])
        inside = np.zeros_like(picture, dtype=bool)
        for row in document["annotations"]:
            if row["image_id"] == image["id"]:
                x, y, width, height = row["bbox"]
                ink = picture[y : y + height, x : x + width] >= INK
                assert ink[0].any() and ink[-1].any()  # noqa: PT018
                assert ink[:, 0].any() and ink[:, -1].any()  # noqa: PT018
                inside[y : y + height, x : x + width] = True
        assert not (picture[~inside] > 0).any()


def test_yolo_says_what_coco_says(made: SynthesisResult) -> None:
    document = annotations(made)
    for image in document["images"]:
        name = image["file_name"].replace(".png", ".txt")
        lines = (made.path / "labels" / name).read_text().splitlines()
        boxes = [r for r in document["annotations"] if r["image_id"] == image["id"]]
        assert len(lines) == len(boxes)
        for line, row in zip(lines, boxes, strict=True):
            label, *shares = line.split()
            assert int(label) == row["category_id"] - 1
            cx, cy, w, h = (float(share) for share in shares)
            width, height = image["width"], image["height"]
            box = [(cx - w / 2) * width, (cy - h / 2) * height, w * width, h * height]
            assert box == pytest.approx(row["bbox"], abs=1e-3)


def test_a_line_of_yolo() -> None:
    assert (
        yolo_line(7, BoundingBox(10, 5, 20, 10), (40, 100))
        == "7 0.200000 0.250000 0.200000 0.250000"
    )


def test_digits_can_be_had_again(made: SynthesisResult) -> None:
    """The ink in each box is that of the digit which label and seed of the manifest draw."""
    for line in (made.path / "manifest.jsonl").read_text().splitlines():
        row = json.loads(line)
        picture = read_picture(made.path / row["file"])
        for digit in row["digits"]:
            drawn = FakeGenerator().sample([digit["label"]], seeds=[digit["seed"]])[0]
            ink, (x, y, width, height) = ink_box(drawn), digit["box"]
            tile = drawn[ink.y : ink.y + height, ink.x : ink.x + width]
            assert (ink.width, ink.height) == (width, height)
            assert np.array_equal(picture[y : y + height, x : x + width], tile)


squares = st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(1, 8), st.integers(1, 8))


@given(
    drawn=st.lists(squares, min_size=1, max_size=6),
    spacing=st.tuples(st.integers(0, 5), st.integers(0, 5)),
    index=st.integers(0, 10**8),
)
@settings(deadline=None, max_examples=80)
def test_gaps_are_as_asked(
    drawn: list[tuple[int, int, int, int]], spacing: tuple[int, int], index: int
) -> None:
    """Whatever the ink, its gaps lie in the spacing and the canvas holds it all."""
    digits = np.zeros((len(drawn), 28, 28), dtype=np.uint8)
    for digit, (x, y, width, height) in zip(digits, drawn, strict=True):
        digit[y : y + height, x : x + width] = 255
    low, high = spacing[0], sum(spacing)
    sequences = DigitSequences(1, (1, 6), (low, high))
    canvas = arrange(digits, index, sequences, seed=0)
    assert canvas.size == canvas_size(sequences, Shape(1, 28, 28))
    gaps = [
        right.x - left.x - left.width
        for left, right in zip(canvas.boxes, canvas.boxes[1:], strict=False)
    ]
    assert all(low <= gap <= high for gap in gaps)
    assert canvas.picture().astype(bool).sum() == sum(w * h for _, _, w, h in drawn)
    assert canvas.boxes == arrange(digits, index, sequences, seed=0).boxes


def test_the_estimate_is_from_above(made: SynthesisResult) -> None:
    blocks = sum(-(-len(content) // 4096) * 4096 for content in tree(made.path).values())
    assert blocks < REQUEST.max_bytes(Shape(1, 28, 28))


def test_blank_digits_are_drawn_again(tmp_path: Path) -> None:
    class OftenBlank(FakeGenerator):
        def image(self, label: int, seed: int) -> UInt8:
            image = super().image(label, seed)
            return np.full_like(image, INK - 1) if seed % 3 == 0 else image

    made = make(tmp_path / "a", REQUEST, OftenBlank())
    assert made.manifest["rejected"]["blank"] > 0
