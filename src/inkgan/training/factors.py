"""The factors that change from step to step: of learning rates, penalties and the average."""

import math
from dataclasses import dataclass

from inkgan.config import Penalties, Recipe


@dataclass(frozen=True)
class Factors:
    """The factors of one step.

    Attributes:
        learning_rate: on both learning rates.
        penalty_scale: on the penalties; None is a step without them.
        ema_weight: the share of the way that the averaged generator moves.
    """

    learning_rate: float
    penalty_scale: float | None
    ema_weight: float

    @property
    def numbers(self) -> tuple[float, float, float]:
        """All of them as numbers; a step without penalties has the factor 0."""
        return self.learning_rate, self.penalty_scale or 0.0, self.ema_weight


def factors_at(recipe: Recipe, step: int, last: int) -> Factors:
    """Return the factors of a step, counted from 0, of a run of `last` steps."""
    progress, size = step / last, recipe.schedule.images_per_step
    return Factors(
        cosine(progress, recipe.optim.final_factor),
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


def penalty_scale_at(penalties: Penalties, step: int, progress: float) -> float | None:
    """Return the factor on a step's penalties, or None where the step goes without.

    A penalty that comes every k-th step weighs k times as much (Karras et al. 2020, "Analyzing and
    improving", section 3.1).
    """
    if not penalties.any or step % penalties.interval:
        return None
    return penalties.interval * cosine(progress, penalties.final_factor)
