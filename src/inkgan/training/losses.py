"""Losses of the two players, per sample, from logits.

Each is a pair d(real_logits, fake_logits) -> (n,) and g(real_logits, fake_logits) -> (n,). The
caller takes the mean. D(x) below is the sigmoid of the logit where a paper speaks of a
probability; softplus keeps the logarithms exact for large logits.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from inkgan.config import LossName

PerSample = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Loss:
    """One row of the table.

    `g_reads_real` tells whether G's step must draw real images, `has_zero` whether a logit above 0
    means "real": a critic's outputs only compare.
    """

    d: PerSample
    g: PerSample
    source: str
    g_reads_real: bool = False
    has_zero: bool = True


def _cross_entropy_d(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    # -log D(x) - log(1 - D(G(z)))
    return F.softplus(-real) + F.softplus(fake)


def _minimax_g(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    # log(1 - D(G(z)))
    return -F.softplus(fake)


def _non_saturating_g(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    # -log D(G(z))
    return F.softplus(-fake)


def _least_squares_d(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    # 1/2 (D(x) - 1)^2 + 1/2 D(G(z))^2, on raw outputs
    return 0.5 * ((real - 1).square() + fake.square())


def _least_squares_g(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    # 1/2 (D(G(z)) - 1)^2
    return 0.5 * (fake - 1).square()


def _hinge_d(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    # max(0, 1 - D(x)) + max(0, 1 + D(G(z)))
    return F.relu(1 - real) + F.relu(1 + fake)


def _hinge_g(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    # -D(G(z))
    return -fake


def _wasserstein_d(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    # D(G(z)) - D(x)
    return fake - real


def _relativistic_d(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    # -log sigmoid(D(x) - D(G(z))), x and G(z) of one pair
    return F.softplus(fake - real)


def _relativistic_g(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    # -log sigmoid(D(G(z)) - D(x))
    return F.softplus(real - fake)


LOSSES: dict[LossName, Loss] = {
    "minimax": Loss(_cross_entropy_d, _minimax_g, "Goodfellow et al. 2014, equation 1"),
    "non-saturating": Loss(
        _cross_entropy_d, _non_saturating_g, "Goodfellow et al. 2014, section 3"
    ),
    "least-squares": Loss(
        _least_squares_d, _least_squares_g, "Mao et al. 2017, equation 9 (a=0, b=c=1)"
    ),
    "hinge": Loss(_hinge_d, _hinge_g, "Lim and Ye 2017; Miyato et al. 2018, equations 16 and 17"),
    "wasserstein": Loss(
        _wasserstein_d, _hinge_g, "Arjovsky et al. 2017, equations 2 and 3", has_zero=False
    ),
    "relativistic": Loss(
        _relativistic_d,
        _relativistic_g,
        "Jolicoeur-Martineau 2019; Huang et al. 2024, equation 2",
        g_reads_real=True,
        has_zero=False,
    ),
}
