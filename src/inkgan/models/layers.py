"""Layers that the families share."""

import torch
import torch.nn.functional as F
from torch import nn

from inkgan.config import InitName, Kernel, Normalisation


class SameConv2d(nn.Conv2d):
    """A strided convolution with TensorFlow's "same" padding: output = ceil(input / stride).

    The padding is (kernel - stride) in all, the odd pixel on the right and at the bottom, which
    torch's symmetric padding cannot express.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, bias: bool) -> None:
        super().__init__(inputs, outputs, kernel, stride, bias=bias)
        total = max(kernel - stride, 0)
        self.margins = (total // 2, total - total // 2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Pad, then convolve."""
        before, after = self.margins
        return super().forward(F.pad(images, (before, after, before, after)))


class SameConvTranspose2d(nn.ConvTranspose2d):
    """The adjoint of `SameConv2d`: output = input * stride, cropped as TensorFlow crops."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, bias: bool) -> None:
        total = max(kernel - stride, 0)
        self.before, self.surplus = total // 2, total - 2 * (total // 2)
        super().__init__(inputs, outputs, kernel, stride, padding=self.before, bias=bias)

    def forward(self, images: torch.Tensor, output_size: list[int] | None = None) -> torch.Tensor:
        """Convolve, then crop."""
        grown = super().forward(images, output_size)
        height, width = grown.shape[-2] - self.surplus, grown.shape[-1] - self.surplus
        return grown[..., :height, :width]


def convolution(inputs: int, outputs: int, kernel: Kernel, bias: bool) -> nn.Module:
    """Build a strided convolution down."""
    if kernel.padding == "same":
        return SameConv2d(inputs, outputs, kernel.kernel, kernel.stride, bias)
    return nn.Conv2d(inputs, outputs, kernel.kernel, kernel.stride, kernel.padding, bias=bias)


def transposed_convolution(inputs: int, outputs: int, kernel: Kernel, bias: bool) -> nn.Module:
    """Build a transposed convolution up."""
    if kernel.padding == "same":
        return SameConvTranspose2d(inputs, outputs, kernel.kernel, kernel.stride, bias)
    return nn.ConvTranspose2d(
        inputs, outputs, kernel.kernel, kernel.stride, kernel.padding, bias=bias
    )


def activation(slope: float) -> nn.Module:
    """Build a leaky ReLU, or a plain one for slope 0."""
    return nn.LeakyReLU(slope) if slope else nn.ReLU()


def norm_1d(features: int, norm: Normalisation | None) -> nn.Module:
    """Build batch normalisation over feature vectors, or an identity."""
    if norm is None:
        return nn.Identity()
    return nn.BatchNorm1d(features, eps=norm.epsilon, momentum=norm.momentum)


def norm_2d(channels: int, norm: Normalisation | None) -> nn.Module:
    """Build batch normalisation over channels, or an identity."""
    if norm is None:
        return nn.Identity()
    return nn.BatchNorm2d(channels, eps=norm.epsilon, momentum=norm.momentum)


def initialise(network: nn.Module, init: InitName) -> None:
    """Draw the weights anew from torch's global generators.

    `normal` is DCGAN's N(0, 0.02) with BatchNorm scales from N(1, 0.02) (Radford et al. 2016,
    section 4); `glorot` is Keras' default, uniform with zero biases (Glorot and Bengio 2010,
    equation 16); `torch` leaves the layers as torch made them.
    """
    if init == "torch":
        return
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            if init == "normal":
                nn.init.normal_(module.weight, 0.0, 0.02)
            else:
                nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) and init == "normal":
            nn.init.normal_(module.weight, 1.0, 0.02)
