"""Streams of images: sums over parts are those of all images, whoever measures them."""

import functools
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import inkgan
from inkgan.errors import ArtifactError, ConfigError, DataError
from inkgan.evaluation.digit_images import INVERTED
from inkgan.evaluation.reference import ReferenceImages
from inkgan.evaluation.set_metrics import measure_set
from inkgan.evaluation.source_spec import Source
from inkgan.evaluation.streamed import (
    image_iterables,
    streamed_evaluation,
    streamed_report,
    streamed_result,
    streamed_sums,
)
from inkgan.evaluation.streamed.image_iterables import IterableStream, NpzChunks
from inkgan.evaluation.streamed.open_stream import open_stream
from inkgan.evaluation.streamed.streamed_evaluation import StreamMeasurement, StreamState
from inkgan.evaluation.streamed.streamed_sources import GeneratorStream, PackedStream
from inkgan.evaluation.streamed.streamed_sums import (
    ImagePart,
    Reservoir,
    StreamSums,
    matched_rows,
    measure_part,
    part_size,
    priorities,
)
from inkgan.generation.load import load
from inkgan.metrics.features.extractors import extract_features
from inkgan.metrics.frechet import frechet_distance, moments
from inkgan.synthesis.request import LabeledImages, SynthesisRequest
from inkgan.synthesis.synth import synthesize_packed
from tests.fixtures.references import small_reference, small_reference_set
from tests.fixtures.synthesis import ORIGIN, FakeGenerator

SIZE = 400
COUNT = 3 * SIZE + 100


@functools.cache
def drawn() -> tuple[np.ndarray, np.ndarray]:
    """Give real digits with labels, some of them twice: what is streamed."""
    rows = np.random.default_rng(5).integers(len(small_reference().train), size=COUNT)
    return small_reference().train[rows], small_reference().train_labels[rows]


@functools.cache
def whole() -> StreamSums:
    """Measure them as one part."""
    pixels, labels = drawn()
    return measure_part(ImagePart(0, pixels, labels), small_reference_set(), SIZE)


def assert_same(one: StreamSums, other: StreamSums) -> None:
    assert (one.read, one.images, one.sets) == (other.read, other.images, other.sets)
    assert (one.right, one.confident) == (other.right, other.confident)
    assert one.means == pytest.approx(other.means, rel=1e-12, abs=1e-12)
    assert (one.confusion == other.confusion).all()
    for name in ("e1", "e2"):
        mine, others = getattr(one, name), getattr(other, name)
        np.testing.assert_allclose(mine.products, others.products, rtol=1e-12)
    assert (one.sample.numbers == other.sample.numbers).all()
    assert (one.sample.pixels == other.sample.pixels).all()


# --- sums ---


def test_parts_add_up_to_the_plain_measures() -> None:
    pixels, labels = drawn()
    parts = [
        ImagePart(first, pixels[first : first + SIZE], labels[first : first + SIZE])
        for first in range(0, COUNT, SIZE)
    ]
    sums = functools.reduce(
        StreamSums.merge, [measure_part(part, small_reference_set(), SIZE) for part in parts]
    )
    assert_same(sums, whole())
    features = extract_features(pixels)
    plain = [
        measure_set(features.at(slice(s, s + SIZE)), labels[s : s + SIZE], small_reference_set())
        for s in range(0, 3 * SIZE, SIZE)
    ]
    for key, value in sums.means.items():
        expected = np.mean([each[key] for each in plain if key in each])
        assert value == pytest.approx(expected, rel=1e-12, abs=1e-12), key
    assert {"fd_e1", "fd_e2", "kid", "mmd", "variety/1", "share/1"} <= sums.means.keys()
    assert sums.right == (features.predicted == labels).sum()
    assert sums.confusion.sum() == COUNT
    together = frechet_distance(sums.e1.moments(COUNT), small_reference_set().e1_moments)
    exact = frechet_distance(moments(features.e1), small_reference_set().e1_moments)
    assert together == pytest.approx(exact, rel=1e-9)


def test_sums_survive_a_file(tmp_path: Path) -> None:
    whole().save(tmp_path / "sums.npz")
    assert_same(StreamSums.load(tmp_path / "sums.npz"), whole())
    (tmp_path / "sums.npz").write_bytes(b"PK\x03\x04 damaged")
    with pytest.raises(ArtifactError, match="is damaged"):
        StreamSums.load(tmp_path / "sums.npz")


def test_the_sample_depends_on_the_numbers_alone() -> None:
    pixels = np.zeros((1000, 28, 28), np.uint8)
    every = Reservoir.of(0, pixels, None, 50)
    parts = [Reservoir.of(first, pixels[:100], None, 50) for first in range(0, 1000, 100)]
    for order in (range(10), range(9, -1, -1)):
        merged = functools.reduce(lambda a, b: a.merge(b, 50), [parts[i] for i in order])
        assert (merged.numbers == every.numbers).all()
    assert (every.labels == -1).all()


def test_the_sample_is_a_uniform_one() -> None:
    numbers = np.arange(1_000_000, dtype=np.int64)
    ranks = priorities(numbers)
    assert len(np.unique(ranks)) == len(numbers)
    chosen = np.sort(np.argsort(ranks)[:10_000])
    counts = np.histogram(chosen, 20, (0, 1_000_000))[0]
    assert ((counts - 500) ** 2 / 500).sum() < 43.8  # chi-squared of 19, 0.1 %
    assert abs(np.corrcoef(numbers[:-1], ranks[1:].astype(float))[0, 1]) < 0.005


# --- a report ---


@pytest.fixture
def small_stream(monkeypatch: pytest.MonkeyPatch, keeps_baselines: None) -> ReferenceImages:
    """Compare with a small reference, in small sets and parts."""
    reference = small_reference()
    for module in (streamed_report, streamed_evaluation):
        monkeypatch.setattr(module, "load_reference", lambda *_: reference)
    monkeypatch.setattr(streamed_report, "STREAM", replace(streamed_result.STREAM, set_size=SIZE))
    monkeypatch.setattr(streamed_report, "ReferenceSet", lambda *_: small_reference_set())
    monkeypatch.setattr(streamed_sums, "PART_SETS", 1)
    monkeypatch.setattr(image_iterables, "CHUNK", 100)
    return reference


def chunks(size: int = 170) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    pixels, labels = drawn()
    for start in range(0, COUNT, size):
        yield pixels[start : start + size], labels[start : start + size]


def test_an_iterable_is_evaluated_and_continues_after_a_stop(
    small_stream: ReferenceImages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stops() -> Iterator[Any]:
        yield from list(chunks())[:6]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        inkgan.evaluate(stops(), out=tmp_path / "a")
    others = ((pixels[:, ::-1], labels) for pixels, labels in chunks())
    with pytest.raises(ArtifactError, match="are not those that were measured before"):
        inkgan.evaluate(others, out=tmp_path / "a")
    measured: list[int] = []

    def counted(part: ImagePart, *others: Any) -> StreamSums:
        measured.append(part.first)
        return measure_part(part, *others)

    monkeypatch.setattr(streamed_evaluation, "measure_part", counted)
    report = inkgan.evaluate(chunks(), out=tmp_path / "a", workers=1)
    assert min(measured) > 0
    assert (tmp_path / "a" / "report.html").stat().st_size > 10_000
    assert not (tmp_path / "a" / ".unfinished-evaluation").exists()
    stream = IterableStream(chunks(50), "images")  # at once, in other pieces
    sums = StreamMeasurement(small_reference_set(), SIZE, None).iterated(stream)
    document = report.to_dict()
    assert document["protocol"] == "stream"
    assert document["counts"]["sets"] >= 2
    assert document["counts"]["images"] <= COUNT
    scores = {row["key"]: row for row in document["scores"]}
    for key in ("fd_e1", "kid", "precision", "recall", "one_nearest", "copies", "label_accuracy"):
        assert scores[key]["low"] <= scores[key]["value"] <= scores[key]["high"], key
    for key in ("fd_e1", "fd_e2", "kid", "mmd"):
        assert scores[key]["value"] == sums.means[key], key
    assert scores["label_accuracy"]["value"] == sums.right / sums.images
    assert scores["label_accuracy"]["images"] == document["counts"]["images"]
    assert scores["recall"]["images"] == document["counts"]["sample"] <= SIZE
    assert any("Of a sample of" in note for note in document["notes"])


# --- sources ---


@dataclass(frozen=True)
class Numbered:
    """A stream of the drawn images that another process can make, too."""

    name: str = "drawn"
    digest: str = "drawn"
    total: int = COUNT
    travels: bool = True

    def num_parts(self, size: int) -> int:
        return -(-COUNT // size)

    def part(self, index: int, size: int, reference: ReferenceImages) -> ImagePart:
        pixels, labels = drawn()
        rows = slice(index * size, (index + 1) * size)
        return ImagePart(rows.start, pixels[rows], labels[rows])

    def classes(self) -> None:
        return None

    def source(self) -> Source:
        raise NotImplementedError


def reference_here(name: str, folder: Path | None) -> ReferenceImages:
    return small_reference()


class Job(streamed_evaluation.PartJob):
    """Finds the small reference in another process, too."""

    def __call__(self, index: int) -> None:
        vars(streamed_evaluation)["load_reference"] = reference_here
        super().__call__(index)


def measurement(folder: Path) -> StreamMeasurement:
    return StreamMeasurement(small_reference_set(), SIZE, StreamState(folder))


def test_several_processes_give_the_sums_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streamed_evaluation, "PartJob", Job)
    sums = measurement(tmp_path / "two").numbered(Numbered(), 2, ("small", None))
    assert_same(sums, whole())
    alone = measurement(tmp_path / "one").numbered(Numbered(), 1, ("small", None))
    assert alone.means == sums.means  # merged in order, to the last bit
    assert [path.name for path in (tmp_path / "two").glob("part-*")] == []


def test_a_numbered_stream_continues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stops(Numbered):
        def part(self, index: int, size: int, reference: ReferenceImages) -> ImagePart:
            if index == 2:
                raise KeyboardInterrupt
            return super().part(index, size, reference)

    with pytest.raises(KeyboardInterrupt):
        measurement(tmp_path / "a").numbered(Stops(), 1, ("small", None))
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["sums-000002.npz"]
    asked: list[int] = []

    class Counts(Numbered):
        def part(self, index: int, size: int, reference: ReferenceImages) -> ImagePart:
            asked.append(index)
            return super().part(index, size, reference)

    sums = measurement(tmp_path / "a").numbered(Counts(), 1, ("small", None))
    assert asked == [2, 3]
    assert_same(sums, whole())


def test_a_generator_draws_what_the_plain_protocol_draws() -> None:
    stream = open_stream("flagship", 900, "last", "cpu")
    assert isinstance(stream, GeneratorStream)
    reference = small_reference()
    parts = [stream.part(index, 40, reference) for index in range(stream.num_parts(40))]
    labels = np.concatenate([part.labels for part in parts if part.labels is not None])
    assert (labels == reference.labels_to_request(900, 40)).all()
    assert [part.first for part in parts] == list(range(0, 900, 40))
    assert part_size(10, 320) == 20
    assert part_size(10, 10_000) == part_size(10) == 100
    pixels = load("flagship", device="cpu").sample(
        labels=labels.tolist(), seeds=range(1_000_000, 1_000_900)
    )
    assert (np.concatenate([part.pixels for part in parts]) == pixels).all()


@pytest.mark.parametrize("format", ["parquet", "webdataset"])
def test_a_packed_data_set_is_read_in_parts(format: str, tmp_path: Path) -> None:
    content = LabeledImages((430,) * 10, (10,) * 10, format, shard_size=2000)  # type: ignore[arg-type]
    synthesize_packed(tmp_path / "a", FakeGenerator(), SynthesisRequest(content), ORIGIN)
    stream = open_stream(tmp_path / "a", None, "last", "cpu")
    assert isinstance(stream, PackedStream)
    assert stream.total == 4300
    parts = [stream.part(i, 150, small_reference()) for i in range(stream.num_parts(150))]
    assert [(part.first, len(part.pixels)) for part in parts] == [
        (0, 2000),
        (2000, 2000),
        (4000, 300),
    ]
    labels = np.concatenate([part.labels for part in parts if part.labels is not None])
    assert (np.bincount(labels) == 430).all()
    seeds = [int(seed) for seed in np.arange(5)]
    for place, seed in enumerate(seeds):
        assert (parts[0].pixels[place] == FakeGenerator().image(int(labels[place]), seed)).all()
    shares = np.bincount(small_reference().test_labels) / len(small_reference().test_labels)
    assert parts[0].rows is not None
    assert parts[0].labels is not None
    found = np.bincount(parts[0].labels[parts[0].rows], minlength=10) / len(parts[0].rows)
    assert np.abs(found - shares).max() < 0.002
    limited = open_stream(tmp_path / "a", 2100, "last", "cpu")
    assert isinstance(limited, PackedStream)
    assert [len(limited.part(i, 150, small_reference()).pixels) for i in range(2)] == [2000, 100]
    first = tmp_path / "a" / stream.files.files[0]
    first.write_bytes(first.read_bytes()[:-1] + b"?")
    with pytest.raises(DataError, match="is damaged: its SHA-256 is another one"):
        stream.part(0, 150, small_reference())
    first.unlink()
    with pytest.raises(DataError, match="is missing"):
        stream.part(0, 150, small_reference())


def test_an_npz_is_read_in_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels, labels = drawn()
    np.savez_compressed(tmp_path / "a.npz", x_train=pixels, y_train=labels.astype(np.uint8))
    monkeypatch.setattr(image_iterables, "CHUNK", 300)
    read = list(NpzChunks(tmp_path / "a.npz"))
    assert [len(part) for part, _ in read] == [300, 300, 300, 300, 100]
    assert (np.concatenate([part for part, _ in read]) == pixels).all()
    assert (np.concatenate([part for _, part in read]) == labels).all()


def test_rows_behind_those_of_the_header_are_refused(tmp_path: Path) -> None:
    """An archive compares its checksum at the end of an array, so that end has to be read."""
    pixels, labels = drawn()
    path = tmp_path / "a.npz"
    for short in ("x_train", "y_train"):
        with zipfile.ZipFile(path, "w") as archive:
            for name, array in (("x_train", pixels[:40]), ("y_train", labels[:40])):
                with archive.open(f"{name}.npy", "w") as stream:
                    np.lib.format.write_array(stream, array[:30])
                    if name == short:
                        stream.write(array[30:].tobytes())
        with pytest.raises(DataError, match="more values than it says"):
            list(NpzChunks(path))


def test_single_images_and_tensors_are_taken() -> None:
    pixels, labels = drawn()
    pairs = zip(pixels[:40], labels[:40], strict=True)
    (one,) = IterableStream(pairs, "images").parts(30, small_reference())
    assert (one.pixels == pixels[:40]).all()
    assert one.labels is not None
    assert (one.labels == labels[:40]).all()
    floats = iter([pixels[:20] / 255.0, pixels[20:40] / 255.0])
    (other,) = IterableStream(floats, "images", most=33).parts(30, small_reference())
    assert (other.pixels == pixels[:33]).all()
    assert other.labels is None
    (dark,) = IterableStream(iter(255 - pixels[:40]), "images").parts(30, small_reference())
    assert (dark.pixels == pixels[:40]).all()
    assert dark.changes == (INVERTED,)
    mixed = iter([pixels[:5], (pixels[:5], labels[:5])])
    with pytest.raises(DataError, match="some images have labels and others have none"):
        list(IterableStream(mixed, "images").parts(30, small_reference()))


def test_rows_have_the_shares_of_the_reference_or_all_are_taken() -> None:
    labels = np.repeat(np.arange(10), 100)
    rows = matched_rows(labels, small_reference(), 0)
    assert 750 <= len(rows) < 1000
    few = np.repeat([0, 1], 500)
    assert sorted(matched_rows(few, small_reference(), 0)) == list(range(1000))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"images": 10}, "`images` must be at least 200"),
        ({"labels": [1]}, "`labels` does not go with a stream"),
        ({"stacked": True}, "`stacked` does not go with a stream"),
        ({"workers": 2}, "`workers` cannot share an iterable"),
    ],
)
def test_impossible_streams_are_refused(
    more: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streamed_report, "load_reference", lambda *_: small_reference())
    with pytest.raises(ConfigError, match=message):
        inkgan.evaluate(chunks(), **more)


def test_only_a_stream_has_a_number_of_images() -> None:
    with pytest.raises(ConfigError, match="`images` belongs to a stream: use `protocol='stream'`"):
        inkgan.evaluate("flagship", images=1000)
