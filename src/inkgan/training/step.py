"""The updates of both players: the only file of training that calls backward."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from inkgan import rng
from inkgan.config import Objective, Recipe
from inkgan.data.batches import Batch
from inkgan.models.conditioning import Discriminator, DiscriminatorOutput
from inkgan.training.diffaug import apply_augmentations
from inkgan.training.distributed import ALONE, World
from inkgan.training.losses import BUILT_IN, LOSSES, PerSample
from inkgan.training.penalties import inconsistency, weighted_penalties
from inkgan.training.state import TrainState


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
    sampled: bool = True,
) -> torch.Tensor:
    """Update both players by the recipe's update scheme; return the metrics, ordered as METRICS.

    Several processes (`state.world`) each get their part of the batch and the latents. Losses are
    means over the part, gradients are averaged over the processes, and metrics are those of the
    whole batch.

    Args:
        state: the networks and optimizers, changed in place.
        recipe: losses, penalties and `optim.update_scheme`.
        real: a batch for each update of the discriminator, one behind the other.
        latents: noise (`num_latent_batches(recipe)`, n, latent_dim): a batch for each update of
            the discriminator, then one for the generator if it draws fresh fakes.
        penalty_scale: factor on the recipe's penalties; None is a step without them.
        sampled: compute the SAMPLED_METRICS too, which read all gradients and all pixels.

    Returns:
        Without `sampled` the STEP_METRICS alone. d_loss is the adversarial loss alone.
        The pixel standard deviations are those of the images before any augmentation.
    """
    parts = [
        Batch(*part) for part in zip(*(t.chunk(recipe.schedule.d_steps) for t in real), strict=True)
    ]
    if recipe.optim.update_scheme == "simultaneous":
        metrics = _update_together(state, recipe, parts[0], latents[0], penalty_scale, sampled)
    else:
        metrics = _update_in_turn(state, recipe, parts, latents, penalty_scale, sampled)
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
    sampled: bool,
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
        state.world.average_gradients(state.discriminator.parameters())
        d_norm = _step_discriminator(state, recipe, sampled and part is parts[-1])
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
    state.world.average_gradients(state.generator.parameters())
    g_norm = _step(state.g_optimizer, state.generator, recipe, sampled)
    return _metrics(state, recipe, part, fakes, of_d, g_value, (d_norm, g_norm))


def _update_together(
    state: TrainState,
    recipe: Recipe,
    real: Batch,
    z: torch.Tensor,
    penalty_scale: float | torch.Tensor | None,
    sampled: bool,
) -> torch.Tensor:
    """Take both gradients from one forward pass of one batch of fakes, then update both players.

    The TensorFlow DCGAN tutorial's train_step: both losses are computed with the weights from
    before the step.
    """
    objective, loss = recipe.objective, LOSSES[recipe.objective.loss]
    fakes = _generate(state, recipe, real, z)
    with _autocast(recipe, real.images.device):
        of_d = _discriminator_losses(state, recipe, real, fakes, penalty_scale)
        logits = of_d.real.logits.detach(), of_d.fakes.logits
        g_value = _mean_loss(loss.g, *logits, objective, state.world)
        requested = z[:, : real.coordinates.shape[1]]
        g_total = g_value + _heads_loss(of_d.fakes, real.labels, requested, recipe)
    state.d_optimizer.zero_grad(set_to_none=True)
    state.g_optimizer.zero_grad(set_to_none=True)
    of_d.total.backward(inputs=list(state.discriminator.parameters()), retain_graph=True)
    g_total.backward(inputs=list(state.generator.parameters()))
    for network in (state.discriminator, state.generator):
        state.world.average_gradients(network.parameters())
    d_norm = _step_discriminator(state, recipe, sampled)
    g_norm = _step(state.g_optimizer, state.generator, recipe, sampled)
    return _metrics(state, recipe, real, fakes, of_d, g_value, (d_norm, g_norm))


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
    # a gradient of the generator's would otherwise go through the real images too, for nothing
    apart = fakes.requires_grad or state.normalizes_batches
    of_real, of_fakes = _read_both(state.discriminator, real, fakes, apart)
    logits = of_real.logits, of_fakes.logits
    value = _mean_loss(LOSSES[objective.loss].d, *logits, objective, state.world)
    total = value + _heads_loss(of_real, real.labels, real.coordinates, recipe)
    if of_fakes.classes is not None:
        total = total + _heads_loss(of_fakes._replace(style=None), real.labels, None, recipe)
    if penalty_scale is not None:
        for weight, penalty in weighted_penalties(objective.penalties, state.world):
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
    value = _mean_loss(loss.g, real_logits, of_fakes.logits, objective, state.world)
    requested = z[:, : real.coordinates.shape[1]]
    return value, value + _heads_loss(of_fakes, real.labels, requested, recipe)


def _mean_loss(
    loss: PerSample, real: torch.Tensor, fakes: torch.Tensor, objective: Objective, world: World
) -> torch.Tensor:
    """Return the mean loss of this process's samples.

    A loss of one's own may compare a logit with all others, so it gets those of all processes.
    """
    if world.size == 1 or objective.loss in BUILT_IN:
        return loss(real, fakes).mean()
    return world.part.of(loss(world.gather(real), world.gather(fakes))).mean()


def _step(
    optimizer: torch.optim.Optimizer, network: nn.Module, recipe: Recipe, measured: bool
) -> torch.Tensor | None:
    """Update a player; return the norm of its gradient before any clipping, if `measured`."""
    limit = recipe.optim.max_grad_norm
    norm = _grad_norm(network) if measured or limit is not None else None
    if limit is not None and norm is not None:
        torch.nn.utils.clip_grads_with_norm_(network.parameters(), limit, norm)
    optimizer.step()
    return norm if measured else None


def _step_discriminator(state: TrainState, recipe: Recipe, measured: bool) -> torch.Tensor | None:
    norm = _step(state.d_optimizer, state.discriminator, recipe, measured)
    if recipe.objective.weight_clip is not None:
        _clip_weights(state.discriminator, recipe.objective.weight_clip)
    return norm


def _metrics(
    state: TrainState,
    recipe: Recipe,
    real: Batch,
    fakes: torch.Tensor,
    of_d: _Losses,
    g_value: torch.Tensor,
    norms: tuple[torch.Tensor | None, torch.Tensor | None],
) -> torch.Tensor:
    """Return the metrics; without the `norms` of both gradients the STEP_METRICS alone."""
    logits = of_d.real.logits.detach(), of_d.fakes.logits.detach()
    accuracy = _accuracy(*logits, recipe.objective, state.world)
    values = torch.stack([of_d.value.detach(), g_value.detach()])
    values, accuracy = state.world.mean_each(values, accuracy)
    d_norm, g_norm = norms
    if d_norm is None or g_norm is None:
        return torch.cat([values, accuracy])
    pair, classes = (real.images, fakes.detach()), recipe.model.classes
    deviations = torch.stack(pixel_stds(pair, real.labels, classes, state.world))
    return torch.cat([values, accuracy, torch.stack([d_norm, g_norm]), deviations])


def _autocast(recipe: Recipe, device: torch.device) -> AbstractContextManager[None]:
    """Compute products and convolutions in the recipe's precision."""
    if recipe.optim.precision == "bfloat16":
        return torch.autocast(device.type, torch.bfloat16)
    if torch.is_autocast_enabled(device.type):  # by the caller
        return torch.autocast(device.type, enabled=False)
    return nullcontext()


def _heads_loss(
    output: DiscriminatorOutput,
    labels: torch.Tensor,
    coordinates: torch.Tensor | None,
    recipe: Recipe,
) -> torch.Tensor:
    """Sum the losses of the heads beside the logit, where there are any.

    The class by cross-entropy (Odena et al. 2017, section 3), the style and the shape by squared
    error, the fixed-variance Gaussian of InfoGAN (Chen et al. 2016, section 5) with known targets.
    """
    total, objective = output.logits.new_zeros(()), recipe.objective
    if output.classes is not None:
        total = total + objective.aux_weight * F.cross_entropy(output.classes, labels)
    if output.style is not None and coordinates is not None:
        errors = (output.style - coordinates).square().mean(dim=0)
        styles = len(recipe.model.style_measures)
        for part, weight in (
            (errors[:styles], objective.style_weight),
            (errors[styles:], objective.code_weight),
        ):
            if len(part):
                total = total + weight * part.mean()
    return total


def _read_both(
    discriminator: Discriminator, real: Batch, fakes: torch.Tensor, apart: bool
) -> tuple[DiscriminatorOutput, DiscriminatorOutput]:
    """Return the discriminator's outputs for real and for generated images.

    One pass over both is quicker than two, unless `apart`.
    """
    if apart:
        outputs = [discriminator.outputs(i, real.labels) for i in (real.images, fakes)]
        return _to_float32(outputs[0]), _to_float32(outputs[1])
    images, labels = torch.cat([real.images, fakes]), torch.cat([real.labels, real.labels])
    with rng.concatenated(2):
        both = _to_float32(discriminator.outputs(images, labels))
    halves = [(None, None) if part is None else part.chunk(2) for part in both]
    of_real, of_fakes = (DiscriminatorOutput(*parts) for parts in zip(*halves, strict=True))
    return of_real, of_fakes


def _to_float32(output: DiscriminatorOutput) -> DiscriminatorOutput:
    """Return outputs in float32 at least: differences of bfloat16 logits would be rounded away."""
    wide = (p.float() if p is not None and p.dtype == torch.bfloat16 else p for p in output)
    return DiscriminatorOutput(*wide)  # type: ignore[arg-type]


def _accuracy(
    real: torch.Tensor, fakes: torch.Tensor, objective: Objective, world: World
) -> torch.Tensor:
    """Return the shares of real and of generated images that are classified right (2,).

    Without a threshold an image is compared with the mean of the other kind.
    """
    threshold = LOSSES[objective.loss].threshold
    for_real: float | torch.Tensor
    for_fakes: float | torch.Tensor
    if threshold is None:
        for_real, for_fakes = world.mean_each(fakes.mean(), real.mean())
    else:
        for_real = for_fakes = threshold
    return torch.stack([real > for_real, fakes < for_fakes]).float().mean(dim=1)


@torch.no_grad()
def _clip_weights(network: nn.Module, limit: float) -> None:
    """Clamp all weights, the crude way to bound a critic's slope (Arjovsky et al. 2017)."""
    for parameter in network.parameters():
        parameter.clamp_(-limit, limit)


def _grad_norm(network: nn.Module) -> torch.Tensor:
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    return torch.nn.utils.get_total_norm(gradients)


def pixel_stds(
    sets: Sequence[torch.Tensor],
    labels: torch.Tensor,
    classes: int,
    world: World = ALONE,
) -> list[torch.Tensor]:
    """Return the standard deviation of a pixel over images, averaged over all pixels.

    With classes it is that around the mean of the image's own class: a generator that draws one
    image a class varies over the batch as real images do, and not at all within a class.

    Args:
        sets: images (n, C, H, W) each.
        labels: of the images of each set (n,).
        classes: their number; 0 ignores the labels.
        world: the processes that have the other images.

    Returns:
        A number for each set.
    """
    flat = [images.flatten(1) for images in sets]
    size = len(flat[0]) * world.size
    if not classes:
        # E[x^2] - E[x]^2, in two passes; pixels lie in [-1, 1], so nothing cancels badly
        moments = [m for p in flat for m in (p.square().mean(dim=0), p.mean(dim=0))]
        moments = list(world.mean_each(*moments))
        variances = [a - b.square() for a, b in zip(moments[::2], moments[1::2], strict=True)]
        return [v.clamp(min=0).mul(size / (size - 1)).sqrt().mean() for v in variances]
    belongs = F.one_hot(labels, classes).to(flat[0].dtype)
    counts, *sums = world.sum_each(belongs.sum(dim=0), *(belongs.t() @ p for p in flat))
    means = [total / counts.clamp(min=1)[:, None] for total in sums]
    squares = [(p - m[labels]).square().sum(dim=0) for p, m in zip(flat, means, strict=True)]
    present = (counts > 0).sum()
    return [(s / (size - present).clamp(min=1)).sqrt().mean() for s in world.sum_each(*squares)]
