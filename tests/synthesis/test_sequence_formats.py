"""Each format of sequences is read back by the tool that its users train with."""

import contextlib
import csv
import gc
import importlib
import io
import json
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from inkgan.errors import ConfigError
from inkgan.images import read_picture
from inkgan.synthesis.bounding_box import BoundingBox
from inkgan.synthesis.formats import parquet, webdataset_tar
from inkgan.synthesis.formats.categories import CLASSES
from inkgan.synthesis.formats.sequence_formats import SEQUENCE_FORMATS, check_importable
from inkgan.synthesis.formats.yolo import box_line
from inkgan.synthesis.paper.paper import Paper
from inkgan.synthesis.request import SynthesisRequest
from inkgan.synthesis.sequence_request import SequenceFormat, Sequences
from inkgan.synthesis.synthesis_result import SynthesisResult
from inkgan.types import UInt8
from tests.fixtures.synthesis import make

PATTERNS = ("[0-9]{2,4}", "amount", "12 34", "1-2/3:4")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("formats")


def made_as(folder: Path, format: SequenceFormat) -> SynthesisResult:
    content = Sequences(14, 3, 4, pattern=PATTERNS, writers=6, format=format)
    return make(folder / format, SynthesisRequest(content.resolved(), seed=5))


def rows(made: SynthesisResult, split: str) -> list[dict[str, Any]]:
    lines = (made.path / "manifest.jsonl").read_text().splitlines()
    return [row for row in map(json.loads, lines) if row["split"] == split]


def pixels(content: bytes) -> UInt8:
    return np.asarray(Image.open(io.BytesIO(content)))


def reference(folder: Path, split: str) -> list[UInt8]:
    """Return the pictures that all formats hold, as PaddleOCR's has them."""
    made = made_as(folder, "paddleocr")
    return [read_picture(made.path / row["file"]) for row in rows(made, split)]


def read_yaml(text: str) -> Any:
    return importlib.import_module("yaml").safe_load(text)


def test_lmdb_is_read_as_by_recognizers(folder: Path) -> None:
    """As `LmdbDataset` of deep-text-recognition-benchmark, CRNN and PARSeq opens and reads it."""
    lmdb: Any = importlib.import_module("lmdb")
    made = made_as(folder, "lmdb")
    for split in ("train", "validation", "test"):
        pictures = reference(folder, split)
        with (
            lmdb.open(
                str(made.path / split),
                max_readers=32,
                readonly=True,
                lock=False,
                readahead=False,
                meminit=False,
            ) as store,
            store.begin(write=False) as transaction,
        ):
            count = int(transaction.get(b"num-samples"))
            assert count == len(rows(made, split)) == len(pictures)
            assert store.stat()["entries"] == 2 * count + 1
            for index, row in enumerate(rows(made, split)):
                label = transaction.get(f"label-{index + 1:09d}".encode()).decode("utf-8")
                image = transaction.get(f"image-{index + 1:09d}".encode())
                assert label == row["text"]
                assert np.array_equal(pixels(image), pictures[index])
    assert sorted(p.name for p in (made.path / "train").iterdir()) == ["data.mdb"]


def test_paddleocr_reads_its_lines(folder: Path) -> None:
    """As `SimpleDataSet` splits them; every character is in the dictionary, or the space."""
    made = made_as(folder, "paddleocr")
    known = (made.path / "characters.txt").read_text().splitlines()
    for split in ("train", "validation", "test"):
        with (made.path / f"{split}.txt").open("rb") as stream:
            lines = stream.readlines()
        assert len(lines) == len(rows(made, split))
        for line, row in zip(lines, rows(made, split), strict=True):
            name, label = line.decode("utf-8").strip("\n").split("\t")
            assert label == row["text"]
            assert (made.path / name).is_file()
            assert set(label) <= {*known, " "}


def test_easyocr_reads_its_table(folder: Path) -> None:
    """With pandas, as `OCRDataset` of EasyOCR's trainer does."""
    pandas = importlib.import_module("pandas")
    made = made_as(folder, "easyocr")
    pictures = reference(folder, "train")
    table = pandas.read_csv(
        made.path / "train" / "labels.csv",
        sep="^([^,]+),",
        engine="python",
        usecols=["filename", "words"],
        keep_default_na=False,
    )
    assert list(table["words"].astype(str)) == [row["text"] for row in rows(made, "train")]
    for name, picture in zip(table["filename"], pictures, strict=True):
        assert np.array_equal(read_picture(made.path / "train" / name), picture)


def test_easyocr_needs_dtype_for_plain_numbers(tmp_path: Path) -> None:
    """As the card says: pandas guesses the type of a column, and loses leading zeros."""
    pandas = importlib.import_module("pandas")
    content = Sequences(6, texts=("0042", "17", "305"), writers=2, format="easyocr").resolved()
    made = make(tmp_path / "numbers", SynthesisRequest(content))
    assert "add `dtype=str` to `read_csv`" in (made.path / "README.md").read_text()
    table = made.path / "train" / "labels.csv"
    options = {"sep": "^([^,]+),", "engine": "python", "usecols": ["filename", "words"]}
    texts = [row["text"] for row in rows(made, "train")]
    assert "0042" in texts
    assert pandas.read_csv(table, **options)["words"].tolist() == list(map(int, texts))
    assert pandas.read_csv(table, dtype=str, **options)["words"].tolist() == texts


def test_tesseract_files_belong_together(folder: Path) -> None:
    """Boxes count from the lower left corner; a tab ends the line, as tesstrain writes it."""
    made = made_as(folder, "tesseract")
    for row in rows(made, "test"):
        picture = made.path / row["file"]
        assert picture.with_suffix(".gt.txt").read_text() == row["text"] + "\n"
        *lines, end = picture.with_suffix(".box").read_text().splitlines()
        assert end.startswith("\t ")
        assert "".join(line[0] for line in lines) == row["text"]
        height, width = row["size"]
        found = []
        for line in lines:
            left, bottom, right, top, page = map(int, line[2:].split(" "))
            assert page == 0
            assert 0 <= left <= right <= width
            assert 0 <= bottom < top <= height
            if line[0] != " ":
                found.append([left, height - top, right - left, top - bottom])
        assert found == [one["box"] for one in row["characters"]]


def test_datasets_loads_parquet(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its features; pictures are decoded, and the labels are those of the manifest."""
    monkeypatch.setattr(parquet, "ROWS_PER_FILE", 9)
    monkeypatch.setattr(parquet, "ROWS_PER_GROUP", 4)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = importlib.import_module("datasets")
    made = made_as(folder, "parquet")
    files = {
        split: str(made.path / "data" / f"{split}-*.parquet")
        for split in ("train", "validation", "test")
    }
    loaded = datasets.load_dataset(
        "parquet", data_files=files, cache_dir=str(folder / "cache"), keep_in_memory=True
    )
    assert len(list((made.path / "data").glob("train-*-of-00002.parquet"))) == 2
    for split in files:
        found = loaded[split]
        assert isinstance(found.features["image"], datasets.Image)
        assert found["text"] == [row["text"] for row in rows(made, split)]
        assert found["writer"] == [row["writer"] for row in rows(made, split)]
        for row, expected, picture in zip(
            found, rows(made, split), reference(folder, split), strict=True
        ):
            assert np.array_equal(np.asarray(row["image"]), picture)
            assert row["boxes"] == [one["box"] for one in expected["characters"]]
            assert row["masks"] == [one["mask"] for one in expected["characters"]]


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # of webdataset, which closes no file
def test_webdataset_loads_tars(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webdataset_tar, "PER_TAR", 6)
    webdataset = importlib.import_module("webdataset")
    made = made_as(folder, "webdataset")
    pictures = reference(folder, "train")
    url = str(made.path / "train-{000000..000002}.tar")
    found = list(webdataset.WebDataset(url, shardshuffle=False).decode("l8"))
    gc.collect()
    assert len(found) == 14
    for sample, row, picture in zip(found, rows(made, "train"), pictures, strict=True):
        assert sample["__key__"] == f"{row['index']:08d}"
        assert sample["txt"] == row["text"]
        assert sample["json"]["characters"] == row["characters"]
        assert np.array_equal(sample["png"], picture)


def test_voc_has_the_layout_of_2012(folder: Path) -> None:
    """Found and parsed as torchvision's `VOCDetection` does: by the names in ImageSets/Main."""
    made = made_as(folder, "voc")
    root = made.path / "VOCdevkit" / "VOC2012"
    for split, name in (("train", "train"), ("validation", "val"), ("test", "test")):
        names = (root / "ImageSets" / "Main" / f"{name}.txt").read_text().split()
        assert len(names) == len(rows(made, split))
        for name, row, exact in zip(
            names, rows(made, split), reference(folder, split), strict=True
        ):
            picture = read_picture(root / "JPEGImages" / f"{name}.jpg")
            assert np.abs(picture.astype(int) - exact).mean() < 6  # JPEG
            document = ElementTree.parse(root / "Annotations" / f"{name}.xml").getroot()
            assert document.findtext("filename") == f"{name}.jpg"
            size = [int(document.findtext(f"size/{key}", "")) for key in ("height", "width")]
            assert size == row["size"] == list(picture.shape)
            objects = document.findall("object")
            assert "".join(one.findtext("name", "") for one in objects) == row["text"].replace(
                " ", ""
            )
            for one, expected in zip(objects, row["characters"], strict=True):
                ends = [
                    int(one.findtext(f"bndbox/{key}", ""))
                    for key in ("xmin", "ymin", "xmax", "ymax")
                ]
                left, top, right, bottom = ends
                box = [left - 1, top - 1, right - left + 1, bottom - top + 1]
                assert box == expected["box"]


@contextlib.contextmanager
def quiet() -> Iterator[io.StringIO]:
    with contextlib.redirect_stdout(io.StringIO()) as said:
        yield said


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools
@pytest.mark.parametrize("format", ["coco", "detection"])
def test_pycocotools_reads_boxes_and_masks(folder: Path, format: SequenceFormat) -> None:
    """Polygons decode to the very masks of the manifest; its own evaluation calls both right."""
    from pycocotools import mask as coco_mask

    made = made_as(folder, format)
    with quiet() as said:
        coco = COCO(str(made.path / "annotations" / "test.json"))
        for row, picture in zip(rows(made, "test"), reference(folder, "test"), strict=True):
            (image,) = coco.loadImgs([row["index"]])
            file = made.path / "images" / "test" / image["file_name"]
            assert np.array_equal(read_picture(file), picture)
            assert [image["height"], image["width"]] == row["size"]
            found = coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))
            names = [coco.loadCats(one["category_id"])[0]["name"] for one in found]
            assert "".join(names) == row["text"].replace(" ", "")
            for one, expected in zip(found, row["characters"], strict=True):
                assert one["bbox"] == expected["box"]
                encoded = {"size": row["size"], "counts": expected["mask"].encode()}
                assert np.array_equal(coco.annToMask(one), coco_mask.decode(encoded))
        guesses = [
            {key: one[key] for key in ("image_id", "category_id", "bbox", "segmentation")}
            | {"score": 1.0}
            for one in coco.dataset["annotations"]
        ]
        for kind in ("bbox", "segm"):
            evaluation = COCOeval(coco, coco.loadRes(guesses), kind)
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
            assert evaluation.stats[0] == pytest.approx(1.0)
    assert "Average Precision" in said.getvalue()


@pytest.mark.parametrize("format", ["yolo", "yolo-seg", "detection"])
def test_yolo_finds_pictures_names_and_labels(folder: Path, format: SequenceFormat) -> None:
    """As Ultralytics does: folders relative to data.yaml, labels in the place of images."""
    made = made_as(folder, format)
    data = read_yaml((made.path / "data.yaml").read_text())
    assert data["names"] == dict(enumerate(CLASSES))
    assert data["nc"] == 15
    for key, split in (("train", "train"), ("val", "validation"), ("test", "test")):
        pictures = sorted((made.path / data[key]).rglob("*.png"))
        assert len(pictures) == len(rows(made, split))
        for picture, row in zip(pictures, rows(made, split), strict=True):
            label = Path(str(picture.with_suffix(".txt")).replace("/images/", "/labels/"))
            lines = [line.split() for line in label.read_text().splitlines()]
            names = "".join(data["names"][int(line[0])] for line in lines)
            assert names == row["text"].replace(" ", "")
            for line, one in zip(lines, row["characters"], strict=True):
                values = np.array(line[1:], float)
                if format == "yolo-seg":
                    check_segment(values, one, row["size"])
                else:
                    cx, cy, w, h = values * np.tile(row["size"][::-1], 2)
                    box = [cx - w / 2, cy - h / 2, w, h]
                    assert box == pytest.approx(one["box"], abs=1e-3)


def check_segment(values: np.ndarray, one: dict[str, Any], size: list[int]) -> None:
    """An outline encloses the area of the mask (shoelace), and its box is that of the mask."""
    assert values.min() >= 0
    assert values.max() <= 1
    x, y = (values.reshape(-1, 2) * size[::-1]).T
    box = [x.min(), y.min(), np.ptp(x), np.ptp(y)]
    assert box == pytest.approx(one["box"], abs=1e-3)
    area = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
    assert area == pytest.approx(one["area"], abs=0.05)


def test_a_line_of_yolo() -> None:
    assert box_line(7, BoundingBox(10, 5, 20, 10), (40, 100)) == (
        "7 0.200000 0.250000 0.200000 0.250000"
    )


def test_without_a_validation_split(tmp_path: Path) -> None:
    made = make(tmp_path / "a", SynthesisRequest(Sequences(2, format="yolo").resolved()))
    text = (made.path / "data.yaml").read_text()
    data = read_yaml(text)
    assert data["train"] == data["val"] == "images/train"
    assert "There is no validation split" in text


def test_texts_beside_the_pictures(folder: Path) -> None:
    made = made_as(folder, "coco")
    lines = (made.path / "images" / "train" / "metadata.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    assert [row["text"] for row in found] == [row["text"] for row in rows(made, "train")]
    assert all((made.path / "images" / "train" / row["file_name"]).is_file() for row in found)


def picture_files(made: SynthesisResult, format: SequenceFormat) -> list[bytes]:
    """Return the files of the pictures for training, wherever the format keeps them."""
    if format == "lmdb":
        lmdb: Any = importlib.import_module("lmdb")
        with (
            lmdb.open(str(made.path / "train"), readonly=True, lock=False) as store,
            store.begin() as transaction,
        ):
            keys = [f"image-{index + 1:09d}".encode() for index in range(3)]
            return [transaction.get(key) for key in keys]
    if format == "parquet":
        arrow = importlib.import_module("pyarrow.parquet")
        (path,) = (made.path / "data").glob("train-*.parquet")
        return [row["bytes"] for row in arrow.read_table(path)["image"].to_pylist()]
    if format == "webdataset":
        with tarfile.open(made.path / "train-000000.tar") as archive:
            names = [name for name in archive.getnames() if name.endswith(".jpg")]
            return [archive.extractfile(name).read() for name in names]  # type: ignore[union-attr]
    return [(made.path / row["file"]).read_bytes() for row in rows(made, "train")]


@pytest.mark.parametrize("format", list(SEQUENCE_FORMATS))
def test_photos_are_files_of_a_camera(tmp_path: Path, format: SequenceFormat) -> None:
    """The same JPEG files in all formats but Tesseract's, whose tools need PNG: the same pixels."""

    def photos(name: str, format: SequenceFormat) -> list[bytes]:
        content = Sequences(3, length=(2, 3), writers=2, format=format, paper=Paper("photo"))
        return picture_files(make(tmp_path / name, SynthesisRequest(content.resolved())), format)

    found, expected = photos("a", format), photos("b", "paddleocr")
    assert all(one.startswith(b"\xff\xd8") for one in expected)
    if format == "tesseract":
        assert all(one.startswith(b"\x89PNG") for one in found)
        for one, other in zip(found, expected, strict=True):
            assert np.array_equal(pixels(one), pixels(other))
    else:
        assert found == expected


@pytest.mark.parametrize("format", list(SEQUENCE_FORMATS))
def test_cards_and_files(folder: Path, format: SequenceFormat) -> None:
    made = made_as(folder, format)
    card = (made.path / "README.md").read_text()
    for names, meaning in SEQUENCE_FORMATS[format].files:
        assert f"- {names}: {meaning}." in card
    entries = sorted(path.name for path in made.path.iterdir())
    assert entries == made.manifest["entries"]
    assert all((made.path / row["file"]).is_file() for row in rows(made, "train"))
    with (made.path / "writers.csv").open(newline="") as stream:
        assert len(list(csv.DictReader(stream))) == 6


def test_a_missing_library_is_noticed_before_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'inkgan\[lmdb\]'"):
        check_importable("lmdb")
    check_importable("coco")


def test_readers_are_not_imported_with_the_package() -> None:
    import subprocess

    code = (
        "import sys, inkgan; inkgan.synth; "
        "assert not {'lmdb', 'datasets', 'webdataset'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
