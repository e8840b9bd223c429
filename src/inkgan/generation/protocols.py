"""What the package needs of a generator, so that any object can take the place of `Generator`."""

from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

import torch

from inkgan.errors import ConfigError
from inkgan.io.bundle import Bundle
from inkgan.types import Float32, UInt8


class GeneratorLike(Protocol):
    """A source of images: `inkgan.Generator`, or any object with these attributes."""

    @property
    def bundle(self) -> Bundle:
        """Where the generator comes from."""

    @property
    def conditional(self) -> bool:
        """Whether labels are obeyed."""

    @property
    def latent_dim(self) -> int:
        """Coordinates of a latent."""

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
    """A generator whose images can be moved towards others."""

    def forward(self, latents: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Draw float images (n, C, H, W) in [-1, 1] that gradients go back through."""


def labels_of(sampler: GeneratorLike, classes: Sequence[str]) -> list[int] | None:
    """Return the labels of classes named, such as "3"; None where an unconditional one names none.

    Raises:
        ConfigError: the sampler obeys no labels, has none for a class, or needs some.
    """
    name, known = sampler.bundle.recipe.name, sampler.bundle.classes
    if not classes and not sampler.conditional:
        return None
    if not classes:
        raise ConfigError(f"say what {name} is to draw; its classes are {', '.join(known)}")
    if not sampler.conditional:
        raise ConfigError(
            f"{name} is unconditional: it cannot be told what to draw; "
            "name a conditional generator with --from"
        )
    unknown = [one for one in classes if one not in known]
    if unknown:
        raise ConfigError(f"{name} cannot draw {unknown[0]!r}; its classes are {', '.join(known)}")
    return [known.index(one) for one in classes]
