"""The updates of both players: the only file of training that calls backward."""

from contextlib import AbstractContextManager

import torch
import torch.nn.functional as F
from torch import nn

from inkgan.config import Objective, Recipe
from inkgan.data.batches import Batch
from inkgan.models.conditioning import Discriminator, DiscriminatorOutput
from inkgan.training.diffaug import apply_augmentations
from inkgan.training.losses import LOSSES
from inkgan.training.penalties import inconsistency, weighted_penalties
from inkgan.training.state import TrainState

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


def train_step(
    state: TrainState,
    recipe: Recipe,
    real: Batch,
    latents: torch.Tensor,
    penalty_scale: float | torch.Tensor | None = 1.0,
) -> torch.Tensor:
    """Update the discriminator, then the generator; return the metrics, ordered as METRICS.

    `real` holds a batch for each update of the discriminator, `latents` (updates + 1, n,
    latent_dim) a fresh batch of noise for each of them and for the generator. `penalty_scale` is
    the factor on the recipe's penalties, None a step without them; d_loss is the loss alone. The
    pixel standard deviations are those of the images before any augmentation.
    """
    parts = [Batch(*part) for part in zip(*(t.chunk(len(latents) - 1) for t in real), strict=True)]
    for part, z in zip(parts, latents, strict=False):
        d_loss, d_accuracy = _update_discriminator(state, recipe, part, z, penalty_scale)
    d_norm = _grad_norm(state.discriminator)
    g_loss, fakes = _update_generator(state, recipe, parts[-1], latents[-1])
    g_norm = _grad_norm(state.generator)
    state.step += 1
    labels, classes = parts[-1].labels, recipe.model.classes
    deviations = torch.stack([pixel_std(i, labels, classes) for i in (parts[-1].images, fakes)])
    return torch.cat(
        [torch.stack([d_loss, g_loss]), d_accuracy, torch.stack([d_norm, g_norm]), deviations]
    )


def _update_discriminator(
    state: TrainState,
    recipe: Recipe,
    real: Batch,
    z: torch.Tensor,
    penalty_scale: float | torch.Tensor | None,
) -> tuple[torch.Tensor, torch.Tensor]:
    objective = recipe.objective
    with _autocast(recipe, real.images.device):
        with torch.no_grad():  # the generator learns nothing here, so no graph through it
            fakes = state.generator(z, real.labels).to(real.images.dtype)
            fakes = apply_augmentations(fakes, objective.augment)
        real = real._replace(images=apply_augmentations(real.images, objective.augment))
        of_real, of_fakes = _read_both(state.discriminator, real, fakes)
        value = LOSSES[objective.loss].d(of_real.logits, of_fakes.logits).mean()
        total = value + _heads_loss(of_real, real.labels, real.styles, objective)
        if of_fakes.classes is not None:
            total = total + _heads_loss(of_fakes._replace(style=None), real.labels, None, objective)
        if penalty_scale is not None:
            for weight, penalty in weighted_penalties(objective.penalties):
                each = penalty(state.discriminator, real.images, fakes, real.labels)
                total = total + penalty_scale * weight * each.mean()
        if objective.consistency:
            for images, output in ((real.images, of_real), (fakes, of_fakes)):
                moved = inconsistency(state.discriminator, images, real.labels, output.logits)
                total = total + objective.consistency * moved.mean()
    state.d_optimizer.zero_grad(set_to_none=True)
    total.backward()
    state.d_optimizer.step()
    if objective.weight_clip is not None:
        _clip_weights(state.discriminator, objective.weight_clip)
    return value.detach(), _accuracy(of_real.logits.detach(), of_fakes.logits.detach(), objective)


def _update_generator(
    state: TrainState, recipe: Recipe, real: Batch, z: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    objective, loss = recipe.objective, LOSSES[recipe.objective.loss]
    state.discriminator.requires_grad_(False)  # the gradient goes through it, not into it
    with _autocast(recipe, real.images.device):
        fakes = state.generator(z, real.labels).to(real.images.dtype)
        augmented = apply_augmentations(fakes, objective.augment)
        of_fakes = _to_float32(state.discriminator.outputs(augmented, real.labels))
        real_logits = of_fakes.logits.detach()
        if loss.g_reads_real:
            augmented = apply_augmentations(real.images, objective.augment)
            real_logits = state.discriminator(augmented, real.labels).to(fakes.dtype)
        value = loss.g(real_logits, of_fakes.logits).mean()
        requested = z[:, : real.styles.shape[1]]
        total = value + _heads_loss(of_fakes, real.labels, requested, objective)
    state.discriminator.requires_grad_(True)
    state.g_optimizer.zero_grad(set_to_none=True)
    total.backward()
    state.g_optimizer.step()
    return value.detach(), fakes.detach()


def _autocast(recipe: Recipe, device: torch.device) -> AbstractContextManager[None]:
    """Compute products and convolutions in the recipe's precision."""
    halved = recipe.optim.precision == "bfloat16"
    return torch.autocast(device.type, torch.bfloat16, enabled=halved)


def _heads_loss(
    output: DiscriminatorOutput,
    labels: torch.Tensor,
    styles: torch.Tensor | None,
    objective: Objective,
) -> torch.Tensor:
    """Sum the losses of the heads beside the logit, where there are any.

    The class by cross-entropy (Odena et al. 2017, section 3), the style by squared error, which is
    the fixed-variance Gaussian of InfoGAN (Chen et al. 2016, section 5) with known targets.
    """
    total = output.logits.new_zeros(())
    if output.classes is not None:
        total = total + objective.aux_weight * F.cross_entropy(output.classes, labels)
    if output.style is not None and styles is not None:
        total = total + objective.style_weight * F.mse_loss(output.style, styles)
    return total


def _read_both(
    discriminator: Discriminator, real: Batch, fakes: torch.Tensor
) -> tuple[DiscriminatorOutput, DiscriminatorOutput]:
    """Return the discriminator's outputs for real and for generated images.

    One pass over both is quicker than two. With batch normalisation it would be another network:
    real and generated images are normalized apart (Radford et al. 2016, as all who followed).
    """
    if any(isinstance(module, BATCH_NORMS) for module in discriminator.modules()):
        outputs = [discriminator.outputs(i, real.labels) for i in (real.images, fakes)]
        return _to_float32(outputs[0]), _to_float32(outputs[1])
    images, labels = torch.cat([real.images, fakes]), torch.cat([real.labels, real.labels])
    both = _to_float32(discriminator.outputs(images, labels))
    halves = [(None, None) if part is None else part.chunk(2) for part in both]
    of_real, of_fakes = (DiscriminatorOutput(*parts) for parts in zip(*halves, strict=True))
    return of_real, of_fakes


def _to_float32(output: DiscriminatorOutput) -> DiscriminatorOutput:
    """Return outputs in float32 at least: differences of bfloat16 logits would be rounded away."""
    wide = (p.float() if p is not None and p.dtype == torch.bfloat16 else p for p in output)
    return DiscriminatorOutput(*wide)  # type: ignore[arg-type]


def _accuracy(real: torch.Tensor, fakes: torch.Tensor, objective: Objective) -> torch.Tensor:
    """Return the shares of real and of generated images that are classified right (2,).

    Without a threshold an image is compared with the mean of the other kind.
    """
    threshold = LOSSES[objective.loss].threshold
    for_real, for_fakes = (
        (fakes.mean(), real.mean()) if threshold is None else (threshold, threshold)
    )
    return torch.stack([(real > for_real).float().mean(), (fakes < for_fakes).float().mean()])


@torch.no_grad()
def _clip_weights(network: nn.Module, limit: float) -> None:
    """Clamp all weights, the crude way to bound a critic's slope (Arjovsky et al. 2017)."""
    for parameter in network.parameters():
        parameter.clamp_(-limit, limit)


def _grad_norm(network: nn.Module) -> torch.Tensor:
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    return torch.nn.utils.get_total_norm(gradients)


def pixel_std(images: torch.Tensor, labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Return the standard deviation of a pixel over images (n, C, H, W), averaged over all pixels.

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
