"""From a recipe to networks."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.utils.flop_counter import FlopCounterMode

from inkgan import rng
from inkgan.config import InitName, Model
from inkgan.errors import ConfigError
from inkgan.images import Shape
from inkgan.models.conditioning import ConditionalBatchNorm, Discriminator
from inkgan.models.cost import require_affordable
from inkgan.models.custom import construct_discriminator, construct_generator
from inkgan.models.dcgan import DcganDiscriminator, DcganGenerator
from inkgan.models.mlp import MlpDiscriminator, MlpGenerator
from inkgan.models.residual import ResidualBlock, ResidualDiscriminator, ResidualGenerator
from inkgan.models.torch_internals import flop_formulas
from inkgan.types import DiscriminatorFactory, GeneratorFactory

GENERATORS: dict[str, Callable[[Any, Model, Shape], nn.Module]] = {
    "mlp": MlpGenerator,
    "dcgan": DcganGenerator,
    "residual": ResidualGenerator,
}
DISCRIMINATORS: dict[str, Callable[[Any, Model, Shape], Discriminator]] = {
    "mlp": MlpDiscriminator,
    "dcgan": DcganDiscriminator,
    "residual": ResidualDiscriminator,
}


def build_generator(
    model: Model, shape: Shape, seed: int, factory: GeneratorFactory | None = None
) -> nn.Module:
    """Build a generator with the weights that belong to the seed, on the CPU.

    Args:
        model: says which network.
        shape: of the images.
        seed: of the initial weights.
        factory: the class, where the network is one of the user's own; it initializes itself.

    Raises:
        ConfigError: the layers cannot draw images of this shape, or need too much memory or work.
    """
    require_affordable(model, shape)
    with rng.scoped(seed, "init", "generator"):
        if model.generator.family == "custom":
            return construct_generator(model, shape, factory)
        network = GENERATORS[model.generator.family](model.generator, model, shape)
        init_weights(network, model.init, model.generator.negative_slope)
    network.eval()
    with torch.no_grad():
        try:
            images = network(torch.zeros(2, model.latent_dim), _labels(model, 2))
        except RuntimeError as error:  # of torch: a layer without any output
            reason = str(error).strip().partition("\n")[0]
            raise ConfigError(
                f"model.generator.layers shrink {shape} images to nothing ({reason}); use smaller "
                "paddings or larger kernels"
            ) from error
        drawn = Shape(*images.shape[1:])
    if drawn != shape:
        raise ConfigError(
            f"model.generator draws {drawn} images, the data are {shape}; set data.size="
            f"{drawn.height} and data.channels={drawn.channels}, or change the layers"
        )
    return network.train()


def empty_generator(model: Model, shape: Shape) -> nn.Module:
    """Build a generator without storage, to be filled with loaded weights.

    Raises:
        ConfigError: the layers cannot draw images of this shape, or need too much memory or work.
    """
    require_affordable(model, shape)
    with torch.device("meta"):
        return GENERATORS[model.generator.family](model.generator, model, shape)


def build_discriminator(
    model: Model, shape: Shape, seed: int, factory: DiscriminatorFactory | None = None
) -> Discriminator:
    """Build a discriminator with the weights that belong to the seed, on the CPU.

    The arguments are those of `build_generator`.
    """
    spectral = model.discriminator.spectral_norm
    with rng.scoped(seed, "init", "discriminator"):
        if model.discriminator.family == "custom":
            network = construct_discriminator(model, shape, factory)
        else:
            kind = DISCRIMINATORS[model.discriminator.family]
            network = kind(model.discriminator, model, shape)
            init_weights(
                network,
                model.init,
                model.discriminator.negative_slope,
                zero_residual=not spectral,  # a zero kernel has no direction
            )
        if spectral:
            apply_spectral_norm(network)
    return network


def count_parameters(network: nn.Module, with_buffers: bool = False) -> int:
    """Count trained numbers; `with_buffers` adds BatchNorm's statistics, as Keras does."""
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


def init_weights(
    network: nn.Module, init: InitName, negative_slope: float = 0.0, zero_residual: bool = True
) -> None:
    """Draw the weights from torch's global generators.

    Args:
        network: changed in place.
        init: `normal` is DCGAN's N(0, 0.02) with BatchNorm scales from N(1, 0.02) (Radford et al.
            2016, section 4). `glorot` is Keras' default, uniform with zero biases (Glorot and
            Bengio 2010, equation 16). `he` keeps the variance of activations behind leaky ReLUs:
            N(0, 2 / ((1 + a^2) fan_in)) with zero biases (He et al. 2015, equations 10 and 15),
            and N(0, 1 / fan_in) in the last layer, which no ReLU follows. `torch` keeps torch's
            own.
        negative_slope: a, of the network's leaky ReLUs.
        zero_residual: whether residual blocks start as identities.
    """
    if init == "he":
        _draw_he(network, negative_slope)
    elif init != "torch":
        _redraw(network, init)
    for module in network.modules():
        if zero_residual and isinstance(module, ResidualBlock):
            module.zero_init_residual()


def _draw_he(network: nn.Module, negative_slope: float) -> None:
    layers = [
        m for m in network.modules() if isinstance(m, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)
    ]
    for layer in layers:
        gain = 1.0 if layer is layers[-1] else 2 / (1 + negative_slope**2)
        nn.init.normal_(layer.weight, 0.0, math.sqrt(gain / _fan_in(layer)))
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def _fan_in(layer: nn.Linear | nn.Conv2d | nn.ConvTranspose2d) -> float:
    """Return the number of inputs that one output sums, on average for a transposed convolution."""
    if isinstance(layer, nn.ConvTranspose2d):
        return layer.weight[:, 0].numel() / math.prod(layer.stride)
    return layer.weight[0].numel()


def _redraw(network: nn.Module, init: InitName) -> None:
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            if init == "normal":
                nn.init.normal_(module.weight, 0.0, 0.02)
            else:
                nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) and init == "normal":
            if module.affine:
                nn.init.normal_(module.weight, 1.0, 0.02)
        elif isinstance(module, ConditionalBatchNorm) and init == "normal":
            nn.init.normal_(module.scales, 1.0, 0.02)


def apply_spectral_norm(network: nn.Module) -> None:
    """Divide each matrix of weights by its largest singular value, in place (equation 8).

    A kernel (o, i, h, w) is read as the matrix (o, i h w), as in the paper's section 4; a table
    with a row for each label is a matrix too. Each forward pass in training mode makes one step of
    the power iteration (algorithm 1) from the vectors that the last one left. The vectors are
    buffers, so a checkpoint holds them; in eval mode they do not change.

    Initialize the weights first: afterwards a layer's weight is the quotient.
    """
    for module in list(network.modules()):
        for name, parameter in list(module.named_parameters(recurse=False)):
            if parameter.ndim > 1:
                spectral_norm(module, name)
