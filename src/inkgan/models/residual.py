"""Residual networks in the manner of R3GAN (Huang et al. 2024), with plain convolutions."""

import torch
from torch import nn

from inkgan.config import Kernel, Model, ResidualDiscriminatorConfig, ResidualGeneratorConfig
from inkgan.errors import ConfigError
from inkgan.images import Shape
from inkgan.models.conditioning import (
    ConditionalBatchNorm,
    ConditionalSequential,
    Discriminator,
    DiscriminatorOutput,
    Head,
    LatentLabelInput,
    concat_label_planes,
    require_labels,
)
from inkgan.models.layers import (
    SingleChannelConvTranspose2d,
    Unflatten,
    activation,
    channels_last,
    flatten_nhwc,
    norm_2d,
    to_channels_last_,
)
from inkgan.models.linear import Linear
from inkgan.models.second_order import Conv2d, HalvingPool2d, LeakyReLU


class ResidualBlock(nn.Module):
    """x + conv(act(norm(conv(act(norm(x)))))), the identity at first.

    The last convolution begins at zero (Zhang et al. 2019, "Fixup", section 3), so that depth costs
    nothing at the start.
    """

    def __init__(
        self,
        channels: int,
        config: ResidualGeneratorConfig | ResidualDiscriminatorConfig,
        classes: int = 0,
    ) -> None:
        super().__init__()
        norm = config.norm if isinstance(config, ResidualGeneratorConfig) else None
        layers: list[nn.Module] = []
        for _ in range(2):
            layers += [
                norm_2d(channels, norm, classes),
                LeakyReLU(config.negative_slope),  # not in place: x is added at the end
                Conv2d(channels, channels, 3, padding=1),
            ]
        self.branch = ConditionalSequential(*layers)

    def forward(self, maps: torch.Tensor, y: torch.Tensor | None) -> torch.Tensor:
        """Return maps of the same shape."""
        branched: torch.Tensor = self.branch(maps, y)
        return maps + branched

    def zero_init_residual(self) -> None:
        """Set the branch's last convolution to zero."""
        for parameter in self.branch[-1].parameters():
            nn.init.zeros_(parameter)


class ResidualGenerator(nn.Module):
    """A dense stem, then stages of blocks, each at twice the side of the one before."""

    def __init__(self, config: ResidualGeneratorConfig, model: Model, shape: Shape) -> None:
        super().__init__()
        self.entrance = LatentLabelInput(config.conditioning, model.latent_dim, model.classes)
        classes = model.classes if config.conditioning == "conditional-bn" else 0
        size = base_size(config.widths, shape, "generator")
        first = config.widths[0]
        self.stem = nn.Sequential(
            Linear(self.entrance.features, first * size[0] * size[1]), Unflatten(first, size)
        )
        stages: list[nn.Module] = []
        channels = first
        for place, width in enumerate(config.widths):
            if place:
                stages.append(nn.Upsample(scale_factor=2, mode="bilinear"))
            if width != channels:
                stages.append(Conv2d(channels, width, 1))
            stages += [ResidualBlock(width, config, classes) for _ in range(config.blocks)]
            channels = width
        self.stages = nn.ModuleList(stages)
        self.norm = norm_2d(channels, config.norm, classes)
        self.activation = activation(config.negative_slope)
        last = Kernel(kernel=3, stride=1, padding=1)
        kind = SingleChannelConvTranspose2d if shape.channels == 1 else nn.ConvTranspose2d
        self.output = kind(channels, shape.channels, last.kernel, padding=1)
        self.output_activation = nn.Tanh() if config.tanh_output else nn.Identity()
        to_channels_last_(self)

    def forward(self, z: torch.Tensor, y: torch.Tensor | None = None) -> torch.Tensor:
        """Map latents (n, latent_dim) and labels (n,), if there are classes, to images."""
        maps = self.stem(self.entrance(z, y))
        for stage in self.stages:
            maps = stage(maps, y) if isinstance(stage, ResidualBlock) else stage(maps)
        maps = (
            self.norm(maps, y) if isinstance(self.norm, ConditionalBatchNorm) else self.norm(maps)
        )
        images: torch.Tensor = self.output_activation(self.output(self.activation(maps)))
        return images


class ResidualDiscriminator(Discriminator):
    """Stages of blocks, each at half the side of the one before, then the head."""

    def __init__(self, config: ResidualDiscriminatorConfig, model: Model, shape: Shape) -> None:
        super().__init__()
        self.label_channels = model.classes if config.conditioning == "concat" else 0
        size = base_size(config.widths, shape, "discriminator")
        channels = config.widths[0]
        layers: list[nn.Module] = [
            Conv2d(shape.channels + self.label_channels, channels, 3, padding=1)
        ]
        for place, width in enumerate(config.widths):
            if place:
                layers.append(HalvingPool2d())
            if width != channels:
                layers.append(Conv2d(channels, width, 1))
            layers += [ResidualBlock(width, config) for _ in range(config.blocks)]
            channels = width
        self.layers = nn.ModuleList(layers)
        features = channels * size[0] * size[1]
        self.activation = activation(config.negative_slope)
        self.head = Head(features, config.conditioning, model.classes, model.known_coordinates)
        to_channels_last_(self)

    def outputs(self, images: torch.Tensor, y: torch.Tensor | None = None) -> DiscriminatorOutput:
        """Return logits, and class logits and style where there are heads for them."""
        maps = (
            concat_label_planes(images, require_labels(y), self.label_channels)
            if self.label_channels
            else images
        )
        maps = channels_last(maps)
        for layer in self.layers:
            maps = layer(maps, None) if isinstance(layer, ResidualBlock) else layer(maps)
        output: DiscriminatorOutput = self.head(flatten_nhwc(self.activation(maps)), y)
        return output


def base_size(widths: tuple[int, ...], shape: Shape, player: str) -> tuple[int, int]:
    """Return height and width of the smallest maps, of images that are halved between widths.

    Raises:
        ConfigError: the images cannot be halved so often.
    """
    factor = 2 ** (len(widths) - 1)
    if shape.height % factor or shape.width % factor:
        raise ConfigError(
            f"model.{player}.widths has {len(widths)} stages, which halve {shape} images "
            f"{len(widths) - 1} times; set data.size to a multiple of {factor}, or fewer widths"
        )
    return shape.height // factor, shape.width // factor
