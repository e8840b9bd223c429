"""inkgan evaluate, from a source to a report."""

import json
import os
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
from torch import nn

import inkgan
from inkgan import files, images
from inkgan.config import Recipe
from inkgan.config.recipes import get_recipe
from inkgan.config.serialize import override
from inkgan.errors import ArtifactError, ConfigError, DataError, InkganError
from inkgan.evaluation.evaluate import PROTOCOLS
from inkgan.evaluation.inception_distance import inception_score
from inkgan.evaluation.report_document import Report
from inkgan.evaluation.report_files import ReportContent, deliver, find_kept
from inkgan.io.bundle import Bundle
from inkgan.metrics.features.extractors import imagenet_style, linear_probabilities
from inkgan.metrics.features.inception import inception_features, load_inception
from inkgan.models.build import build_generator
from tests.fixtures.references import as_npz, small_reference

COUNT = 400


@pytest.fixture
def judge(tmp_path: Path, keeps_baselines: None) -> Callable[..., Report]:
    """Give inkgan.evaluate with a small reference, as users would call it with their own."""
    reference = as_npz(tmp_path / "reference.npz", small_reference())

    def run(source: str | Path, **options: Any) -> Report:
        given: dict[str, Any] = {"protocol": "quick", "out": tmp_path / "report"} | options
        judged: Report = inkgan.evaluate(source, reference=f"npz:{reference}", **given)
        return judged

    return run


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    path = tmp_path / "drawn.npz"
    rows = small_reference().class_matched(COUNT, 3)
    np.savez(
        path, images=small_reference().train[rows], labels=small_reference().train_labels[rows]
    )
    return path


def test_arrays_become_a_report(judge: Callable[..., Report], drawn: Path) -> None:
    told: list[tuple[str, int, int]] = []
    judged = judge(drawn, progress=lambda *step: told.append(step))
    document = files.read_json(judged.json_path)
    keys = {row["key"] for row in document["scores"]}
    assert keys >= {"fd_e1", "fd_e2", "precision", "recall", "label_accuracy"}
    assert all(row["baseline"]["draws"] >= 5 for row in document["scores"])
    assert document["verdict"] == list(judged.verdict)
    assert 0 <= document["linear_classifier"]["agreement"] <= 1
    page = judged.page_path.read_text(encoding="utf-8")
    assert judged.verdict[0].split("(")[0].strip() in page
    assert all(0 <= done <= total for _, done, total in told)
    assert {what for what, _, _ in told} >= {"features of the images", "drawing the report"}


def test_the_same_is_judged_once(judge: Callable[..., Report], drawn: Path, tmp_path: Path) -> None:
    first = judge(drawn)
    second = judge(drawn, out=tmp_path / "again")
    assert (first.cached, second.cached) == (False, True)
    assert second.document == first.document
    assert (tmp_path / "again" / "report.html").is_file()
    assert not judge(drawn, fresh=True).cached
    held = dict(np.load(drawn))
    held["images"][0, 0, 0] ^= 1
    np.savez(drawn, **held)
    assert not judge(drawn).cached


def test_full_protocol_on_few_images_says_what_it_leaves_out(
    judge: Callable[..., Report], drawn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = judge(drawn, protocol="full")
    keys = {row["key"] for row in judged.document["scores"]}
    assert keys >= {"kid", "mmd", "copies", "ct", "cas", "two_sample_auc", "one_nearest"}
    assert "fd_infinity_e1" not in keys
    notes = " ".join(judged.document["notes"])
    assert "FD-infinity is left out" in notes
    assert "do not compare with scores of 10,000" in notes
    assert any("Copies training images" in line for line in judged.verdict)  # they are from there


def test_a_run_is_judged_in_its_own_folder(judge: Callable[..., Report], tmp_path: Path) -> None:
    run = inkgan.train("mlp", out=tmp_path / "run", overrides=["data.name=uci-digits"], images=640)
    judged = judge(run.path, out=None)
    assert judged.json_path == run.path / "report.json"
    facts = judged.document["facts"]
    assert "1,486,352 parameters" in facts["generator"]
    assert "MFLOP an image" in facts["generator"]
    assert "uci-digits" in facts["trained on"]
    again = judge(run.bundle_path, out=tmp_path / "other")
    assert again.document["scores"] == judged.document["scores"]


def test_pictures_in_folders_of_digits(judge: Callable[..., Report], tmp_path: Path) -> None:
    root = tmp_path / "pictures"
    for index in range(300):
        label = small_reference().train_labels[index]
        picture = 255 - small_reference().train[index]  # dark on light, as people scan it
        images.save_png(root / str(label) / f"{index}.png", picture)
    judged = judge(root)
    notes = " ".join(judged.document["notes"])
    assert "inverted before" in notes
    assert "chosen so that the ten classes" in notes
    accuracy = next(r for r in judged.document["scores"] if r["key"] == "label_accuracy")
    assert accuracy["value"] > 0.8


def test_stacked_digits_are_counted_in_modes(judge: Callable[..., Report], tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    rows = random.integers(len(small_reference().train), size=(300, 3))
    stacked = small_reference().train[rows].transpose(0, 2, 3, 1)
    np.savez(tmp_path / "stacked.npz", images=stacked)
    judged = judge(tmp_path / "stacked.npz", stacked=True)
    modes = next(row for row in judged.document["scores"] if row["key"] == "modes")
    assert 200 <= modes["value"] <= 300
    assert abs(modes["z"]) < 4
    with pytest.raises(DataError, match="color images"):
        judge(tmp_path / "stacked.npz")


def test_equal_channels_are_judged_as_grey(judge: Callable[..., Report], tmp_path: Path) -> None:
    np.savez(
        tmp_path / "rgb.npz",
        images=np.repeat(small_reference().train[:COUNT, ..., None], 3, axis=3),
    )
    notes = " ".join(judge(tmp_path / "rgb.npz").document["notes"])
    assert "evaluated as gray" in notes
    assert "No labels were given" in notes


# --- bad input ---


def npz(folder: Path, **arrays: np.ndarray) -> Path:
    np.savez(folder / "x.npz", **arrays)  # type: ignore[arg-type]
    return folder / "x.npz"


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        (lambda: {"images": np.zeros((300, 28, 28), np.float32)}, "must be uint8"),
        (lambda: {"images": np.full((300, 28, 28), np.nan)}, "must be uint8"),
        (lambda: {"pixels": small_reference().train[:300]}, "images or x_train is needed"),
        (lambda: {"images": small_reference().train[:300, :20]}, "28x28 pixels, not 20x28"),
        (lambda: {"images": small_reference().train[:20]}, "20 images are too few"),
        (
            lambda: {"images": small_reference().train[:300], "labels": np.arange(299) % 10},
            "labels must be 300",
        ),
        (
            lambda: {"images": small_reference().train[:300], "labels": np.full(300, 12)},
            "label 12 is no digit",
        ),
    ],
)
def test_bad_arrays_are_refused(
    judge: Callable[..., Report],
    tmp_path: Path,
    arrays: Callable[[], dict[str, np.ndarray]],
    words: str,
) -> None:
    with pytest.raises(DataError, match=words):
        judge(npz(tmp_path, **arrays()))


def test_bad_sources_are_refused(
    judge: Callable[..., Report], tiny: Recipe, tmp_path: Path, drawn: Path
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
        (tmp_path / "small", DataError, "draws 12x12 grey images of uci-digits"),
        (mixed, DataError, "is 20x28 where"),
        (letters, DataError, "class folder 'A'"),
        ("data:cifar10", DataError, "cifar10"),
    ]
    for source, kind, words in cases:
        with pytest.raises(kind, match=words):
            judge(source)
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "report.json").write_text(json.dumps({"mine": 1}))
    with pytest.raises(ArtifactError, match="is no report of inkgan"):
        judge(drawn)
    with pytest.raises(ConfigError, match="`out` must be a folder"):
        judge(drawn, out=drawn)


# --- other networks ---


class StandIn(nn.Module):
    """Takes what pytorch-fid's Inception takes, and gives what it gives."""

    def forward(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        assert pictures.shape[1] == 3
        assert 0 <= float(pictures.min()) <= float(pictures.max()) <= 1
        return [nn.functional.avg_pool2d(pictures.mean(1, keepdim=True), 7).view(-1, 16, 1, 1)]


def test_inception_features_keep_pytorch_fids_convention() -> None:
    grey = inception_features(small_reference().test[:120], StandIn())
    colour = inception_features(
        np.repeat(small_reference().test[:120, ..., None], 3, axis=3), StandIn()
    )
    assert grey.shape == (120, 16)
    assert np.allclose(grey, colour)
    expected = small_reference().test[0].reshape(4, 7, 4, 7).mean(axis=(1, 3)).ravel() / 255
    assert np.allclose(grey[0], expected, atol=1e-6)


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


def test_a_stacked_generator_is_judged_by_its_modes(
    judge: Callable[..., Report], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PROTOCOLS, "quick", replace(PROTOCOLS["quick"], stacked=200))
    recipe = override(get_recipe("mlp"), ["data.name=stacked-mnist", "name=stack"])
    shape = images.Shape(3, 28, 28)
    weights = build_generator(recipe.model, shape, seed=0).state_dict()
    bundle = Bundle(recipe, shape, tuple(map(str, range(1000))), weights, 0, "0" * 64)
    bundle.save(tmp_path / "stack.safetensors")
    judged = judge(tmp_path / "stack.safetensors")
    keys = {row["key"] for row in judged.document["scores"]}
    assert keys >= {"modes", "kl", "kl_debiased", "fd_e1"}
    assert judged.document["counts"]["stacked_images"] == 200
    assert judged.verdict[0].startswith("Not digits yet")


def test_of_many_sorted_images_a_fair_part_is_judged(
    judge: Callable[..., Report], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PROTOCOLS, "quick", replace(PROTOCOLS["quick"], images=300))
    order = np.argsort(small_reference().train_labels, kind="stable")
    np.savez(tmp_path / "sorted.npz", images=small_reference().train[order])
    judged = judge(tmp_path / "sorted.npz")
    assert f"300 of {len(order):,} images were evaluated." in judged.document["notes"]
    shares = [row["share"] for row in judged.document["classes"].values()]
    assert min(shares) > 0.03


def test_a_run_is_found_by_its_name(
    judge: Callable[..., Report], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    inkgan.train("mlp", out="runs/a", overrides=["data.name=uci-digits"], images=640)
    assert judge("a", out=None).json_path == Path("runs/a/report.json")


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
    judge: Callable[..., Report], drawn: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ArtifactError, match="cannot write"):
        judge(drawn, out=tmp_path / "file" / "report")
