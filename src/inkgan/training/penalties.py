"""Penalties on the discriminator's gradient with respect to its images, per sample.

Each is a function of (discriminator, real, fakes, labels) -> (n,), differentiable in the
discriminator's weights; the caller weighs and averages. D below is the logit.
"""

import functools
from collections.abc import Callable, Iterator

import torch

from inkgan import rng
from inkgan.config import Penalties, names
from inkgan.models.second_order import second_order
from inkgan.training.diffaug import shift
from inkgan.training.distributed import ALONE, World

Critic = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
Penalty = Callable[[Critic, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


def squared_gradients(
    discriminator: Critic, images: torch.Tensor, labels: torch.Tensor
) -> torch.Tensor:
    """Return |grad_x D(x)|^2 of each image, (n,)."""
    watched = images.detach().requires_grad_(True)
    with second_order():
        logits = discriminator(watched, labels)
        (gradient,) = torch.autograd.grad(logits.sum(), watched, create_graph=True)
    return gradient.flatten(1).square().sum(dim=1)


def _r1(d: Critic, real: torch.Tensor, fakes: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    # 1/2 |grad D(x)|^2, x real
    return 0.5 * squared_gradients(d, real, labels)


def _r2(d: Critic, real: torch.Tensor, fakes: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    # 1/2 |grad D(G(z))|^2
    return 0.5 * squared_gradients(d, fakes, labels)


def _wgan_gp(
    d: Critic, real: torch.Tensor, fakes: torch.Tensor, labels: torch.Tensor
) -> torch.Tensor:
    # (|grad D(x)| - 1)^2, x = e real + (1 - e) fake, e ~ U[0, 1] for each pair
    share = rng.for_batch(
        len(real), lambda n: torch.rand(n, 1, 1, 1, dtype=real.dtype, device=real.device)
    )
    between = share * real + (1 - share) * fakes
    return (_norms(d, between, labels) - 1).square()


def _dragan(
    d: Critic,
    real: torch.Tensor,
    fakes: torch.Tensor,
    labels: torch.Tensor,
    world: World = ALONE,
) -> torch.Tensor:
    # (|grad D(x)| - 1)^2, x = real + 1/2 std(real) u, u ~ U[0, 1] for each pixel
    noise = rng.for_batch(
        len(real), lambda n: torch.rand_like(torch.cat([real] * (n // len(real))))
    )
    around = real + 0.5 * world.gather(real).std() * noise
    return (_norms(d, around, labels) - 1).square()


def _norms(d: Critic, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    # the square root has no derivative at 0, where a fresh critic may stand
    return (squared_gradients(d, images, labels) + 1e-12).sqrt()


PENALTIES: dict[str, tuple[Penalty, str]] = {
    "r1": (_r1, "Mescheder et al. 2018, equation 9"),
    "r2": (_r2, "Mescheder et al. 2018, equation 10"),
    "wgan_gp": (_wgan_gp, "Gulrajani et al. 2017, equation 3"),
    "dragan": (_dragan, "Kodali et al. 2017, section 2.3"),
}


def weighted_penalties(
    weights: Penalties,
    world: World = ALONE,
) -> Iterator[tuple[float, Penalty]]:
    """Yield (weight, penalty) of the penalties that have a weight.

    Args:
        weights: of a recipe.
        world: the processes that divide the batch.
    """
    built_in = {
        "r1": weights.r1,
        "r2": weights.r2,
        "wgan_gp": weights.wgan_gp,
        "dragan": weights.dragan,
    }
    for name, weight in (built_in | weights.custom).items():
        if weight:
            penalty = PENALTIES[name][0]
            if penalty is _dragan:  # its noise is as wide as the pixels of the whole batch vary
                penalty = functools.partial(_dragan, world=world)
            yield weight, penalty


def register_penalty(name: str, function: Penalty) -> None:
    """Make a penalty on the discriminator available to recipes, in `objective.penalties.custom`.

    Register it in every process that trains with it, before the recipe is made.

    Args:
        name: letters, digits, - and _; not a built-in one. Registering a name again replaces it.
        function: (discriminator, real, fakes, labels) to one penalty per image, (n,). It is
            differentiated in the discriminator's weights; the mean is multiplied by the weight.
            Several processes give each a part of the batch; see `inkgan.rng.for_batch`.

    Raises:
        ConfigError: the name cannot be used.

    Examples:
        >>> def drift(discriminator, real, fakes, labels):  # Karras et al. 2018, appendix A.1
        ...     return discriminator(real, labels) ** 2
        >>> inkgan.register_penalty("drift", drift)
        >>> inkgan.train("dcgan", out="runs/drift",
        ...              overrides={"objective.penalties.custom": {"drift": 0.001}})
    """
    names.PENALTIES.add(name)
    PENALTIES[name] = (function, "")


SHIFT = 2  # the largest shift along each axis, in pixels


def inconsistency(
    discriminator: Critic, images: torch.Tensor, labels: torch.Tensor, logits: torch.Tensor
) -> torch.Tensor:
    """Return (D(T(x)) - D(x))^2 of each image, (n,); `logits` is D(x) with its graph."""
    return (discriminator(shift(images, SHIFT, SHIFT), labels) - logits).square()
