"""Images from seeds: the same image for the same seed, whatever else is drawn beside it."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
import torch
from torch import nn

from inkgan import rng
from inkgan.config import Model
from inkgan.errors import ConfigError
from inkgan.images import to_array, to_uint8
from inkgan.io.bundle import Bundle
from inkgan.types import Float32, UInt8

# Sums inside a matrix product depend on the batch's size in their last bits, so the network
# always sees batches of this size, the last one filled up.
CHUNK = 64


def latents(seeds: Sequence[int], latent_dim: int) -> torch.Tensor:
    """Draw z (n, latent_dim) from N(0, 1), each row from its own seed."""
    rows = [torch.randn(latent_dim, generator=rng.generator(seed, "sample")) for seed in seeds]
    return torch.stack(rows)


def any_labels(seeds: Sequence[int], classes: int) -> torch.Tensor:
    """Draw a label int64 (n,) from each seed, all classes alike; 0 where there are none."""
    drawn = [
        torch.randint(max(classes, 1), (1,), generator=rng.generator(seed, "label"))
        for seed in seeds
    ]
    return torch.cat(drawn)


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
    remaining, asked = iter(seeds), None if labels is None else iter(labels)
    while chunk := list(islice(remaining, CHUNK)):
        y = any_labels(chunk, model.classes)
        if asked is not None:
            y = torch.tensor(list(islice(asked, len(chunk))), dtype=torch.int64)
        yield from render(network, latents(chunk, model.latent_dim), y)


class Sampler:
    """A trained generator, ready to draw.

    Attributes:
        bundle: recipe, image shape, classes and origin of the generator.
    """

    def __init__(self, bundle: Bundle, device: torch.device | None = None) -> None:
        self.bundle = bundle
        self._model = bundle.recipe.model
        self._network = bundle.generator().to(device or torch.device("cpu"))

    @property
    def conditional(self) -> bool:
        """Whether labels are obeyed."""
        return self._model.classes > 0

    @property
    def latent_dim(self) -> int:
        """The number of latent coordinates."""
        return self._model.latent_dim

    def sample(
        self,
        labels: Sequence[int] | None = None,
        seeds: Iterable[int] = range(64),
        truncation: float = 1.0,
    ) -> UInt8:
        """Draw one image for each seed.

        Args:
            labels: the class of each image; only conditional generators take labels, and without
                any they draw a class that belongs to the seed.
            seeds: whole numbers >= 0; the same seed gives the same image, in any company.
            truncation: psi, a factor on the latents; below 1 images are more typical and less
                varied (Brock et al. 2019, section 3.1, where latents are drawn anew instead).

        Returns:
            uint8 array (n, H, W), or (n, H, W, 3) for colour; 0 is background in MNIST.

        Raises:
            ConfigError: no seeds, an impossible seed, or labels that cannot be.
        """
        wanted = list(seeds)
        z = torch.from_numpy(self.latents(wanted)) * truncation
        y = any_labels(wanted, self._model.classes) if labels is None else self._checked(labels)
        return self._draw(z, y)

    def latents(self, seeds: Sequence[int]) -> Float32:
        """Return the latents of seeds, float32 (n, latent_dim), each row N(0, 1) of its own seed.

        Raises:
            ConfigError: no seeds, or an impossible one.
        """
        wrong = [seed for seed in seeds if not 0 <= seed < 2**63]
        if not seeds or wrong:
            found = f"seed {wrong[0]}" if wrong else "no seed at all"
            raise ConfigError(f"{found} is impossible; seeds are whole numbers from 0")
        drawn: Float32 = latents(seeds, self.latent_dim).numpy()
        return drawn

    def render(self, latents: Float32, labels: Sequence[int] | Float32 | None = None) -> UInt8:
        """Draw the images of given latents.

        Args:
            latents: float32 (n, latent_dim).
            labels: the class of each image (n,), or weights (n, classes) that blend the classes;
                needed by a conditional generator, refused by another.

        Returns:
            uint8 array as from `sample`.

        Raises:
            ConfigError: latents or labels of another shape than these.
        """
        z = torch.as_tensor(latents, dtype=torch.float32)
        if z.ndim != 2 or z.shape[1] != self.latent_dim or not len(z):
            raise ConfigError(f"latents of shape {tuple(z.shape)}; need (n, {self.latent_dim})")
        if labels is None and self.conditional:
            raise ConfigError(f"{self.bundle.recipe.name} is conditional: give a label a latent")
        y = torch.zeros(len(z), dtype=torch.int64) if labels is None else self._checked(labels)
        return self._draw(z, y)

    def forward(self, latents: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Draw float images (n, C, H, W) in [-1, 1] that gradients go back through.

        Args:
            latents: float32 (n, latent_dim).
            labels: int64 (n,), of no effect on an unconditional generator.
        """
        device = next(self._network.parameters()).device
        drawn: torch.Tensor = self._network(latents.to(device), labels.to(device))
        return drawn.to(latents.device)

    def _draw(self, z: torch.Tensor, y: torch.Tensor) -> UInt8:
        if len(y) != len(z):
            raise ConfigError(f"{len(y)} labels for {len(z)} images; give one label an image")
        return to_array(torch.cat(list(render(self._network, z, y))))

    def _checked(self, labels: Sequence[int] | Float32) -> torch.Tensor:
        if not self.conditional:
            raise ConfigError(
                f"{self.bundle.recipe.name} is unconditional: it takes no labels and draws what it "
                "likes; leave labels out"
            )
        given, classes = np.asarray(labels), self._model.classes
        if given.ndim == 2 and given.shape[1] == classes:
            return torch.as_tensor(given, dtype=torch.float32)
        if given.ndim != 1 or given.dtype.kind not in "iu":
            raise ConfigError(f"labels must be whole numbers, or weights (n, {classes})")
        wrong = given[(given < 0) | (given >= classes)]
        if len(wrong):
            raise ConfigError(f"label {wrong[0]} is impossible; the classes are 0 to {classes - 1}")
        return torch.as_tensor(given, dtype=torch.int64)

    def __repr__(self) -> str:
        bundle = self.bundle
        return f"<Sampler {bundle.recipe.name}: {bundle.shape}, {bundle.images_seen:,} images seen>"
