"""How networks hear of a label: at a generator's entrance, in its norms, at a discriminator's head.

Labels are int64 (n,), or float weights (n, classes) that blend the classes.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from inkgan.config import DiscriminatorConditioning, GeneratorConditioning, Normalization
from inkgan.models.linear import Linear


class DiscriminatorOutput(NamedTuple):
    """What a discriminator reads in images: logits (n,), and where it has the heads, the class
    logits (n, classes) and the style (n, measures)."""

    logits: torch.Tensor
    classes: torch.Tensor | None
    style: torch.Tensor | None


def rows_of(table: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Look up each label's row (n, d) in a table (classes, d); weights blend the rows."""
    return y.to(table.dtype) @ table if y.is_floating_point() else F.embedding(y, table)


def one_hot(y: torch.Tensor, classes: int) -> torch.Tensor:
    """Return labels as float weights (n, classes)."""
    return y if y.is_floating_point() else F.one_hot(y, classes).float()


def with_label_planes(images: torch.Tensor, y: torch.Tensor, classes: int) -> torch.Tensor:
    """Put one constant plane a class beside the channels (Mirza and Osindero 2014, for maps)."""
    planes = one_hot(y, classes).to(images.dtype)[:, :, None, None]
    return torch.cat([images, planes.expand(-1, -1, *images.shape[2:])], dim=1)


class LatentLabelInput(nn.Module):
    """A generator's first step: latents (n, latent_dim) and labels to vectors (n, features).

    `concatenated` puts the label beside the latent (Mirza and Osindero 2014, section 3.2),
    `multiplied` takes a learnt row of the label as factors. With `normalisation` the label is heard
    later, and with 0 classes never.
    """

    def __init__(self, conditioning: GeneratorConditioning, latent_dim: int, classes: int) -> None:
        super().__init__()
        self.conditioning, self.classes = conditioning, classes
        joined = classes > 0 and conditioning == "concatenated"
        self.features = latent_dim + classes if joined else latent_dim
        if classes and conditioning == "multiplied":
            self.factors = nn.Parameter(torch.randn(classes, latent_dim))

    def forward(self, z: torch.Tensor, y: torch.Tensor | None) -> torch.Tensor:
        """Return the vectors."""
        if not self.classes or self.conditioning == "normalisation":
            return z
        labels = needed(y)
        if self.conditioning == "multiplied":
            return z * rows_of(self.factors, labels)
        return torch.cat([z, one_hot(labels, self.classes).to(z.dtype)], dim=1)


class ConditionalBatchNorm(nn.Module):
    """Batch normalisation whose scale and offset belong to the class (Dumoulin et al. 2017,
    equation 5; Miyato and Koyama 2018, appendix A)."""

    def __init__(self, channels: int, classes: int, norm: Normalization, maps: bool) -> None:
        super().__init__()
        kind = nn.BatchNorm2d if maps else nn.BatchNorm1d
        self.norm = kind(channels, eps=norm.epsilon, momentum=norm.momentum, affine=False)
        self.scales = nn.Parameter(torch.ones(classes, channels))
        self.offsets = nn.Parameter(torch.zeros(classes, channels))

    def forward(self, inputs: torch.Tensor, y: torch.Tensor | None) -> torch.Tensor:
        """Return inputs (n, channels, ...), normalised."""
        labels, normed = needed(y), self.norm(inputs)
        shape = (len(inputs), -1, *(1,) * (inputs.ndim - 2))
        tables = (rows_of(table, labels).to(normed.dtype) for table in (self.offsets, self.scales))
        offsets, scales = (rows.view(shape) for rows in tables)
        return torch.addcmul(offsets, scales, normed)


class ConditionalSequential(nn.Sequential):
    """Layers one after the other, of which the class-conditional ones are told the label."""

    def forward(self, inputs: torch.Tensor, y: torch.Tensor | None = None) -> torch.Tensor:
        """Return what the last layer returns."""
        for layer in self:
            inputs = layer(inputs, y) if isinstance(layer, ConditionalBatchNorm) else layer(inputs)
        return inputs


class Head(nn.Module):
    """A discriminator's end: from features (n, f) to what it reads.

    `projection` adds the inner product of the features with a row of the label to the logit (Miyato
    and Koyama 2018, equation 3), `auxiliary` reads the class too (Odena et al. 2017, section 3).
    """

    def __init__(
        self, features: int, conditioning: DiscriminatorConditioning, classes: int, measures: int
    ) -> None:
        super().__init__()
        self.logit = Linear(features, 1)
        self.projection: nn.Parameter | None = None
        if classes and conditioning == "projection":
            # as wide as the logit's own weights, so that neither part drowns the other
            self.projection = nn.Parameter(torch.randn(classes, features) / (3 * features) ** 0.5)
        is_auxiliary = classes > 0 and conditioning == "auxiliary"
        self.classifier = Linear(features, classes) if is_auxiliary else None
        self.style = Linear(features, measures) if measures else None

    def forward(self, features: torch.Tensor, y: torch.Tensor | None) -> DiscriminatorOutput:
        """Return what is read."""
        logits, table = self.logit(features)[:, 0], self.projection
        if table is not None:
            logits = logits + (rows_of(table, needed(y)) * features).sum(dim=1)
        return DiscriminatorOutput(
            logits,
            None if self.classifier is None else self.classifier(features),
            None if self.style is None else self.style(features),
        )


class Discriminator(nn.Module, ABC):
    """What all discriminators are: read images (n, C, H, W), with labels if there are classes."""

    @abstractmethod
    def read(self, images: torch.Tensor, y: torch.Tensor | None = None) -> DiscriminatorOutput:
        """Read logits, and classes and style where there are heads for them."""

    def forward(self, images: torch.Tensor, y: torch.Tensor | None = None) -> torch.Tensor:
        """Return the logits (n,)."""
        return self.read(images, y).logits


def needed(y: torch.Tensor | None) -> torch.Tensor:
    """Return the labels.

    Raises:
        ValueError: there are none.
    """
    if y is None:
        raise ValueError("a conditional network needs labels")
    return y
