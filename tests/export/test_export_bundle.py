"""A bundle to ship: smaller where asked, with its scores, and never with another's."""

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from inkgan.cli.main import main
from inkgan.config import Recipe
from inkgan.config.serialize import override
from inkgan.errors import ArtifactError, ConfigError
from inkgan.exporters.bundle_export import export_bundle, load_scored_bundle
from inkgan.generation.load import load
from inkgan.images import Shape
from inkgan.io.bundle import Bundle, MeasuredScore, load_bundle
from inkgan.io.tensors import write
from inkgan.models.build import build_generator

SHAPE = Shape(1, 12, 12)
ROW = {"key": "kid", "value": 0.25, "floor": {"mean": 0.125, "sd": 0.01, "draws": 8}}


@pytest.fixture
def bundle(tiny: Recipe) -> Bundle:
    network = build_generator(tiny.model, SHAPE, tiny.seed)
    return Bundle(tiny, SHAPE, tuple("0123456789"), network.state_dict(), 640, "ab" * 32)


@pytest.fixture
def run(bundle: Bundle, tmp_path: Path) -> Path:
    bundle.save(tmp_path / "run" / "generator.safetensors")
    return tmp_path / "run"


def report(run: Path, digest: str) -> None:
    document = {"kind": "judgement", "digest": digest, "scores": [ROW]}
    (run / "report.json").write_text(json.dumps(document), encoding="utf-8")


def test_scores_of_the_report_come_along(run: Path, bundle: Bundle, tmp_path: Path) -> None:
    report(run, bundle.digest)
    export_bundle(run, tmp_path / "out.safetensors", license="cc0-1.0")
    loaded = load_bundle(tmp_path / "out.safetensors")
    assert loaded.scores == {"kid": MeasuredScore(0.25, 0.125)}
    assert loaded.license == "cc0-1.0"
    assert (loaded.recipe, loaded.data_sha256) == (bundle.recipe, bundle.data_sha256)
    assert loaded.digest == bundle.digest


def test_scores_of_other_weights_stay_behind(run: Path) -> None:
    report(run, "0" * 64)
    told: list[str] = []
    assert load_scored_bundle(run, warn=told.append).scores == {}
    assert "belongs to other weights" in told[0]


def test_a_report_that_cannot_be_read_is_named(run: Path) -> None:
    (run / "report.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"report\.json is no report"):
        load_scored_bundle(run)


def test_half_is_half_the_size_and_draws_the_same(bundle: Bundle, tmp_path: Path) -> None:
    recipe = override(bundle.recipe, ["model.generator.stem.channels=64"])
    weights = build_generator(recipe.model, SHAPE, 0).state_dict()
    large = dataclasses.replace(bundle, recipe=recipe, weights=weights)
    large.save(tmp_path / "whole.safetensors")
    large.save(tmp_path / "half.safetensors", half=True)
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("half", "whole")]
    assert sizes[0] < 0.65 * sizes[1]
    half = load_bundle(tmp_path / "half.safetensors")
    assert half.digest == large.rounded().digest != large.digest
    assert {t.dtype for t in half.weights.values()} == {torch.float32, torch.int64}
    for key, tensor in half.weights.items():
        exact = weights[key].ndim < 2
        torch.testing.assert_close(tensor, weights[key], rtol=0 if exact else 2**-11, atol=1e-7)
    drawn = [load(tmp_path / f"{n}.safetensors").sample(seeds=range(8)) for n in ("half", "whole")]
    assert np.abs(drawn[0].astype(int) - drawn[1].astype(int)).max() <= 2
    half.save(tmp_path / "again.safetensors", half=True)  # rounding once is rounding for good
    assert load_bundle(tmp_path / "again.safetensors").digest == half.digest


def test_numbers_beyond_float16_are_refused(bundle: Bundle, tmp_path: Path) -> None:
    key = next(key for key, tensor in bundle.weights.items() if tensor.ndim > 1)
    bundle.weights[key].view(-1)[0] = 1e6
    with pytest.raises(ArtifactError, match="beyond float16; use `half=False`"):
        bundle.save(tmp_path / "half.safetensors", half=True)
    assert not list(tmp_path.iterdir())


def test_digest_feels_a_weight_and_a_layer(bundle: Bundle, tiny: Recipe) -> None:
    changed = {key: tensor.clone() for key, tensor in bundle.weights.items()}
    next(iter(changed.values())).view(-1)[0] += 1
    assert dataclasses.replace(bundle, weights=changed).digest != bundle.digest
    model = tiny.model.model_copy(update={"latent_dim": 9})
    other = dataclasses.replace(bundle, recipe=tiny.model_copy(update={"model": model}))
    assert other.digest != bundle.digest
    renamed = dataclasses.replace(bundle, recipe=tiny.model_copy(update={"name": "other"}))
    assert renamed.digest == bundle.digest


def test_bundles_without_floors_and_license_are_read(bundle: Bundle, tmp_path: Path) -> None:
    document = bundle.document() | {"scores": {"best_e3_distance": 3.5}}
    del document["license"]
    write(tmp_path / "old.safetensors", bundle.weights, document)
    loaded = load_bundle(tmp_path / "old.safetensors")
    assert (loaded.scores, loaded.license) == ({"best_e3_distance": MeasuredScore(3.5)}, "")


def test_command_line(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out.safetensors"
    command = ["inkgan", "export", "bundle", str(run), str(out), "--half"]
    for expected in (0, 1):  # the second time the file is there
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == expected
    assert load_bundle(out).license == "mit"


def test_a_license_is_an_identifier(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`license` 'All rights' is no identifier"):
        export_bundle(run, tmp_path / "out.safetensors", license="All rights")
