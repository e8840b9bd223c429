"""The plan that other frameworks follow; the frameworks themselves are not installed for tests."""

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.frameworks.foreign import exported_weights
from benchmarks.frameworks.plan import plan_of
from benchmarks.frameworks.serve import batches, serve
from inkgan.config.recipes import RECIPES
from inkgan.config.serialize import override
from inkgan.errors import ConfigError
from inkgan.images import Shape
from inkgan.models.build import build_discriminator, build_generator

MNIST = Shape(1, 28, 28)
SYSTEMS = ("mlp", "vanilla", "dcgan", "dcgan-compact", "dcgan-tutorial")
WEIGHTS = {"dense": 1, "conv": 1, "conv_transpose": 1, "batch_norm": 3}  # beside a bias


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_plan_has_every_weight(name: str) -> None:
    """Each layer's arrays are as many, and as long, as the plan's layers say."""
    model, plan = RECIPES[name].model, plan_of(RECIPES[name], MNIST)
    for side, build in (("generator", build_generator), ("discriminator", build_discriminator)):
        arrays = exported_weights(build(model, MNIST, 0))
        layers = [layer for layer in plan[side] if layer["kind"] in WEIGHTS]
        count = sum(
            WEIGHTS[layer["kind"]] + layer.get("bias", layer["kind"] == "batch_norm")
            for layer in layers
        )
        assert len(arrays) == count
        kernels = [array for array in arrays if array.ndim == 4]
        convolutions = [layer for layer in layers if layer["kind"].startswith("conv")]
        for kernel, layer in zip(kernels, convolutions, strict=True):
            outputs = kernel.shape[2 if layer["kind"] == "conv_transpose" else 3]
            assert kernel.shape[:2] == (layer["kernel"], layer["kernel"])
            assert outputs == layer["channels"]


def test_padding_is_what_tensorflow_calls_it() -> None:
    kinds = {
        name: {layer.get("padding") for layer in plan_of(RECIPES[name], MNIST)["discriminator"]}
        for name in ("dcgan", "dcgan-compact", "dcgan-tutorial")
    }
    assert {name: paddings - {None} for name, paddings in kinds.items()} == {
        "dcgan": {"same"},
        "dcgan-compact": {"valid"},
        "dcgan-tutorial": {"same"},
    }
    odd = override(RECIPES["dcgan"], ["model.generator.output={kernel=6,stride=2,padding=1}"])
    with pytest.raises(ConfigError, match="padding=1"):
        plan_of(odd, MNIST)


def test_conditional_recipes_are_refused() -> None:
    with pytest.raises(ConfigError, match="flagship is conditional"):
        plan_of(RECIPES["flagship"], MNIST)


def test_exported_dense_weights_of_mirrored_stacks_are_mirrored_back() -> None:
    discriminator = build_discriminator(RECIPES["dcgan-tutorial"].model, MNIST, 0)
    (ours,) = (m.weight for m in discriminator.modules() if isinstance(m, nn.Linear))
    exported = exported_weights(discriminator)[-2]  # before its bias
    maps = ours.detach().view(7, 7, 128).flip(0, 1)
    torch.testing.assert_close(torch.from_numpy(exported)[:, 0], maps.flatten())


class Stub:
    """The other side, without a framework."""

    def __init__(self, plan: dict[str, Any], images: np.ndarray, compiled: bool) -> None:
        self.trained, self.start_value = 0, 0.0

    def counts(self) -> list[int]:
        return [1, 2]

    def updates(self) -> Iterator[object]:
        while True:
            self.trained += 1
            yield None

    def outputs(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {}

    def start(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        self.start_value = float(arrays["g0"])
        return {}

    def draw(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {"images": arrays["z"] + self.start_value + self.trained}


def test_the_other_side_starts_trains_and_draws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "images.npy", np.zeros((2, 28, 28, 1), np.uint8))
    (tmp_path / "plan.json").write_text("{}")
    arrays, out = tmp_path / "arrays.npz", tmp_path / "out.npz"
    np.savez(arrays, g0=10.0, z=np.array([1.0, 2.0]))
    calls = [{"call": name, "arrays": str(arrays), "out": str(out)} for name in ("start", "draw")]
    lines = [calls[0], 3, calls[1]]
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(json.dumps(x) + "\n" for x in lines)))
    monkeypatch.setattr(
        "sys.argv", ["x", *(str(tmp_path / n) for n in ("plan.json", "images.npy"))]
    )
    monkeypatch.setattr("sys.stdout", sys.stdout)  # `serve` replaces it
    serve("stub", Stub)
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert answers[0] == {"framework": "stub", "parameters": [1, 2]}
    assert len(answers) == 4
    with np.load(out) as found:
        assert found["images"].tolist() == [14.0, 15.0]


def test_batches_of_the_other_side() -> None:
    images = np.arange(10, dtype=np.uint8)[:, None, None, None] * 25
    drawn = batches(images, 4, seed=0)
    first = np.concatenate([next(drawn), next(drawn)])
    assert len(np.unique(first)) == 8  # none twice in an epoch
    assert first.dtype == np.float32
    assert -1 <= first.min() <= first.max() <= 1
