"""Class conditioning: of a generator's input and norms, and of a discriminator's head.

Labels are int64 (n,), or float weights (n, classes) that blend the classes.
"""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from inkgan.config import DiscriminatorConditioning, GeneratorConditioning, Normalization
from inkgan.models.linear import Linear


class DiscriminatorOutput(NamedTuple):
    """A discriminator's outputs for n images.

    Attributes:
        logits: real or fake, (n,); no sigmoid has been applied.
        classes: class logits (n, classes) of an auxiliary classifier, or None.
        style: predicted stroke measures (n, measures), or None.
    """

    logits: torch.Tensor
    classes: torch.Tensor | None
    style: torch.Tensor | None


def embed_labels(table: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Look up each label's row (n, d) in a table (classes, d); weights blend the rows."""
    return y.to(table.dtype) @ table if y.is_floating_point() else F.embedding(y, table)


def one_hot(y: torch.Tensor, classes: int) -> torch.Tensor:
    """Return labels as float weights (n, classes)."""
    return y if y.is_floating_point() else F.one_hot(y, classes).float()


def concat_label_planes(images: torch.Tensor, y: torch.Tensor, classes: int) -> torch.Tensor:
    """Append one constant plane per class to the channels (Mirza and Osindero 2014, for maps)."""
    planes = one_hot(y, classes).to(images.dtype)[:, :, None, None]
    return torch.cat([images, planes.expand(-1, -1, *images.shape[2:])], dim=1)


class LatentLabelInput(nn.Module):
    """A generator's first step: latents (n, latent_dim) and labels to vectors (n, features).

    `concat` puts the one-hot label beside the latent (Mirza and Osindero 2014, section 3.2),
    `multiply` scales the latent by a learned row of the label. With `conditional-bn`, or with 0
    classes, the latent passes unchanged.
    """

    def __init__(self, conditioning: GeneratorConditioning, latent_dim: int, classes: int) -> None:
        super().__init__()
        self.conditioning, self.classes = conditioning, classes
        joined = classes > 0 and conditioning == "concat"
        self.features = latent_dim + classes if joined else latent_dim
        if classes and conditioning == "multiply":
            self.factors = nn.Parameter(torch.randn(classes, latent_dim))

    def forward(self, z: torch.Tensor, y: torch.Tensor | None) -> torch.Tensor:
        """Return the vectors."""
        if not self.classes or self.conditioning == "conditional-bn":
            return z
        labels = require_labels(y)
        if self.conditioning == "multiply":
            return z * embed_labels(self.factors, labels)
        return torch.cat([z, one_hot(labels, self.classes).to(z.dtype)], dim=1)


class ConditionalLayer(nn.Module):
    """A layer that takes the labels too: `layer(inputs, y)`."""


class ConditionalBatchNorm(ConditionalLayer):
    """Batch normalization with a scale and an offset per class.

    Dumoulin et al. 2017, equation 5; Miyato and Koyama 2018, appendix A. In evaluation mode the
    statistics are part of scale and offset, so that the inputs are read once.

    Args:
        channels: of the inputs.
        classes: number of labels.
        norm: momentum and epsilon.
        maps: inputs have height and width.
        in_place: in evaluation mode, without gradients, the result takes the place of the inputs,
            which nothing else reads.
    """

    def __init__(
        self,
        channels: int,
        classes: int,
        norm: Normalization,
        maps: bool,
        in_place: bool = False,
    ) -> None:
        super().__init__()
        self.in_place = in_place
        kind = nn.BatchNorm2d if maps else nn.BatchNorm1d
        self.norm = kind(channels, eps=norm.epsilon, momentum=norm.momentum, affine=False)
        self.scales = nn.Parameter(torch.ones(classes, channels))
        self.offsets = nn.Parameter(torch.zeros(classes, channels))

    def forward(self, inputs: torch.Tensor, y: torch.Tensor | None) -> torch.Tensor:
        """Return inputs (n, channels, ...), normalized."""
        labels = require_labels(y)
        normed = self.norm(inputs) if self.training else inputs
        tables = (self.offsets, self.scales) if self.training else self.offsets_and_scales()
        shape = (len(inputs), -1, *(1,) * (inputs.ndim - 2))
        offsets, scales = (
            embed_labels(table, labels).to(normed.dtype).view(shape) for table in tables
        )
        if self.training and torch.is_grad_enabled():
            outputs: torch.Tensor = _Affine.apply(normed, scales, offsets)  # type: ignore[no-untyped-call]
            return outputs
        writes = self.in_place and not (self.training or torch.is_grad_enabled())
        return torch.addcmul(offsets, scales, normed, out=inputs if writes else None)

    def offsets_and_scales(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return those of each class (classes, channels) for inputs that are not normalized."""
        mean, variance = self.norm.running_mean, self.norm.running_var
        assert mean is not None
        assert variance is not None
        scales = self.scales * torch.rsqrt(variance + self.norm.eps)
        return self.offsets - mean * scales, scales


class _Affine(torch.autograd.Function):
    """Scales (n, channels, 1, ...) times inputs (n, channels, ...), plus offsets.

    The derivative of torch's addcmul multiplies the inputs by its factor of 1 first, a pass more.
    """

    @staticmethod
    def forward(
        context: Any, inputs: torch.Tensor, scales: torch.Tensor, offsets: torch.Tensor
    ) -> torch.Tensor:
        context.save_for_backward(inputs, scales)
        return torch.addcmul(offsets, scales, inputs)

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, ...]:
        (inputs, scales), gradient = context.saved_tensors, gradients[0]
        size = scales.shape
        return gradient * scales, (gradient * inputs).sum_to_size(size), gradient.sum_to_size(size)


class ConditionalSequential(nn.Sequential):
    """A `torch.nn.Sequential` that passes the label to its class-conditional layers."""

    def forward(self, inputs: torch.Tensor, y: torch.Tensor | None = None) -> torch.Tensor:
        """Return what the last layer returns."""
        for layer in self:
            inputs = layer(inputs, y) if isinstance(layer, ConditionalLayer) else layer(inputs)
        return inputs


class Head(nn.Module):
    """A discriminator's last layer: from features (n, f) to a `DiscriminatorOutput`.

    `projection` adds the inner product of the features with a row of the label to the logit (Miyato
    and Koyama 2018, equation 3), `auxiliary` classifies the image too (Odena et al. 2017, section
    3).
    """

    def __init__(
        self, features: int, conditioning: DiscriminatorConditioning, classes: int, measures: int
    ) -> None:
        super().__init__()
        self.logit = Linear(features, 1)
        self.projection: nn.Parameter | None = None
        if classes and conditioning == "projection":
            # as wide as torch draws the logit's own weights, so that neither part dominates
            self.projection = nn.Parameter(torch.randn(classes, features) / (3 * features) ** 0.5)
        is_auxiliary = classes > 0 and conditioning == "auxiliary"
        self.classifier = Linear(features, classes) if is_auxiliary else None
        self.style = Linear(features, measures) if measures else None

    def forward(self, features: torch.Tensor, y: torch.Tensor | None) -> DiscriminatorOutput:
        """Return logits, and class logits and style where there are heads for them.

        In float32 at least, also where autocast has made the features bfloat16: with its eight bits
        the logits of most pairs of images would be equal.
        """
        with torch.autocast(features.device.type, enabled=False):
            features = features.float() if features.dtype == torch.bfloat16 else features
            logits, table = self.logit(features)[:, 0], self.projection
            if table is not None:
                # with the rows of all classes, fewer passes over features than with a row for each
                chosen = one_hot(require_labels(y), len(table)).to(features.dtype)
                logits = logits + ((features @ table.t()) * chosen).sum(dim=1)
            return DiscriminatorOutput(
                logits,
                None if self.classifier is None else self.classifier(features),
                None if self.style is None else self.style(features),
            )


class Discriminator(nn.Module, ABC):
    """Base of the built-in discriminators, of images (n, C, H, W) and, with classes, labels."""

    @abstractmethod
    def outputs(self, images: torch.Tensor, y: torch.Tensor | None = None) -> DiscriminatorOutput:
        """Return logits, and class logits and style where there are heads for them."""

    def forward(self, images: torch.Tensor, y: torch.Tensor | None = None) -> torch.Tensor:
        """Return the logits (n,)."""
        return self.outputs(images, y).logits


def require_labels(y: torch.Tensor | None) -> torch.Tensor:
    """Return the labels.

    Raises:
        ValueError: `y` is None.
    """
    if y is None:
        raise ValueError("a conditional network needs labels")
    return y
