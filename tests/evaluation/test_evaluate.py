"""inkgan evaluate, from a source to a report."""

import json
import os
import struct
import sys
import tempfile
import types
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import inkgan
from inkgan import files, images
from inkgan.config import Recipe
from inkgan.config.recipes import get_recipe
from inkgan.config.serialize import override
from inkgan.errors import ArtifactError, ConfigError, DataError, InkganError
from inkgan.evaluation.evaluate import PROTOCOLS
from inkgan.evaluation.image_sources import digits_shown
from inkgan.evaluation.inception_distance import inception_score
from inkgan.evaluation.report_document import Report
from inkgan.evaluation.report_files import ReportContent, deliver, find_kept
from inkgan.evaluation.source_spec import SourceOptions
from inkgan.evaluation.sources import open_images
from inkgan.io.bundle import Bundle
from inkgan.metrics.features.extractors import classify, imagenet_style, linear_probabilities
from inkgan.metrics.features.inception import inception_features, load_inception
from inkgan.models.build import build_generator
from inkgan.types import silent
from tests.fixtures.references import as_npz, small_reference

COUNT = 400


@pytest.fixture
def evaluated(tmp_path: Path, keeps_baselines: None) -> Callable[..., Report]:
    """Give inkgan.evaluate with a small reference, as users would call it with their own."""
    reference = as_npz(tmp_path / "reference.npz", small_reference())

    def run(source: Any, **options: Any) -> Report:
        given: dict[str, Any] = {"protocol": "quick", "out": tmp_path / "report"} | options
        report: Report = inkgan.evaluate(source, reference=f"npz:{reference}", **given)
        return report

    return run


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    path = tmp_path / "drawn.npz"
    rows = small_reference().class_matched(COUNT, 3)
    np.savez(
        path, images=small_reference().train[rows], labels=small_reference().train_labels[rows]
    )
    return path


def test_arrays_become_a_report(evaluated: Callable[..., Report], drawn: Path) -> None:
    told: list[tuple[str, int, int]] = []
    report = evaluated(drawn, progress=lambda *step: told.append(step))
    document = files.read_json(report.json_path)
    keys = {row["key"] for row in document["scores"]}
    assert keys >= {"fd_e1", "fd_e2", "precision", "recall", "label_accuracy"}
    assert all(row["baseline"]["draws"] >= 5 for row in document["scores"])
    assert document["verdict"] == list(report.verdict)
    assert 0 <= document["linear_classifier"]["agreement"] <= 1
    page = report.page_path.read_text(encoding="utf-8")
    assert report.verdict[0].split("(")[0].strip() in page
    assert all(0 <= done <= total for _, done, total in told)
    assert {what for what, _, _ in told} >= {"features of the images", "drawing the report"}


def test_the_same_is_evaluated_once(
    evaluated: Callable[..., Report], drawn: Path, tmp_path: Path
) -> None:
    first = evaluated(drawn)
    second = evaluated(drawn, out=tmp_path / "again")
    assert (first.cached, second.cached) == (False, True)
    assert second.document == first.document
    assert (tmp_path / "again" / "report.html").is_file()
    assert not evaluated(drawn, fresh=True).cached
    held = dict(np.load(drawn))
    held["images"][0, 0, 0] ^= 1
    np.savez(drawn, **held)
    assert not evaluated(drawn).cached


def test_full_protocol_on_few_images_says_what_it_leaves_out(
    evaluated: Callable[..., Report], drawn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = evaluated(drawn, protocol="full")
    keys = {row["key"] for row in report.document["scores"]}
    assert keys >= {"kid", "mmd", "copies", "ct", "cas", "two_sample_auc", "one_nearest"}
    assert "fd_infinity_e1" not in keys
    notes = " ".join(report.document["notes"])
    assert "FD-infinity is left out" in notes
    assert "do not compare with scores of 10,000" in notes
    assert any("Copies training images" in line for line in report.verdict)  # they are from there


def test_a_run_is_evaluated_in_its_own_folder(
    evaluated: Callable[..., Report], tmp_path: Path
) -> None:
    run = inkgan.train("mlp", out=tmp_path / "run", overrides=["data.name=uci-digits"], images=640)
    report = evaluated(run.path, out=None)
    assert report.json_path == run.path / "report.json"
    facts = report.document["facts"]
    assert "1,486,352 parameters" in facts["generator"]
    assert "MFLOP an image" in facts["generator"]
    assert "uci-digits" in facts["trained on"]
    again = evaluated(run.bundle_path, out=tmp_path / "other")
    assert again.document["scores"] == report.document["scores"]


def test_pictures_in_folders_of_digits(evaluated: Callable[..., Report], tmp_path: Path) -> None:
    root, reference = tmp_path / "pictures", small_reference()
    for index in range(500):
        label = reference.train_labels[index]
        picture = 255 - reference.train[index]  # dark on light, as people scan it
        images.save_png(root / str(label) / f"{index}.png", picture)
    report = evaluated(root)
    notes = " ".join(report.document["notes"])
    assert "inverted before" in notes
    assert "chosen so that the classes" in notes
    accuracy = next(r for r in report.document["scores"] if r["key"] == "label_accuracy")
    assert accuracy["value"] > 0.8


def test_stacked_digits_are_counted_in_modes(
    evaluated: Callable[..., Report], tmp_path: Path
) -> None:
    random = np.random.default_rng(0)
    rows = random.integers(len(small_reference().train), size=(300, 3))
    stacked = small_reference().train[rows].transpose(0, 2, 3, 1)
    np.savez(tmp_path / "stacked.npz", images=stacked)
    report = evaluated(tmp_path / "stacked.npz", stacked=True)
    modes = next(row for row in report.document["scores"] if row["key"] == "modes")
    assert 200 <= modes["value"] <= 300
    assert abs(modes["z"]) < 4
    with pytest.raises(DataError, match="color images"):
        evaluated(tmp_path / "stacked.npz")


def test_equal_channels_are_evaluated_as_gray(
    evaluated: Callable[..., Report], tmp_path: Path
) -> None:
    np.savez(
        tmp_path / "rgb.npz",
        images=np.repeat(small_reference().train[:COUNT, ..., None], 3, axis=3),
    )
    notes = " ".join(evaluated(tmp_path / "rgb.npz").document["notes"])
    assert "evaluated as gray" in notes
    assert "No labels were given" in notes


# --- bad input ---


def npz(folder: Path, **arrays: np.ndarray) -> Path:
    np.savez(folder / "x.npz", **arrays)  # type: ignore[arg-type]
    return folder / "x.npz"


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        (lambda: {"images": np.full((300, 28, 28), np.nan)}, "uint8|NaN"),
        (
            lambda: {"a": small_reference().train[:300], "b": small_reference().train[:300]},
            "images or x_train is needed",
        ),
        (lambda: {"images": small_reference().train[:20]}, "20 images are too few"),
        (
            lambda: {"images": small_reference().train[:300], "labels": np.arange(299) % 10},
            "labels must be 300",
        ),
        (
            lambda: {"images": small_reference().train[:300], "labels": np.full(300, 12)},
            "label 12 is no digit",
        ),
        (
            lambda: {"images": small_reference().train[:300], "labels": np.arange(300) % 10 + 1},
            "label 10 is no digit; 0 to 9 are possible; subtract 1 from labels that count from 1",
        ),
    ],
)
def test_bad_arrays_are_refused(
    evaluated: Callable[..., Report],
    tmp_path: Path,
    arrays: Callable[[], dict[str, np.ndarray]],
    words: str,
) -> None:
    with pytest.raises(DataError, match=words):
        evaluated(npz(tmp_path, **arrays()))


def test_bad_sources_are_refused(
    evaluated: Callable[..., Report], tiny: Recipe, tmp_path: Path, drawn: Path
) -> None:
    (tmp_path / "empty").mkdir()
    inkgan.train(tiny, out=tmp_path / "small", images=128)
    mixed = tmp_path / "mixed"
    for name, picture in (
        ("a", small_reference().train[0]),
        ("b", small_reference().train[0, :20]),
    ):
        images.save_png(mixed / f"{name}.png", picture)
    letters = tmp_path / "letters"
    images.save_png(letters / "A" / "1.png", small_reference().train[0])
    cases: list[tuple[str | Path, type[InkganError], str]] = [
        (tmp_path / "empty", DataError, "holds no pictures"),
        (tmp_path / "nowhere.npz", DataError, "does not exist"),
        (tmp_path / "nowhere", ArtifactError, "no run or bundle"),
        (mixed, DataError, "2 images are too few"),
        (letters, DataError, "class folder 'A'"),
        ("data:cifar10", DataError, "cifar10"),
    ]
    for source, kind, words in cases:
        with pytest.raises(kind, match=words):
            evaluated(source)
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "report.json").write_text(json.dumps({"mine": 1}))
    with pytest.raises(ArtifactError, match="is no report of inkgan"):
        evaluated(drawn)
    with pytest.raises(ConfigError, match="`out` must be a folder"):
        evaluated(drawn, out=drawn)


# --- other networks ---


class StandIn(nn.Module):
    """Takes what pytorch-fid's Inception takes, and gives what it gives."""

    def forward(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        assert pictures.shape[1] == 3
        assert 0 <= float(pictures.min()) <= float(pictures.max()) <= 1
        return [nn.functional.avg_pool2d(pictures.mean(1, keepdim=True), 7).view(-1, 16, 1, 1)]


def test_inception_features_keep_pytorch_fids_convention() -> None:
    gray = inception_features(small_reference().test[:120], StandIn())
    colour = inception_features(
        np.repeat(small_reference().test[:120, ..., None], 3, axis=3), StandIn()
    )
    assert gray.shape == (120, 16)
    assert np.allclose(gray, colour)
    expected = small_reference().test[0].reshape(4, 7, 4, 7).mean(axis=(1, 3)).ravel() / 255
    assert np.allclose(gray[0], expected, atol=1e-6)


def test_inception_score_has_a_floor() -> None:
    score = inception_score(small_reference().train[:300], small_reference(), StandIn())
    assert score.baseline.draws == 2
    blank = inception_score(small_reference().train[:300] // 4, small_reference(), StandIn())
    assert blank.value > 5 * max(score.value, score.baseline.mean)


def test_the_inception_loader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytorch_fid.inception", None)
    with pytest.raises(ConfigError, match=r"pip install 'inkgan\[inception\]'"):
        load_inception()
    module: Any = types.ModuleType("pytorch_fid.inception")
    module.InceptionV3 = lambda blocks: StandIn()
    module.InceptionV3.BLOCK_INDEX_BY_DIM = {2048: 3}
    monkeypatch.setitem(sys.modules, "pytorch_fid", types.ModuleType("pytorch_fid"))
    monkeypatch.setitem(sys.modules, "pytorch_fid.inception", module)
    assert isinstance(load_inception(), StandIn)

    def offline(blocks: list[int]) -> nn.Module:
        raise OSError("no route to host")

    offline.BLOCK_INDEX_BY_DIM = {2048: 3}  # type: ignore[attr-defined]
    module.InceptionV3 = offline
    with pytest.raises(ConfigError, match="weights cannot be had: no route to host"):
        load_inception()


def test_the_adapter_for_imagenet_classifiers() -> None:
    adapted = imagenet_style(small_reference().test[:3])
    assert adapted.shape == (3, 3, 224, 224)
    assert adapted.dtype == torch.float32
    assert 0 <= float(adapted.min()) <= float(adapted.max()) <= 1
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 10))
    assert linear_probabilities(small_reference().test[:3], network).shape == (3, 10)


def test_a_stacked_generator_is_evaluated_by_its_modes(
    evaluated: Callable[..., Report], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PROTOCOLS, "quick", replace(PROTOCOLS["quick"], stacked=200))
    recipe = override(get_recipe("mlp"), ["data.name=stacked-mnist", "name=stack"])
    shape = images.Shape(3, 28, 28)
    weights = build_generator(recipe.model, shape, seed=0).state_dict()
    bundle = Bundle(recipe, shape, tuple(map(str, range(1000))), weights, 0, "0" * 64)
    bundle.save(tmp_path / "stack.safetensors")
    report = evaluated(tmp_path / "stack.safetensors")
    keys = {row["key"] for row in report.document["scores"]}
    assert keys >= {"modes", "kl", "kl_debiased", "fd_e1"}
    assert report.document["counts"]["stacked_images"] == 200
    assert report.verdict[0].startswith("Not digits yet")


def test_of_many_sorted_images_a_fair_part_is_evaluated(
    evaluated: Callable[..., Report], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PROTOCOLS, "quick", replace(PROTOCOLS["quick"], images=300))
    order = np.argsort(small_reference().train_labels, kind="stable")
    np.savez(tmp_path / "sorted.npz", images=small_reference().train[order])
    report = evaluated(tmp_path / "sorted.npz")
    assert f"300 of {len(order):,} images were evaluated." in report.document["notes"]
    shares = [row["share"] for row in report.document["classes"].values()]
    assert min(shares) > 0.03


def test_a_run_is_found_by_its_name(
    evaluated: Callable[..., Report], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    inkgan.train("mlp", out="runs/a", overrides=["data.name=uci-digits"], images=640)
    assert evaluated("a", out=None).json_path == Path("runs/a/report.json")


# --- images in other forms ---


@pytest.fixture
def asked(evaluated: Callable[..., Report], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Give what evaluate would measure: the images, their labels and the notes."""

    def run(source: Any, **options: Any) -> tuple[np.ndarray, np.ndarray | None, str]:
        opened = open_images(source, SourceOptions(**options))
        drawn = opened.draw(PROTOCOLS["quick"], small_reference(), silent)
        notes = " ".join((*opened.notes, *drawn.notes))
        return drawn.images.pixels, drawn.images.requested, notes

    return run


def _as_set(pixels: np.ndarray) -> set[bytes]:
    return {image.tobytes() for image in pixels}


@pytest.mark.parametrize(
    ("make", "note"),
    [
        (lambda x: x, ""),
        (lambda x: x.reshape(len(x), -1), "784 numbers"),
        (lambda x: x[:, None], "Channels come first"),
        (lambda x: x[..., None], ""),
        (lambda x: (x / 255).astype(np.float32), "multiplied by 255"),
        (lambda x: torch.from_numpy(x / 127.5 - 1)[:, None], "mapped to 0 to 255"),
        (lambda x: x.astype(np.int64), ""),
        (lambda x: [Image.fromarray(image) for image in x], ""),
        (lambda x: 255 - x, "dark on light: inverted"),
        (lambda x: 1 - x[:, None] / 255, "dark on light: inverted"),
        (lambda x: np.repeat(x[:, None], 3, axis=1), "evaluated as gray"),
    ],
)
def test_arrays_in_every_form_are_the_same_images(
    asked: Callable[..., Any], make: Callable[[Any], Any], note: str
) -> None:
    digits = small_reference().train[:300]
    pixels, _, notes = asked(make(digits))
    assert _as_set(pixels) == _as_set(digits)
    assert note in notes
    assert bool(notes) == bool(note)


def test_labels_in_every_form_are_the_same(asked: Callable[..., Any]) -> None:
    digits, labels = small_reference().train[:300], small_reference().train_labels[:300]
    plain = asked(digits, labels=labels)[1]
    assert plain is not None
    for given in (labels[:, None], np.eye(10)[labels], labels.astype(float), labels.tolist()):
        assert np.array_equal(asked(digits, labels=given)[1], plain)
    assert np.array_equal(asked((digits, labels))[1], plain)  # a pair, as of Keras


def test_idx_files_are_read_by_folder_by_path_and_by_file(
    asked: Callable[..., Any], tmp_path: Path
) -> None:
    digits, labels = small_reference().train[:300], small_reference().train_labels[:300]
    for array, name in ((digits, "images-idx3"), (labels.astype(np.uint8), "labels-idx1")):
        head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
        (tmp_path / f"train-{name}-ubyte").write_bytes(head + array.tobytes())
    names = [str(tmp_path), f"idx:{tmp_path}", f"idx:{tmp_path / 'train-images-idx3-ubyte'}"]
    for name in names:
        pixels, found, _ = asked(name)
        assert np.array_equal(pixels, asked(digits, labels=labels)[0])  # no tenth is left out
        own = {image.tobytes(): label for image, label in zip(digits, labels, strict=True)}
        assert [own[image.tobytes()] for image in pixels] == found.tolist()
    with pytest.raises(DataError, match="does not exist"):
        asked(f"idx:{tmp_path / 'nowhere'}")


def test_files_of_arrays(asked: Callable[..., Any], tmp_path: Path) -> None:
    digits, labels = small_reference().train[:300], small_reference().train_labels[:300]
    np.save(tmp_path / "x.npy", digits)
    rows = np.c_[labels, digits.reshape(300, -1)]
    header = ",".join(["label", *(f"pixel{place}" for place in range(784))])
    np.savetxt(tmp_path / "train.csv", rows, "%d", ",", header=header, comments="")
    assert _as_set(asked(tmp_path / "x.npy")[0]) == _as_set(digits)
    pixels, found, _ = asked(tmp_path / "train.csv")
    assert _as_set(pixels) <= _as_set(digits)
    assert found is not None
    named = asked(f"csv:{tmp_path / 'train.csv'}")
    assert np.array_equal(named[0], pixels)
    assert np.array_equal(named[1], found)
    (tmp_path / "words.csv").write_text("a,b\n1,c\n", encoding="utf-8")
    with pytest.raises(DataError, match="cannot be read as a table of numbers"):
        asked(tmp_path / "words.csv")


@pytest.mark.parametrize("shape", [(56, 56), (14, 14), (40, 28), (28, 20)])
def test_other_sizes_are_resized(asked: Callable[..., Any], shape: tuple[int, int]) -> None:
    given = [Image.fromarray(image).resize(shape[::-1]) for image in small_reference().train[:300]]
    pixels, _, notes = asked(given)
    assert pixels.shape == (300, 28, 28)
    assert pixels.max() > 150
    assert f"{shape[0]}x{shape[1]} pixels" in notes
    assert ("padded" in notes) == (shape[0] != shape[1])
    inverted, _, notes = asked([Image.eval(image, lambda level: 255 - level) for image in given])
    assert _as_set(inverted) == _as_set(pixels)
    assert "inverted" in notes


# --- some digits alone, few images ---


def _some(digits: tuple[int, ...], count: int = COUNT) -> tuple[np.ndarray, np.ndarray]:
    reference = small_reference()
    rows = np.flatnonzero(np.isin(reference.train_labels, digits))[:count]
    return reference.train[rows], reference.train_labels[rows]


@pytest.mark.parametrize("labeled", [True, False])
def test_real_images_of_some_digits_are_compared_with_these(
    evaluated: Callable[..., Report], labeled: bool
) -> None:
    pixels, labels = _some((1, 3, 5, 8), 300)
    read = classify(pixels).predicted == labels  # all but a few of MNIST's, fewer of others
    pixels, labels = pixels[read], labels[read]
    report = evaluated(pixels, labels=labels if labeled else None)
    first, second = report.verdict[:2]
    assert second.startswith("There is no 0, 2, 4, 6, 7 or 9 among the images; they are compared")
    assert not first.startswith(("Not digits", "Collapsed", "Plainly", "Far", "Very far"))
    assert report.document["missing"] == [0, 2, 4, 6, 7, 9]
    assert not any("Hardly any" in line or "Every digit" in line for line in report.verdict)
    assert "1, 3, 5, 8 alone" in report.document["reference"]["name"]


def test_noise_is_not_taken_for_one_digit(asked: Callable[..., Any]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 28, 28), dtype=np.uint8)
    assert len(digits_shown(small_reference().train[:300])) == 10
    assert digits_shown(_some((7,), 200)[0]) == (7,)
    assert len(digits_shown(noise)) in (1, 10)


def test_every_given_image_counts(asked: Callable[..., Any]) -> None:
    """A selection with the shares of the reference must not leave too few."""
    reference = small_reference()
    order = np.argsort(reference.train_labels, kind="stable")
    even = np.concatenate(
        [order[reference.train_labels[order] == digit][:20] for digit in range(10)]
    )
    pixels, _, notes = asked(reference.train[even], labels=reference.train_labels[even])
    assert len(pixels) == 200
    assert notes == ""


def test_a_small_reference_is_refused(drawn: Path, tmp_path: Path) -> None:
    reference = small_reference()
    few = {"x_train": reference.train[:400], "y_train": reference.train_labels[:400]}
    few |= {"x_test": reference.test[:60], "y_test": reference.test_labels[:60]}
    np.savez(tmp_path / "few.npz", **few)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"`reference` .* 60 test images.*at least 200"):
        inkgan.evaluate(drawn, protocol="quick", reference=f"npz:{tmp_path / 'few.npz'}")


# --- folders that cannot be written ---


@pytest.fixture
def no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a file where the cache would be; return the folder for temporary files."""
    (tmp_path / "file").touch()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("INKGAN_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path / "temporary"


CONTENT = ReportContent({"kind": "evaluation", "format_version": 2, "verdict": []}, "<p>page</p>")


def test_a_result_survives_a_read_only_cache(no_cache: Path, tmp_path: Path) -> None:
    with pytest.warns(files.CacheWarning, match="is used instead"):
        report = deliver("key", None, CONTENT, tmp_path / "mine")
    assert report.json_path == tmp_path / "mine" / "report.json"
    kept = find_kept("key")
    assert kept is not None
    assert deliver("key", kept, None, None).cached


def test_a_result_survives_when_nothing_can_be_kept(
    no_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.warns(files.CacheWarning, match="nothing is kept"):
        report = deliver("key", None, CONTENT, tmp_path / "mine")
    assert report.page_path.read_text(encoding="utf-8") == "<p>page</p>"


def test_a_default_folder_that_cannot_be_written_leaves_the_report_in_the_cache(
    tmp_path: Path,
) -> None:
    (tmp_path / "run").touch()
    with pytest.warns(files.CacheWarning, match="the report is in"):
        report = deliver("key", None, CONTENT, tmp_path / "run" / "report")
    assert report.page_path.parent == files.cache_folder() / "evaluations" / "key"


def test_no_folder_at_all_leaves_the_report_among_temporary_files(
    no_cache: Path, tmp_path: Path
) -> None:
    (no_cache / f"inkgan-cache-{os.getuid()}").touch()
    with pytest.warns(files.CacheWarning):
        report = deliver("key", None, CONTENT, tmp_path / "file" / "report")
    assert report.page_path.parent.parent == no_cache


def test_a_named_folder_is_tried_before_the_work(
    evaluated: Callable[..., Report], drawn: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ArtifactError, match="cannot write"):
        evaluated(drawn, out=tmp_path / "file" / "report")
