"""The training loop: an iterator that yields a small event after each update."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from inkgan import rng
from inkgan.config import Recipe
from inkgan.data.batches import Batch, Batches
from inkgan.device import adapt_allocator
from inkgan.training.cuda_graph import CapturedSteps
from inkgan.training.factors import Factors, Number, factors_at, paired_share_at
from inkgan.training.latents import Latents
from inkgan.training.state import EmaUpdate, TrainState
from inkgan.training.step import train_step

StepFunction = Callable[[Batch, torch.Tensor, Number | None, bool], torch.Tensor]
WINDOW = 50  # steps averaged in one row of metrics


@dataclass(frozen=True)
class Update:
    """One step of both players; `metrics` are means over the last window, when one ends."""

    step: int
    images: int
    epoch: float
    metrics: dict[str, float] | None


def total_steps(recipe: Recipe, per_epoch: int) -> int:
    """Return the number of steps of a recipe, at `per_epoch` batches in an epoch."""
    steps = recipe.schedule.epochs * per_epoch
    if recipe.schedule.images is not None:
        steps = min(steps, -(-recipe.schedule.images // recipe.schedule.images_per_step))
    return steps


def train(
    recipe: Recipe, batches: Batches, state: TrainState, capture: bool = True
) -> Iterator[Update]:
    """Train from `state` to the end of the recipe, changing `state` in place.

    What step k does depends on the state before it and on the recipe alone, so it does not matter
    how often, or where, a run was interrupted.

    Args:
        recipe: what to train.
        batches: of the training images.
        state: the networks and everything else that changes.
        capture: on a CUDA device, replay the step as one graph.

    Yields:
        An `Update` after each step of both players.
    """
    adapt_allocator()
    last = total_steps(recipe, batches.per_epoch)
    device = batches.dataset.images.device
    latents = Latents(recipe, device, state.world.part)
    update_ema = EmaUpdate(state.ema, state.generator)
    state.generator.train()
    step: StepFunction = functools.partial(train_step, state, recipe)

    def plain() -> None:
        factors = factors_at(recipe, state, state.step, last).on(device)
        share = paired_share_at(recipe, state.step, last)
        run_step(recipe, batches, state, latents, step, factors, share)
        update_ema(factors.ema_weight)

    advance: Callable[[], None] = plain
    if capture and device.type == "cuda":
        advance = CapturedSteps(recipe, batches, state, latents, update_ema, last, plain)
    while state.step < last:
        advance()
        window_ends = state.step % WINDOW == 0 or state.step == last
        yield Update(
            step=state.step,
            images=state.step * batches.batch_size,
            epoch=state.step / batches.per_epoch,
            metrics=state.averager.compute() if window_ends else None,
        )


def run_step(
    recipe: Recipe,
    batches: Batches,
    state: TrainState,
    latents: Latents,
    step: StepFunction,
    factors: Factors,
    paired_share: float = 0.0,
) -> None:
    """Do the next step of both players, but for the average."""
    index = state.step
    batch = batches.at(index)
    z = latents.paired(latents.at(index), batch.coordinates, paired_share)
    state.set_learning_rates(factors.learning_rates)
    with (
        rng.scoped(recipe.seed, "dropout", index, device=batches.dataset.images.device),
        rng.batch_part(state.world.part),
    ):
        sampled = state.averager.samples_next
        metrics = step(batch, z, factors.penalty_scale, sampled)
    state.averager.update(metrics)
