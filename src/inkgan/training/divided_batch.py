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

    torch's SyncBatchNorm cannot be differentiated twice and needs a GPU. This one is written in
    differentiable operations: means and variances of the parts are gathered and combined (Chan et
    al. 1983, equation 2.1, for parts of equal size).

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
        mean, variance = self._statistics(inputs)
        scales = torch.rsqrt(variance + self.eps)
        if self.weight is not None:
            scales = scales * self.weight
        offsets = -mean * scales
        if self.bias is not None:
            offsets = offsets + self.bias
        shape = (1, -1, *(1,) * (inputs.ndim - 2))
        wide = inputs.to(scales.dtype)
        return torch.addcmul(offsets.view(shape), wide, scales.view(shape)).to(inputs.dtype)

    def _statistics(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return mean and biased variance over all processes, and update the running ones."""
        axes = [axis for axis in range(inputs.ndim) if axis != 1]
        wide = inputs.float() if inputs.dtype in (torch.bfloat16, torch.float16) else inputs
        moments = torch.stack(torch.var_mean(wide, axes, correction=0))
        variances, means = self.world.gather(moments[None]).unbind(1)
        mean = means.mean(0)
        variance = variances.mean(0) + (means - mean).square().mean(0)
        if self.track_running_stats:
            self._track(mean.detach(), variance.detach(), self.world.size * wide[:, 0].numel())
        return mean, variance

    @torch.no_grad()
    def _track(self, mean: torch.Tensor, variance: torch.Tensor, count: int) -> None:
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
