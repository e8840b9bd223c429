"""The factors that change from step to step: learning rates, those of penalties and the average."""

import math
from dataclasses import dataclass

import torch

from inkgan.config import Penalties, Recipe
from inkgan.training.state import TrainState

Number = float | torch.Tensor  # a tensor without axes


@dataclass(frozen=True)
class Factors:
    """The factors of one step.

    Attributes:
        learning_rates: of the generator and of the discriminator.
        penalty_scale: on the penalties; None is a step without them.
        ema_weight: the share of the way that the averaged generator moves.
    """

    learning_rates: tuple[Number, Number]
    penalty_scale: Number | None
    ema_weight: Number

    @property
    def numbers(self) -> tuple[Number, ...]:
        """All of them; a step without penalties has the factor 0."""
        scale = 0.0 if self.penalty_scale is None else self.penalty_scale
        return *self.learning_rates, scale, self.ema_weight

    @classmethod
    def of_numbers(cls, numbers: torch.Tensor, penalized: bool) -> "Factors":
        """Return the factors of `numbers` (4,), as tensors."""
        g_rate, d_rate, scale, weight = numbers.unbind()
        return cls((g_rate, d_rate), scale if penalized else None, weight)

    def on(self, device: torch.device) -> "Factors":
        """Return them as a device computes with them: tensors on CUDA, for the same rounding."""
        if device.type != "cuda":
            return self
        numbers = torch.tensor(self.numbers, device=device)
        return self.of_numbers(numbers, self.penalty_scale is not None)


def factors_at(recipe: Recipe, state: TrainState, step: int, last: int) -> Factors:
    """Return the factors of a step, counted from 0, of a run of `last` steps."""
    progress, size = step / last, recipe.schedule.images_per_step
    return Factors(
        state.scaled_rates(cosine(progress, recipe.optim.final_factor)),
        penalty_scale_at(recipe.objective.penalties, step, progress),
        1 - ema_decay((step + 1) * size, size, recipe.schedule.ema_half_life),
    )


RAMP = 0.05  # early on the half-life is 5 % of the images seen (Karras et al. 2020, ADA, app. C)


def ema_decay(images_seen: int, batch_size: int, half_life: int) -> float:
    """Return the share of the old average that one batch leaves; 0 copies the raw weights."""
    effective = min(half_life, images_seen * RAMP)
    return float(0.5 ** (batch_size / effective)) if effective > 0 else 0.0


def cosine(progress: float, final: float) -> float:
    """Return the factor at a share of the run in [0, 1]: from 1 down to `final`.

    Half a cosine (Loshchilov and Hutter 2017, equation 5, without restarts).
    """
    done = min(max(progress, 0.0), 1.0)
    return final + (1 - final) * (1 + math.cos(math.pi * done)) / 2


def paired_share_at(recipe: Recipe, step: int, last: int) -> float:
    """Return the share of a step's generated images that get the coordinates of a real one."""
    return recipe.objective.paired_share * cosine(step / last, 0.0)


def penalty_scale_at(penalties: Penalties, step: int, progress: float) -> float | None:
    """Return the factor on a step's penalties, or None where the step goes without.

    A penalty that comes every k-th step weighs k times as much (Karras et al. 2020, "Analyzing and
    improving", section 3.1).
    """
    if not penalties.any or step % penalties.interval:
        return None
    return penalties.interval * cosine(progress, penalties.final_factor)
