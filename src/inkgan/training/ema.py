"""The averaged generator."""

import torch
from torch import nn

RAMP = 0.05  # early on the half-life is 5 % of the images seen (Karras et al. 2020, ADA, app. C)


def decay_for(images_seen: int, batch_size: int, half_life: int) -> float:
    """Return the share of the old average that one batch leaves; 0 copies the raw weights."""
    effective = min(half_life, images_seen * RAMP)
    return float(0.5 ** (batch_size / effective)) if effective > 0 else 0.0


@torch.no_grad()
def update(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Move the average towards the network: weights and BatchNorm's statistics alike."""
    averaged, current = average.state_dict(), network.state_dict()
    names = [name for name, tensor in averaged.items() if tensor.is_floating_point()]
    torch._foreach_lerp_(
        [averaged[name] for name in names], [current[name] for name in names], 1 - decay
    )
    for name in averaged.keys() - set(names):
        averaged[name].copy_(current[name])
