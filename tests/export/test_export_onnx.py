"""ONNX models: other programs draw what torch draws."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import inkgan
from inkgan.cli.main import main
from inkgan.errors import ArtifactError, ConfigError
from inkgan.exporters import onnx as exporting
from inkgan.exporters.onnx import export_onnx
from inkgan.generation.generator import Generator
from inkgan.images import to_array, to_uint8
from tests.fixtures.bundles import small_bundle


def session_of(path: Path) -> Any:
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize(
    ("name", "conditioning"),
    [("same", "conditional-bn"), ("open", "concat"), ("mlp", "")],
)
def test_onnxruntime_draws_what_the_sampler_draws(
    name: str, conditioning: str, tmp_path: Path
) -> None:
    bundle, path = small_bundle(name, conditioning), tmp_path / "a.onnx"
    assert export_onnx(bundle, path) < 1e-5
    onnx.checker.check_model(onnx.load(path), full_check=True)
    sampler, seeds = Generator(bundle), list(range(5))
    inputs: dict[str, Any] = {"latent": sampler.latents(seeds)}
    labels = [3, 9, 0, 1, 3] if conditioning else None
    if labels:
        inputs["label"] = np.asarray(labels, np.int64)
    session = session_of(path)
    assert {given.name: given.shape[0] for given in session.get_inputs()} == dict.fromkeys(
        inputs, "n"
    )
    (drawn,) = session.run(None, inputs)
    assert np.abs(drawn).max() <= 1
    seen = to_array(to_uint8(torch.from_numpy(drawn))).astype(int)
    assert np.abs(seen - sampler.sample(labels, seeds=seeds)).max() <= 1
    told = session.get_modelmeta().custom_metadata_map
    assert (told["inkgan.name"], told["inkgan.digest"]) == ("small", bundle.digest)
    assert json.loads(told["inkgan.classes"]) == (list("0123456789") if conditioning else [])
    assert json.loads(told["inkgan.styles"]) == list(bundle.recipe.model.style_measures)


def draw(path: Path, count: int) -> Any:
    """Draw images of the flagship's form with onnxruntime."""
    latent = np.random.default_rng(5).standard_normal((count, 64), np.float32)
    return session_of(path).run(None, {"latent": latent, "label": np.arange(count) % 10})[0]


def test_half_is_half_the_file_and_draws_nearly_the_same(tmp_path: Path) -> None:
    whole = inkgan.export("flagship", "onnx", tmp_path / "whole.onnx")
    half = inkgan.export("flagship", "onnx", tmp_path / "half.onnx", half=True)
    assert half.stat().st_size < 0.6 * whole.stat().st_size
    model = onnx.load(half)
    onnx.checker.check_model(model, full_check=True)
    weights = [t for t in model.graph.initializer if len(t.dims) > 1]
    assert {t.data_type for t in weights} == {onnx.TensorProto.FLOAT16}
    sessions = [session_of(path) for path in (whole, half)]
    ends = [
        [(end.name, end.type, end.shape) for end in [*session.get_inputs(), *session.get_outputs()]]
        for session in sessions
    ]
    assert ends[0] == ends[1]
    assert ends[0][0] == ("latent", "tensor(float)", ["n", 64])
    kept = [session.get_modelmeta().custom_metadata_map["inkgan.weights"] for session in sessions]
    assert kept == ["float32", "float16"]
    images = [draw(path, 640) for path in (whole, half)]
    assert 0 < np.abs(images[0] - images[1]).max() <= 2 / 127.5  # two levels of 255
    levels = [np.rint((image + 1) * 127.5) for image in images]
    assert np.abs(levels[0] - levels[1]).max() <= 2
    assert (levels[0] == levels[1]).mean() > 0.98


@pytest.mark.parametrize(("name", "conditioning"), [("same", "multiply"), ("open", "concat")])
def test_half_holds_for_other_networks(name: str, conditioning: str, tmp_path: Path) -> None:
    assert export_onnx(small_bundle(name, conditioning), tmp_path / "a.onnx", half=True) < 0.01


def test_weights_beyond_float16_are_refused(tmp_path: Path) -> None:
    bundle = small_bundle("mlp", "")
    key = next(key for key, tensor in bundle.weights.items() if tensor.ndim == 2)
    large = replace(bundle, weights=bundle.weights | {key: bundle.weights[key] * 1e6})
    with pytest.raises(ArtifactError, match="beyond float16; use `half=False`"):
        export_onnx(large, tmp_path / "a.onnx", half=True)
    assert not list(tmp_path.iterdir())


def test_a_model_that_differs_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "_difference", lambda *_: float("nan"))
    with pytest.raises(ArtifactError, match="differs from torch by nan"):
        export_onnx(small_bundle("mlp", ""), tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


def test_without_the_extra_the_error_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(ConfigError, match=r"needs the extra: pip install 'inkgan\[onnx\]'"):
        export_onnx(small_bundle(), tmp_path / "a.onnx")


def test_command_line_refuses_another_ending(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["inkgan", "export", "onnx", "run", "a.txt"])
    with pytest.raises(SystemExit):
        main()
    assert "OUT a.txt: the ending must be .onnx" in capsys.readouterr().err
