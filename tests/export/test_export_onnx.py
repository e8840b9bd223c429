"""ONNX models: other programs draw what torch draws."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

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
