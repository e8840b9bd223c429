"""From seeds to images; what a seed gives does not depend on what is drawn beside it."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import torch
from torch import nn

from inkgan import rng
from inkgan.config import Model
from inkgan.images import grid, to_array, to_uint8
from inkgan.types import UInt8

# Sums inside a matrix product depend on the batch's size in their last bits, so the network
# always sees batches of this size, the last one filled up.
CHUNK = 64
SEEDS_AT_ONCE = 16 * CHUNK  # whose random numbers are drawn together, a hundred small operations
# The grid of fixed noise that shows a run's progress.
GRID_IMAGES = 64
GRID_ROWS, GRID_MOST_CLASSES = 8, 16


def latents_from_seeds(seeds: Sequence[int], latent_dim: int) -> torch.Tensor:
    """Draw z (n, latent_dim) from N(0, 1), each row from its own seed."""
    return rng.normal(seeds, latent_dim, "sample")


def labels_from_seeds(seeds: Sequence[int], classes: int) -> torch.Tensor:
    """Draw a label int64 (n,) from each seed, all classes alike; 0 where there are none."""
    return rng.integers(seeds, max(classes, 1), 1, "label")[:, 0]


@torch.no_grad()
def render(
    network: nn.Module, latents: torch.Tensor, labels: torch.Tensor
) -> Iterator[torch.Tensor]:
    """Yield the uint8 images (n, C, H, W) of latents and labels in chunks of at most CHUNK."""
    device = next(network.parameters()).device
    for z, y in zip(latents.split(CHUNK), labels.split(CHUNK), strict=True):
        missing = CHUNK - len(z)
        filled = [torch.cat([t, t[:1].expand(missing, *t.shape[1:])]).to(device) for t in (z, y)]
        yield to_uint8(network(*filled)[: len(z)])


def draw(
    network: nn.Module, seeds: Iterable[int], model: Model, labels: Iterable[int] | None = None
) -> Iterator[torch.Tensor]:
    """Yield uint8 images (n, C, H, W) in chunks of at most CHUNK, in the order of the seeds.

    Without labels a conditional generator draws the class that belongs to each seed.
    """
    remaining, given = iter(seeds), None if labels is None else iter(labels)
    while chunk := list(islice(remaining, SEEDS_AT_ONCE)):
        y = labels_from_seeds(chunk, model.classes)
        if given is not None:
            y = torch.tensor(list(islice(given, len(chunk))), dtype=torch.int64)
        yield from render(network, latents_from_seeds(chunk, model.latent_dim), y)


def noise_grid(network: nn.Module, model: Model) -> tuple[UInt8, str]:
    """Draw the grid and say which seeds are in it.

    A conditional generator of up to GRID_MOST_CLASSES classes shows one seed in each row, under
    each of its labels.
    """
    if not 0 < model.classes <= GRID_MOST_CLASSES:
        drawn = torch.cat(list(draw(network, range(GRID_IMAGES), model)))
        return grid(to_array(drawn)), f"0-{GRID_IMAGES - 1}"
    seeds = [row for row in range(GRID_ROWS) for _ in range(model.classes)]
    drawn = torch.cat(list(draw(network, seeds, model, [*range(model.classes)] * GRID_ROWS)))
    return grid(to_array(drawn), columns=model.classes), f"0-{GRID_ROWS - 1}, a class a column"
