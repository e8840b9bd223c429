"""Fully connected networks (Goodfellow et al. 2014, section 5, in today's form)."""

import torch
from torch import nn

from inkgan.config import MlpDiscriminator, MlpGenerator
from inkgan.images import Shape
from inkgan.models.dropout import Dropout
from inkgan.models.layers import activation, norm_1d
from inkgan.models.products import Linear


class MlpGeneratorNetwork(nn.Module):
    """Linear layers up to one output for each pixel, then tanh."""

    def __init__(self, config: MlpGenerator, latent_dim: int, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        layers: list[nn.Module] = []
        features = latent_dim
        for width in config.widths:
            layers += [
                Linear(features, width),
                norm_1d(width, config.norm),
                activation(config.slope),
            ]
            features = width
        layers += [Linear(features, shape.channels * shape.height * shape.width), nn.Tanh()]
        self.layers = nn.Sequential(*layers)

    def forward(self, z: torch.Tensor, y: torch.Tensor | None = None) -> torch.Tensor:
        """Map latents (n, latent_dim) to images (n, C, H, W); labels are ignored."""
        images: torch.Tensor = self.layers(z)
        return images.view(-1, *self.shape)


class MlpDiscriminatorNetwork(nn.Module):
    """Linear layers down to one logit."""

    def __init__(self, config: MlpDiscriminator, shape: Shape) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        features = shape.channels * shape.height * shape.width
        for width in config.widths:
            layers += [Linear(features, width), norm_1d(width, config.norm),
                       activation(config.slope), Dropout(config.dropout)]  # fmt: skip
            features = width
        self.layers = nn.Sequential(*layers, Linear(features, 1))

    def forward(self, images: torch.Tensor, y: torch.Tensor | None = None) -> torch.Tensor:
        """Map images (n, C, H, W) to logits (n,); labels are ignored."""
        logits: torch.Tensor = self.layers(images.flatten(1))
        return logits[:, 0]
