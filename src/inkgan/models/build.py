"""The one place where a recipe becomes networks."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from inkgan import rng
from inkgan.config import Model
from inkgan.errors import ConfigError
from inkgan.images import Shape
from inkgan.models.conditioning import DiscriminatorNetwork
from inkgan.models.dcgan import DcganDiscriminatorNetwork, DcganGeneratorNetwork
from inkgan.models.initial import initialise
from inkgan.models.mlp import MlpDiscriminatorNetwork, MlpGeneratorNetwork
from inkgan.models.products import flop_formulas
from inkgan.models.residual import ResidualDiscriminatorNetwork, ResidualGeneratorNetwork
from inkgan.models.spectral import normalise_spectra

GENERATORS: dict[str, Callable[[Any, Model, Shape], nn.Module]] = {
    "mlp": MlpGeneratorNetwork,
    "dcgan": DcganGeneratorNetwork,
    "residual": ResidualGeneratorNetwork,
}
DISCRIMINATORS: dict[str, Callable[[Any, Model, Shape], DiscriminatorNetwork]] = {
    "mlp": MlpDiscriminatorNetwork,
    "dcgan": DcganDiscriminatorNetwork,
    "residual": ResidualDiscriminatorNetwork,
}


def build_generator(model: Model, shape: Shape, seed: int) -> nn.Module:
    """Build a generator with the weights that belong to the seed, on the CPU.

    Raises:
        ConfigError: the layers cannot draw images of this shape.
    """
    with rng.scoped(seed, "init", "generator"):
        network = GENERATORS[model.generator.family](model.generator, model, shape)
        initialise(network, model.init)
    network.eval()
    with torch.no_grad():
        drawn = Shape(*network(torch.zeros(2, model.latent_dim), _labels(model, 2)).shape[1:])
    if drawn != shape:
        raise ConfigError(
            f"model.generator draws {drawn} images, the data are {shape}; set data.size="
            f"{drawn.height} and data.channels={drawn.channels}, or change the layers"
        )
    return network.train()


def empty_generator(model: Model, shape: Shape) -> nn.Module:
    """Build a generator without storage, to be filled with loaded weights."""
    with torch.device("meta"):
        return GENERATORS[model.generator.family](model.generator, model, shape)


def build_discriminator(model: Model, shape: Shape, seed: int) -> DiscriminatorNetwork:
    """Build a discriminator with the weights that belong to the seed, on the CPU."""
    spectral = model.discriminator.spectral
    with rng.scoped(seed, "init", "discriminator"):
        network = DISCRIMINATORS[model.discriminator.family](model.discriminator, model, shape)
        initialise(network, model.init, identity=not spectral)  # a zero kernel has no direction
        if spectral:
            normalise_spectra(network)
    return network


def count_parameters(network: nn.Module, with_buffers: bool = False) -> int:
    """Count trained numbers; `with_buffers` adds BatchNorm's statistics, as Keras counts."""
    count = sum(parameter.numel() for parameter in network.parameters())
    if with_buffers:
        count += sum(b.numel() for b in network.buffers() if b.is_floating_point())
    return count


def count_operations(generator: nn.Module, model: Model) -> int:
    """Count the floating-point operations of one image: 2 for each multiplication and addition.

    Products and convolutions only, as torch's own counter counts them.
    """
    device = next(generator.parameters()).device
    counter = FlopCounterMode(display=False, custom_mapping=flop_formulas())
    with torch.no_grad(), counter:
        generator(torch.zeros(1, model.latent_dim, device=device), _labels(model, 1, device))
    return int(counter.get_total_flops())


def _labels(model: Model, count: int, device: torch.device | None = None) -> torch.Tensor | None:
    return torch.zeros(count, dtype=torch.int64, device=device) if model.classes else None
