"""Convolutional networks in the manner of DCGAN (Radford et al. 2016)."""

import math

import torch
from torch import nn

from inkgan.config import DcganDiscriminatorConfig, DcganGeneratorConfig, Model
from inkgan.errors import ConfigError
from inkgan.images import Shape
from inkgan.models.conditioning import (
    ConditionalSequential,
    Discriminator,
    DiscriminatorOutput,
    Head,
    LatentLabelInput,
    concat_label_planes,
    require_labels,
)
from inkgan.models.layers import (
    Dropout,
    Unflatten,
    activation,
    flatten_nhwc,
    norm_1d,
    norm_2d,
    to_channels_last_,
)
from inkgan.models.linear import Linear
from inkgan.models.same_padding import (
    DownsamplingStack,
    UpsamplingStack,
    conv_2d,
    conv_transpose_2d,
    size_after,
)


class DcganGenerator(nn.Module):
    """A dense stem, if there is one, then transposed convolutions up, then tanh."""

    def __init__(self, config: DcganGeneratorConfig, model: Model, shape: Shape) -> None:
        super().__init__()
        growth = math.prod(layer.stride for layer in (*config.layers, config.output))
        self.entrance = LatentLabelInput(config.conditioning, model.latent_dim, model.classes)
        classes = model.classes if config.conditioning == "conditional-bn" else 0
        self.stem, channels = _build_stem(config, self.entrance.features, shape, growth, classes)
        side = (shape.height // growth, shape.width // growth)
        layers: list[nn.Module] = []
        for layer in config.layers:
            layers += [
                conv_transpose_2d(channels, layer.channels, layer, side, config.bias),
                norm_2d(layer.channels, config.norm, classes, in_place=True),
                activation(config.negative_slope),
            ]
            channels, side = layer.channels, (side[0] * layer.stride, side[1] * layer.stride)
        last = conv_transpose_2d(channels, shape.channels, config.output, side, config.bias)
        layers += [last, nn.Tanh()]
        kernels = (*config.layers, config.output)
        self.layers = UpsamplingStack(layers, kernels, (shape.height, shape.width))
        to_channels_last_(self)

    def forward(self, z: torch.Tensor, y: torch.Tensor | None = None) -> torch.Tensor:
        """Map latents (n, latent_dim) and labels (n,), if there are classes, to images."""
        images: torch.Tensor = self.layers(self.stem(self.entrance(z, y), y), y)
        return images


class DcganDiscriminator(Discriminator):
    """Strided convolutions down, then the head."""

    def __init__(self, config: DcganDiscriminatorConfig, model: Model, shape: Shape) -> None:
        super().__init__()
        self.label_channels = model.classes if config.conditioning == "concat" else 0
        layers: list[nn.Module] = []
        channels, side = shape.channels + self.label_channels, (shape.height, shape.width)
        for layer in config.layers:
            layers += [
                conv_2d(channels, layer.channels, layer, side, config.bias),
                norm_2d(layer.channels, config.norm),
                activation(config.negative_slope),
                Dropout(config.dropout),
            ]
            channels, side = layer.channels, size_after(side, layer)
            if min(side) < 1:
                raise ConfigError(
                    f"model.discriminator.layers shrink {shape} images to nothing; use fewer "
                    "layers, smaller kernels or a larger data.size"
                )
        self.layers = DownsamplingStack(layers, config.layers, (shape.height, shape.width))
        to_channels_last_(self)
        features = channels * side[0] * side[1]
        self.head = Head(features, config.conditioning, model.classes, model.known_coordinates)

    def outputs(self, images: torch.Tensor, y: torch.Tensor | None = None) -> DiscriminatorOutput:
        """Return logits, and class logits and style where there are heads for them."""
        if self.label_channels:
            images = concat_label_planes(images, require_labels(y), self.label_channels)
        output: DiscriminatorOutput = self.head(flatten_nhwc(self.layers(images)), y)
        return output


def _build_stem(
    config: DcganGeneratorConfig, inputs: int, shape: Shape, growth: int, classes: int
) -> tuple[nn.Module, int]:
    """Build what turns vectors (n, inputs) into the first stack of channels, and count these."""
    if config.stem is None:
        return ConditionalSequential(nn.Unflatten(1, (inputs, 1, 1))), inputs
    stem, side = config.stem, (shape.height // growth, shape.width // growth)
    outputs = stem.channels * side[0] * side[1]
    if outputs == 0 or (side[0] * growth, side[1] * growth) != (shape.height, shape.width):
        raise ConfigError(
            f"model.generator grows {growth} times, which cannot give {shape} images; set "
            f"data.size to a multiple of {growth}, or other strides"
        )
    dense, unflatten = (
        Linear(inputs, outputs, stem.bias),
        Unflatten(stem.channels, side),
    )
    if stem.norm_axis == "features":
        middle: tuple[nn.Module, ...] = (
            norm_1d(outputs, config.norm, classes, in_place=True),
            activation(config.negative_slope),
            unflatten,
        )
    else:
        norm = norm_2d(stem.channels, config.norm, classes, in_place=True)
        middle = (unflatten, norm, activation(config.negative_slope))
    return ConditionalSequential(dense, *middle), stem.channels
