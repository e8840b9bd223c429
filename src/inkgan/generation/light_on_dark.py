"""Generators that draw dark on light, as they were trained to, made to draw like MNIST."""

from collections.abc import Iterable, Sequence
from typing import cast

import torch

from inkgan.generation.protocols import DifferentiableGenerator, GeneratorLike
from inkgan.images import is_dark_on_light
from inkgan.io.bundle import Bundle
from inkgan.types import Float32, UInt8

LOOKED_AT = range(64)  # seeds of the images that decide
LIGHT_SETS = frozenset(  # whose generators need no look
    ("mnist", "qmnist", "emnist-digits", "uci-digits", "kmnist", "fashion-mnist", "stacked-mnist")
)


class LightOnDark:
    """A generator whose images are those of another, inverted."""

    def __init__(self, generator: GeneratorLike) -> None:
        self.generator = generator

    @property
    def bundle(self) -> Bundle:
        """Recipe, image shape, classes and origin of the generator."""
        return self.generator.bundle

    @property
    def conditional(self) -> bool:
        """Whether images follow labels."""
        return self.generator.conditional

    @property
    def latent_dim(self) -> int:
        """The number of latent coordinates."""
        return self.generator.latent_dim

    def latents(self, seeds: Sequence[int]) -> Float32:
        """Return latents (n, latent_dim), each row from its own seed."""
        return self.generator.latents(seeds)

    def sample(
        self, labels: Sequence[int] | None = None, *, seeds: Iterable[int] | None = None
    ) -> UInt8:
        """Draw uint8 images (n, H, W), one for each seed; label i belongs to seed i."""
        return 255 - self.generator.sample(labels, seeds=seeds)

    def render(self, latents: Float32, labels: Sequence[int] | Float32 | None = None) -> UInt8:
        """Draw latents (n, latent_dim) under labels (n,) or weights of the classes."""
        return 255 - self.generator.render(latents, labels)

    def forward(self, latents: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Draw float images (n, C, H, W) in [-1, 1] that gradients flow back through."""
        return -cast(DifferentiableGenerator, self.generator).forward(latents, labels)


def light_on_dark(generator: GeneratorLike) -> GeneratorLike:
    """Return a generator of gray images that draws light on dark: itself, or its inverse."""
    if generator.bundle.shape.channels != 1 or generator.bundle.recipe.data.name in LIGHT_SETS:
        return generator
    return LightOnDark(generator) if _draws_dark_on_light(generator) else generator


def _draws_dark_on_light(generator: GeneratorLike) -> bool:
    labels = None
    if generator.conditional:
        labels = [seed % len(generator.bundle.classes) for seed in LOOKED_AT]
    return is_dark_on_light(generator.sample(labels, seeds=LOOKED_AT))
