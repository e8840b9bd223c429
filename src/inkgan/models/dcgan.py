"""Convolutional networks in the manner of DCGAN (Radford et al. 2016)."""

import math

import torch
from torch import nn

from inkgan.config import DcganDiscriminator, DcganGenerator, Kernel
from inkgan.errors import ConfigError
from inkgan.images import Shape
from inkgan.models.layers import (
    activation,
    convolution,
    norm_1d,
    norm_2d,
    transposed_convolution,
)  # fmt: skip


class DcganGeneratorNetwork(nn.Module):
    """A dense stem, if there is one, then transposed convolutions up, then tanh."""

    def __init__(self, config: DcganGenerator, latent_dim: int, shape: Shape) -> None:
        super().__init__()
        growth = math.prod(layer.stride for layer in (*config.layers, config.output))
        self.stem, channels = _build_stem(config, latent_dim, shape, growth)
        layers: list[nn.Module] = []
        for layer in config.layers:
            layers += [transposed_convolution(channels, layer.channels, layer, config.bias),
                       norm_2d(layer.channels, config.norm), activation(config.slope)]  # fmt: skip
            channels = layer.channels
        layers += [transposed_convolution(channels, shape.channels, config.output, config.bias),
                   nn.Tanh()]  # fmt: skip
        self.layers = nn.Sequential(*layers)

    def forward(self, z: torch.Tensor, y: torch.Tensor | None = None) -> torch.Tensor:
        """Map latents (n, latent_dim) to images (n, C, H, W); labels are ignored."""
        images: torch.Tensor = self.layers(self.stem(z))
        return images


class DcganDiscriminatorNetwork(nn.Module):
    """Strided convolutions down, then one dense layer to the logit."""

    def __init__(self, config: DcganDiscriminator, shape: Shape) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels, side = shape.channels, (shape.height, shape.width)
        for layer in config.layers:
            layers += [convolution(channels, layer.channels, layer, config.bias),
                       norm_2d(layer.channels, config.norm), activation(config.slope),
                       nn.Dropout(config.dropout)]  # fmt: skip
            channels = layer.channels
            side = (_side_after(side[0], layer), _side_after(side[1], layer))
            if min(side) < 1:
                raise ConfigError(
                    f"model.discriminator.layers shrink {shape} images to nothing; use fewer "
                    "layers, smaller kernels or a larger data.size"
                )
        self.layers = nn.Sequential(*layers)
        self.head = nn.Linear(channels * side[0] * side[1], 1)

    def forward(self, images: torch.Tensor, y: torch.Tensor | None = None) -> torch.Tensor:
        """Map images (n, C, H, W) to logits (n,); labels are ignored."""
        logits: torch.Tensor = self.head(self.layers(images).flatten(1))
        return logits[:, 0]


def _side_after(side: int, layer: Kernel) -> int:
    if layer.padding == "same":
        return -(-side // layer.stride)
    return (side + 2 * int(layer.padding) - layer.kernel) // layer.stride + 1


def _build_stem(
    config: DcganGenerator, latent_dim: int, shape: Shape, growth: int
) -> tuple[nn.Module, int]:
    """Build what turns z (n, latent_dim) into the first stack of channels, and count these."""
    if config.stem is None:
        return nn.Unflatten(1, (latent_dim, 1, 1)), latent_dim
    stem, side = config.stem, (shape.height // growth, shape.width // growth)
    outputs = stem.channels * side[0] * side[1]
    if outputs == 0 or (side[0] * growth, side[1] * growth) != (shape.height, shape.width):
        raise ConfigError(
            f"model.generator grows {growth} times, which cannot give {shape} images; set "
            f"data.size to a multiple of {growth}, or other strides"
        )
    dense, unflatten = (
        nn.Linear(latent_dim, outputs, stem.bias),
        nn.Unflatten(1, (stem.channels, *side)),
    )
    if stem.normalise == "features":
        middle: tuple[nn.Module, ...] = (
            norm_1d(outputs, config.norm),
            activation(config.slope),
            unflatten,
        )
    else:
        middle = (unflatten, norm_2d(stem.channels, config.norm), activation(config.slope))
    return nn.Sequential(dense, *middle), stem.channels
