"""Layers that the families share."""

from collections.abc import Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from inkgan.config import Kernel, Normalization
from inkgan.models.conditioning import ConditionalBatchNorm


class SingleChannelConvTranspose2d(nn.ConvTranspose2d):
    """A transposed convolution to a single channel, as a matrix product and a fold on CPUs.

    The usual kernels split the work by output channels, of which there is one here. Exported is
    the plain convolution.
    """

    def forward(self, maps: torch.Tensor, output_size: list[int] | None = None) -> torch.Tensor:
        """Return images (n, 1, H, W) for maps (n, C, h, w)."""
        if maps.device.type != "cpu" or torch.compiler.is_exporting():
            return super().forward(maps, output_size)
        with torch.autocast("cpu", enabled=False):  # images are made in full precision
            maps = maps.to(self.weight.dtype)
            images: torch.Tensor = _Fold.apply(maps, self.weight, self)  # type: ignore[no-untyped-call]
        return images if self.bias is None else images + self.bias[:, None, None]


class _Fold(torch.autograd.Function):
    """The forward pass as product and fold; backward the convolution's own, the quicker there."""

    @staticmethod
    def forward(
        context: Any, maps: torch.Tensor, weight: torch.Tensor, layer: SingleChannelConvTranspose2d
    ) -> torch.Tensor:
        context.save_for_backward(maps, weight)
        context.layer = layer
        count, channels, height, width = maps.shape
        pixels = maps.permute(0, 2, 3, 1).reshape(-1, channels)
        patches = (pixels @ weight.flatten(1)).view(count, height * width, -1)
        padding = (int(layer.padding[0]), int(layer.padding[1]))
        high, wide = (
            (side - 1) * layer.stride[0]
            - 2 * padding[0]
            + layer.kernel_size[0]
            + layer.output_padding[0]
            for side in (height, width)
        )
        return F.fold(
            patches.transpose(1, 2),
            (high, wide),
            layer.kernel_size,
            padding=padding,
            stride=layer.stride,
        )

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        maps, weight = context.saved_tensors
        layer, needed = context.layer, context.needs_input_grad
        for_maps, for_weight, _ = torch.ops.aten.convolution_backward(
            gradients[0],
            maps,
            weight,
            None,
            layer.stride,
            layer.padding,
            layer.dilation,
            True,
            layer.output_padding,
            1,
            [needed[0], needed[1], False],
        )
        return for_maps, for_weight, None


def same_padding(kernel: Kernel, side: int) -> tuple[int, bool]:
    """Return the padding that makes output = ceil(side / stride), and whether it is mirrored.

    TensorFlow's "same" padding puts an odd pixel on the right and at the bottom; torch pads both
    sides alike. One pixel more on both sides is TensorFlow's padding of the mirrored image: the
    surplus on the far side is never reached. Networks with such a layer mirror their images at
    their ends, so that inside no picture has to be padded or cropped by hand.
    """
    outputs = -(-side // kernel.stride)
    total = max((outputs - 1) * kernel.stride + kernel.kernel - side, 0)
    return (total + 1) // 2, total % 2 == 1


class Unflatten(nn.Module):
    """Read vectors (n, H W C) as stacks of channels (n, C, H, W), without moving a number.

    The channels lie behind the pixels, as convolutions and batch normalisation on CPUs and GPUs
    like them best (torch's channels_last), and as TensorFlow's reshape reads a dense layer.
    """

    def __init__(self, channels: int, side: tuple[int, int]) -> None:
        super().__init__()
        self.channels, self.side = channels, side

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """Return the stacks of channels."""
        return vectors.view(-1, *self.side, self.channels).permute(0, 3, 1, 2)


def channels_behind(maps: torch.Tensor) -> torch.Tensor:
    """Read stacks of channels (n, C, H, W) as vectors (n, H W C), the inverse of `Unflatten`."""
    return maps.permute(0, 2, 3, 1).flatten(1)


def lay_channels_behind(network: nn.Module) -> None:
    """Lay out convolutions' weights with their channels last, so that all maps follow them.

    Batch normalisation is several times quicker on CPUs, and convolutions no slower.
    """
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)


def convolution(
    inputs: int, outputs: int, kernel: Kernel, side: tuple[int, int], bias: bool
) -> nn.Module:
    """Build a strided convolution down, of maps of height and width `side`."""
    return nn.Conv2d(
        inputs, outputs, kernel.kernel, kernel.stride, _paddings(kernel, side), bias=bias
    )


def transposed_convolution(
    inputs: int, outputs: int, kernel: Kernel, side: tuple[int, int], bias: bool
) -> nn.Module:
    """Build a transposed convolution up, from maps of height and width `side`."""
    grown = (side[0] * kernel.stride, side[1] * kernel.stride)
    padding, surplus = _paddings(kernel, grown), 0
    if kernel.padding == "same":
        surplus = kernel.stride + 2 * padding[0] - kernel.kernel
    layer = SingleChannelConvTranspose2d if outputs == 1 else nn.ConvTranspose2d
    return layer(inputs, outputs, kernel.kernel, kernel.stride, padding, surplus, bias=bias)


def _paddings(kernel: Kernel, side: tuple[int, int]) -> tuple[int, int]:
    if kernel.padding != "same":
        return kernel.padding, kernel.padding
    return same_padding(kernel, side[0])[0], same_padding(kernel, side[1])[0]


def is_mirrored(kernels: Iterable[Kernel], side: tuple[int, int]) -> bool:
    """Tell whether a network of these layers sees its images mirrored (see `same_padding`).

    `side` is that of the images; strides divide it on the way down.
    """
    for kernel in kernels:
        if kernel.padding == "same" and any(same_padding(kernel, length)[1] for length in side):
            return True
        side = side_after(side, kernel)
    return False


def side_after(side: tuple[int, int], kernel: Kernel) -> tuple[int, int]:
    """Return height and width after a strided convolution."""
    if kernel.padding == "same":
        return -(-side[0] // kernel.stride), -(-side[1] // kernel.stride)
    height, width = (
        (length + 2 * kernel.padding - kernel.kernel) // kernel.stride + 1 for length in side
    )
    return height, width


def activation(slope: float) -> nn.Module:
    """Build a leaky ReLU, or a plain one for slope 0."""
    return nn.LeakyReLU(slope, inplace=True) if slope else nn.ReLU(inplace=True)


def norm_1d(features: int, norm: Normalization | None, classes: int = 0) -> nn.Module:
    """Build batch normalisation over feature vectors, of each class its own, or an identity."""
    if norm is None:
        return nn.Identity()
    if classes:
        return ConditionalBatchNorm(features, classes, norm, maps=False)
    return nn.BatchNorm1d(features, eps=norm.epsilon, momentum=norm.momentum)


def norm_2d(channels: int, norm: Normalization | None, classes: int = 0) -> nn.Module:
    """Build batch normalisation over channels, of each class its own, or an identity."""
    if norm is None:
        return nn.Identity()
    if classes:
        return ConditionalBatchNorm(channels, classes, norm, maps=True)
    return nn.BatchNorm2d(channels, eps=norm.epsilon, momentum=norm.momentum)


LEVELS = 1 << 16


class Dropout(nn.Dropout):
    """Set each value to 0 with probability p, and scale the rest by 1 / (1 - p).

    torch draws one Bernoulli number a value on CPUs, one after the other: a fifth of a DCGAN's
    training step. Here 64 random bits serve four values, so that p is rounded to 1 / 65,536. The
    bits come from torch's global generator, as torch's own do.
    """

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the inputs, thinned out while training."""
        if not self.training or self.p == 0 or inputs.device.type != "cpu":
            return F.dropout(inputs, self.p, self.training)
        words = torch.empty(-(-inputs.numel() // 4), dtype=torch.int64)
        bits = words.random_(-(2**63), None).view(torch.int16)[: inputs.numel()]
        dropped = round(self.p * LEVELS)
        kept = (bits >= dropped - LEVELS // 2).to(inputs.dtype).mul_(LEVELS / (LEVELS - dropped))
        return inputs * torch.as_strided(kept, inputs.shape, inputs.stride())
