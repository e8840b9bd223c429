"""From images of digits to the latents that draw them."""

from dataclasses import dataclass

import numpy as np
import torch

from inkgan import rng
from inkgan.eager_adam import EagerAdam
from inkgan.generation.protocols import DifferentiableGenerator
from inkgan.images import to_array, to_float, to_uint8
from inkgan.types import Float32, Float64, Progress, UInt8, silent

CANDIDATES = 256  # draws of the class, of which the nearest are begun from
NEAR_STYLE = 0.3  # standard deviations of the candidates about the style that was measured
# So many starts for so many steps: the worse ones are given up (successive halving).
ROUNDS = ((8, 15), (3, 40))
LAST_STEPS = 60  # of the best, all digits of a hand together
RATE = 0.2  # Adam's at first; it falls to RATE * SLOWEST in each round
SLOWEST = 0.05
SIGMA = 0.5  # standard deviation of a pixel, in [-1, 1]: how far a digit may differ from its draw
# How much two digits of a writer share: correlations of their latents' coordinates.
STYLE_SHARED, REST_SHARED = 0.9, 0.5
BATCH = 8  # digits at once: 64 images and their gradients


@dataclass(frozen=True)
class InversionResult:
    """The nearest digits that a generator draws.

    Attributes:
        latents: float32 (n, latent_dim).
        drawn: uint8 (n, H, W).
        errors: float64 (n,), root mean square of the difference, 1 being full ink.
    """

    latents: Float32
    drawn: UInt8
    errors: Float64


def invert(
    generator: DifferentiableGenerator,
    digits: UInt8,
    labels: list[int],
    scores: Float64,
    together: bool = True,
    progress: Progress = silent,
) -> InversionResult:
    """Find latents that draw digits, by maximum a posteriori.

    The energy of a latent z is |G(z) - x|^2 / (2 SIGMA^2) + |z|^2 / 2. The nearest of CANDIDATES
    draws are moved down its gradient by Adam. In the last round the digits of one writer have the
    joint prior of coordinates that are correlated between digits.

    Args:
        generator: of the same image size.
        digits: uint8 (n, H, W), light on dark.
        labels: the class of each.
        scores: float64 (n, latent_dim), what the coordinates of each digit's style are; NaN where
            they are not known.
        together: the digits are of one writer.
        progress: called with the digits that are done.
    """
    targets = to_float(torch.from_numpy(digits)[:, None])
    known, classes = torch.from_numpy(scores).float(), torch.as_tensor(labels)
    shared = torch.where(known.isnan().all(dim=0), REST_SHARED, STYLE_SHARED)
    near = []
    for start in range(0, len(digits), BATCH):
        rows = slice(start, start + BATCH)
        search = _LatentOptimizer(generator, targets[rows], classes[rows])
        z = search.begin(known[rows], start)
        for starts, steps in ROUNDS:
            z = search.descend(search.nearest(z, starts), steps)
        near.append(search.nearest(z, 1))
        progress("imitating", min(start + BATCH, len(digits)), len(digits))
    last = _LatentOptimizer(generator, targets, classes)
    latents = last.descend(torch.cat(near), LAST_STEPS, shared if together else None)[:, 0]
    with torch.no_grad():
        drawn = to_array(to_uint8(generator.forward(latents, classes)))
    gaps = (drawn.astype(np.float64) - digits) / 255
    return InversionResult(latents.numpy(), drawn, np.sqrt((gaps**2).mean(axis=(1, 2))))


def joint_prior(z: torch.Tensor, shared: torch.Tensor) -> torch.Tensor:
    """Return the energy, without its constant, of n latents (n, d) that belong together.

    Each coordinate is standard normal with the same correlation `shared` (d,) between any two of
    the n: the inverse of (1 - r) I + r 11' is (I - r / (1 + (n - 1) r) 11') / (1 - r).
    """
    weight = shared / (1 + (len(z) - 1) * shared)
    squares = (z**2).sum(dim=0) - weight * z.sum(dim=0) ** 2
    energy: torch.Tensor = (squares / (2 * (1 - shared))).sum()
    return energy


class _LatentOptimizer:
    """Float32 (n, starts, latent_dim) on their way to n digits."""

    def __init__(
        self, generator: DifferentiableGenerator, targets: torch.Tensor, classes: torch.Tensor
    ) -> None:
        self.generator, self.targets, self.classes = generator, targets, classes

    def begin(self, known: torch.Tensor, first: int) -> torch.Tensor:
        """Draw candidates whose style is near the measured one."""
        rows, dim = range(first, first + len(known)), known.shape[1]
        z = rng.normal(rows, CANDIDATES * dim, "imitate").view(len(known), CANDIDATES, dim)
        near = known[:, None] + NEAR_STYLE * z
        return torch.where(near.isnan(), z, near)

    def misfit(self, z: torch.Tensor) -> torch.Tensor:
        """Return |G(z) - x|^2 / (2 SIGMA^2), (n, starts)."""
        count, starts = z.shape[:2]
        drawn = self.generator.forward(z.flatten(0, 1), self.classes.repeat_interleave(starts))
        gaps = drawn.unflatten(0, (count, starts)) - self.targets[:, None]
        misfit: torch.Tensor = (gaps**2).flatten(2).sum(dim=2) / (2 * SIGMA**2)
        return misfit

    @torch.no_grad()
    def nearest(self, z: torch.Tensor, starts: int) -> torch.Tensor:
        """Keep the `starts` latents of least energy of each digit."""
        energy = self.misfit(z) + (z**2).sum(dim=2) / 2
        nearest = energy.argsort(dim=1)[:, :starts, None]
        return z.gather(1, nearest.expand(-1, -1, z.shape[2]))

    def descend(
        self, z: torch.Tensor, steps: int, shared: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Move latents down the gradient of their energy, by Adam with a falling rate."""
        z = z.clone().requires_grad_()
        optimizer = EagerAdam([z], lr=RATE, betas=(0.9, 0.95))
        rates = torch.linspace(1, SLOWEST, steps)
        for rate in rates:
            optimizer.param_groups[0]["lr"] = RATE * float(rate)
            prior = (z**2).sum() / 2 if shared is None else joint_prior(z[:, 0], shared)
            (z.grad,) = torch.autograd.grad(self.misfit(z).sum() + prior, z)
            optimizer.step()
        return z.detach()
