"""A trained generator, ready to draw."""

import html

import numpy as np
import torch

from inkgan import images
from inkgan.config.recipe import Precision
from inkgan.device import adapt_allocator
from inkgan.errors import ConfigError
from inkgan.generation.arguments import Labels, Seeds, StyleValue, as_labels, as_seeds, broadcast
from inkgan.generation.sampling import (
    GRID_MOST_CLASSES,
    labels_from_seeds,
    latents_from_seeds,
    render,
)
from inkgan.io.bundle import Bundle
from inkgan.models.inference import bfloat16_inference
from inkgan.types import Float32, Progress, UInt8, silent

MOST_SCALE = 2.0  # of latents: beyond twice their length nothing but noise is drawn
SHOWN_ROWS, SHOWN_IMAGES = 4, 40  # in a notebook


class Generator:
    """A trained generator, as `inkgan.load` returns it.

    In a notebook it shows some of its images and what is known of it.

    Attributes:
        bundle: recipe, image shape, classes and origin of the generator.
        precision: of products and convolutions in which images are drawn.

    Examples:
        >>> generator = inkgan.load("flagship")
        >>> generator.sample([7] * 5).shape
        (5, 28, 28)
    """

    def __init__(
        self,
        bundle: Bundle,
        device: torch.device | None = None,
        precision: Precision = "float32",
    ) -> None:
        self.bundle = bundle
        self.precision = precision
        adapt_allocator()
        self._network = bundle.generator().to(device or torch.device("cpu"))
        quicker = precision == "bfloat16" and self.device.type == "cpu"
        self._drawing = bfloat16_inference(self._network) if quicker else self._network

    @property
    def conditional(self) -> bool:
        """Whether images follow labels."""
        return self.bundle.recipe.model.classes > 0

    @property
    def latent_dim(self) -> int:
        """The number of latent coordinates."""
        return self.bundle.recipe.model.latent_dim

    @property
    def device(self) -> torch.device:
        """Where images are drawn."""
        return next(self._network.parameters()).device

    @property
    def _classes(self) -> tuple[str, ...]:
        """The names of the classes, numbers where the bundle has no names."""
        return self.bundle.classes or tuple(map(str, range(self.bundle.recipe.model.classes)))

    def sample(
        self,
        labels: Labels | None = None,
        *,
        seeds: Seeds | None = None,
        slant: StyleValue = None,
        thickness: StyleValue = None,
        width: StyleValue = None,
        latent_scale: float = 1.0,
        diverse: bool = False,
        progress: Progress = silent,
    ) -> UInt8:
        """Draw images: the same seed and label always give the same image.

        Args:
            labels: the class of each image, as numbers or names; one label serves all seeds. By
                default a conditional generator draws the class that belongs to each seed.
            seeds: whole numbers from 0; one seed serves all labels, which gives one handwriting.
                By default 0, 1, 2 and so on, one for each label, or 0 to 63 without labels.
            slant: degrees from the vertical, positive for "/". A number, a tuple (low, high) that
                each image is moved into, or a list with a number for each image.
            thickness: of the stroke in pixels of the image, given as `slant` is.
            width: of the upright digit in pixels of the image, given as `slant` is.
            latent_scale: factor on the latents, 0 to 2. Below 1 images are more typical and less
                varied. This is not the truncation trick (Brock et al. 2019), which redraws
                latents.
            diverse: choose the seeds so that the images of each class differ from each other;
                takes `labels` and no `seeds`.
            progress: called as `progress(what, done, total)` during long work.

        Returns:
            uint8 array (n, H, W), or (n, H, W, 3) in color; 0 is the background of MNIST.

        Raises:
            ConfigError: a value that is not possible; the message names the parameter.

        Examples:
            >>> generator.sample(range(10), seeds=3, slant=15, thickness=2.5).shape
            (10, 28, 28)
        """
        check_latent_scale(latent_scale)
        known = None if labels is None else self._checked_labels(labels, diverse=diverse)
        chosen = None if seeds is None else as_seeds(seeds)
        if diverse and known is None:
            raise ConfigError("`diverse` needs `labels`, such as `labels=[7, 7, 7]`")
        if diverse and chosen is not None:
            raise ConfigError("`diverse` chooses the seeds itself; leave `seeds` out")
        if diverse or not (slant is None and thickness is None and width is None):
            from inkgan.generation.style_control.sample import sample_diverse, sample_styled
            from inkgan.generation.style_control.style import Style

            style = Style(slant, thickness, width)
            if diverse:
                return sample_diverse(self, known or [], style, latent_scale, progress)
            known, chosen = broadcast(known, chosen)
            drawn, _ = sample_styled(self, known, chosen, style, latent_scale, progress)
            return drawn.images
        known, chosen = broadcast(known, chosen)
        if known is None and self.conditional:
            known = labels_from_seeds(chosen, self.bundle.recipe.model.classes).tolist()
        return self.render(scale_latents(self.latents(chosen), latent_scale), known)

    def latents(self, seeds: Seeds) -> Float32:
        """Return the latents of seeds, float32 (n, latent_dim), each row N(0, 1) of its own seed.

        Raises:
            ConfigError: no seeds, or one that is not possible.
        """
        drawn: Float32 = latents_from_seeds(as_seeds(seeds), self.latent_dim).numpy()
        return drawn

    def render(self, latents: Float32, labels: Labels | Float32 | None = None) -> UInt8:
        """Draw the images of given latents.

        Args:
            latents: float32 (n, latent_dim).
            labels: the class of each image (n,), or weights (n, classes) that blend the classes;
                needed by a conditional generator, refused by an unconditional one.

        Returns:
            uint8 array as from `sample`.

        Raises:
            ConfigError: latents or labels of another shape than these.

        Examples:
            >>> start, end = generator.latents([1, 2])
            >>> generator.render(np.linspace(start, end, 5), [4] * 5).shape
            (5, 28, 28)
        """
        z = torch.as_tensor(latents, dtype=torch.float32)
        if z.ndim != 2 or z.shape[1] != self.latent_dim or not len(z):
            raise ConfigError(
                f"`latents` must have the shape (n, {self.latent_dim}), not {tuple(z.shape)}"
            )
        if labels is None and self.conditional:
            raise ConfigError(
                f"{self.bundle.recipe.name} is conditional: give `labels`, one for each latent"
            )
        y = torch.zeros(len(z), dtype=torch.int64) if labels is None else self._tensor(labels)
        if len(y) != len(z):
            raise ConfigError(f"`labels` has {len(y)} values for {len(z)} images; give as many")
        halved = self.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=halved):
            return images.to_array(torch.cat(list(render(self._drawing, z, y))))

    def forward(self, latents: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Draw float images (n, C, H, W) in [-1, 1] that gradients flow back through, in float32.

        Args:
            latents: float32 (n, latent_dim).
            labels: int64 (n,); an unconditional generator ignores them.
        """
        drawn: torch.Tensor = self._network(latents.to(self.device), labels.to(self.device))
        return drawn.to(latents.device)

    def _tensor(self, labels: Labels | Float32) -> torch.Tensor:
        if np.ndim(labels) == 2:  # type: ignore[arg-type]
            weights = torch.as_tensor(labels, dtype=torch.float32)
            if not self.conditional or weights.shape[1] != len(self._classes):
                raise ConfigError(f"`labels`: weights must be of {len(self._classes)} classes")
            return weights
        return torch.tensor(self._checked_labels(labels), dtype=torch.int64)

    def _checked_labels(self, labels: Labels, *, diverse: bool = False) -> list[int]:
        if not self.conditional and not diverse:
            raise ConfigError(
                f"{self.bundle.recipe.name} is unconditional: a seed decides what it draws; leave "
                "`labels` out"
            )
        return as_labels(labels, self._classes)

    def __repr__(self) -> str:
        return f"<Generator {self._title()}>"

    def _repr_html_(self) -> str:
        uri = images.data_uri(self._preview())
        return f'<p>{html.escape(self._title())}</p><img alt="some of its images" src="{uri}">'

    def _repr_png_(self) -> bytes:
        return images.png_bytes(self._preview())

    def _title(self) -> str:
        bundle = self.bundle
        kind = f"{len(self._classes)} classes" if self.conditional else "unconditional"
        return f"{bundle.recipe.name}: {bundle.shape}, {kind}, {bundle.images_seen:,} images seen"

    def _preview(self) -> UInt8:
        """Draw a small grid: a class in each column, or what comes."""
        count = len(self._classes)
        if not self.conditional or count > GRID_MOST_CLASSES:
            return images.grid(self.sample(seeds=range(SHOWN_IMAGES)), columns=10)
        seeds = [row for row in range(SHOWN_ROWS) for _ in range(count)]
        return images.grid(self.sample([*range(count)] * SHOWN_ROWS, seeds=seeds), columns=count)


def check_latent_scale(latent_scale: float) -> None:
    """Refuse a factor on the latents that is not from 0 to MOST_SCALE."""
    if not 0 <= latent_scale <= MOST_SCALE:
        raise ConfigError(
            f"`latent_scale` must be from 0 to {MOST_SCALE:g}, not {latent_scale:g}; 1 gives all "
            "variety, less gives more typical images"
        )


def scale_latents(latents: Float32, factor: float) -> Float32:
    """Multiply latents (n, latent_dim) by `latent_scale`."""
    return np.asarray(factor * latents, np.float32)
