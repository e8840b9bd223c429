"""Functions, torch modules and ONNX files as sources of an evaluation."""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn

import inkgan
from inkgan.errors import ArtifactError, ConfigError, DataError
from inkgan.evaluation import onnx_process
from inkgan.evaluation.outside_generators import BATCH, LatentOptions, latents
from inkgan.evaluation.results import Protocol
from inkgan.evaluation.source_spec import DrawnImages, SourceOptions
from inkgan.evaluation.sources import open_images
from inkgan.metrics.features.extractors import extract_features
from inkgan.types import Float32, UInt8, silent
from tests.fixtures.references import as_npz, small_reference

COUNT = 700  # two batches
SMALL = Protocol("small", images=COUNT, set_size=400)


def drawn(source: Any, **options: Any) -> DrawnImages:
    opened = open_images(source, SourceOptions(latents=LatentOptions(**options)))
    return opened.draw(SMALL, small_reference(), silent)


def refused(source: Any, **options: Any) -> str:
    with pytest.raises((ConfigError, DataError, ArtifactError)) as caught:
        drawn(source, **options)
    return str(caught.value)


class Blobs(nn.Module):
    """Draws a bright square whose place and level follow the latent, in the range of tanh."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(6)
        self.dense = nn.Linear(6, 784)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return torch.tanh(5 * self.dense(self.norm(z.flatten(1)))).view(-1, 1, 28, 28)


class LabeledBlobs(Blobs):
    """Adds the label as the level of a corner."""

    def forward(self, z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        images = super().forward(z)
        images[:, 0, :2, :2] = (y / 4.5 - 1)[:, None, None]
        return images


def corner(images: UInt8) -> np.ndarray:
    """Return the label that LabeledBlobs wrote."""
    return np.rint(images[:, 0, 0].astype(float) / 255 * 9).astype(int)


def test_a_module_draws_in_evaluation_mode_and_is_left_as_it_was() -> None:
    module = Blobs()
    module.dense.eval()
    found = drawn(module, latent_dim=6).images
    assert module.training
    assert not module.dense.training
    assert int(module.norm.num_batches_tracked) == 0  # type: ignore[arg-type]
    z = torch.cat([latents(BATCH, (6,), 0), latents(COUNT - BATCH, (6,), 1)])
    with torch.no_grad():
        expected = (module.eval()(z)[:, 0] + 1) * 127.5
    assert np.abs(found.pixels - expected.numpy()).max() <= 0.51
    assert found.requested is None


def test_latents_may_have_a_shape() -> None:
    module = nn.Sequential(nn.ConvTranspose2d(4, 1, 28), nn.Sigmoid())
    assert drawn(module, latent_dim=(4, 1, 1)).images.pixels.shape == (COUNT, 28, 28)


def test_a_module_may_say_its_latents_itself() -> None:
    module = Blobs()
    module.latent_dim = 6  # type: ignore[assignment]
    assert (drawn(module).images.pixels == drawn(module, latent_dim=6).images.pixels).all()


@pytest.mark.parametrize("conditional", [None, True])
def test_two_required_arguments_take_labels(conditional: bool | None) -> None:
    found = drawn(LabeledBlobs(), latent_dim=6, conditional=conditional).images
    assert found.requested is not None
    assert (corner(found.pixels) == found.requested).all()
    shares = np.bincount(found.requested[:400], minlength=10) / 400
    real = np.bincount(small_reference().test_labels, minlength=10)
    assert np.abs(shares - real / real.sum()).max() < 0.01


def test_an_optional_label_is_left_out_unless_it_is_wanted() -> None:
    module = LabeledBlobs()

    def draw(z: torch.Tensor, y: torch.Tensor | None = None) -> torch.Tensor:
        given = torch.zeros(len(z), dtype=torch.long) if y is None else y
        drawn: torch.Tensor = module.eval()(z, given)
        return drawn

    assert drawn(draw, latent_dim=6).images.requested is None
    assert drawn(draw, latent_dim=6, conditional=True).images.requested is not None


def images_of(n: int, seed: int) -> UInt8:
    return np.random.default_rng(seed).integers(0, 256, (n, 28, 28)).astype(np.uint8)


@pytest.mark.parametrize(
    "convert",
    [
        lambda x: x,
        lambda x: x[:, None],
        lambda x: x[..., None],
        lambda x: x.reshape(len(x), -1),
        lambda x: (x / 255).astype(np.float16).astype(np.float64),
        lambda x: torch.from_numpy(x / 127.5 - 1)[:, None].requires_grad_(),
        lambda x: x.astype(np.int64),
    ],
)
def test_a_function_may_return_any_layout_and_range(convert: Callable[[UInt8], Any]) -> None:
    found = drawn(lambda n, seed: convert(images_of(n, seed))).images.pixels
    expected = np.concatenate([images_of(BATCH, 0), images_of(COUNT - BATCH, 1)])
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_a_function_may_return_its_labels() -> None:
    def draw(n: int, seed: int) -> tuple[UInt8, list[int]]:
        return images_of(n, seed), [i % 10 for i in range(n)]

    found = drawn(draw).images.requested
    assert found is not None
    assert (found[:BATCH] == np.arange(BATCH) % 10).all()


def test_misuse_is_refused_with_the_way_out() -> None:
    def latent_function(z: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("shapes cannot be multiplied\nsecond line")

    one = images_of(BATCH, 0)
    assert "`latent_dim` is needed to draw with the torch module Blobs" in refused(Blobs())
    assert "is the class Blobs; give an instance" in refused(Blobs)
    assert "must take (n, seed)" in refused(latent_function)
    said = refused(latent_function, latent_dim=7)
    assert "latent_function(z of float32 (500, 7)): RuntimeError: shapes cannot" in said
    assert "second line" not in said
    assert "belong" not in said
    assert "drew the same 200 images twice" in refused(lambda n, seed: one[:n])
    assert "returned float32 (3, 28, 28) where 500" in refused(
        lambda n, seed: np.zeros((3, 28, 28), np.float32)
    )
    assert "where 500 images were requested" in refused(lambda n, seed: None)
    assert "go from -70" in refused(lambda n, seed: images_of(n, seed) - 70.0 * seed)
    said = refused(lambda n, seed: images_of(n, seed)[:, : 28 - seed])
    assert "images of (28, 28), then of (27, 28)" in said
    assert "conditional` needs `latent_dim`" in refused(images_of, conditional=True)
    for wrong in (0, -1, True, (3, 0), (), 2.5):
        assert "`latent_dim` must be" in refused(Blobs(), latent_dim=wrong)
    assert "belong to a function" in refused("flagship", latent_dim=3)


# --- ONNX ---


def onnx_model(path: Path, inputs: Mapping[str, tuple[int, list[Any]]], nodes: list[Any]) -> Path:
    """Write a model whose nodes make `image` of `z`; `weights` (6, 784) are given."""
    weights = np.random.default_rng(0).normal(size=(6, 784)).astype(np.float32)
    label_weights = np.linspace(-1, 1, 10, dtype=np.float32)[:, None].repeat(784, 1)
    constants = [
        helper.make_tensor("weights", TensorProto.FLOAT, weights.shape, weights.ravel()),
        helper.make_tensor("levels", TensorProto.FLOAT, (10, 784), label_weights.ravel()),
    ]
    given = [helper.make_tensor_value_info(k, kind, shape) for k, (kind, shape) in inputs.items()]
    output = helper.make_tensor_value_info("image", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "g", given, [output], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


PLAIN = [
    helper.make_node("MatMul", ["z", "weights"], ["dense"]),
    helper.make_node("Tanh", ["dense"], ["image"]),
]


@pytest.mark.parametrize("batch", ["n", 1, 64])
def test_an_onnx_file_draws_whatever_its_batch(batch: Any, tmp_path: Path) -> None:
    path = onnx_model(tmp_path / "g.onnx", {"z": (TensorProto.FLOAT, [batch, 6])}, PLAIN)
    found = drawn(path).images.pixels
    weights = np.random.default_rng(0).normal(size=(6, 784)).astype(np.float32)
    z = torch.cat([latents(BATCH, (6,), 0), latents(COUNT - BATCH, (6,), 1)]).numpy()
    expected = (np.tanh(z @ weights) + 1) * 127.5
    assert np.abs(found.reshape(COUNT, -1) - expected).max() <= 1


@pytest.mark.parametrize("form", ["numbers", "column", "int32", "one-hot"])
def test_an_onnx_file_takes_labels_in_its_form(form: str, tmp_path: Path) -> None:
    kind = {"int32": TensorProto.INT32, "one-hot": TensorProto.FLOAT}.get(form, TensorProto.INT64)
    shape: list[Any] = {"column": ["n", 1], "one-hot": ["n", 10]}.get(form, ["n"])
    node = helper.make_node("Gather", ["levels", "y"], ["level"])
    if form == "one-hot":
        node = helper.make_node("MatMul", ["y", "levels"], ["level"])
    shaped = helper.make_node("Reshape", ["level", "flat"], ["rows"])
    flat = helper.make_node("Constant", [], ["flat"], value_ints=[-1, 784])
    faint = helper.make_node("Constant", [], ["faint"], value_float=1e-4)
    nodes = [
        node,
        flat,
        faint,
        shaped,
        helper.make_node("MatMul", ["z", "weights"], ["dense"]),
        helper.make_node("Mul", ["dense", "faint"], ["little"]),
        helper.make_node("Add", ["rows", "little"], ["image"]),
    ]
    inputs = {"y": (kind, shape), "z": (TensorProto.FLOAT, ["n", 6])}
    if form == "one-hot":  # floats both: the first are the latents
        inputs = dict(reversed(inputs.items()))
    found = drawn(onnx_model(tmp_path / "g.onnx", inputs, nodes)).images
    assert found.requested is not None
    assert (corner(found.pixels) == found.requested).all()


def test_an_exported_generator_draws_the_digits_that_are_requested(tmp_path: Path) -> None:
    inkgan.export("flagship", "onnx", tmp_path / "flagship.onnx")
    found = drawn(tmp_path / "flagship.onnx").images
    assert found.requested is not None
    assert (extract_features(found.pixels).predicted == found.requested).mean() > 0.98


def test_other_onnx_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "no.onnx").write_bytes(b"no model")
    assert "cannot be read as an ONNX model" in refused(tmp_path / "no.onnx")
    assert "does not exist" in refused(tmp_path / "none.onnx")
    loose = onnx_model(tmp_path / "g.onnx", {"z": (TensorProto.FLOAT, ["n", "d"])}, PLAIN)
    assert "`latent_dim` is needed" in refused(loose)
    assert drawn(loose, latent_dim=6).images.pixels.shape == (COUNT, 28, 28)
    assert "failed to draw" in refused(loose, latent_dim=5)
    fixed = onnx_model(tmp_path / "f.onnx", {"z": (TensorProto.FLOAT, ["n", 6])}, PLAIN)
    assert "does not fit" in refused(fixed, latent_dim=5)
    assert "takes no labels" in refused(fixed, conditional=True)
    copy = [helper.make_node("Cast", ["s"], ["image"], to=TensorProto.FLOAT)]
    numbers = onnx_model(tmp_path / "w.onnx", {"s": (TensorProto.INT64, ["n"])}, copy)
    assert "a generator takes latents" in refused(numbers)


def test_a_model_that_crashes_or_hangs_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = onnx_model(tmp_path / "g.onnx", {"z": (TensorProto.FLOAT, ["n", 6])}, PLAIN)
    monkeypatch.setattr(onnx_process, "_Model", Crashing)
    said = refused(path)
    assert "g.onnx cannot be read as an ONNX model: its process ended with SIG" in said
    monkeypatch.setattr(onnx_process, "_Model", Sleeping)
    monkeypatch.setattr(onnx_process, "OPEN_SECONDS", 1)
    assert "it takes more than 1 second" in refused(path)


class Crashing(onnx_process._Model):
    """Ends as a fault in native code does."""

    def __call__(self, task: Any) -> Any:
        os.abort()


class Sleeping(onnx_process._Model):
    """Does not come back."""

    def __call__(self, task: Any) -> Any:
        time.sleep(600)


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        (["n", 2**40], "takes impossible latents: its input is z tensor(float) "),
        (["n", 0], "takes impossible latents"),
        ([2**40, 6], "takes impossible latents"),
        (["n"], "has no axis of latents"),
    ],
)
def test_latents_of_impossible_sizes_are_refused(
    shape: list[Any], reason: str, tmp_path: Path
) -> None:
    nodes = [helper.make_node("Identity", ["z"], ["image"])]
    path = onnx_model(tmp_path / "g.onnx", {"z": (TensorProto.FLOAT, shape)}, nodes)
    assert reason in refused(path)


def test_a_function_is_evaluated_once(tmp_path: Path, keeps_baselines: None) -> None:
    reference = as_npz(tmp_path / "reference.npz", small_reference())
    train = small_reference().train

    def draw(n: int, seed: int) -> Float32:
        rows = np.random.default_rng(seed).integers(0, len(train), n)
        images: Float32 = (train[rows] / 127.5 - 1).astype(np.float32)
        return images

    options: dict[str, Any] = {"protocol": "quick", "reference": f"npz:{reference}"}
    report = inkgan.evaluate(draw, **options)
    assert report.document["source"] == "draw"
    assert report.scores["precision"].value > 0.85
    assert inkgan.evaluate(draw, **options).cached
