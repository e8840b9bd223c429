"""Synthetic data sets: exact counts, files that others read, images that can be had again."""

import csv
import gzip
import json
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any, cast

import idx2numpy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import inkgan
from inkgan.data.readers.array_set import read_npz_images
from inkgan.data.readers.folder import read_folder, read_pictures
from inkgan.data.readers.idx import read_idx
from inkgan.errors import ArtifactError, ConfigError, DataError
from inkgan.images import Shape, read_picture
from inkgan.metrics.features.extractors import extract_features
from inkgan.synthesis import shards as shards_module
from inkgan.synthesis.data_card import size_category
from inkgan.synthesis.dataset_sampler import MIN_TRIES
from inkgan.synthesis.dedup import MAX_RELATIVE_DISTANCE, Deduplicator
from inkgan.synthesis.formats.preview import read_first_images
from inkgan.synthesis.manifest import MANIFEST, migrate_manifest
from inkgan.synthesis.records import RECORDS
from inkgan.synthesis.request import (
    SEEDS_PER_SET,
    Criteria,
    Format,
    LabeledImages,
    SynthesisRequest,
)
from inkgan.synthesis.sequence_layout import SequenceLayout
from inkgan.synthesis.sequence_request import Sequences
from inkgan.synthesis.shards import plan_shards
from inkgan.synthesis.synthesis_result import SynthesisResult
from inkgan.types import UInt8
from tests.fixtures.synthesis import Blobs, FakeGenerator, Unconditional, make, tree

COUNTS = (7, 3, 0, 4, 5, 6, 2, 8, 9, 1)
TEST = (1,) * 10
SMALL = SynthesisRequest(LabeledImages(COUNTS, TEST))


def of_format(format: Format, plain: bool = False) -> SynthesisRequest:
    return SynthesisRequest(LabeledImages(COUNTS, TEST, format, plain))


def rows_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / RECORDS).read_text().splitlines()]


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards_module, "IMAGES_PER_SHARD", 10)


# --- the order of labels ---


@given(
    counts=st.lists(st.integers(0, 40), min_size=1, max_size=12).filter(any),
    seed=st.integers(0, 2**31 - 1),
    size=st.integers(1, 30),
)
@settings(deadline=None, max_examples=60)
def test_labels_are_exact_whatever_the_shards(counts: list[int], seed: int, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards_module, "IMAGES_PER_SHARD", size)
        images = LabeledImages(tuple(counts))
        found = plan_shards(images, seed)
        again = plan_shards(images, seed)
    labels = np.concatenate([part.labels for part in found])
    assert np.bincount(labels, minlength=len(counts)).tolist() == counts
    assert [part.first for part in found] == list(range(0, sum(counts), size))
    assert all(np.array_equal(a.labels, b.labels) for a, b in zip(found, again, strict=True))


def test_labels_are_shuffled_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first label of the last shard is each class equally often, as in a shuffled list."""
    monkeypatch.setattr(shards_module, "IMAGES_PER_SHARD", 5)
    firsts = [plan_shards(LabeledImages((4, 4, 4)), s)[-1].labels[0] for s in range(600)]
    counts = np.bincount(firsts, minlength=3)
    assert ((counts - 200) ** 2 / 200).sum() < 13.8  # chi-squared, 2 degrees, p = 0.001


# --- formats ---


def test_idx_is_what_mnist_loaders_read(tmp_path: Path) -> None:
    make(tmp_path / "a", of_format("idx"))
    names = sorted(path.name for path in (tmp_path / "a").glob("*ubyte*"))
    assert names == [
        f"{split}-{what}-ubyte.gz"
        for split in ("t10k", "train")
        for what in ("images-idx3", "labels-idx1")
    ]
    for prefix, counts in (("train", COUNTS), ("t10k", TEST)):
        paths = [
            tmp_path / "a" / f"{prefix}-{what}-ubyte.gz" for what in ("images-idx3", "labels-idx1")
        ]
        images, labels = read_idx(paths[0], 3), read_idx(paths[1], 1)
        assert images.shape == (sum(counts), 28, 28)
        assert np.bincount(labels, minlength=10).tolist() == list(counts)
        for path, ours in zip(paths, (images, labels), strict=True):
            assert path.read_bytes()[3:8] == bytes(5)  # no name and no date in gzip's header
            with gzip.open(path) as stream:
                assert np.array_equal(idx2numpy.convert_from_file(stream), ours)


def test_plain_idx_is_the_same_without_gzip(tmp_path: Path) -> None:
    make(tmp_path / "a", of_format("idx"))
    make(tmp_path / "b", of_format("idx", plain=True))
    for path in (tmp_path / "b").glob("*ubyte"):
        packed = tmp_path / "a" / f"{path.name}.gz"
        assert gzip.decompress(packed.read_bytes()) == path.read_bytes()
    header = (tmp_path / "b" / "train-images-idx3-ubyte").read_bytes()[:16]
    assert header == bytes.fromhex(f"00000803 {sum(COUNTS):08x} 0000001c 0000001c")


def test_npz_has_the_keys_of_keras(tmp_path: Path) -> None:
    make(tmp_path / "a", of_format("npz"))
    with np.load(tmp_path / "a" / "data.npz", allow_pickle=False) as held:
        assert sorted(held) == ["x_test", "x_train", "y_test", "y_train"]
        assert held["x_train"].shape == (sum(COUNTS), 28, 28)
        assert held["x_train"].dtype == held["y_train"].dtype == np.uint8
        assert np.bincount(held["y_test"], minlength=10).tolist() == list(TEST)
    images, labels, _ = read_npz_images(tmp_path / "a" / "data.npz")  # inkgan evaluate's own reader
    assert images.shape == (sum(COUNTS), 28, 28, 1)
    assert labels is not None


def test_png_has_metadata_beside_it(tmp_path: Path) -> None:
    made = make(tmp_path / "a", of_format("png"))
    with (tmp_path / "a" / "train" / "metadata.csv").open(newline="") as stream:
        records = list(csv.DictReader(stream))
    assert Counter(int(record["label"]) for record in records) == Counter(
        {digit: count for digit, count in enumerate(COUNTS) if count}
    )
    for record in records:
        assert (tmp_path / "a" / "train" / record["file_name"]).is_file()
    on_disk = list((tmp_path / "a" / "train").rglob("*.png"))
    assert len(on_disk) == len(records)
    assert made.manifest["images"] == sum(COUNTS) + 10


def test_imagefolder_is_read_by_inkgan_itself(tmp_path: Path) -> None:
    make(tmp_path / "a", SynthesisRequest(LabeledImages((3,) * 10, TEST, "imagefolder")))
    for split, each in (("train", 3), ("test", 1)):
        read = read_folder(tmp_path / "a", split, None)
        assert Counter(read.classes[label] for label in read.labels) == dict.fromkeys(
            "0123456789", each
        )
    make(tmp_path / "b", SynthesisRequest(LabeledImages(COUNTS, format="imagefolder")))
    _, numbers, _ = read_pictures(tmp_path / "b")
    assert numbers is not None
    assert np.bincount(numbers, minlength=10).tolist() == list(COUNTS)


@pytest.mark.parametrize("format", ["idx", "npz", "png", "imagefolder"])
def test_every_image_can_be_had_again(format: Format, tmp_path: Path, small_shards: None) -> None:
    """Label and seed of the manifest draw the very image that stands in the files."""
    request = SynthesisRequest(
        LabeledImages(COUNTS, TEST, format, plain=True)
        if format == "idx"
        else LabeledImages(COUNTS, TEST, format),
        seed=3,
    )
    made = make(tmp_path / "a", request)
    rows = rows_of(made.path)
    assert len(rows) == len({row["seed"] for row in rows}) == sum(COUNTS) + 10
    generator = FakeGenerator()
    for row in rows:
        drawn = generator.sample([row["label"]], seeds=[row["seed"]])[0]
        assert np.array_equal(stored(made.path, row, format), drawn)
        assert row["seed"] // SEEDS_PER_SET == 3


def stored(folder: Path, row: dict[str, Any], format: Format) -> UInt8:
    if format == "idx":
        return np.asarray(read_idx(folder / row["file"], 3)[row["index"]])
    if format == "npz":
        with np.load(folder / row["file"]) as held:
            return np.asarray(held[f"x_{row['split']}"][row["index"]])
    return read_picture(folder / row["file"])


def test_the_classifier_says_the_same_of_the_files(tmp_path: Path) -> None:
    made = make(tmp_path / "a", of_format("npz"))
    rows = [row for row in rows_of(made.path) if row["split"] == "train"]
    with np.load(made.path / "data.npz") as held:
        seen, labels = extract_features(held["x_train"]), held["y_train"]
    assert [row["predicted"] for row in rows] == seen.predicted.tolist()
    given = seen.probabilities[np.arange(len(labels)), labels]
    assert np.abs(given - [row["confidence"] for row in rows]).max() < 1e-3
    agreed = sum(row["predicted"] == row["label"] for row in rows_of(made.path)) / (
        sum(COUNTS) + 10
    )
    assert made.manifest["measured"]["label_accuracy"] == pytest.approx(agreed, abs=1e-6)


def test_colour_and_other_classes(tmp_path: Path) -> None:
    """What the classifier cannot read is drawn without it, and the card says so."""
    classes = ("T-shirt/top", "Bag")
    colour = Blobs(classes, Shape(3, 12, 12))
    made = make(tmp_path / "a", SynthesisRequest(LabeledImages((2, 3), format="npz")), colour)
    with np.load(made.path / "data.npz") as held:
        assert held["x_train"].shape == (5, 12, 12, 3)
    assert "Not measured: inkgan's classifier" in (made.path / "README.md").read_text()
    assert made.manifest["classifier"] is made.manifest["measured"]["label_accuracy"] is None
    assert "confidence" not in rows_of(made.path)[0]
    make(tmp_path / "b", SynthesisRequest(LabeledImages((2, 3), format="imagefolder")), colour)
    assert len(list((tmp_path / "b" / "T-shirt-top").glob("*.png"))) == 2


def test_memory_does_not_grow_with_the_set(tmp_path: Path, small_shards: None) -> None:
    """Ten times the images take less than twice the memory (an image has 3 kB here)."""
    peaks = []
    for name, each in (("few", 50), ("many", 500)):
        generator = Blobs(("a", "b"), Shape(1, 56, 56))
        tracemalloc.start()
        make(
            tmp_path / name, SynthesisRequest(LabeledImages((each, each), format="npz")), generator
        )
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0]


# --- criteria ---


def test_confidence_is_kept_above_its_bound(tmp_path: Path) -> None:
    whole = make(tmp_path / "a", SMALL)
    assert min(row["confidence"] for row in rows_of(whole.path)) < 0.99
    strict = SynthesisRequest(SMALL.content, Criteria(min_confidence=0.99))
    made = make(tmp_path / "b", strict)
    assert min(row["confidence"] for row in rows_of(made.path)) >= 0.99
    assert made.manifest["measured"]["digits"] == whole.manifest["measured"]["digits"]
    rejected = made.manifest["rejected"]
    assert rejected["confidence"] > 0
    assert sum(rejected.values()) == made.manifest["drawn"] - made.manifest["images"]
    assert "probability of at least 0.99" in (made.path / "README.md").read_text()


def test_a_generator_that_cannot_deliver_is_given_up(tmp_path: Path) -> None:
    class NoSevens(FakeGenerator):
        def image(self, label: int, seed: int) -> UInt8:
            return super().image(0 if label == 7 else label, seed)

    generator = NoSevens()
    with pytest.raises(DataError, match=r"does not deliver '7': of the last [12],\d{3} images"):
        make(
            tmp_path / "a",
            SynthesisRequest(LabeledImages((2,) * 10), Criteria(min_confidence=0.9)),
            generator,
        )
    assert len(generator.seeds_drawn) < 4 * MIN_TRIES
    assert not (tmp_path / "a").exists()


def test_copies_are_left_out(tmp_path: Path) -> None:
    class FewZeros(FakeGenerator):
        def image(self, label: int, seed: int) -> UInt8:
            return super().image(label, seed % 40 if label == 0 else seed)

    request = SynthesisRequest(LabeledImages((20,) * 10), Criteria(dedupe=True))
    plain = make(tmp_path / "a", SynthesisRequest(request.content), FewZeros())
    made = make(tmp_path / "b", request, FewZeros())
    assert len(pictures(plain.path)) < 200
    assert len(pictures(made.path)) == 200
    assert made.manifest["rejected"]["copy"] > 0


def pictures(folder: Path) -> set[bytes]:
    return {image.tobytes() for image in read_idx(folder / "train-images-idx3-ubyte.gz", 3)}


def test_near_means_a_tenth_of_the_length() -> None:
    """An image is a copy just below the threshold and is new just above it."""
    base = np.zeros((1, 10, 10), dtype=np.uint8)
    base[0, 0] = 200  # its length is 200 * sqrt(10) = 632
    dedup = Deduplicator()
    dedup.add(base, np.array([3]))
    for level, expected in ((62, False), (64, True)):
        other = base.copy()
        other[0, 5, 5] = level  # the length of the difference
        reach = MAX_RELATIVE_DISTANCE * np.hypot(200 * np.sqrt(10), level)
        assert (level > reach) == expected
        assert dedup.is_new(other, np.array([3])).tolist() == [expected]
        assert dedup.is_new(other, np.array([4])).tolist() == [True]  # another class
        assert dedup.is_new(np.concatenate([other, other]), np.array([4, 4])).tolist() == [
            True,
            False,
        ]


def test_equal_images_are_found_beyond_the_recent_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inkgan.synthesis.dedup.RECENT", 2)
    images = np.random.default_rng(0).integers(0, 256, (9, 6, 6), dtype=np.uint8)
    dedup = Deduplicator()
    dedup.add(images, np.zeros(9, np.int64))
    assert dedup.is_new(images[:1], np.zeros(1, np.int64)).tolist() == [False]


def test_style_ranges(tmp_path: Path) -> None:
    request = SynthesisRequest(
        LabeledImages((0, 0, 0, 0, 8, 0, 0, 8, 0, 0)),
        Criteria(slant=(-10.0, 10.0), thickness=(1.0, 6.0)),
    )
    made = make(tmp_path / "a", request)
    rows = rows_of(made.path)
    assert all(-10 <= row["slant"] <= 10 and 1 <= row["thickness"] <= 6 for row in rows)
    assert made.manifest["rejected"]["slant"] > 0


@pytest.mark.parametrize("content", [LabeledImages((0, 0, 0, 2) + (0,) * 6), Sequences(2)])
@pytest.mark.parametrize(
    ("criteria", "message"),
    [
        (Criteria(slant=(70.0, 80.0)), "`slant` 70 is out of reach for a [03]: .* draws it with"),
        (Criteria(thickness=(0.0, 0.5)), "`thickness` 0.5 is out of reach for a [03]: .* pixels"),
        (Criteria(slant=(-9.0, 9.0), thickness=(20.0, 30.0)), "`thickness` 20 is out of reach"),
    ],
)
def test_styles_out_of_reach_are_refused_at_once(
    content: LabeledImages | Sequences, criteria: Criteria, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        make(tmp_path / "a", SynthesisRequest(content, criteria))
    assert not any(tmp_path.iterdir())


def test_a_style_in_reach_of_the_requested_classes_is_enough(tmp_path: Path) -> None:
    """Only a part of the range can be drawn, and only by the class that is requested."""

    class SlantedOnes(FakeGenerator):
        def image(self, label: int, seed: int) -> UInt8:
            image = super().image(label, seed)
            if label == 1:
                image = np.zeros_like(image)
                for row in range(20):
                    image[4 + row, 22 - row + seed % 2 : 25 - row + seed % 2] = 255
            return image

    criteria = Criteria(slant=(40.0, 80.0))
    made = make(
        tmp_path / "a", SynthesisRequest(LabeledImages((0, 3) + (0,) * 8), criteria), SlantedOnes()
    )
    assert all(40 <= row["slant"] <= 80 for row in rows_of(made.path))
    with pytest.raises(ConfigError, match="`slant` 40 is out of reach for a 0"):
        make(tmp_path / "b", SynthesisRequest(LabeledImages((1, 3) + (0,) * 8), criteria))


# --- without labels ---


def test_the_classifier_labels_an_unconditional_generator(
    tmp_path: Path, small_shards: None
) -> None:
    made = make(tmp_path / "a", SMALL, Unconditional())
    rows = rows_of(made.path)
    assert all(row["predicted"] == row["label"] for row in rows)
    counts = Counter(row["label"] for row in rows if row["split"] == "train")
    assert counts == {digit: count for digit, count in enumerate(COUNTS) if count}
    assert made.manifest["labels"] == "predicted by the classifier"
    assert made.manifest["rejected"]["not needed"] > 0
    assert "since the generator accepts none" in (made.path / "README.md").read_text()


def test_an_unconditional_generator_without_a_digit_is_given_up(tmp_path: Path) -> None:
    class NoFives(Unconditional):
        def class_of(self, seed: int) -> int:
            return 3 if super().class_of(seed) == 5 else super().class_of(seed)

    with pytest.raises(DataError, match="does not deliver '5'"):
        make(tmp_path / "a", SynthesisRequest(LabeledImages((40,) * 10)), NoFives())


# --- refusals ---


def images(*arguments: Any, **others: Any) -> LabeledImages:
    return LabeledImages((1,) * 10, *arguments, **others)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (SynthesisRequest(LabeledImages((0,) * 10)), "`per_class` makes no image at all"),
        (SynthesisRequest(LabeledImages((-1,) * 10)), "`per_class` must be at least 0, not -1"),
        (SynthesisRequest(images((-2,) * 10)), "`test_per_class` must be at least 0, not -2"),
        (
            SynthesisRequest(LabeledImages((10**8,) * 10)),
            "makes 1,000,000,000 images; the maximum is 999,999,999 per split",
        ),
        (SynthesisRequest(images(format=cast(Any, "idxx"))), "`format` 'idxx'.*'idx'"),
        (SynthesisRequest(images(format="npz", plain=True)), "`plain` leaves out the gzip"),
        (SynthesisRequest(Sequences(0)), "`sequences` must be between 1 and .*, not 0"),
        (SynthesisRequest(Sequences(1, length=(3, 2))), r"`length=\(3, 2\)`: the smaller"),
        (SynthesisRequest(Sequences(1, length=(0, 2))), "`length` must be .*, not 0"),
        (SynthesisRequest(Sequences(1, length=5)), "`length` must be two numbers, not 5"),  # type: ignore[arg-type]
        (SynthesisRequest(Sequences(1, length={33: 1})), "`length` must be .*, not 33"),
        (SynthesisRequest(Sequences(1, length={3: -1})), "`length` 3: its weight must be"),
        (SynthesisRequest(Sequences(1, test=-1)), "`test_sequences` must be between 0 and"),
        (SynthesisRequest(Sequences(1, writers=0)), "`writers` must be between 1 and 20,000"),
        (SynthesisRequest(Sequences(9, test=2, writers=1)), "`writers`: 2 splits share no writer"),
        (SynthesisRequest(Sequences(1, format=cast(Any, "lmbd"))), "`format` 'lmbd'.*'lmdb'"),
        (SynthesisRequest(Sequences(1), Criteria(dedupe=True)), "`dedupe` is for single digits"),
        (
            SynthesisRequest(Sequences(1, layout=SequenceLayout(spacing=(-1, 2)))),
            "`spacing` must .*, not -1 and 2",
        ),
        (SynthesisRequest(images(), seed=-1), "`seed` must be between 0 and 2147483647, not -1"),
        (SynthesisRequest(images(), seed=2**31), "`seed` must be .*, not 2147483648"),
        (SynthesisRequest(images(), Criteria(min_confidence=1.0)), "`min_confidence` .*, not 1$"),
        (SynthesisRequest(images(), Criteria(slant=(5.0, -5.0))), "`slant` .*, not 5 and -5"),
        (
            SynthesisRequest(images(), Criteria(thickness=(1.0, np.nan))),
            "`thickness` .*, not 1 and nan",
        ),
        (SynthesisRequest(images(), license="My own\n"), "`license` 'My own"),
    ],
)
def test_impossible_requests(request_: SynthesisRequest, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        make(tmp_path / "a", request_)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("generator", "request_", "message"),
    [
        (Unconditional(("a", "b")), SMALL, "takes no labels.*use a conditional generator"),
        (
            Blobs(("a", "b")),
            SynthesisRequest(Sequences(3)),
            "`sequences` needs a generator of gray digits",
        ),
        (
            Blobs(("a", "b")),
            SynthesisRequest(LabeledImages((1, 1)), Criteria(0.5)),
            "`min_confidence` needs digits of 28x28 gray",
        ),
        (
            Blobs(("a", "b"), Shape(3, 9, 9)),
            SynthesisRequest(LabeledImages((1, 1))),
            "`format='idx'` holds only gray images",
        ),
        (
            Blobs(shape=Shape(3, 20, 20)),
            SynthesisRequest(Sequences(3)),
            "`sequences` .*20x20 RGB",
        ),
        (
            Blobs(tuple(map(str, range(300)))),
            SynthesisRequest(LabeledImages((1,) * 300)),
            "labels up to 255",
        ),
    ],
)
def test_what_a_generator_cannot_do(
    generator: FakeGenerator, request_: SynthesisRequest, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        make(tmp_path / "a", request_, generator)
    assert not any(tmp_path.iterdir())


def test_a_full_disk_is_noticed_before_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = FakeGenerator()
    usage = type("Usage", (), {"free": 10**9})()
    monkeypatch.setattr("inkgan.synthesis.output_folder.shutil.disk_usage", lambda path: usage)
    request = SynthesisRequest(LabeledImages((99_999_999,) * 10))
    refusal = r"cannot write .*a: it needs about 1,\d{3}\.\d GB, and its disk has 1\.0 GB free"
    with pytest.raises(ArtifactError, match=refusal):
        make(tmp_path / "deep" / "a", request, generator)
    assert not generator.seeds_drawn
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("format", ["idx", "npz", "png", "imagefolder"])
def test_the_estimate_is_from_above(format: Format, tmp_path: Path) -> None:
    request = of_format(format)
    made = make(tmp_path / "a", request)
    blocks = sum(-(-len(content) // 4096) * 4096 for content in tree(made.path).values())
    overhead = 8 * 4096  # the card, the manifest's head, part-filled blocks of single files
    assert blocks < request.max_bytes(Shape(1, 28, 28)) + overhead


def test_foreign_targets_are_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "a"
    out.write_text("mine")
    with pytest.raises(ArtifactError, match="is a file; use the path of a folder"):
        make(out, SMALL)
    out.unlink()
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    with pytest.raises(ArtifactError, match="is not empty and no data set"):
        make(out, SMALL)
    (out / MANIFEST).write_text("{}")
    with pytest.raises(ArtifactError, match="is not empty and no data set"):
        make(out, SMALL)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    assert not make(tmp_path / "a", SMALL).already
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]


def test_card_has_the_front_matter_of_the_hub(tmp_path: Path) -> None:
    made = make(
        tmp_path / "a", SynthesisRequest(LabeledImages(COUNTS, TEST, "png"), license="cc0-1.0")
    )
    opening, front, body = (made.path / "README.md").read_text().split("---\n", 2)
    assert opening == ""
    for line in (
        "license: cc0-1.0",
        "- image-classification",
        "- n<1K",
        "  - split: test",
        '    path: "train/**"',
    ):
        assert line in front.splitlines()
    assert "| train | 7 | 3 | 0 | 4 | 5 | 6 | 2 | 8 | 9 | 1 |" in body
    assert made.manifest["generator"]["sha256"] in body


@pytest.mark.parametrize(
    ("images", "category"),
    [(999, "n<1K"), (1000, "1K<n<10K"), (70_000, "10K<n<100K"), (999_999_999, "100M<n<1B")],
)
def test_size_categories(images: int, category: str) -> None:
    assert size_category(images) == category


# --- the result ---


def first_rows(made: SynthesisResult, count: int) -> list[UInt8]:
    rows = [row for row in rows_of(made.path) if row["split"] == "train"][:count]
    return [FakeGenerator().sample([row["label"]], seeds=[row["seed"]])[0] for row in rows]


@pytest.mark.parametrize("format", ["idx", "npz", "png", "imagefolder"])
@pytest.mark.parametrize("count", [1, 12, 10_000])
def test_the_first_images_are_read_from_the_files(
    format: Format, count: int, tmp_path: Path
) -> None:
    made = make(tmp_path / "a", of_format(format))
    found = read_first_images(made.path, made.manifest, count)
    assert np.array_equal(found, first_rows(made, count))


def test_plain_and_color_images_are_read_too(tmp_path: Path) -> None:
    plain = make(tmp_path / "a", of_format("idx", plain=True))
    assert np.array_equal(read_first_images(plain.path, plain.manifest, 3), first_rows(plain, 3))
    color = Blobs(("a", "b"), Shape(3, 12, 12))
    made = make(tmp_path / "b", SynthesisRequest(LabeledImages((2, 3), format="npz")), color)
    assert read_first_images(made.path, made.manifest, 9).shape == (5, 12, 12, 3)


@pytest.mark.parametrize(
    "request_",
    [SMALL, of_format("png"), SynthesisRequest(Sequences(9))],
    ids=["idx", "png", "sequences"],
)
def test_a_result_shows_itself(request_: SynthesisRequest, tmp_path: Path) -> None:
    made = make(tmp_path / "a<b", request_)
    html = made._repr_html_()
    assert 'src="data:image/png;base64,' in html
    assert "a&lt;b</code>" in html
    assert "<code>manifest.jsonl</code>" in html
    assert html.count("<td>") == 10 * len(made.manifest["measured"]["digits"])
    assert "digits drawn" in repr(made)


def test_a_result_is_json(tmp_path: Path) -> None:
    made = make(tmp_path / "a", SMALL)
    values = json.loads(json.dumps(made.to_dict()))
    assert values == {"path": str(tmp_path / "a"), "already": False, "manifest": made.manifest}
    assert made.manifest == json.loads((made.path / MANIFEST).read_text())


# --- older versions ---


class Interrupted(FakeGenerator):
    """Stops after some images."""

    def sample(self, labels: Any = None, *, seeds: Any = None) -> UInt8:
        if len(self.seeds_drawn) > 25:
            raise KeyboardInterrupt
        return super().sample(labels, seeds=seeds)


# A manifest of 0.1.0: the parts whose names have changed.
OLD = {
    "kind": "synthetic-data",
    "version": "0.1.0",
    "request": {"content": {"kind": "strings", "count": 3, "length": [1, 6]}, "seed": 2},
    "labels": "read by the judge",
    "judge": "ab",
    "threads": 2,
    "measured": {
        "digits": {"train": {"0": 1}},
        "agreement": 0.5,
        "confidence": 0.75,
        "classes": {"0": {"agreement": 0.5, "confidence": 0.75}},
    },
}


def test_older_manifests_are_migrated() -> None:
    modern = migrate_manifest(OLD)
    assert modern == {
        "kind": "synthetic-data",
        "version": "0.1.0",
        "request": {"content": {"kind": "sequences", "count": 3, "length": [1, 6]}, "seed": 2},
        "labels": "predicted by the classifier",
        "classifier": "ab",
        "threads": 2,
        "measured": {
            "digits": {"train": {"0": 1}},
            "label_accuracy": 0.5,
            "confidence": 0.75,
            "classes": {"0": {"label_accuracy": 0.5, "confidence": 0.75}},
        },
    }
    assert migrate_manifest(modern) == modern
    assert OLD["judge"] == "ab"  # not changed


def as_of_0_1_0(plan: dict[str, Any]) -> dict[str, Any]:
    """Return a plan under the names of version 0.1.0."""
    old = {("judge" if key == "classifier" else key): value for key, value in plan.items()}
    old["labels"] = "asked of the generator"
    old["request"]["content"]["kind"] = "digits"
    return old


def test_an_older_finished_set_is_found(tmp_path: Path) -> None:
    made = make(tmp_path / "a", SMALL)
    old = as_of_0_1_0(json.loads((made.path / MANIFEST).read_text()))
    old["measured"] = {
        ("agreement" if key == "label_accuracy" else key): value
        for key, value in old["measured"].items()
    } | {"classes": {}}
    del old["random_numbers"]
    (made.path / MANIFEST).write_text(json.dumps(old))
    again = make(tmp_path / "a", SMALL)
    assert again.already
    assert "label_accuracy" in again.manifest["measured"]


def test_an_unfinished_set_with_older_random_numbers_is_not_continued(
    tmp_path: Path, small_shards: None
) -> None:
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "a", SMALL, Interrupted())
    path = tmp_path / ".a.unfinished" / "plan.json"
    plan = json.loads(path.read_text())
    del plan["random_numbers"]
    path.write_text(json.dumps(plan))
    with pytest.raises(ArtifactError, match="random_numbers was 1 and is now 2"):
        make(tmp_path / "a", SMALL)


def test_an_older_unfinished_set_continues(tmp_path: Path, small_shards: None) -> None:
    """Its plan and its shards have the old names; the files come out the same."""
    whole = make(tmp_path / "whole", SMALL)
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "a", SMALL, Interrupted())
    work = tmp_path / ".a.unfinished"
    (work / "plan.json").write_text(
        json.dumps(as_of_0_1_0(json.loads((work / "plan.json").read_text())))
    )
    for path in work.glob("shard-*.npz"):
        with np.load(path) as arrays:
            old = {("read" if k == "predicted" else k): arrays[k] for k in arrays}
        np.savez(path, allow_pickle=False, **old)
    generator = FakeGenerator()
    made = make(tmp_path / "a", SMALL, generator)
    assert 0 < len(generator.seeds_drawn) < made.manifest["drawn"]
    assert tree(made.path) == tree(whole.path)


def test_another_precision_is_another_data_set(tmp_path: Path) -> None:
    made = inkgan.synth(tmp_path / "a", per_class=2, device="cpu")
    path = made.path / MANIFEST
    older = json.loads(path.read_text(encoding="utf-8"))
    assert older["generator"].pop("precision") == "float32"  # sets of 0.1 do not have it
    path.write_text(json.dumps(older), encoding="utf-8")
    assert inkgan.synth(tmp_path / "a", per_class=2, device="cpu").already
    with pytest.raises(ArtifactError, match=r"precision was 'float32' and is now 'bfloat16'"):
        inkgan.synth(tmp_path / "a", per_class=2, device="cpu", precision="bfloat16")
    other = inkgan.synth(tmp_path / "b", per_class=2, device="cpu", precision="bfloat16")
    assert other.manifest["generator"]["precision"] == "bfloat16"
