"""Losses of the two players, per sample, from logits.

Each is a pair d(real_logits, fake_logits) -> (n,) and g(real_logits, fake_logits) -> (n,). The
caller takes the mean. D(x) below is the sigmoid of the logit where a paper speaks of a
probability; softplus keeps the logarithms exact for large logits.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from inkgan.config import names

PerSample = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Loss:
    """A pair of losses, one per player.

    Attributes:
        d: of the discriminator; (real_logits, fake_logits), each (n,), to (n,).
        g: of the generator; the same arguments, to (n,).
        threshold: a logit above it means "real". It decides the accuracies that a run reports. None
            is for losses whose logits only compare, such as a critic's: a real image is then
            compared with the mean of the generated ones, and the other way round.
        g_reads_real: whether `g` uses the real logits; otherwise they are not computed for it.
        source: the paper and equation.
    """

    d: PerSample
    g: PerSample
    threshold: float | None = 0.0
    g_reads_real: bool = False
    source: str = ""


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


LOSSES: dict[str, Loss] = {
    "minimax": Loss(_cross_entropy_d, _minimax_g, source="Goodfellow et al. 2014, equation 1"),
    "non-saturating": Loss(
        _cross_entropy_d, _non_saturating_g, source="Goodfellow et al. 2014, section 3"
    ),
    "least-squares": Loss(
        _least_squares_d,
        _least_squares_g,
        threshold=0.5,  # halfway between the targets
        source="Mao et al. 2017, equation 9 (a=0, b=c=1)",
    ),
    "hinge": Loss(
        _hinge_d, _hinge_g, source="Lim and Ye 2017; Miyato et al. 2018, equations 16 and 17"
    ),
    "wasserstein": Loss(
        _wasserstein_d, _hinge_g, threshold=None, source="Arjovsky et al. 2017, equations 2 and 3"
    ),
    "relativistic": Loss(
        _relativistic_d,
        _relativistic_g,
        threshold=None,
        g_reads_real=True,
        source="Jolicoeur-Martineau 2019; Huang et al. 2024, equation 2",
    ),
}

BUILT_IN = frozenset(LOSSES)  # these read a sample's logits alone, or those of one pair


def register_loss(name: str, loss: Loss) -> None:
    """Make a loss available to recipes, as `objective.loss`.

    Register it in every process that trains with it, before the recipe is made.

    Args:
        name: letters, digits, - and _; not a built-in one. Registering a name again replaces it.
        loss: the losses of both players and the decision threshold.

    Raises:
        ConfigError: the name cannot be used.

    Examples:
        >>> square = Loss(d=lambda real, fake: (real - 1) ** 2 + fake**2,
        ...               g=lambda real, fake: (fake - 1) ** 2, threshold=0.5)
        >>> inkgan.register_loss("square", square)
        >>> inkgan.train("dcgan", out="runs/square", overrides={"objective.loss": "square"})
    """
    names.LOSSES.add(name)
    LOSSES[name] = loss
