"""A setting that nothing reads would be a lie: every field of a recipe decides something.

Reading a field is recorded while recipes of all families are trained for a step or two. Reads by
the configuration itself, which only validates and writes, do not count.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import inkgan
from inkgan import config
from inkgan.config import Recipe
from inkgan.config.recipes import RECIPES
from inkgan.config.serialize import override
from inkgan.errors import ConfigError
from inkgan.images import Shape
from inkgan.models.build import build_discriminator, build_generator

DOCUMENTATION = {("Recipe", "notes")}  # for people
CONFIG_CLASSES = [
    value
    for value in vars(config).values()
    if isinstance(value, type) and issubclass(value, config.Value) and value is not config.Value
]


def all_fields() -> set[tuple[str, str]]:
    return {(value.__name__, name) for value in CONFIG_CLASSES for name in value.model_fields}


def record_reads(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str]]:
    """Record (class, field) of each field that code outside of the configuration reads."""
    reads: set[tuple[str, str]] = set()
    plain = config.Value.__getattribute__

    def recording(self: config.Value, name: str) -> Any:
        module = str(sys._getframe(1).f_globals.get("__name__", ""))
        if module.startswith("inkgan.") and not module.startswith("inkgan.config"):
            reads.add((type(self).__name__, name))
        return plain(self, name)

    monkeypatch.setattr(config.Value, "__getattribute__", recording)
    return reads


def variants(npz: Path) -> list[Recipe]:
    """Make recipes that together use every part of the program, tiny ones."""
    common = {
        "data.name": f"npz:{npz}",
        "data.holdout": 8,
        "data.augment": "shift:1",
        "model.latent_dim": 4,
        "model.style_measures": (),
        "model.classes": 10,
        "schedule.batch_size": 8,
        "schedule.epochs": 1,
        "schedule.images": 16,
        "optim.precision": "float32",
    }
    residual = {"family": "residual", "widths": [4, 4]}
    return [
        override(RECIPES["vanilla"], common),
        override(
            RECIPES["dcgan"],
            common
            | {
                "data.size": 28,
                "data.channels": 1,
                "model.discriminator.conditioning": "auxiliary",
            },
        ),
        override(
            RECIPES["r3gan-small"],
            common
            | {
                "model.generator": residual,
                "model.discriminator": residual,
                "model.style_measures": ("slant",),
            },
        ),
    ]


def build_custom_networks() -> None:
    """Networks of one's own, which no recipe can name alone."""
    values = {"family": "custom", "class_name": "Missing"}
    model = config.Model.model_validate({"generator": values, "discriminator": values})
    with pytest.raises(ConfigError, match="generator=Missing"):
        build_generator(model, Shape(1, 12, 12), 0)
    with pytest.raises(ConfigError, match="discriminator=Missing"):
        build_discriminator(model, Shape(1, 12, 12), 0)
    build_discriminator(model, Shape(1, 12, 12), 0, lambda shape, classes: Zeros())


class Zeros(nn.Module):
    def forward(self, images: torch.Tensor, y: torch.Tensor | None) -> torch.Tensor:
        return torch.zeros(len(images))


def test_every_field_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (64, 28, 28), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", images=images, labels=np.arange(64) % 10)
    recipes = variants(tmp_path / "a.npz")
    reads = record_reads(monkeypatch)
    for index, recipe in enumerate(recipes):
        inkgan.train(recipe, out=tmp_path / str(index), device="cpu")
    build_custom_networks()
    assert all_fields() - DOCUMENTATION - reads == set()


def test_an_unread_field_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = record_reads(monkeypatch)
    _ = RECIPES["dcgan"].optim.lr  # this module is not of inkgan
    assert reads == set()
