"""Layers that treat a batch divided over several processes as the one batch that it is.

Batch normalization takes its statistics from the whole batch, and dropout gives each sample the
mask that it has with one process. `see_whole_batches` puts these layers in the place of torch's.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from inkgan.models.layers import dropout_by_sample
from inkgan.training.distributed import World

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)


class WholeBatchNorm(nn.SyncBatchNorm):
    """Batch normalization with the statistics of all processes (Ioffe and Szegedy 2015).

    torch's SyncBatchNorm cannot be differentiated twice and needs a GPU. Here means and variances
    of the parts are gathered and combined (Chan et al. 1983, equation 2.1, for parts of equal
    size), and the derivative is `_Normalize`'s.

    Args:
        norm: gives settings, parameters and running statistics, which are shared with it.
        world: the processes that divide the batch.
    """

    def __init__(self, norm: Any, world: World) -> None:
        super().__init__(
            norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats
        )
        self.world = world
        self._parameters, self._buffers = norm._parameters, norm._buffers
        self.train(norm.training)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return inputs (n, channels, ...), normalized."""
        if not self.training:  # perhaps in one process alone, as for a preview
            running = self.running_mean, self.running_var
            fresh = self.running_mean is None
            parameters = self.weight, self.bias
            return F.batch_norm(inputs, *running, *parameters, fresh, 0.0, self.eps)
        arguments = inputs, self.weight, self.bias, self
        outputs: torch.Tensor = _Normalize.apply(*arguments)  # type: ignore[no-untyped-call]
        return outputs

    def moments(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the mean and the biased variance over all processes (channels,) each."""
        axes = _axes(inputs)
        mean = inputs.mean(axes)
        # many times quicker than var_mean where channels lie last
        variance = (inputs - _spread(mean, inputs)).square().mean(axes)
        parts = self.world.gather(torch.stack([mean, variance])[None])
        means, variances = parts.unbind(1)
        mean = means.mean(0)
        return mean, variances.mean(0) + (means - mean).square().mean(0)

    def track(self, mean: torch.Tensor, variance: torch.Tensor, count: int) -> None:
        """Move the running statistics, where there are any, towards those of `count` values."""
        if not self.track_running_stats:
            return
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        share: Any = self.momentum
        if share is None:  # a plain average over all batches
            share = 1 / self.num_batches_tracked
        unbiased = variance * (count / (count - 1))
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), share)
        self.running_var.lerp_(unbiased.to(self.running_var.dtype), share)


class _Normalize(torch.autograd.Function):
    """Normalizes by the moments of all processes, and derives the usual formula.

    One formula instead of a graph of operations makes fewer passes over the maps. The
    derivative is made of differentiable operations, so that it can be derived again.
    """

    @staticmethod
    def forward(
        context: Any,
        inputs: torch.Tensor,
        weight: torch.Tensor | None,
        bias: torch.Tensor | None,
        layer: WholeBatchNorm,
    ) -> torch.Tensor:
        wide = _to_float32(inputs)
        mean, variance = layer.moments(wide)
        layer.track(mean, variance, layer.world.size * wide[:, 0].numel())
        context.save_for_backward(inputs, weight, mean, variance)
        context.layer, context.has_bias = layer, bias is not None
        scales = torch.rsqrt(variance + layer.eps)
        if weight is not None:
            scales = scales * weight
        offsets = -mean * scales
        if bias is not None:
            offsets = offsets + bias
        outputs = torch.addcmul(_spread(offsets, wide), wide, _spread(scales, wide))
        return outputs.to(inputs.dtype)

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        inputs, weight, mean, variance = context.saved_tensors
        layer: WholeBatchNorm = context.layer
        wide, gradient = _to_float32(inputs), _to_float32(gradients[0])
        if torch.is_grad_enabled():  # to be derived again: the moments depend on the inputs
            mean, variance = layer.moments(wide)
        axes, scale = _axes(wide), torch.rsqrt(variance + layer.eps)
        centered = wide - _spread(mean, wide)
        # derivatives in the normalized inputs' offset and scale, of this part and of all parts
        mine = torch.stack([gradient.sum(axes), (gradient * centered).sum(axes) * scale])
        count = layer.world.size * wide[:, 0].numel()
        shift, slope = layer.world.gather(mine[None]).sum(0) / count
        # Ioffe and Szegedy 2015, section 3, with the terms of each channel collected
        of_gradient = scale if weight is None else scale * weight
        of_input = -of_gradient * slope * scale
        for_inputs = torch.addcmul(
            _spread(-of_gradient * shift, wide), gradient, _spread(of_gradient, wide)
        )
        for_inputs = torch.addcmul(for_inputs, centered, _spread(of_input, wide))
        for_weight = None if weight is None else mine[1]
        for_bias = mine[0] if context.has_bias else None
        return for_inputs.to(inputs.dtype), for_weight, for_bias, None


def _axes(inputs: torch.Tensor) -> list[int]:
    """Return all axes but that of the channels."""
    return [axis for axis in range(inputs.ndim) if axis != 1]


def _spread(channels: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    """View numbers of the channels so that they broadcast against inputs (n, channels, ...)."""
    return channels.view(1, -1, *(1,) * (inputs.ndim - 2))


def _to_float32(values: torch.Tensor) -> torch.Tensor:
    return values.float() if values.dtype in (torch.bfloat16, torch.float16) else values


class DividedDropout(nn.Module):
    """A dropout of torch's with the masks of the whole batch.

    Args:
        dropout: draws masks for the batch that it gets.
    """

    def __init__(self, dropout: nn.Module) -> None:
        super().__init__()
        self.dropout = dropout

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the inputs, thinned out while training."""
        return dropout_by_sample(self.dropout, inputs) if self.training else inputs


def see_whole_batches(network: nn.Module, world: World) -> None:
    """Replace batch normalization and torch's dropouts inside a network, in place.

    Names, parameters and buffers stay the same, so checkpoints do not tell the difference. With
    one process nothing is replaced.
    """
    if world.size == 1:
        return
    replaced: dict[nn.Module, nn.Module] = {}
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if child not in replaced and isinstance(child, BATCH_NORMS):
                replaced[child] = WholeBatchNorm(child, world)
            elif child not in replaced and type(child) in DROPOUTS:
                replaced[child] = DividedDropout(child)
            if child in replaced:
                setattr(module, name, replaced[child])
