"""What changes over a run: learning rates and penalties, by the share of it that is done."""

import math

from inkgan.config import Penalties


def cosine(progress: float, final: float) -> float:
    """Return the factor at a share of the run in [0, 1]: from 1 down to `final`.

    Half a cosine (Loshchilov and Hutter 2017, equation 5, without restarts).
    """
    done = min(max(progress, 0.0), 1.0)
    return final + (1 - final) * (1 + math.cos(math.pi * done)) / 2


def penalty_scale(penalties: Penalties, step: int, progress: float) -> float | None:
    """Return the factor on a step's penalties, or None where the step goes without.

    A penalty that comes every k-th step weighs k times as much (Karras et al. 2020, "Analyzing and
    improving", section 3.1).
    """
    if not penalties.any or step % penalties.every:
        return None
    return penalties.every * cosine(progress, penalties.final)
