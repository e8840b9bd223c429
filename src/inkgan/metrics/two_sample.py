"""Networks trained on the images themselves: are they useful, can they be told from real ones?"""

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from inkgan.images import to_float
from inkgan.metrics.features.extractors import CHUNK
from inkgan.metrics.features.fit import Fit, fit_classifier, seeded
from inkgan.metrics.features.networks import CLASSES, small_classifier
from inkgan.rng import seed_for
from inkgan.types import UInt8

# Fixed in advance, the same for fakes and for real images.
CLASSIFIER = Fit(epochs=5)
DISCRIMINATOR = Fit(epochs=8, batch_size=64)


def classification_accuracy(
    pixels: UInt8, labels: np.ndarray, test: UInt8, test_labels: np.ndarray, seed: int
) -> float:
    """Train a small CNN on images, and return its accuracy on real test images.

    The classification accuracy score of Ravuri and Vinyals 2019 (CAS), with a small network for
    digits.

    Args:
        pixels: images to train on, uint8 (n, 28, 28).
        labels: their digits (n,), 0 to 9, or other classes from 0.
        test: real images, uint8 (m, 28, 28).
        test_labels: their digits (m,).
        seed: of weights and order.

    Returns:
        The share of test images classified right, in 0..1; higher is better.
    """
    classes = max(CLASSES, int(test_labels.max()) + 1, int(labels.max()) + 1)
    network = _trained(pixels, labels, classes, CLASSIFIER, seed)
    right = _logits(network, test).argmax(axis=1) == test_labels
    return float(right.mean())


def two_sample_auc(real: UInt8, fake: UInt8, seed: int) -> float:
    """Train a small CNN to tell real from generated on one half, return its AUC on the other.

    The classifier two-sample test of Lopez-Paz and Oquab 2017, by the area under the ROC curve
    instead of the accuracy.

    Args:
        real: uint8 (n, 28, 28).
        fake: generated images, uint8 (m, 28, 28).
        seed: of the halves, the weights and the order.

    Returns:
        A number in 0..1: 0.5 where the two cannot be told apart, 1 where they always can.
    """
    pixels = np.concatenate([real, fake])
    labels = np.repeat([0, 1], [len(real), len(fake)])
    random = np.random.default_rng(seed_for(seed, "two-sample halves"))
    first = np.zeros(len(pixels), bool)
    for part in (0, 1):
        rows = random.permutation(np.flatnonzero(labels == part))
        first[rows[: len(rows) // 2]] = True
    network = _trained(pixels[first], labels[first], 2, DISCRIMINATOR, seed)
    logits = _logits(network, pixels[~first])
    return float(roc_auc_score(labels[~first], logits[:, 1] - logits[:, 0]))


def _trained(pixels: UInt8, labels: np.ndarray, classes: int, plan: Fit, seed: int) -> nn.Module:
    network = seeded(lambda: small_classifier(classes), seed)
    images = torch.from_numpy(np.ascontiguousarray(pixels))[:, None]
    targets = torch.from_numpy(labels.astype(np.int64))
    for _ in fit_classifier(network, images, targets, plan, seed):
        pass
    return network


@torch.no_grad()
def _logits(network: nn.Module, pixels: UInt8) -> np.ndarray:
    images = torch.from_numpy(np.ascontiguousarray(pixels))[:, None]
    logits: np.ndarray = torch.cat(
        [network(to_float(chunk)) for chunk in images.split(CHUNK)]
    ).numpy()
    return logits
