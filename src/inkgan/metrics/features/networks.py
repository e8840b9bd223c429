"""The networks of the evaluation, each a frozen extractor of features from 28x28 digits.

None of them is ever a discriminator or a loss. Input: float32 (n, 1, 28, 28) in [-1, 1].
"""

from collections.abc import Callable
from typing import cast

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

SIDE = 28
CLASSES = 10
CACHED_IMAGES = 100  # whose maps fit a core's cache


def _block(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]


class Classifier(nn.Module):
    """A convolutional body, a dense layer of features, a linear head of class logits."""

    def __init__(self, body: nn.Sequential, flat: int, features: int, classes: int) -> None:
        super().__init__()
        self.body = body
        self.features = nn.Sequential(nn.Flatten(), nn.Linear(flat, features), nn.ReLU())
        self.head = nn.Linear(features, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits (n, classes)."""
        logits: torch.Tensor = self.head(self.embed(images))
        return logits

    def embed(self, images: torch.Tensor) -> torch.Tensor:
        """Return the penultimate features (n, d)."""
        if self.training or torch.is_grad_enabled():
            maps = self.body(images)
        else:  # convolutions give an image the same bits in any batch, and are quicker so
            maps = torch.cat([self.body(part) for part in images.split(CACHED_IMAGES)])
        features: torch.Tensor = self.features(maps)
        return features

    def fold_norms_(self) -> None:
        """Make batch norms part of the convolutions before them, with channels last in memory.

        The features stay the same but for rounding, and take seven tenths of the time on a CPU.
        Only for evaluation: the statistics no longer change.
        """
        layers: list[nn.Module] = []
        for layer in self.body.eval():
            if isinstance(layer, nn.BatchNorm2d):
                layers.append(fuse_conv_bn_eval(cast(nn.Conv2d, layers.pop()), layer))
            else:
                layers.append(nn.ReLU(inplace=True) if isinstance(layer, nn.ReLU) else layer)
        self.body = nn.Sequential(*layers).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def digit_classifier(classes: int = CLASSES) -> Classifier:
    """Build E1: six 3x3 convolutions down to 4x4, 128 features."""
    body = nn.Sequential(
        *_block(1, 16),
        *_block(16, 32, 2),
        *_block(32, 32),
        *_block(32, 64, 2),
        *_block(64, 64),
        *_block(64, 64, 2),
    )
    return Classifier(body, 64 * 4 * 4, 128, classes)


def small_classifier(classes: int = CLASSES, features: int = 64) -> Classifier:
    """Build the small CNN of CAS and the two-sample test (and, narrower, of E3)."""
    body = nn.Sequential(
        nn.Conv2d(1, 16, 5, 2, padding=2, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        *_block(16, 32, 2),
    )
    return Classifier(body, 32 * 7 * 7, features, classes)


def checkpoint_scorer_network(classes: int = CLASSES) -> Classifier:
    """Build E3: the quick CNN with 32 features."""
    return small_classifier(classes, features=32)


class Autoencoder(nn.Module):
    """E2: 64 numbers from which the image can be drawn again; it never sees a label."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 32, 4, 2, padding=1),
            nn.LeakyReLU(0.1),
            nn.Conv2d(32, 64, 4, 2, padding=1),
            nn.LeakyReLU(0.1),
            nn.Flatten(),
            nn.Linear(64 * 7 * 7, 64),
        )
        self.decoder = nn.Sequential(
            nn.Linear(64, 64 * 7 * 7),
            nn.LeakyReLU(0.1),
            nn.Unflatten(1, (64, 7, 7)),
            nn.ConvTranspose2d(64, 32, 4, 2, padding=1),
            nn.LeakyReLU(0.1),
            nn.ConvTranspose2d(32, 1, 4, 2, padding=1),
            nn.Tanh(),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the images as drawn from their features."""
        drawn: torch.Tensor = self.decoder(self.encoder(images))
        return drawn

    def embed(self, images: torch.Tensor) -> torch.Tensor:
        """Return the features (n, 64)."""
        features: torch.Tensor = self.encoder(images)
        return features


class LinearClassifier(nn.Module):
    """One linear layer from pixels to logits, the classifier of the reference system `mlp`."""

    def __init__(self, classes: int = CLASSES) -> None:
        super().__init__()
        self.head = nn.Linear(SIDE * SIDE, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits (n, classes)."""
        logits: torch.Tensor = self.head(images.flatten(1))
        return logits


# By name, each built for a number of classes.
NETWORKS: dict[str, Callable[[int], nn.Module]] = {
    "e1": digit_classifier,
    "e2": lambda classes: Autoencoder(),
    "e3": checkpoint_scorer_network,
    "linear": LinearClassifier,
}
