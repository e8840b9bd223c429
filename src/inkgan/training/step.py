"""The updates of both players: the only file of training that calls backward."""

from contextlib import AbstractContextManager

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from inkgan.config import Objective, Recipe
from inkgan.data.batches import Batch
from inkgan.models.conditioning import Discriminator, DiscriminatorOutput
from inkgan.training.diffaug import transformed
from inkgan.training.losses import LOSSES
from inkgan.training.penalties import chosen, inconsistency
from inkgan.training.state import TrainState


def train_step(
    state: TrainState,
    recipe: Recipe,
    real: Batch,
    latents: torch.Tensor,
    penalty_scale: float | torch.Tensor | None = 1.0,
) -> torch.Tensor:
    """Update the discriminator, then the generator; return the metrics of tally.METRICS.

    `real` holds a batch for each update of the discriminator, `latents` (updates + 1, n,
    latent_dim) a fresh batch of noise for each of them and for the generator. `penalty_scale` is
    the factor on the recipe's penalties, None a step without them; d_loss is the loss alone. The
    spreads are those of the images as they are, before any transformation.
    """
    parts = [Batch(*part) for part in zip(*(t.chunk(len(latents) - 1) for t in real), strict=True)]
    for part, z in zip(parts, latents, strict=False):
        d_loss, d_accuracy = _update_discriminator(state, recipe, part, z, penalty_scale)
    d_norm = _grad_norm(state.discriminator)
    g_loss, fakes = _update_generator(state, recipe, parts[-1], latents[-1])
    g_norm = _grad_norm(state.generator)
    state.step += 1
    labels, classes = parts[-1].labels, recipe.model.classes
    spreads = torch.stack([spread(i, labels, classes) for i in (parts[-1].images, fakes)])
    return torch.cat(
        [torch.stack([d_loss, g_loss]), d_accuracy, torch.stack([d_norm, g_norm]), spreads]
    )


def _update_discriminator(
    state: TrainState,
    recipe: Recipe,
    real: Batch,
    z: torch.Tensor,
    penalty_scale: float | torch.Tensor | None,
) -> tuple[torch.Tensor, torch.Tensor]:
    objective = recipe.objective
    with _arithmetic(recipe, real.images.device):
        with torch.no_grad():  # the generator learns nothing here, so no graph through it
            fakes = state.generator(z, real.labels).to(real.images.dtype)
            fakes = transformed(fakes, objective.augment)
        real = real._replace(images=transformed(real.images, objective.augment))
        of_real, of_fakes = _read_both(state.discriminator, real, fakes)
        value = LOSSES[objective.loss].d(of_real.logits, of_fakes.logits).mean()
        total = value + _heads_loss(of_real, real.labels, real.styles, objective)
        if of_fakes.classes is not None:
            total = total + _heads_loss(of_fakes._replace(style=None), real.labels, None, objective)
        if penalty_scale is not None:
            for weight, penalty in chosen(objective.penalties):
                each = penalty(state.discriminator, real.images, fakes, real.labels)
                total = total + penalty_scale * weight * each.mean()
        if objective.consistency:
            for images, reading in ((real.images, of_real), (fakes, of_fakes)):
                moved = inconsistency(state.discriminator, images, real.labels, reading.logits)
                total = total + objective.consistency * moved.mean()
    state.d_optimiser.zero_grad(set_to_none=True)
    total.backward()
    state.d_optimiser.step()
    if objective.weight_clip is not None:
        _clip(state.discriminator, objective.weight_clip)
    return value.detach(), _accuracy(of_real.logits.detach(), of_fakes.logits.detach(), objective)


def _update_generator(
    state: TrainState, recipe: Recipe, real: Batch, z: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    objective, loss = recipe.objective, LOSSES[recipe.objective.loss]
    state.discriminator.requires_grad_(False)  # the gradient goes through it, not into it
    with _arithmetic(recipe, real.images.device):
        fakes = state.generator(z, real.labels).to(real.images.dtype)
        seen = transformed(fakes, objective.augment)
        of_fakes = _widened(state.discriminator.read(seen, real.labels))
        real_logits = of_fakes.logits.detach()
        if loss.g_reads_real:
            seen = transformed(real.images, objective.augment)
            real_logits = state.discriminator(seen, real.labels).to(fakes.dtype)
        value = loss.g(real_logits, of_fakes.logits).mean()
        asked = z[:, : real.styles.shape[1]]
        total = value + _heads_loss(of_fakes, real.labels, asked, objective)
    state.discriminator.requires_grad_(True)
    state.g_optimiser.zero_grad(set_to_none=True)
    total.backward()
    state.g_optimiser.step()
    return value.detach(), fakes.detach()


def _arithmetic(recipe: Recipe, device: torch.device) -> AbstractContextManager[None]:
    """Compute products and convolutions in the recipe's precision."""
    halved = recipe.optim.precision == "bfloat16"
    return torch.autocast(device.type, torch.bfloat16, enabled=halved)


def _heads_loss(
    reading: DiscriminatorOutput,
    labels: torch.Tensor,
    styles: torch.Tensor | None,
    objective: Objective,
) -> torch.Tensor:
    """Sum the losses of the heads beside the logit, where there are any.

    The class by cross-entropy (Odena et al. 2017, section 3), the style by squared error, which is
    the fixed-variance Gaussian of InfoGAN (Chen et al. 2016, section 5) with known targets.
    """
    total = reading.logits.new_zeros(())
    if reading.classes is not None:
        total = total + objective.aux_weight * F.cross_entropy(reading.classes, labels)
    if reading.style is not None and styles is not None:
        total = total + objective.style_weight * F.mse_loss(reading.style, styles)
    return total


def _read_both(
    discriminator: Discriminator, real: Batch, fakes: torch.Tensor
) -> tuple[DiscriminatorOutput, DiscriminatorOutput]:
    """Return what the discriminator reads in real images and in fakes.

    One pass over both is quicker than two. With batch normalisation it would be another network:
    real and fake images are normalised apart (Radford et al. 2016, as all who followed).
    """
    if any(isinstance(module, _BatchNorm) for module in discriminator.modules()):
        readings = [discriminator.read(i, real.labels) for i in (real.images, fakes)]
        return _widened(readings[0]), _widened(readings[1])
    images, labels = torch.cat([real.images, fakes]), torch.cat([real.labels, real.labels])
    both = _widened(discriminator.read(images, labels))
    halves = [(None, None) if part is None else part.chunk(2) for part in both]
    of_real, of_fakes = (DiscriminatorOutput(*parts) for parts in zip(*halves, strict=True))
    return of_real, of_fakes


def _widened(reading: DiscriminatorOutput) -> DiscriminatorOutput:
    """Return a reading in float32 at least: losses of bfloat16 numbers would lose their gaps."""
    wide = (p.float() if p is not None and p.dtype == torch.bfloat16 else p for p in reading)
    return DiscriminatorOutput(*wide)  # type: ignore[arg-type]


def _accuracy(real: torch.Tensor, fakes: torch.Tensor, objective: Objective) -> torch.Tensor:
    """Return which share of real images, and of fakes, is told right (2,).

    Where the loss gives 0 no meaning, an image is held against the mean of the other kind.
    """
    has_zero = LOSSES[objective.loss].has_zero
    bars = (0.0, 0.0) if has_zero else (fakes.mean(), real.mean())
    return torch.stack([(real > bars[0]).float().mean(), (fakes < bars[1]).float().mean()])


@torch.no_grad()
def _clip(network: nn.Module, limit: float) -> None:
    """Clamp all weights, the crude way to bound a critic's slope (Arjovsky et al. 2017)."""
    for parameter in network.parameters():
        parameter.clamp_(-limit, limit)


def _grad_norm(network: nn.Module) -> torch.Tensor:
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    return torch.nn.utils.get_total_norm(gradients)


def spread(images: torch.Tensor, labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Measure how images (n, C, H, W) vary: the standard deviation of a pixel, over all pixels.

    With classes it is that around the mean of the image's own class: a generator that draws one
    image a class varies over the batch as real images do, and not at all within a class.
    """
    pixels = images.flatten(1)
    if not classes:
        # E[x^2] - E[x]^2, in two passes; pixels lie in [-1, 1], so nothing cancels badly
        variance = pixels.square().mean(dim=0) - pixels.mean(dim=0).square()
        return variance.clamp(min=0).mul(len(pixels) / (len(pixels) - 1)).sqrt().mean()
    belongs = F.one_hot(labels, classes).to(pixels.dtype)
    counts = belongs.sum(dim=0)
    means = belongs.t() @ pixels / counts.clamp(min=1)[:, None]
    present = (counts > 0).sum()
    squares = (pixels - means[labels]).square().sum(dim=0)
    return (squares / (len(pixels) - present).clamp(min=1)).sqrt().mean()
