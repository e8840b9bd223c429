"""One update of each player: the only file of training that calls backward."""

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from inkgan.config import Objective
from inkgan.data.batches import Batch
from inkgan.objective.consistency import inconsistency
from inkgan.objective.diffaug import transformed
from inkgan.objective.losses import Loss
from inkgan.objective.penalties import chosen
from inkgan.training.state import TrainState

ALONE = Objective()  # the loss and nothing beside it


def train_step(
    state: TrainState, loss: Loss, real: Batch, latents: torch.Tensor,
    objective: Objective = ALONE,
) -> torch.Tensor:  # fmt: skip
    """Update the discriminator, then the generator; return the metrics of tally.METRICS.

    `latents` (2, n, latent_dim) holds one fresh batch for each player. `objective` tells what holds
    the discriminator back; d_loss is the loss without it. The spreads are those of the images as
    they are, before any transformation.
    """
    d_loss, d_accuracy = _update_discriminator(state, loss, real, latents[0], objective)
    d_norm = _grad_norm(state.discriminator)
    g_loss, fakes = _update_generator(state, loss, real, latents[1], objective)
    g_norm = _grad_norm(state.generator)
    state.step += 1
    spreads = torch.stack([_spread(real.images), _spread(fakes)])
    return torch.cat(
        [torch.stack([d_loss, g_loss]), d_accuracy, torch.stack([d_norm, g_norm]), spreads]
    )


def _update_discriminator(
    state: TrainState, loss: Loss, real: Batch, z: torch.Tensor, objective: Objective
) -> tuple[torch.Tensor, torch.Tensor]:
    with torch.no_grad():  # the generator learns nothing here, so no graph through it
        fakes = transformed(state.generator(z, real.labels), objective.augment)
    real = Batch(transformed(real.images, objective.augment), real.labels)
    real_logits, fake_logits = _judge_both(state.discriminator, real, fakes)
    value = loss.d(real_logits, fake_logits).mean()
    total = value
    for weight, penalty in chosen(objective.penalties):
        total = (
            total + weight * penalty(state.discriminator, real.images, fakes, real.labels).mean()
        )
    if objective.consistency:
        for images, logits in ((real.images, real_logits), (fakes, fake_logits)):
            unlike = inconsistency(state.discriminator, images, real.labels, logits)
            total = total + objective.consistency * unlike.mean()
    state.d_optimiser.zero_grad(set_to_none=True)
    total.backward()
    state.d_optimiser.step()
    if objective.clip is not None:
        _clip(state.discriminator, objective.clip)
    accuracy = torch.stack([(real_logits > 0).float().mean(), (fake_logits < 0).float().mean()])
    return value.detach(), accuracy


@torch.no_grad()
def _clip(network: nn.Module, limit: float) -> None:
    """Clamp all weights, the crude way to bound a critic's slope (Arjovsky et al. 2017)."""
    for parameter in network.parameters():
        parameter.clamp_(-limit, limit)


def _judge_both(
    discriminator: nn.Module, real: Batch, fakes: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the logits of real images and of fakes.

    One pass over both is quicker than two. With batch normalisation it would be another network:
    real and fake images are normalised apart (Radford et al. 2016, as all who followed).
    """
    if any(isinstance(module, _BatchNorm) for module in discriminator.modules()):
        return discriminator(real.images, real.labels), discriminator(fakes, real.labels)
    images, labels = torch.cat([real.images, fakes]), torch.cat([real.labels, real.labels])
    real_logits, fake_logits = discriminator(images, labels).chunk(2)
    return real_logits, fake_logits


def _update_generator(
    state: TrainState, loss: Loss, real: Batch, z: torch.Tensor, objective: Objective
) -> tuple[torch.Tensor, torch.Tensor]:
    fakes = state.generator(z, real.labels)
    state.discriminator.requires_grad_(False)  # the gradient goes through it, not into it
    fake_logits = state.discriminator(transformed(fakes, objective.augment), real.labels)
    real_logits = fake_logits.detach()
    if loss.g_reads_real:
        seen = transformed(real.images, objective.augment)
        real_logits = state.discriminator(seen, real.labels)
    value = loss.g(real_logits, fake_logits).mean()
    state.discriminator.requires_grad_(True)
    state.g_optimiser.zero_grad(set_to_none=True)
    value.backward()
    state.g_optimiser.step()
    return value.detach(), fakes.detach()


def _grad_norm(network: nn.Module) -> torch.Tensor:
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    return torch.nn.utils.get_total_norm(gradients)


def _spread(images: torch.Tensor) -> torch.Tensor:
    """Measure the variety inside a batch: the standard deviation of a pixel, over all pixels."""
    pixels = images.flatten(1)
    # E[x^2] - E[x]^2, in two passes over the batch; pixels lie in [-1, 1], so nothing cancels badly
    variance = pixels.square().mean(dim=0) - pixels.mean(dim=0).square()
    return variance.clamp(min=0).mul(len(pixels) / (len(pixels) - 1)).sqrt().mean()
