"""Strided convolutions with explicit or TensorFlow's "same" padding.

TensorFlow's "same" makes output = ceil(input / stride). Where the total padding is odd, TensorFlow
puts the extra pixel on the right and at the bottom; torch pads both sides alike. One more pixel on
both sides is TensorFlow's padding of the mirrored image: the surplus on the far side is never
reached. So a stack with such a layer mirrors its images once, at its outer end, and every layer
inside is a plain torch convolution, without a padding or cropping copy per layer. Only the two
stacks of this module know that.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import nn

from inkgan.config import Kernel
from inkgan.models.conditioning import ConditionalSequential
from inkgan.models.layers import SingleChannelConv2d, SingleChannelConvTranspose2d, channels_last
from inkgan.models.second_order import Conv2d

Size = tuple[int, int]  # height, width


class DownsamplingStack(nn.Sequential):
    """Strided convolutions from images (n, C, H, W) to smaller maps, with the layers between them.

    Args:
        layers: the modules in order; convolutions from `conv_2d`.
        kernels: the convolutions' geometry, in order.
        image_size: height and width of the images.
    """

    def __init__(
        self, layers: Iterable[nn.Module], kernels: Sequence[Kernel], image_size: Size
    ) -> None:
        super().__init__(*layers)
        self.mirrored = _is_mirrored(kernels, image_size)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the maps."""
        maps = channels_last(images.flip(2, 3) if self.mirrored else images)
        for layer in self:
            maps = layer(maps)
        return maps


class UpsamplingStack(ConditionalSequential):
    """Transposed convolutions from small maps to images, with the layers between them.

    Args:
        layers: the modules in order; convolutions from `conv_transpose_2d`.
        kernels: the convolutions' geometry, in order.
        image_size: height and width of the images.
    """

    def __init__(
        self, layers: Iterable[nn.Module], kernels: Sequence[Kernel], image_size: Size
    ) -> None:
        super().__init__(*layers)
        self.mirrored = _is_mirrored(tuple(reversed(kernels)), image_size)

    def forward(self, inputs: torch.Tensor, y: torch.Tensor | None = None) -> torch.Tensor:
        """Return the images (n, C, H, W)."""
        images = super().forward(inputs, y)
        return images.flip(2, 3) if self.mirrored else images


def conv_2d(inputs: int, outputs: int, kernel: Kernel, size: Size, bias: bool) -> nn.Conv2d:
    """Build a strided convolution for a `DownsamplingStack`, of maps of height and width `size`."""
    padding = _paddings(kernel, size)
    layer = SingleChannelConv2d if inputs == 1 else Conv2d
    return layer(inputs, outputs, kernel.kernel, kernel.stride, padding, bias=bias)


def conv_transpose_2d(
    inputs: int, outputs: int, kernel: Kernel, size: Size, bias: bool
) -> nn.ConvTranspose2d:
    """Build a transposed convolution for an `UpsamplingStack`, from maps of size `size`."""
    padding = _paddings(kernel, (size[0] * kernel.stride, size[1] * kernel.stride))
    output_padding = 0
    if kernel.padding == "same":
        output_padding = kernel.stride + 2 * padding[0] - kernel.kernel
    layer = SingleChannelConvTranspose2d if outputs == 1 else nn.ConvTranspose2d
    return layer(inputs, outputs, kernel.kernel, kernel.stride, padding, output_padding, bias=bias)


def size_after(size: Size, kernel: Kernel) -> Size:
    """Return height and width after a strided convolution."""
    if kernel.padding == "same":
        return -(-size[0] // kernel.stride), -(-size[1] // kernel.stride)
    height, width = (
        (length + 2 * kernel.padding - kernel.kernel) // kernel.stride + 1 for length in size
    )
    return height, width


def same_padding(kernel: Kernel, length: int) -> tuple[int, bool]:
    """Return the padding on both sides that gives "same", and whether images must be mirrored."""
    outputs = -(-length // kernel.stride)
    total = max((outputs - 1) * kernel.stride + kernel.kernel - length, 0)
    return (total + 1) // 2, total % 2 == 1


def _paddings(kernel: Kernel, size: Size) -> Size:
    if kernel.padding != "same":
        return kernel.padding, kernel.padding
    return same_padding(kernel, size[0])[0], same_padding(kernel, size[1])[0]


def _is_mirrored(kernels: Sequence[Kernel], size: Size) -> bool:
    """Tell whether a layer needs an odd total padding; `kernels` lead down from the images."""
    for kernel in kernels:
        if kernel.padding == "same" and any(same_padding(kernel, length)[1] for length in size):
            return True
        size = size_after(size, kernel)
    return False
