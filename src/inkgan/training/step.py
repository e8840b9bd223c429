"""The updates of both players: the only file of training that calls backward."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

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


@dataclass(frozen=True)
class _Losses:
    """What one player minimizes.

    Attributes:
        value: the adversarial loss alone, which is reported.
        total: with penalties, consistency and the heads' losses; what is differentiated.
        real: the discriminator's outputs for real images.
        fakes: its outputs for generated images.
    """

    value: torch.Tensor
    total: torch.Tensor
    real: DiscriminatorOutput
    fakes: DiscriminatorOutput


def train_step(
    state: TrainState,
    recipe: Recipe,
    real: Batch,
    latents: torch.Tensor,
    penalty_scale: float | torch.Tensor | None = 1.0,
) -> torch.Tensor:
    """Update both players by the recipe's update scheme; return the metrics, ordered as METRICS.

    Args:
        state: the networks and optimizers, changed in place.
        recipe: losses, penalties and `optim.update_scheme`.
        real: a batch for each update of the discriminator, one behind the other.
        latents: noise (`num_latent_batches(recipe)`, n, latent_dim): a batch for each update of
            the discriminator, then one for the generator if it draws fresh fakes.
        penalty_scale: factor on the recipe's penalties; None is a step without them.

    Returns:
        d_loss is the adversarial loss alone. The pixel standard deviations are those of the images
        before any augmentation.
    """
    parts = [
        Batch(*part) for part in zip(*(t.chunk(recipe.schedule.d_steps) for t in real), strict=True)
    ]
    if recipe.optim.update_scheme == "simultaneous":
        metrics = _update_together(state, recipe, parts[0], latents[0], penalty_scale)
    else:
        metrics = _update_in_turn(state, recipe, parts, latents, penalty_scale)
    state.step += 1
    return metrics


def num_latent_batches(recipe: Recipe) -> int:
    """Return how many batches of noise one step takes."""
    return recipe.schedule.d_steps + (recipe.optim.update_scheme == "fresh")


def _update_in_turn(
    state: TrainState,
    recipe: Recipe,
    parts: list[Batch],
    latents: torch.Tensor,
    penalty_scale: float | torch.Tensor | None,
) -> torch.Tensor:
    """Update the discriminator, then the generator through the updated discriminator.

    The generator draws a fresh batch of fakes (Goodfellow et al. 2014, algorithm 1), or the last
    fakes of the discriminator's update are used again (`reused`, as most notebooks do).
    """
    reused = recipe.optim.update_scheme == "reused"
    for part, z in zip(parts, latents, strict=False):
        # without reuse the generator learns nothing from these fakes, so no graph through it
        with torch.set_grad_enabled(reused and part is parts[-1]):
            fakes = _generate(state, recipe, part, z)
        with _autocast(recipe, part.images.device):
            of_d = _discriminator_losses(state, recipe, part, fakes.detach(), penalty_scale)
        state.d_optimizer.zero_grad(set_to_none=True)
        of_d.total.backward()
        _step_discriminator(state, recipe)
    d_norm = _grad_norm(state.discriminator)
    part = parts[-1]
    if not reused:
        z = latents[-1]
        fakes = _generate(state, recipe, part, z)
    state.discriminator.requires_grad_(False)  # the gradient goes through it, not into it
    with _autocast(recipe, part.images.device):
        g_value, g_total = _generator_losses(state, recipe, part, z, fakes)
    state.discriminator.requires_grad_(True)
    state.g_optimizer.zero_grad(set_to_none=True)
    g_total.backward()
    state.g_optimizer.step()
    return _metrics(state, recipe, part, fakes, of_d, g_value, d_norm)


def _update_together(
    state: TrainState,
    recipe: Recipe,
    real: Batch,
    z: torch.Tensor,
    penalty_scale: float | torch.Tensor | None,
) -> torch.Tensor:
    """Take both gradients from one forward pass of one batch of fakes, then update both players.

    The TensorFlow DCGAN tutorial's train_step: both losses are computed with the weights from
    before the step.
    """
    objective, loss = recipe.objective, LOSSES[recipe.objective.loss]
    fakes = _generate(state, recipe, real, z)
    with _autocast(recipe, real.images.device):
        of_d = _discriminator_losses(state, recipe, real, fakes, penalty_scale)
        g_value = loss.g(of_d.real.logits.detach(), of_d.fakes.logits).mean()
        requested = z[:, : real.styles.shape[1]]
        g_total = g_value + _heads_loss(of_d.fakes, real.labels, requested, objective)
    state.d_optimizer.zero_grad(set_to_none=True)
    state.g_optimizer.zero_grad(set_to_none=True)
    of_d.total.backward(inputs=list(state.discriminator.parameters()), retain_graph=True)
    g_total.backward(inputs=list(state.generator.parameters()))
    d_norm = _grad_norm(state.discriminator)
    _step_discriminator(state, recipe)
    state.g_optimizer.step()
    return _metrics(state, recipe, real, fakes, of_d, g_value, d_norm)


def _generate(state: TrainState, recipe: Recipe, real: Batch, z: torch.Tensor) -> torch.Tensor:
    with _autocast(recipe, real.images.device):
        fakes: torch.Tensor = state.generator(z, real.labels)
    return fakes.to(real.images.dtype)


def _discriminator_losses(
    state: TrainState,
    recipe: Recipe,
    real: Batch,
    fakes: torch.Tensor,
    penalty_scale: float | torch.Tensor | None,
) -> _Losses:
    objective = recipe.objective
    fakes = apply_augmentations(fakes, objective.augment)
    real = real._replace(images=apply_augmentations(real.images, objective.augment))
    of_real, of_fakes = _read_both(state.discriminator, real, fakes)
    value = LOSSES[objective.loss].d(of_real.logits, of_fakes.logits).mean()
    total = value + _heads_loss(of_real, real.labels, real.styles, objective)
    if of_fakes.classes is not None:
        total = total + _heads_loss(of_fakes._replace(style=None), real.labels, None, objective)
    if penalty_scale is not None:
        for weight, penalty in weighted_penalties(objective.penalties):
            each = penalty(state.discriminator, real.images, fakes.detach(), real.labels)
            total = total + penalty_scale * weight * each.mean()
    if objective.consistency:
        for images, output in ((real.images, of_real), (fakes.detach(), of_fakes)):
            moved = inconsistency(state.discriminator, images, real.labels, output.logits)
            total = total + objective.consistency * moved.mean()
    return _Losses(value, total, of_real, of_fakes)


def _generator_losses(
    state: TrainState, recipe: Recipe, real: Batch, z: torch.Tensor, fakes: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the adversarial loss, and with it the losses of the discriminator's other heads."""
    objective, loss = recipe.objective, LOSSES[recipe.objective.loss]
    augmented = apply_augmentations(fakes, objective.augment)
    of_fakes = _to_float32(state.discriminator.outputs(augmented, real.labels))
    real_logits = of_fakes.logits.detach()
    if loss.g_reads_real:
        augmented = apply_augmentations(real.images, objective.augment)
        real_logits = state.discriminator(augmented, real.labels).to(fakes.dtype)
    value = loss.g(real_logits, of_fakes.logits).mean()
    requested = z[:, : real.styles.shape[1]]
    return value, value + _heads_loss(of_fakes, real.labels, requested, objective)


def _step_discriminator(state: TrainState, recipe: Recipe) -> None:
    state.d_optimizer.step()
    if recipe.objective.weight_clip is not None:
        _clip_weights(state.discriminator, recipe.objective.weight_clip)


def _metrics(
    state: TrainState,
    recipe: Recipe,
    real: Batch,
    fakes: torch.Tensor,
    of_d: _Losses,
    g_value: torch.Tensor,
    d_norm: torch.Tensor,
) -> torch.Tensor:
    logits = of_d.real.logits.detach(), of_d.fakes.logits.detach()
    accuracy = _accuracy(*logits, recipe.objective)
    g_norm = _grad_norm(state.generator)
    deviations = torch.stack(
        [
            pixel_std(images, real.labels, recipe.model.classes)
            for images in (real.images, fakes.detach())
        ]
    )
    values = torch.stack([of_d.value.detach(), g_value.detach()])
    return torch.cat([values, accuracy, torch.stack([d_norm, g_norm]), deviations])


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

    One pass over both is quicker than two. With batch normalization it would be another network:
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
