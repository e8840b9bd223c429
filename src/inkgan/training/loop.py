"""The training loop: an iterator that yields a small event after each update."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from inkgan import rng
from inkgan.config import Recipe
from inkgan.data.batches import Batch, Batches
from inkgan.training.cuda_graph import CapturedStep
from inkgan.training.state import TrainState, cosine, ema_decay, penalty_scale_at, update_ema
from inkgan.training.step import train_step

Stepper = Callable[[Batch, torch.Tensor, float | None], torch.Tensor]
WINDOW = 50  # steps that one line of metrics averages


@dataclass(frozen=True)
class Update:
    """What has just happened; `metrics` are means, given when a window closes."""

    step: int
    images: int
    epoch: float
    metrics: dict[str, float] | None


def total_steps(recipe: Recipe, per_epoch: int) -> int:
    """Return the number of updates that a recipe asks for."""
    steps = recipe.schedule.epochs * per_epoch
    if recipe.schedule.images is not None:
        steps = min(steps, -(-recipe.schedule.images // recipe.schedule.images_per_step))
    return steps


def train(
    recipe: Recipe, batches: Batches, state: TrainState, capture: bool = True
) -> Iterator[Update]:
    """Train from where `state` stands to the recipe's end, changing `state` in place.

    On a CUDA device `capture` replays the step as one graph.

    What step k does depends on the state before it and on the recipe alone, so it does not matter
    how often, or where, a run was interrupted.
    """
    last = total_steps(recipe, batches.per_epoch)
    stepper: Stepper = lambda *inputs: train_step(state, recipe, *inputs)  # noqa: E731
    if capture and batches.dataset.images.device.type == "cuda":
        stepper = CapturedStep(state, recipe)
    while state.step < last:
        _advance(recipe, batches, state, stepper, state.step / last)
        closes = state.step % WINDOW == 0 or state.step == last
        yield Update(
            step=state.step,
            images=state.step * batches.batch_size,
            epoch=state.step / batches.per_epoch,
            metrics=state.tally.close() if closes else None,
        )


def _advance(
    recipe: Recipe, batches: Batches, state: TrainState, stepper: Stepper, progress: float
) -> None:
    step, size = state.step, batches.batch_size
    device = batches.dataset.images.device
    shape = (recipe.schedule.d_steps + 1, recipe.schedule.batch_size, recipe.model.latent_dim)
    latents = torch.randn(shape, generator=rng.generator(recipe.seed, "latent", step)).to(device)
    state.anneal(cosine(progress, recipe.optim.final_factor))
    penalty_scale = penalty_scale_at(recipe.objective.penalties, step, progress)
    state.generator.train()
    with rng.scoped(recipe.seed, "dropout", step, device=device):
        metrics = stepper(batches.at(step), latents, penalty_scale)
    state.tally.add(metrics)
    decay = ema_decay(state.step * size, size, recipe.schedule.ema_half_life)
    update_ema(state.ema, state.generator, decay)
