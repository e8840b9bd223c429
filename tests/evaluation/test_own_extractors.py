"""Data sets that the shipped extractors cannot read: classes that are no digits, one's own sets."""

import io
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import inkgan
from inkgan.cli.evaluate_command import score_table
from inkgan.errors import ConfigError, DataError
from inkgan.evaluation.outside_generators import LatentOptions
from inkgan.evaluation.own_extractors import find_extractors, load_reference
from inkgan.evaluation.results import Protocol
from inkgan.evaluation.source_spec import SourceOptions
from inkgan.evaluation.sources import open_images
from inkgan.types import UInt8, silent
from tests.fixtures.references import small_reference

NAMES = ("bar", "cross", "disk", "ring", "wedge")
TRAIN, TEST = 900, 400


def shapes(count: int, seed: int) -> tuple[UInt8, np.ndarray]:
    """Draw five kinds of shapes of random place, size and level."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 5, count)
    rows, columns = np.mgrid[:28, :28]
    images = np.zeros((count, 28, 28), np.uint8)
    for image, label in zip(images, labels, strict=True):
        y, x = rows - random.uniform(11, 17), columns - random.uniform(11, 17)
        size, width = random.uniform(5, 9), random.uniform(1, 2)
        far = np.hypot(y, x)
        inside = [
            (abs(y) < width) & (abs(x) < size),
            ((abs(y) < width) & (abs(x) < size)) | ((abs(x) < width) & (abs(y) < size)),
            far < size,
            abs(far - size) < width,
            (abs(y) < size) & (x > -size) & (x < y),
        ][label]
        image[inside] = random.integers(120, 256)
    return images, labels


def write_idx(folder: Path, images: UInt8, labels: np.ndarray, split: str) -> None:
    folder.mkdir(exist_ok=True)
    for array, name in ((images, "images-idx3"), (labels.astype(np.uint8), "labels-idx1")):
        header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
        (folder / f"{split}-{name}-ubyte").write_bytes(header + array.tobytes())


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An .npz with named classes, its extractors fitted, in a cache of its own."""
    folder = tmp_path_factory.mktemp("shapes")
    (train, labels), (test, test_labels) = shapes(TRAIN, 0), shapes(TEST, 1)
    np.savez(
        folder / "shapes.npz",
        x_train=train,
        y_train=np.array(NAMES)[labels],
        x_test=test,
        y_test=np.array(NAMES)[test_labels],
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INKGAN_CACHE", str(folder / "cache"))
        name = f"npz:{folder / 'shapes.npz'}"
        with pytest.raises(DataError, match=r"no extractors for npz:.*fit_extractors_for\('npz:"):
            load_reference(name, None)
        told: list[str] = []
        inkgan.fit_extractors_for(name, epochs=8, progress=lambda what, *_: told.append(what))
        assert {what.split()[1] for what in told} >= {"e1", "e2", "linear"}
    return folder


@pytest.fixture
def shape_set(fitted: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("INKGAN_CACHE", str(fitted / "cache"))
    return f"npz:{fitted / 'shapes.npz'}"


def test_fitted_extractors_are_found_by_the_images(shape_set: str, tmp_path: Path) -> None:
    reference = load_reference(shape_set, None)
    assert reference.classes == NAMES
    assert reference.extractors == find_extractors(reference.digest)
    features = reference.extract(reference.test)
    assert features.probabilities.shape == (TEST, 5)
    assert (features.predicted == reference.test_labels).mean() > 0.5  # of 20 steps; by chance 0.2
    copy = tmp_path / "other-name.npz"
    copy.write_bytes(Path(shape_set.removeprefix("npz:")).read_bytes())
    assert load_reference(str(copy), None).extractors == reference.extractors


def test_a_set_of_named_classes_is_a_reference(shape_set: str, tmp_path: Path) -> None:
    images, labels = shapes(400, 2)
    options: dict[str, Any] = {"reference": shape_set, "protocol": "quick"}
    report = inkgan.evaluate(images, labels=labels, out=tmp_path / "good", **options)
    assert report.scores["label_accuracy"].value > 0.5
    assert report.scores["precision"].value > 0.7
    assert report.document["class_names"] == list(NAMES)
    assert set(report.document["classes"]) == {"0", "1", "2", "3", "4"}
    assert report.document["style_consistency"] is None
    assert "digit" not in " ".join(report.verdict)
    page = report.page_path.read_text(encoding="utf-8")
    assert all(name in page for name in NAMES)
    shown = re.sub(r"<style>.*?</style>|<[^>]*>", "", page, flags=re.DOTALL)
    assert "digit" not in shown
    assert "<th>class</th>" in page
    table = io.StringIO()
    Console(width=60, file=table).print(score_table(report.to_dict()))
    assert "digit" not in table.getvalue() + report._repr_html_()
    with pytest.raises(DataError, match=r"7 is no class of npz:.*it has 5: bar, cross"):
        inkgan.evaluate(images, labels=labels + 7, **options)


def test_a_set_is_its_own_reference(shape_set: str, tmp_path: Path) -> None:
    report = inkgan.evaluate(f"data:{shape_set}", protocol="quick", out=tmp_path / "real")
    assert report.document["reference"]["name"] == shape_set
    assert report.scores["precision"].value > 0.7


def test_a_conditional_function_draws_the_classes_of_the_reference(shape_set: str) -> None:
    pool, pool_labels = shapes(300, 3)

    def draw(z: Any, y: Any) -> UInt8:
        random = np.random.default_rng(int(1e6 * abs(float(z[0, 0]))))
        rows = [random.choice(np.flatnonzero(pool_labels == label)) for label in y.tolist()]
        return pool[rows]

    reference = load_reference(shape_set, None)
    source = open_images(draw, SourceOptions(latents=LatentOptions(1, conditional=True)))
    drawn = source.draw(Protocol("small", images=300, set_size=300), reference, silent).images
    assert drawn.requested is not None
    assert set(drawn.requested) == {0, 1, 2, 3, 4}
    squares = drawn.pixels.reshape(300, 1, 784).astype(float) - pool.reshape(1, -1, 784)
    assert (pool_labels[(squares**2).sum(axis=2).argmin(axis=1)] == drawn.requested).all()


def test_idx_files_of_some_digits_use_the_shipped_extractors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INKGAN_CACHE", str(tmp_path / "cache"))
    reference = small_reference()
    few, test_few = reference.train_labels < 5, reference.test_labels < 5
    write_idx(tmp_path / "low", reference.train[few], reference.train_labels[few], "train")
    write_idx(tmp_path / "low", reference.test[test_few], reference.test_labels[test_few], "t10k")
    loaded = load_reference(f"idx:{tmp_path / 'low'}", None)
    assert loaded.extractors is None
    assert set(loaded.test_labels) == {0, 1, 2, 3, 4}
    shuffled = (reference.train_labels[few] + 2) % 5
    write_idx(tmp_path / "wrong", reference.train[few], shuffled, "train")
    wrong = (reference.test_labels[test_few] + 2) % 5
    write_idx(tmp_path / "wrong", reference.test[test_few], wrong, "t10k")
    with pytest.raises(DataError, match="read digits; fit some once"):
        load_reference(f"idx:{tmp_path / 'wrong'}", None)


def test_impossible_arguments_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`epochs` must be at least 1, not 0"):
        inkgan.fit_extractors_for("mnist", epochs=0)
    images, _ = shapes(300, 0)
    np.savez(tmp_path / "one.npz", images=images)
    with pytest.raises(DataError, match=r"at least 200 are needed for baselines and tests each"):
        inkgan.fit_extractors_for(f"npz:{tmp_path / 'one.npz'}")
