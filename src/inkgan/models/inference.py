"""Generators for drawing alone, in bfloat16 on a CPU: the same function in fewer passes.

oneDNN computes a transposed convolution of stride 2 in bfloat16 at half the speed of a plain one.
So it is written as a plain one to s x s times as many channels, each of which is every s-th pixel
in height and width (sub-pixel convolution; Shi et al. 2016, section 3.2). A class-conditional norm
reads these channels and writes them to their pixels, so that nothing is moved for it.
"""

import copy
from itertools import pairwise
from typing import TypeGuard

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from inkgan.models.conditioning import (
    ConditionalBatchNorm,
    ConditionalLayer,
    embed_labels,
    require_labels,
)
from inkgan.models.layers import SingleChannelConvTranspose2d
from inkgan.models.same_padding import UpsamplingStack


class NormalizedUpsampling(ConditionalLayer):
    """A transposed convolution and the class-conditional norm behind it, without gradients.

    The weights are copies: later changes of the layers do not reach it.

    Args:
        convolution: that `is_replaceable`.
        norm: of its outputs, used in evaluation mode.
        dtype: in which it computes.
    """

    weight: torch.Tensor
    offsets: torch.Tensor
    scales: torch.Tensor

    def __init__(
        self, convolution: nn.ConvTranspose2d, norm: ConditionalBatchNorm, dtype: torch.dtype
    ) -> None:
        super().__init__()
        self.stride, self.padding = convolution.stride[0], int(convolution.padding[0])
        offsets, scales = norm.offsets_and_scales()
        if convolution.bias is not None:
            offsets = offsets + scales * convolution.bias
        weight = _sub_pixel_weight(convolution.weight.detach(), self.stride).to(dtype)
        self.register_buffer("weight", weight.contiguous(memory_format=torch.channels_last))
        self.register_buffer("offsets", offsets.detach())
        self.register_buffer("scales", scales.detach())

    @torch.no_grad()
    def forward(self, maps: torch.Tensor, y: torch.Tensor | None) -> torch.Tensor:
        """Return maps (n, D, s h, s w) for maps (n, C, h, w)."""
        labels, stride, dtype = require_labels(y), self.stride, self.weight.dtype
        offsets, scales = (
            embed_labels(table, labels).to(dtype)[:, None, None]
            for table in (self.offsets, self.scales)
        )
        before = self.padding // stride  # inputs before the first one, which no output needs
        margin = self.weight.shape[2] - 1 - before
        pixels = F.conv2d(maps.to(dtype), self.weight, padding=margin).permute(0, 2, 3, 1)
        count, _, height, width = maps.shape
        channels = self.offsets.shape[1]
        outputs = pixels.new_empty(count, stride * height, stride * width, channels)
        for row, column in np.ndindex(stride, stride):
            top, down = divmod(row + self.padding, stride)
            left, right = divmod(column + self.padding, stride)
            first = (stride * down + right) * channels
            part = pixels[:, top - before :, left - before :, first : first + channels]
            part = part[:, :height, :width]
            torch.addcmul(offsets, scales, part, out=outputs[:, row::stride, column::stride])
        return outputs.permute(0, 3, 1, 2)


def _sub_pixel_weight(weight: torch.Tensor, stride: int) -> torch.Tensor:
    """Return the weight (s s D, C, k / s, k / s) of a plain convolution for (C, D, k, k)."""
    inputs, outputs, size, _ = weight.shape
    taps = size // stride
    parts = weight.view(inputs, outputs, taps, stride, taps, stride).flip(2, 4)
    return parts.permute(3, 5, 1, 0, 2, 4).reshape(-1, inputs, taps, taps)


def is_replaceable(layer: nn.Module) -> TypeGuard[nn.ConvTranspose2d]:
    """Tell whether a layer is a transposed convolution that `NormalizedUpsampling` can compute.

    Its kernel is a multiple of the stride, and its outputs are as many times its inputs.
    """
    if not isinstance(layer, nn.ConvTranspose2d) or isinstance(layer, SingleChannelConvTranspose2d):
        return False
    pairs = (layer.kernel_size, layer.stride, layer.padding)
    plain = layer.groups == 1 and layer.dilation == (1, 1) and layer.output_padding == (0, 0)
    if not plain or any(len(set(pair)) > 1 for pair in pairs):
        return False
    kernel, stride, padding = (int(pair[0]) for pair in pairs)
    return kernel % stride == 0 and kernel == stride + 2 * padding


def bfloat16_inference(network: nn.Module) -> nn.Module:
    """Return a generator that draws quicker under autocast to bfloat16 on a CPU.

    Its images differ from those of `network` under autocast by the order of sums alone.

    Args:
        network: in evaluation mode; it is not changed.

    Returns:
        A copy; the network itself where it has no class-conditional norm behind a transposed
        convolution.

    Example:
        >>> quick = bfloat16_inference(network)
        >>> with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        ...     images = quick(latents, labels)
    """
    replacements = [_replacements(module) for module in network.modules()]
    if not any(replacements):
        return network
    quick = copy.deepcopy(network)
    for module, found in zip(list(quick.modules()), replacements, strict=True):
        if isinstance(module, UpsamplingStack):
            for place in sorted(found, reverse=True):
                module[place] = found[place]
                del module[place + 1]
    return quick


def _replacements(module: nn.Module) -> dict[int, NormalizedUpsampling]:
    """Return what can replace a convolution of a stack and its norm, by the convolution's place."""
    if not isinstance(module, UpsamplingStack):
        return {}
    return {
        place: NormalizedUpsampling(layer, norm, torch.bfloat16)
        for place, (layer, norm) in enumerate(pairwise(module))
        if is_replaceable(layer) and isinstance(norm, ConditionalBatchNorm)
    }
