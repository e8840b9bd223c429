"""inkgan.export: one function for all kinds, and generators of the user's own."""

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

import inkgan
from inkgan.cli import export_command
from inkgan.config import Recipe
from inkgan.config.serialize import override
from inkgan.errors import ArtifactError, ConfigError
from inkgan.exporters.onnx import export_onnx
from inkgan.images import Shape
from inkgan.io.bundle import Bundle, load_bundle
from tests.fixtures.bundles import DIGITS, small_bundle

FILES = {"onnx": "a.onnx", "page": "a.html", "hub": "folder", "bundle": "a.safetensors"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    small_bundle().save(tmp_path / "source.safetensors")
    return tmp_path / "source.safetensors"


@pytest.mark.parametrize("kind", FILES)
def test_every_kind_is_written(kind: Any, source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out" / FILES[kind]
    assert inkgan.export(source, kind, out) == out
    assert out.exists()
    with pytest.raises(ArtifactError, match="force=True"):
        inkgan.export(source, kind, out)
    assert inkgan.export(str(source), kind, str(out), force=True) == out


def test_bundles_and_folders_load_again(source: Path, tmp_path: Path) -> None:
    expected = inkgan.load(source).sample([3, 1], seeds=[0, 1])
    for kind in ("bundle", "hub"):
        out = inkgan.export(source, kind, tmp_path / FILES[kind], license="cc0-1.0")
        assert inkgan.load(out).bundle.license == "cc0-1.0"
        assert np.array_equal(inkgan.load(out).sample([3, 1], seeds=[0, 1]), expected)


def test_a_generator_and_a_run_are_sources(source: Path, tmp_path: Path, tiny: Recipe) -> None:
    generator = inkgan.load(source)
    out = inkgan.export(generator, "bundle", tmp_path / "a.safetensors", half=True)
    assert load_bundle(out).digest == generator.bundle.rounded().digest
    run = inkgan.train(tiny, out=tmp_path / "run", images=64)
    out = inkgan.export(run, "bundle", tmp_path / "b.safetensors")
    assert load_bundle(out).digest == inkgan.load(run.path).bundle.digest


@pytest.mark.parametrize(
    ("kind", "out", "others", "message"),
    [
        ("pages", "a.html", {}, "`kind` 'pages' is unknown; did you mean 'page'"),
        ("page", "a.htm", {}, r"`out` must end in \.html, not a\.htm"),
        ("onnx", "a.onnx", {"license": "mit"}, "`license` has no meaning for `kind='onnx'`"),
        ("page", "a.html", {"license": "mit"}, "`license` has no meaning for `kind='page'`"),
        ("bundle", "a.safetensors", {"push": "a/b"}, "`push` has no meaning for"),
        ("bundle", "a.safetensors", {"license": "My own"}, "`license` 'My own' is no identifier"),
        ("hub", "folder", {"push": "digits"}, "`push` must be user/name, not 'digits'"),
    ],
)
def test_impossible_values_are_refused(
    kind: Any, out: str, others: dict[str, Any], message: str, source: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        inkgan.export(source, kind, tmp_path / out, **others)
    assert [path.name for path in tmp_path.iterdir()] == ["source.safetensors"]


@pytest.mark.parametrize("kind", FILES)
def test_the_command_has_the_same_names_and_defaults(kind: str) -> None:
    python = inspect.signature(inkgan.export).parameters
    command = inspect.signature(getattr(export_command, kind)).parameters
    for name in set(command) - {"json"}:
        assert name in python
        assert command[name].default == python[name].default


# --- generators of the user's own ---


class Painter(nn.Module):
    """A small convolutional generator that the package does not know."""

    def __init__(self, latent_dim: int, image_shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        self.shape = image_shape
        self.embedding = nn.Embedding(max(classes, 1), latent_dim)
        self.dense = nn.Linear(latent_dim, 4 * 6 * 6)
        self.layers = nn.Sequential(
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.ConvTranspose2d(4, image_shape[0], 4, stride=2, padding=1),
        )

    def forward(self, z: torch.Tensor, y: torch.Tensor | None = None) -> torch.Tensor:
        latent = z if y is None else z * self.embedding(y)
        images: torch.Tensor = self.layers(self.dense(latent).view(-1, 4, 6, 6))
        return 2 * images  # values outside [-1, 1] are clamped


def custom_bundle(classes: int, channels: int = 1) -> Bundle:
    recipe = override(
        Recipe(name="own"),
        {
            "model.latent_dim": 5,
            "model.classes": classes,
            "model.generator": {"family": "custom", "class_name": "Painter"},
        },
    )
    shape = Shape(channels, 12, 12)
    torch.manual_seed(0)
    weights = Painter(5, (*shape,), classes).state_dict()
    return Bundle(recipe, shape, DIGITS, weights, 64, "ab" * 32, generator_class=Painter)


@pytest.mark.parametrize(("classes", "channels"), [(0, 1), (10, 1), (10, 3)])
def test_onnxruntime_runs_a_custom_generator(classes: int, channels: int, tmp_path: Path) -> None:
    bundle = custom_bundle(classes, channels)
    assert export_onnx(bundle, tmp_path / "a.onnx") < 1e-5
    session = onnxruntime.InferenceSession(tmp_path / "a.onnx", providers=["CPUExecutionProvider"])
    z, y = torch.randn(7, 5, generator=torch.Generator().manual_seed(1)), torch.arange(7)
    inputs = {"latent": z.numpy()} | ({"label": y.numpy()} if classes else {})
    (drawn,) = session.run(None, inputs)
    with torch.no_grad():
        expected = bundle.generator()(z, y if classes else None).clamp(-1, 1)
    assert drawn.shape == (7, channels, 12, 12)
    assert np.abs(drawn - expected.numpy()).max() < 1e-5


def test_a_custom_generator_is_exported_with_its_class(tmp_path: Path) -> None:
    custom_bundle(10).save(tmp_path / "own.safetensors")
    with pytest.raises(ConfigError, match="pass `generator=Painter`"):
        inkgan.export(tmp_path / "own.safetensors", "onnx", tmp_path / "a.onnx")
    out = inkgan.export(
        tmp_path / "own.safetensors", "onnx", tmp_path / "a.onnx", generator=Painter
    )
    assert out.is_file()
    out = inkgan.export(tmp_path / "own.safetensors", "hub", tmp_path / "folder", generator=Painter)
    assert "Painter" in (out / "README.md").read_text()


def test_a_page_refuses_a_custom_generator(tmp_path: Path) -> None:
    custom_bundle(10).save(tmp_path / "own.safetensors")
    with pytest.raises(ConfigError, match="a class of its own, Painter, which a page cannot run"):
        inkgan.export(tmp_path / "own.safetensors", "page", tmp_path / "a.html", generator=Painter)
    assert not (tmp_path / "a.html").exists()


class Untraceable(Painter):
    """Depends on the values of its input, which torch cannot export."""

    def forward(self, z: torch.Tensor, y: torch.Tensor | None = None) -> torch.Tensor:
        images = super().forward(z, y)
        return images if z.sum() > 0 else -images


def test_a_generator_that_torch_cannot_trace_is_named(tmp_path: Path) -> None:
    bundle = custom_bundle(0)
    object.__setattr__(bundle, "generator_class", Untraceable)
    with pytest.raises(ArtifactError, match="torch cannot export the generator of own to ONNX"):
        export_onnx(bundle, tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())
