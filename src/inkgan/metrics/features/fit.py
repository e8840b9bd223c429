"""Training of the evaluation's networks: plain supervised learning, addressed randomness."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from inkgan import rng
from inkgan.images import to_float

Distort = Callable[[torch.Tensor, torch.Generator], torch.Tensor]
LossFunction = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Fit:
    """How a network is fitted: fixed in advance, nothing is stopped early.

    Attributes:
        learning_rate: the peak; it rises over a tenth of the steps and falls to 0 as a cosine.
        weight_decay: decoupled (Loshchilov and Hutter 2019).
    """

    epochs: int
    learning_rate: float = 2e-3
    batch_size: int = 128
    weight_decay: float = 1e-2


def fit_classifier(
    network: nn.Module,
    pixels: torch.Tensor,
    labels: torch.Tensor,
    plan: Fit,
    seed: int,
    distort: Distort | None = None,
) -> Iterator[float]:
    """Fit class logits to labels by cross-entropy; yield the mean loss of each epoch.

    `pixels` uint8 (n, 1, H, W), `labels` int64 (n,). `distort` changes each batch of float images.
    """

    def loss(logits: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(logits, labels[rows])

    yield from _fit(network, pixels, loss, plan, seed, distort)


def fit_autoencoder(
    network: nn.Module, pixels: torch.Tensor, plan: Fit, seed: int, distort: Distort | None = None
) -> Iterator[float]:
    """Fit a network that draws its input again, by the mean squared error of clean pixels."""

    def loss(drawn: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        return F.mse_loss(drawn, to_float(pixels[rows]))

    yield from _fit(network, pixels, loss, plan, seed, distort)


def _fit(
    network: nn.Module,
    pixels: torch.Tensor,
    loss: LossFunction,
    plan: Fit,
    seed: int,
    distort: Distort | None,
) -> Iterator[float]:
    batch_size = min(plan.batch_size, len(pixels))
    per_epoch = len(pixels) // batch_size
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay, fused=True
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: _one_cycle(step / (plan.epochs * per_epoch))
    )
    for epoch in range(plan.epochs):
        order = torch.randperm(len(pixels), generator=rng.generator(seed, "fit order", epoch))
        total = torch.zeros(())
        network.train()
        for place in range(per_epoch):
            rows = order[place * batch_size : (place + 1) * batch_size]
            images = to_float(pixels[rows])
            if distort is not None:
                images = distort(images, rng.generator(seed, "fit distort", epoch, place))
            value = loss(network(images), rows)
            optimiser.zero_grad(set_to_none=True)
            value.backward()
            optimiser.step()
            schedule.step()
            total += value.detach()
        network.eval()
        yield float(total / per_epoch)


def _one_cycle(progress: float, rise: float = 0.1) -> float:
    """Give the factor on the learning rate: a linear rise, then half a cosine (Smith 2018)."""
    if progress < rise:
        return 0.1 + 0.9 * progress / rise
    return max(0.0, 0.5 + 0.5 * math.cos(math.pi * (progress - rise) / (1 - rise)))


def seeded(build: Callable[[], nn.Module], seed: int) -> nn.Module:
    """Build a network whose first weights depend on the seed alone."""
    with rng.scoped(seed, "extractor init"):
        return build()
