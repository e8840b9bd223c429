"""Layers that the families share."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.grad import conv2d_weight

from inkgan import rng
from inkgan.config import Normalization
from inkgan.models.conditioning import ConditionalBatchNorm
from inkgan.models.second_order import Conv2d, LeakyReLU, is_second_order
from inkgan.models.torch_internals import transposed_convolution_gradients


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
        padding = (int(layer.padding[0]), int(layer.padding[1]))
        size = [
            (side - 1) * layer.stride[0]
            - 2 * padding[0]
            + layer.kernel_size[0]
            + layer.output_padding[0]
            for side in maps.shape[2:]
        ]
        return folded(maps, weight, size, layer.stride, padding)

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        maps, weight = context.saved_tensors
        for_maps, for_weight = transposed_convolution_gradients(
            context.layer, gradients[0], maps, weight, context.needs_input_grad[:2]
        )
        return for_maps, for_weight, None


class SingleChannelConv2d(Conv2d):
    """A convolution of a single channel whose gradient in the images is a product and a fold.

    That is the mirror image of `SingleChannelConvTranspose2d`, two to three times as fast on CPUs.
    In bfloat16, and where the gradient is differentiated again, it is as any other.
    """

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return maps (n, C, h, w) for images (n, 1, H, W)."""
        other = images.device.type != "cpu" or torch.is_autocast_enabled("cpu")
        if other or is_second_order() or not images.requires_grad:
            return super().forward(images)
        maps: torch.Tensor = _FoldBack.apply(images, self.weight, self)  # type: ignore[no-untyped-call]
        return maps if self.bias is None else maps + self.bias[:, None, None]


class _FoldBack(torch.autograd.Function):
    """The convolution; its gradient in the images by product and fold, in the weight its own."""

    @staticmethod
    def forward(
        context: Any, images: torch.Tensor, weight: torch.Tensor, layer: SingleChannelConv2d
    ) -> torch.Tensor:
        context.save_for_backward(images, weight)
        context.layer = layer
        return F.conv2d(images, weight, None, layer.stride, layer.padding)

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (images, weight), layer, gradient = context.saved_tensors, context.layer, gradients[0]
        for_images = for_weight = None
        if context.needs_input_grad[0]:
            for_images = folded(gradient, weight, images.shape[2:], layer.stride, layer.padding)
        if context.needs_input_grad[1]:
            for_weight = conv2d_weight(images, weight.shape, gradient, layer.stride, layer.padding)
        return for_images, for_weight, None


def folded(
    maps: torch.Tensor,
    weight: torch.Tensor,
    size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
) -> torch.Tensor:
    """Return images (n, 1, H, W) of a `size`: the transposed convolution as product and fold.

    The fold adds up one image for each element of the kernel, faster than torch's.

    Args:
        maps: (n, C, h, w).
        weight: (C, 1, k, k).
        size: height and width of the images.
        stride: of the convolution.
        padding: of the convolution.
    """
    count, channels, height, width = maps.shape
    pixels = maps.permute(0, 2, 3, 1).reshape(-1, channels)
    parts = (weight.flatten(1).T @ pixels.T).view(*weight.shape[2:], count, height, width)
    (down, right), (top, left) = stride, padding
    rows, columns = down * (height - 1) + 1, right * (width - 1) + 1
    padded = maps.new_zeros(
        count,
        max(rows + weight.shape[2] - 1, top + size[0]),
        max(columns + weight.shape[3] - 1, left + size[1]),
    )
    for i, j in np.ndindex(*weight.shape[2:]):
        padded[:, i : i + rows : down, j : j + columns : right] += parts[i, j]
    return padded[:, None, top : top + size[0], left : left + size[1]].contiguous()


class Unflatten(nn.Module):
    """Read vectors (n, H W C) as stacks of channels (n, C, H, W), without moving a number.

    The channels lie behind the pixels, as convolutions and batch normalization on CPUs and GPUs
    like them best (torch's channels_last), and as TensorFlow's reshape reads a dense layer.
    """

    def __init__(self, channels: int, side: tuple[int, int]) -> None:
        super().__init__()
        self.channels, self.side = channels, side

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """Return the stacks of channels."""
        return vectors.view(-1, *self.side, self.channels).permute(0, 3, 1, 2)


def flatten_nhwc(maps: torch.Tensor) -> torch.Tensor:
    """Read stacks of channels (n, C, H, W) as vectors (n, H W C), the inverse of `Unflatten`."""
    return maps.permute(0, 2, 3, 1).flatten(1)


def channels_last(images: torch.Tensor) -> torch.Tensor:
    """Lay out images (n, C, H, W) with their channels last, also a single one.

    torch reads images of one channel as if their channels came first. So would lie what the first
    convolution returns, and each operation that meets a gradient of the next one, whose channels
    are last, takes ten times as long.
    """
    count, channels, height, width = images.shape
    pixels = flatten_nhwc(images).view(count, height, width, channels)
    return pixels.permute(0, 3, 1, 2)


def to_channels_last_(network: nn.Module) -> None:
    """Lay out convolutions' weights with their channels last, so that all maps follow them.

    Batch normalization is several times quicker on CPUs, and convolutions no slower.
    """
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)


def activation(slope: float) -> nn.Module:
    """Build a leaky ReLU, or a plain one for slope 0."""
    return LeakyReLU(slope, inplace=True) if slope else nn.ReLU(inplace=True)


def norm_1d(
    features: int, norm: Normalization | None, classes: int = 0, in_place: bool = False
) -> nn.Module:
    """Build batch normalization over features, per class if there are `classes`, or an identity.

    With `in_place`, nothing else reads its inputs (see `ConditionalBatchNorm`).
    """
    if norm is None:
        return nn.Identity()
    if classes:
        return ConditionalBatchNorm(features, classes, norm, False, in_place)
    return nn.BatchNorm1d(features, eps=norm.epsilon, momentum=norm.momentum)


def norm_2d(
    channels: int, norm: Normalization | None, classes: int = 0, in_place: bool = False
) -> nn.Module:
    """Build batch normalization over channels; otherwise as `norm_1d`."""
    if norm is None:
        return nn.Identity()
    if classes:
        return ConditionalBatchNorm(channels, classes, norm, True, in_place)
    return nn.BatchNorm2d(channels, eps=norm.epsilon, momentum=norm.momentum)


LEVELS = 1 << 16


class Dropout(nn.Dropout):
    """Set each value to 0 with probability p, and scale the rest by 1 / (1 - p).

    torch draws one Bernoulli number a value on CPUs, one after the other: a fifth of a DCGAN's
    training step. Here 64 random bits serve four values, so that p is rounded to 1 / 65,536. The
    bits are those of a generator that torch's global one seeds.
    """

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the inputs, thinned out while training."""
        if not self.training or self.p == 0:
            return F.dropout(inputs, self.p, self.training)
        if inputs.device.type != "cpu":
            return dropout_by_sample(lambda values: F.dropout(values, self.p), inputs)
        size = inputs[0].numel()
        bits = rng.for_batch(len(inputs), lambda n: _random_bits(n * size).view(n, size))
        dropped = round(self.p * LEVELS)
        kept = torch.empty(bits.shape, dtype=inputs.dtype)  # compared straight into it
        torch.ge(bits, dropped - LEVELS // 2, out=kept).mul_(LEVELS / (LEVELS - dropped))
        return inputs * torch.as_strided(kept, inputs.shape, inputs.stride())


def _random_bits(count: int) -> torch.Tensor:
    """Draw `count` times 16 bits, int16 (count,).

    numpy's PCG64DXSM takes two fifths of the time of torch's generator.
    """
    seed = int(torch.randint(2**63 - 1, ()))
    words = np.random.PCG64DXSM(seed).random_raw(-(-count // 4))
    return torch.from_numpy(words.view(np.int16))[:count]


def dropout_by_sample(
    dropout: Callable[[torch.Tensor], torch.Tensor], inputs: torch.Tensor
) -> torch.Tensor:
    """Apply one of torch's dropouts, with the same mask for a sample however a batch is divided."""
    if not rng.is_batch_divided():
        return dropout(inputs)
    ones = torch.ones_like(inputs)  # as they lie in memory, which decides the order of the draws
    masks = rng.for_batch(len(inputs), lambda n: dropout(torch.cat([ones] * (n // len(inputs)))))
    return inputs * masks
