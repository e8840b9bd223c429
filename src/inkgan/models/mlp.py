"""Fully connected networks (Goodfellow et al. 2014, section 5, in today's form)."""

import torch
from torch import nn

from inkgan.config import MlpDiscriminatorConfig, MlpGeneratorConfig, Model
from inkgan.images import Shape
from inkgan.models.conditioning import (
    ConditionalSequential,
    Discriminator,
    DiscriminatorOutput,
    Head,
    LatentLabelInput,
    one_hot,
    require_labels,
)
from inkgan.models.layers import Dropout, activation, norm_1d
from inkgan.models.linear import Linear


class MlpGenerator(nn.Module):
    """Linear layers up to one output for each pixel, then tanh."""

    def __init__(self, config: MlpGeneratorConfig, model: Model, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.entrance = LatentLabelInput(config.conditioning, model.latent_dim, model.classes)
        classes = model.classes if config.conditioning == "conditional-bn" else 0
        layers: list[nn.Module] = []
        features = self.entrance.features
        for width in config.widths:
            layers += [
                Linear(features, width),
                norm_1d(width, config.norm, classes, in_place=True),
                activation(config.negative_slope),
            ]
            features = width
        layers += [Linear(features, shape.channels * shape.height * shape.width), nn.Tanh()]
        self.layers = ConditionalSequential(*layers)

    def forward(self, z: torch.Tensor, y: torch.Tensor | None = None) -> torch.Tensor:
        """Map latents (n, latent_dim) and labels (n,), if there are classes, to images."""
        images: torch.Tensor = self.layers(self.entrance(z, y), y)
        return images.view(-1, *self.shape)


class MlpDiscriminator(Discriminator):
    """Linear layers down to the head."""

    def __init__(self, config: MlpDiscriminatorConfig, model: Model, shape: Shape) -> None:
        super().__init__()
        self.label_channels = model.classes if config.conditioning == "concat" else 0
        layers: list[nn.Module] = []
        features = shape.channels * shape.height * shape.width + self.label_channels
        for width in config.widths:
            layers += [
                Linear(features, width),
                norm_1d(width, config.norm),
                activation(config.negative_slope),
                Dropout(config.dropout),
            ]
            features = width
        self.layers = nn.Sequential(*layers)
        self.head = Head(features, config.conditioning, model.classes, model.known_coordinates)

    def outputs(self, images: torch.Tensor, y: torch.Tensor | None = None) -> DiscriminatorOutput:
        """Return logits, and class logits and style where there are heads for them."""
        pixels = images.flatten(1)
        if self.label_channels:
            pixels = torch.cat(
                [pixels, one_hot(require_labels(y), self.label_channels).to(pixels.dtype)], dim=1
            )
        output: DiscriminatorOutput = self.head(self.layers(pixels), y)
        return output
