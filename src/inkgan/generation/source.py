"""What draws digits, whoever made it: what is asked of a sampler, and what it is called."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch

from inkgan.errors import ConfigError
from inkgan.generation.load import load
from inkgan.io.bundle import Bundle
from inkgan.types import Float32, UInt8


class GeneratorLike(Protocol):
    """What is asked of a sampler: images from latents, and labels where it is conditional."""

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

    def render(self, latents: Float32, labels: Sequence[int] | Float32 | None = None) -> UInt8:
        """Draw latents (n, latent_dim) under labels (n,) or weights of the classes (n, classes)."""


@runtime_checkable
class DifferentiableGenerator(GeneratorLike, Protocol):
    """A sampler whose images can be moved towards others."""

    def forward(self, latents: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Draw float images (n, C, H, W) in [-1, 1] that gradients go back through."""


Source = str | Path | GeneratorLike


def open_source(source: Source, device: str = "auto") -> GeneratorLike:
    """Return the sampler that `source` is or names.

    Raises:
        ArtifactError: there is nothing of that name, or it is damaged.
        ConfigError: it draws in colour.
    """
    if isinstance(source, str | Path):
        return open_source(load(source, device=device))
    if source.bundle.shape.channels != 1:
        raise ConfigError(
            f"{source.bundle.recipe.name} draws in colour; ink takes a generator of grey images"
        )
    return source


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
