"""Images from seeds: the same image for the same seed, whatever else is drawn beside it."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import torch
from torch import nn

from inkgan import rng
from inkgan.artifacts.bundle import Bundle
from inkgan.errors import ConfigError
from inkgan.images import UInt8, to_array, to_uint8

# Sums inside a matrix product depend on the batch's size in their last bits, so the network
# always sees batches of this size, the last one filled up.
CHUNK = 64


def latents(seeds: Sequence[int], latent_dim: int) -> torch.Tensor:
    """Draw z (n, latent_dim) from N(0, 1), each row from its own seed."""
    rows = [torch.randn(latent_dim, generator=rng.generator(seed, "sample")) for seed in seeds]
    return torch.stack(rows)


@torch.no_grad()
def draw(network: nn.Module, seeds: Iterable[int], latent_dim: int) -> Iterator[torch.Tensor]:
    """Yield uint8 images (n, C, H, W) in chunks of at most CHUNK, in the order of the seeds."""
    device = next(network.parameters()).device
    remaining = iter(seeds)
    while chunk := list(islice(remaining, CHUNK)):
        filled = chunk + [chunk[0]] * (CHUNK - len(chunk))
        images = network(latents(filled, latent_dim).to(device), None)
        yield to_uint8(images[: len(chunk)])


class Sampler:
    """A trained generator, ready to draw.

    Attributes:
        bundle: recipe, image shape, classes and origin of the generator.
    """

    def __init__(self, bundle: Bundle, device: torch.device | None = None) -> None:
        self.bundle = bundle
        self._network = bundle.generator().to(device or torch.device("cpu"))

    @property
    def conditional(self) -> bool:
        """Whether labels are obeyed."""
        return False

    def sample(
        self, labels: Sequence[int] | None = None, seeds: Iterable[int] = range(64)
    ) -> UInt8:
        """Draw one image for each seed.

        Args:
            labels: the class of each image; only conditional generators take labels.
            seeds: whole numbers >= 0; the same seed gives the same image, in any company.

        Returns:
            uint8 array (n, H, W), or (n, H, W, 3) for colour; 0 is background in MNIST.

        Raises:
            ConfigError: no seeds, an impossible seed, or labels for an unconditional generator.
        """
        if labels is not None:
            raise ConfigError(
                f"{self.bundle.recipe.name} is unconditional: it takes no labels and draws what it "
                "likes; leave labels out"
            )
        wanted = list(seeds)
        wrong = [seed for seed in wanted if not 0 <= seed < 2**63]
        if not wanted or wrong:
            found = f"seed {wrong[0]}" if wrong else "no seed at all"
            raise ConfigError(f"{found} is impossible; seeds are whole numbers from 0")
        chunks = list(draw(self._network, wanted, self.bundle.recipe.model.latent_dim))
        return to_array(torch.cat(chunks))

    def __repr__(self) -> str:
        bundle = self.bundle
        return f"<Sampler {bundle.recipe.name}: {bundle.shape}, {bundle.images_seen:,} images seen>"
