"""Networks of one's own: plain `torch.nn.Module` classes in place of a recipe's families.

A generator class is called as `MyGenerator(latent_dim, image_shape, num_classes)` and its instance
as `generator(z, y)`: latents (n, latent_dim) and labels to images (n, C, H, W) in [-1, 1]. A
discriminator class is called as `MyDiscriminator(image_shape, num_classes)` and its instance as
`discriminator(images, y)`: to logits (n,), without a sigmoid. `image_shape` is (C, H, W);
`num_classes` is 0 for an unconditional GAN, whose networks must accept None as `y` and ignore it.
Any callable with these arguments will do, such as a `functools.partial`.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from inkgan.config import Model
from inkgan.errors import ConfigError
from inkgan.images import Shape
from inkgan.models.conditioning import Discriminator, DiscriminatorOutput
from inkgan.types import DiscriminatorFactory, GeneratorFactory


@dataclass(frozen=True)
class CustomNetworks:
    """The classes that a run was given; None where the recipe's family is built."""

    generator: GeneratorFactory | None = None
    discriminator: DiscriminatorFactory | None = None


class CustomDiscriminator(Discriminator):
    """A discriminator of one's own behind the interface of the built-in ones."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def outputs(self, images: torch.Tensor, y: torch.Tensor | None = None) -> DiscriminatorOutput:
        """Return the logits; there are no other heads."""
        return DiscriminatorOutput(self.network(images, y), None, None)


def class_name(factory: Callable[..., Any]) -> str:
    """Return the name by which messages call a network class or factory."""
    while isinstance(factory, functools.partial):
        factory = factory.func
    return str(getattr(factory, "__qualname__", type(factory).__qualname__))


def construct_generator(model: Model, shape: Shape, factory: GeneratorFactory | None) -> nn.Module:
    """Construct a generator of one's own and check what it draws.

    Raises:
        ConfigError: the class is missing, or its images are not of the data's shape.
    """
    assert model.generator.family == "custom"
    name = model.generator.class_name
    if factory is None:
        raise ConfigError(f"the recipe's generator is a class of its own: pass `generator={name}`")
    network = _module(factory(model.latent_dim, (*shape,), model.classes), name)
    network.eval()
    with torch.no_grad():
        drawn = network(torch.zeros(2, model.latent_dim), _labels(model))
    if drawn.shape != (2, *shape):
        raise ConfigError(
            f"{name} draws images of shape {tuple(drawn.shape[1:])}, but the data's are "
            f"{tuple(shape)}; it is constructed with `image_shape`"
        )
    return network.train()


def construct_discriminator(
    model: Model, shape: Shape, factory: DiscriminatorFactory | None
) -> Discriminator:
    """Construct a discriminator of one's own and check its logits.

    Raises:
        ConfigError: the class is missing, or it does not return one logit per image.
    """
    assert model.discriminator.family == "custom"
    name = model.discriminator.class_name
    if factory is None:
        raise ConfigError(
            f"the recipe's discriminator is a class of its own: pass `discriminator={name}`"
        )
    network = _module(factory((*shape,), model.classes), name)
    network.eval()
    with torch.no_grad():
        logits = network(torch.zeros(2, *shape), _labels(model))
    if logits.shape != (2,):
        raise ConfigError(
            f"{name} returns logits of shape {tuple(logits.shape)} for 2 images; return one logit "
            "per image, (n,)"
        )
    return CustomDiscriminator(network).train()


def _module(network: Any, name: str) -> nn.Module:
    if not isinstance(network, nn.Module):
        raise ConfigError(f"{name} made a {type(network).__name__}, not a `torch.nn.Module`")
    return network


def _labels(model: Model) -> torch.Tensor | None:
    return torch.zeros(2, dtype=torch.int64) if model.classes else None
