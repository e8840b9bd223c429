"""What the package needs of a generator, so that any object can take the place of `Generator`."""

from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

import torch

from inkgan.errors import ConfigError
from inkgan.io.bundle import Bundle
from inkgan.metrics.features.networks import SIDE
from inkgan.types import Float32, UInt8

DIGITS = tuple("0123456789")


class GeneratorLike(Protocol):
    """A source of images: `inkgan.Generator`, or any object with these attributes."""

    @property
    def bundle(self) -> Bundle:
        """Recipe, image shape, classes and origin of the generator."""

    @property
    def conditional(self) -> bool:
        """Whether images follow labels."""

    @property
    def latent_dim(self) -> int:
        """The number of latent coordinates."""

    def latents(self, seeds: Sequence[int]) -> Float32:
        """Return latents (n, latent_dim), each row from its own seed."""

    def sample(
        self, labels: Sequence[int] | None = None, *, seeds: Iterable[int] | None = None
    ) -> UInt8:
        """Draw uint8 images (n, H, W[, 3]), one for each seed; label i belongs to seed i."""

    def render(self, latents: Float32, labels: Sequence[int] | Float32 | None = None) -> UInt8:
        """Draw latents (n, latent_dim) under labels (n,) or weights of the classes (n, classes)."""


@runtime_checkable
class DifferentiableGenerator(GeneratorLike, Protocol):
    """A generator whose images can be moved towards others by gradients."""

    def forward(self, latents: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Draw float images (n, C, H, W) in [-1, 1] that gradients flow back through."""


def can_classify(bundle: Bundle) -> bool:
    """Return whether E1 can classify the images of a generator: digits of 28x28 gray."""
    return bundle.shape == (1, SIDE, SIDE) and bundle.classes == DIGITS


def class_labels(generator: GeneratorLike, classes: Sequence[str]) -> list[int] | None:
    """Return the labels of named classes, such as "3"; None for an unconditional generator.

    Raises:
        ConfigError: the generator takes no labels, has no such class, or needs a class.
    """
    name, known = generator.bundle.recipe.name, generator.bundle.classes
    if not classes and not generator.conditional:
        return None
    if not classes:
        raise ConfigError(f"{name} is conditional: name a class; it has {', '.join(known)}")
    if not generator.conditional:
        raise ConfigError(
            f"{name} is unconditional: it cannot draw a class on request; use a conditional "
            "generator as `source`"
        )
    unknown = list(dict.fromkeys(one for one in classes if one not in known))
    if unknown:
        raise ConfigError(
            f"{name} cannot draw {', '.join(map(repr, unknown))}; it draws {', '.join(known)}"
        )
    return [known.index(one) for one in classes]
