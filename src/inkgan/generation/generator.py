"""A trained generator, ready to draw."""

from collections.abc import Iterable, Sequence

import numpy as np
import torch

from inkgan.errors import ConfigError
from inkgan.generation.sampling import labels_from_seeds, latents_from_seeds, render
from inkgan.images import to_array
from inkgan.io.bundle import Bundle
from inkgan.types import Float32, UInt8


class Generator:
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
        *,
        seeds: Iterable[int] | None = None,
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
        wanted = list(range(64) if seeds is None else seeds)
        z = truncation * self.latents(wanted)
        if labels is None and self.conditional:
            labels = labels_from_seeds(wanted, self._model.classes).tolist()
        return self.render(np.asarray(z, np.float32), labels)

    def latents(self, seeds: Sequence[int]) -> Float32:
        """Return the latents of seeds, float32 (n, latent_dim), each row N(0, 1) of its own seed.

        Raises:
            ConfigError: no seeds, or an impossible one.
        """
        wrong = [seed for seed in seeds if not 0 <= seed < 2**63]
        if not seeds or wrong:
            found = f"seed {wrong[0]}" if wrong else "no seed at all"
            raise ConfigError(f"{found} is impossible; seeds are whole numbers from 0")
        drawn: Float32 = latents_from_seeds(seeds, self.latent_dim).numpy()
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
        if len(y) != len(z):
            raise ConfigError(f"{len(y)} labels for {len(z)} images; give one label an image")
        return to_array(torch.cat(list(render(self._network, z, y))))

    def forward(self, latents: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Draw float images (n, C, H, W) in [-1, 1] that gradients go back through.

        Args:
            latents: float32 (n, latent_dim).
            labels: int64 (n,), of no effect on an unconditional generator.
        """
        device = next(self._network.parameters()).device
        drawn: torch.Tensor = self._network(latents.to(device), labels.to(device))
        return drawn.to(latents.device)

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
        return (
            f"<Generator {bundle.recipe.name}: {bundle.shape}, {bundle.images_seen:,} images seen>"
        )
