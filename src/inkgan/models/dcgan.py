"""Convolutional networks in the manner of DCGAN (Radford et al. 2016)."""

import math

import torch
from torch import nn

from inkgan.config import DcganDiscriminator, DcganGenerator
from inkgan.errors import ConfigError
from inkgan.images import Shape
from inkgan.models.dropout import Dropout
from inkgan.models.layers import (
    ToMaps,
    activation,
    channels_behind,
    convolution,
    is_mirrored,
    lay_channels_behind,
    norm_1d,
    norm_2d,
    side_after,
    transposed_convolution,
)  # fmt: skip
from inkgan.models.products import Linear


class DcganGeneratorNetwork(nn.Module):
    """A dense stem, if there is one, then transposed convolutions up, then tanh."""

    def __init__(self, config: DcganGenerator, latent_dim: int, shape: Shape) -> None:
        super().__init__()
        growth = math.prod(layer.stride for layer in (*config.layers, config.output))
        self.stem, channels = _build_stem(config, latent_dim, shape, growth)
        side = (shape.height // growth, shape.width // growth)
        layers: list[nn.Module] = []
        for layer in config.layers:
            layers += [transposed_convolution(channels, layer.channels, layer, side, config.bias),
                       norm_2d(layer.channels, config.norm), activation(config.slope)]  # fmt: skip
            channels, side = layer.channels, (side[0] * layer.stride, side[1] * layer.stride)
        last = transposed_convolution(channels, shape.channels, config.output, side, config.bias)
        layers += [last, nn.Tanh()]
        upwards = (config.output, *reversed(config.layers))
        self.mirrored = is_mirrored(upwards, (shape.height, shape.width))
        self.layers = nn.Sequential(*layers)
        lay_channels_behind(self)

    def forward(self, z: torch.Tensor, y: torch.Tensor | None = None) -> torch.Tensor:
        """Map latents (n, latent_dim) to images (n, C, H, W); labels are ignored."""
        images: torch.Tensor = self.layers(self.stem(z))
        return images.flip(2, 3) if self.mirrored else images


class DcganDiscriminatorNetwork(nn.Module):
    """Strided convolutions down, then one dense layer to the logit."""

    def __init__(self, config: DcganDiscriminator, shape: Shape) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels, side = shape.channels, (shape.height, shape.width)
        for layer in config.layers:
            layers += [convolution(channels, layer.channels, layer, side, config.bias),
                       norm_2d(layer.channels, config.norm), activation(config.slope),
                       Dropout(config.dropout)]  # fmt: skip
            channels, side = layer.channels, side_after(side, layer)
            if min(side) < 1:
                raise ConfigError(
                    f"model.discriminator.layers shrink {shape} images to nothing; use fewer "
                    "layers, smaller kernels or a larger data.size"
                )
        self.layers = nn.Sequential(*layers)
        lay_channels_behind(self)
        self.mirrored = is_mirrored(config.layers, (shape.height, shape.width))
        self.head = Linear(channels * side[0] * side[1], 1)

    def forward(self, images: torch.Tensor, y: torch.Tensor | None = None) -> torch.Tensor:
        """Map images (n, C, H, W) to logits (n,); labels are ignored."""
        images = images.flip(2, 3) if self.mirrored else images
        logits: torch.Tensor = self.head(channels_behind(self.layers(images)))
        return logits[:, 0]


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
        Linear(latent_dim, outputs, stem.bias),
        ToMaps(stem.channels, side),
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
