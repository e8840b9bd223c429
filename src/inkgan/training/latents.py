"""Latents addressed by (seed, step), drawn for several steps at once."""

import math

import torch

from inkgan import rng
from inkgan.config import Recipe
from inkgan.training.step import num_latent_batches

# A draw takes a hundred small operations, however many numbers it returns; their intermediate
# results have to stay in a processor's cache.
NUMBERS_AT_ONCE = 1 << 16


class Latents:
    """The latents of each step of a recipe, the same bits on every device.

    Args:
        recipe: gives the seed and the shape.
        device: where they are drawn.
        part: the part of each batch that this process gets.

    Example:
        >>> Latents(RECIPES["mlp"], torch.device("cpu")).at(0).shape
        torch.Size([2, 64, 100])
    """

    def __init__(
        self,
        recipe: Recipe,
        device: torch.device,
        part: rng.BatchPart = rng.WHOLE,
    ) -> None:
        self.seed, self.device, self.part = recipe.seed, device, part
        self.shape = (
            num_latent_batches(recipe),
            recipe.schedule.batch_size,
            recipe.model.latent_dim,
        )
        self.steps = max(1, NUMBERS_AT_ONCE // math.prod(self.shape))
        self._drawn: tuple[int, torch.Tensor] | None = None

    def at(self, step: int) -> torch.Tensor:
        """Return latents (batches of a step, n, latent_dim) from N(0, 1)."""
        number, place = divmod(step, self.steps)
        if self._drawn is None or self._drawn[0] != number:
            self._drawn = number, self.block(number * self.steps, self.steps)
        return self._drawn[1][place]

    def block(self, first: int, count: int) -> torch.Tensor:
        """Return the latents of `count` steps from `first` on, with an axis of steps in front."""
        steps = torch.arange(first, first + count, device=self.device)
        seeds = torch.full_like(steps, self.seed)
        numbers = rng.normal(seeds, math.prod(self.shape), "latent", counter=steps)
        return self.part.of(numbers.view(count, *self.shape), dim=2)

    def paired(
        self, latents: torch.Tensor, coordinates: torch.Tensor, share: float
    ) -> torch.Tensor:
        """Give the first images of each batch the coordinates of the real ones that they meet.

        The losses compare the images of a pair, which then differ by less than two images that
        happen to meet: their gradients tell more of how generated images differ from real ones.

        Args:
            latents: of a step (batches, n, latent_dim).
            coordinates: of its real images (d_steps * n, k), the batches one behind the other.
            share: of each whole batch, 0 to 1.
        """
        if not (share and coordinates.shape[1]):
            return latents
        place = self.part.of(torch.arange(self.shape[1], device=self.device))
        chosen = (place < round(share * self.shape[1]))[:, None]
        batches = coordinates.view(-1, len(place), coordinates.shape[1])
        # one batch of latents more is the generator's, which meets the last real images again
        batches = torch.cat([batches, batches[-1:]])[: len(latents)]
        known = torch.where(chosen, batches, latents[..., : coordinates.shape[1]])
        return torch.cat([known, latents[..., coordinates.shape[1] :]], dim=-1)
